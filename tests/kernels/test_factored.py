import pytest
import torch

from alharness.kernels.factored import FactoredPool


def normal(n, d, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def all_distances(q, h, block):
    pool = FactoredPool(q, h, block)
    others = pool.at(torch.arange(len(h)))
    return torch.cat([points.squared_distances(others) for _, points in pool.blocks()])


def explicit(q, h):
    g = torch.einsum("nc,nd->ncd", q.double(), h.double()).flatten(1)
    return (g[:, None] - g).square().sum(2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("offset", [0, 1000])
def test_distances_are_those_of_the_outer_products(dtype, offset):
    q, h = normal(40, 3), (normal(40, 8, 1) + offset).to(dtype)
    torch.testing.assert_close(all_distances(q, h, 16), explicit(q, h), rtol=1e-5, atol=1e-5)


def test_norms_are_those_of_the_outer_products():
    q, h = normal(40, 3), normal(40, 8, 1) + 5
    expected = (q.norm(dim=1) * h.norm(dim=1)).square()
    torch.testing.assert_close(FactoredPool(q, h, 16).norms, expected)


def test_small_distances_survive_an_offset():
    q, h = normal(1, 3).expand(40, 3), (normal(40, 8, 1) + 1000).float()
    torch.testing.assert_close(all_distances(q, h, 16), explicit(q, h), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("offset", [0, 1000])
@pytest.mark.parametrize("width", [3, 50, 768, 5000])
def test_duplicates_have_no_distance(width, offset, dtype):
    q, h = normal(12, 4).repeat(2, 1), (normal(12, width, 1) + offset).to(dtype).repeat(2, 1)
    assert all_distances(q, h, 7).diagonal(12).tolist() == [0] * 12


@pytest.mark.parametrize(("dtype", "spread"), [(torch.float32, 1e-2), (torch.float64, 1e-6)])
def test_neighbors_are_no_duplicates(dtype, spread):
    h = normal(6, 50)[torch.arange(30) % 6] + spread * normal(30, 50, 1)
    distances = all_distances(normal(6, 4)[torch.arange(30) % 6], h.to(dtype), 7)
    assert (distances == 0).sum() == 30
