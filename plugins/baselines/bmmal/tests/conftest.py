from contextlib import nullcontext

import numpy as np
import pytest
import torch

from alharness import FUSED, Query, Task


class View:
    """Representations, and fused predictions decoded from them."""

    def __init__(self, z, decode, context=None):
        self.z = z
        self.extra = context or {}
        self.decode = decode
        self.ids = tuple(f"{i:04d}" for i in range(len(self)))

    def __len__(self):
        return len(next(iter(self.z.values())))

    def representations(self, modality):
        return self.z[modality]

    def context(self):
        return self.extra

    def predictions(self, source=FUSED):
        assert source == FUSED
        return self.decode({**self.z, **self.extra})[FUSED]


@pytest.fixture
def make_z():
    """Modalities of unequal width."""

    def make(modalities=2, n=60, seed=0, dtype=torch.float64):
        generator = torch.Generator().manual_seed(seed)
        widths = {"audio": 3, "text": 5, "vision": 4, "touch": 2}
        z = {m: torch.randn(n, d, generator=generator, dtype=torch.float64) for m, d in widths.items()}
        return {m: z[m].to(dtype) for m in list(widths)[:modalities]}

    return make


@pytest.fixture
def make_decode():
    """A fused head with one hidden layer, in which modalities meet."""

    def make(z, classes=3, seed=0):
        generator = torch.Generator().manual_seed(100 + seed)
        width = sum(x.shape[1] for x in z.values())
        dtype = next(iter(z.values())).dtype
        inner = torch.randn(width, 8, generator=generator, dtype=torch.float64).to(dtype)
        outer = torch.randn(8, classes, generator=generator, dtype=torch.float64).to(dtype)

        def decode(parts):
            joined = torch.cat([parts[m] for m in z], 1)
            return {FUSED: ((joined @ inner).tanh() @ outer).log_softmax(1)}

        return decode

    return make


@pytest.fixture
def make_query(make_decode):
    """(z, size, ...) -> Query; what it logs is in `query.log.__self__`."""

    def make(z, size=10, *, seed=0, decode=None, context=None):
        decode = decode or make_decode(z)
        view = View(z, decode, context)
        return Query(
            unlabeled=view,
            labeled=view,
            size=size,
            cycle=0,
            cycles=1,
            task=Task.CLASSIFICATION,
            modalities=tuple(z),
            device=torch.device("cpu"),
            rng=np.random.default_rng(seed),
            decode=decode,
            log={}.__setitem__,
            phase=lambda name: nullcontext(),
        )

    return make
