"""Products of large matrices."""

import pytest
import torch
from torch import func
from torch.autograd import forward_ad
from torch.nn import functional

from alharness.engine.contexts import threads
from alharness.kernels import linear, products
from alharness.kernels.products import batched

N, INPUTS, OUTPUTS = 300, 200, 50


def numbers(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


FORMS = {
    "plain": lambda x: x,
    "transposed": lambda x: x.T.contiguous().T,
    "every second row": lambda x: x.repeat_interleave(2, 0)[::2],
    "every second column": lambda x: x.repeat_interleave(2, 1)[:, ::2],
    "between others": lambda x: functional.pad(x, (3, 5))[:, 3:-5],
    "one row for all": lambda x: x[:1].expand_as(x),
}


@pytest.fixture(params=["oneDNN", "MKL"], autouse=True)
def library(request, monkeypatch):
    """With and without the operator that not all versions and processors have."""
    if request.param == "MKL":
        monkeypatch.setattr(products, "ONEDNN", None)
    assert N * INPUTS * OUTPUTS > products.LARGE


@pytest.mark.parametrize("of_x", FORMS)
@pytest.mark.parametrize("of_weight", FORMS)
def test_is_the_product_however_matrices_lie_in_memory(of_x, of_weight):
    x, weight = FORMS[of_x](numbers(N, INPUTS)), FORMS[of_weight](numbers(OUTPUTS, INPUTS, seed=1))
    torch.testing.assert_close(linear(x, weight), functional.linear(x, weight), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("step", [1, 2])
def test_the_bias_is_added_however_it_lies_in_memory(step):
    x, weight, bias = numbers(N, INPUTS), numbers(OUTPUTS, INPUTS, seed=1), numbers(step * OUTPUTS)[::step]
    torch.testing.assert_close(linear(x, weight, bias), functional.linear(x, weight, bias), rtol=1e-4, atol=1e-4)


def test_samples_may_have_several_dimensions():
    x, weight = numbers(3, N // 3, INPUTS), numbers(OUTPUTS, INPUTS, seed=1)
    torch.testing.assert_close(linear(x, weight), functional.linear(x, weight), rtol=1e-4, atol=1e-4)


def test_the_number_of_threads_changes_no_bit():
    x, weight, bias = numbers(N, INPUTS), numbers(OUTPUTS, INPUTS, seed=1), numbers(OUTPUTS)
    found = []
    for count in (1, 2, 3):
        with threads(count):
            found.append(linear(x, weight, bias))
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


def backward(f, x):
    x.requires_grad_()
    return torch.autograd.grad(f(x).sum(), x)[0]


def forward(f, x):
    with forward_ad.dual_level():
        return forward_ad.unpack_dual(f(forward_ad.make_dual(x, x))).tangent


DERIVATIVES = {
    "backward": backward,
    "forward": forward,
    "torch.func.grad": lambda f, x: func.grad(lambda y: f(y).sum())(x),
    "torch.func.jvp": lambda f, x: func.jvp(f, (x,), (x,))[1],
    "torch.func.vmap": lambda f, x: func.vmap(f)(torch.stack([x, 2 * x])),
}


@pytest.mark.filterwarnings("error:There is a performance drop")
@pytest.mark.parametrize("derivative", DERIVATIVES)
def test_derivatives_are_those_of_torch(derivative):
    x, weight = numbers(N, INPUTS), numbers(OUTPUTS, INPUTS, seed=1)
    found, wanted = (DERIVATIVES[derivative](lambda y, f=f: f(y, weight), x) for f in (linear, functional.linear))
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_types_of_numbers_stay(dtype):
    assert linear(numbers(N, INPUTS).to(dtype), numbers(OUTPUTS, INPUTS).to(dtype)).dtype == dtype


def test_autocast_is_obeyed():
    with torch.autocast("cpu", torch.bfloat16):
        assert linear(numbers(N, INPUTS), numbers(OUTPUTS, INPUTS)).dtype == torch.bfloat16


BATCHES = {
    "plain": lambda x: x,
    "transposed": lambda x: x.mT.contiguous().mT,
    "one for all": lambda x: x[:1].expand_as(x),
}


@pytest.mark.parametrize("bias", [None, numbers(33, 1, 64, seed=2)], ids=["bare", "with bias"])
@pytest.mark.parametrize(("n", "k"), [(32, 768), (300, 177), (64, 64)])
@pytest.mark.parametrize("of_y", BATCHES)
def test_a_product_has_the_same_bits_among_any_number_of_others(of_y, n, k, bias):
    x, y = numbers(33, n, k), BATCHES[of_y](numbers(33, k, 64, seed=1))
    whole = batched(x, y, bias)
    for rows in (slice(2), slice(1, 8), slice(8, 33)):
        assert torch.equal(batched(x[rows], y[rows], None if bias is None else bias[rows]), whole[rows])
    exact = x.double() @ y.double() + (0 if bias is None else bias)
    assert (whole - exact).abs().max() < 1e-3 * exact.std()  # with bfloat16 it would be 1e-2 and more


def test_precision_of_other_products_is_as_before():
    switch = torch.backends.mkldnn.matmul
    before = switch.fp32_precision
    batched(numbers(2, 32, 64), numbers(2, 64, 32))
    assert switch.fp32_precision == before


def test_where_oneDNN_would_round_it_is_not_asked(monkeypatch):
    monkeypatch.setattr(products, "_by_onednn", lambda x, y, bias: (x.bfloat16() @ y.bfloat16()).float())
    products._leaves_float32.cache_clear()
    x, y = numbers(2, 32, 64), numbers(2, 64, 32)
    try:
        assert torch.equal(batched(x, y), torch.bmm(x, y))
    finally:
        products._leaves_float32.cache_clear()
