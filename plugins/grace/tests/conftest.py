"""Pools in memory over a tiny network, with a nonlinearity between every z_u and every head."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from alharness import FUSED, Task
from alharness.testing import TensorView
from alharness.testing import make_query as make_tensor_query


class Heads(nn.Module):
    def __init__(self, widths, classes):
        super().__init__()
        sizes = {**widths, FUSED: sum(widths.values())}
        self.heads = nn.ModuleDict(
            {s: nn.Sequential(nn.Linear(d, 7), nn.Tanh(), nn.Linear(7, classes)) for s, d in sizes.items()}
        )
        self.classifies = classes > 1

    def forward(self, z):
        inputs = {**z, FUSED: torch.cat([z[u] for u in self.heads if u != FUSED], 1)}
        outputs = {source: head(inputs[source]) for source, head in self.heads.items()}
        return {s: o.log_softmax(1) for s, o in outputs.items()} if self.classifies else outputs


@pytest.fixture
def make_query():
    """(z, decode, task, ...) -> a query for these representations, and for nothing else."""

    def make(z, decode, task, *, cycles=4, **others):
        sides = TensorView(representations=z), TensorView(n=1)
        return make_tensor_query(*sides, task=task, modalities=tuple(z), decode=decode, cycles=cycles, **others)

    return make


@pytest.fixture
def make_world(make_query):
    """A pool, its heads, and a query for them."""

    def make(task, modalities=3, n=40, *, seed=0, dtype=torch.float64, **overrides):
        widths = dict(zip(("audio", "text", "vision"), (3, 5, 4), strict=True))
        widths = dict(list(widths.items())[:modalities])
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            heads = Heads(widths, 3 if task is Task.CLASSIFICATION else 1).to(dtype).eval()
            z = {u: torch.randn(n, d, dtype=torch.float64).to(dtype) for u, d in widths.items()}
        return SimpleNamespace(z=z, decode=heads, heads=heads, query=make_query(z, heads, task, **overrides))

    return make


@pytest.fixture(params=[Task.CLASSIFICATION, Task.REGRESSION], ids=str)
def task(request):
    return request.param


class FullView(TensorView):
    """With every feature that an option may ask for, as the heads have it at the time of asking."""

    def __init__(self, z, heads):
        super().__init__(representations=z)
        self.z = z
        self.heads = heads

    def _outputs(self):
        with torch.no_grad():
            return self.heads(self.z)

    def embeddings(self, source=FUSED):
        x = torch.cat(list(self.z.values()), 1) if source == FUSED else self.z[source]
        with torch.no_grad():
            return self.heads.heads[source][:2](x)

    def mc_draws(self, draws, source=FUSED):
        output = self._outputs()[source]
        size = torch.arange(1, len(self) + 1, dtype=output.dtype)[:, None] / len(self)
        for number in range(draws):
            generator = torch.Generator().manual_seed(number)
            noise = torch.randn(output.shape, generator=generator, dtype=torch.float64)
            yield output + size * noise.to(output.dtype)


@pytest.fixture
def make_full_world(make_world):
    """As `make_world`, with every feature in the view."""

    def make(*args, **kwargs):
        world = make_world(*args, **kwargs)
        world.query = replace(world.query, unlabeled=FullView(world.z, world.heads))
        return world

    return make
