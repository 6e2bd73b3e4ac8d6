import pytest
import torch

from alharness.kernels import estimate_mean_distances, full_precision, k_center, sum_of_distances

CPU = torch.device("cpu")


def settings():
    return torch.backends.cuda.matmul.fp32_precision, torch.backends.mkldnn.matmul.fp32_precision


@pytest.fixture
def tf32():
    before = settings()
    torch.backends.cuda.matmul.fp32_precision = "tf32"
    torch.backends.mkldnn.matmul.fp32_precision = "bf16"
    yield
    torch.backends.cuda.matmul.fp32_precision, torch.backends.mkldnn.matmul.fp32_precision = before


def test_is_full_inside_and_as_before_outside(tf32):
    with full_precision(CPU):
        assert settings() == ("ieee", "ieee")
    assert settings() == ("tf32", "bf16")


def test_is_as_before_after_an_error(tf32):
    with pytest.raises(ZeroDivisionError), full_precision(CPU):
        raise ZeroDivisionError
    assert settings() == ("tf32", "bf16")


@pytest.mark.parametrize("setting", ["high", "medium", "highest"])
def test_lives_with_the_older_process_wide_setting(setting):
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(setting)
    try:
        with full_precision(CPU):
            assert settings() == ("ieee", "ieee")
        assert torch.get_float32_matmul_precision() == setting
    finally:
        torch.set_float32_matmul_precision(before)


def test_autocast_is_off_inside():
    x = torch.ones(2, 2)
    with torch.autocast("cpu"), full_precision(CPU):
        assert (x @ x).dtype == torch.float32


@pytest.mark.parametrize(
    "kernel",
    [
        sum_of_distances,
        lambda X: k_center(X, X[:3], 4),
        lambda X: estimate_mean_distances([X], torch.arange(5)),
    ],
    ids=["sum_of_distances", "k_center", "estimate_mean_distances"],
)
def test_every_product_of_the_kernels_is_full(kernel, tf32, monkeypatch):
    seen = []
    for name in ("mm", "addmm", "addmv"):
        product = getattr(torch, name)
        monkeypatch.setattr(torch, name, lambda *a, _p=product, **k: (seen.append(settings()), _p(*a, **k))[1])
    kernel(torch.randn(20, 4, generator=torch.Generator().manual_seed(0)))
    assert set(seen) == {("ieee", "ieee")}
