import pytest
import torch

from alharness import FUSED
from alharness.testing import TensorView
from alharness.testing import make_query as make_tensor_query


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

        def embed(parts, source=FUSED):
            assert source == FUSED
            return (torch.cat([parts[m] for m in z], 1) @ inner).tanh()

        decode.embed = embed
        return decode

    return make


@pytest.fixture
def make_query(make_decode):
    """(z, size, ...) -> Query, whose fused predictions are decoded from z."""

    def make(z, size=10, *, seed=0, decode=None, context=None):
        decode = decode or make_decode(z)
        predictions = decode({**z, **(context or {})})[FUSED]
        view = TensorView(representations=z, predictions=predictions, context=context)
        embed = getattr(decode, "embed", None)
        return make_tensor_query(view, size=size, modalities=tuple(z), decode=decode, embed=embed, seed=seed)

    return make
