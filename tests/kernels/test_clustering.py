import numpy as np
import pytest
import torch

from alharness.errors import SamplerError
from alharness.kernels import clustering, join_modalities, k_means
from alharness.kernels.clustering import refine


def blobs(n=300, d=4, seed=0):
    rng = np.random.default_rng(seed)
    return torch.from_numpy(3 * rng.normal(size=(5, d))[rng.integers(5, size=n)] + rng.normal(size=(n, d)))


@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_clusters_are_those_of_scikit_learn_from_the_same_centers(offset):
    from sklearn.cluster import KMeans

    X = (blobs() + offset).float()
    theirs = KMeans(12, init=X[:12].numpy(), n_init=1, algorithm="lloyd", tol=0).fit(X.numpy())
    assert refine(X, X[:12]).tolist() == theirs.labels_.tolist()


def test_an_empty_cluster_keeps_its_center():
    X = torch.tensor([[0.0], [1.0], [10.0], [11.0]])
    assert refine(X, torch.tensor([[0.0], [100.0], [10.0]])).tolist() == [0, 0, 2, 2]


def test_the_seeding_is_all_that_is_random():
    X = blobs().float()
    one, again, other = (k_means(X, 20, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert one.min() >= 0
    assert one.max() < 20


@pytest.mark.parametrize("k", [1, 7])
def test_samples_that_are_all_alike_are_no_obstacle(k):
    assert set(k_means(torch.ones(7, 3), k, np.random.default_rng(0)).tolist()) <= set(range(k))


@pytest.mark.parametrize(
    ("X", "k", "message"),
    [
        (torch.ones(3, 1), 4, "4 clusters of 3"),
        (torch.ones(3, 1), 0, "0 clusters"),
        (torch.tensor([[1.0], [np.nan]]), 1, "1 of 2"),
    ],
)
def test_what_cannot_be_clustered(X, k, message):
    with pytest.raises(SamplerError, match=message):
        k_means(X, k, np.random.default_rng(0))


def test_modalities_weigh_the_same_and_absent_rows_are_at_the_mean():
    rng = np.random.default_rng(0)
    small, large = (
        torch.from_numpy(rng.normal(size=(50, 2))),
        torch.from_numpy(5 + 100 * rng.normal(size=(50, 30))),
    )
    known = torch.arange(50) > 9
    small[~known] = 0
    joined = join_modalities([small, large], [known, torch.ones(50, dtype=torch.bool)])
    assert joined.dtype == torch.float32
    assert joined[:, 2:].square().sum(1).mean() == pytest.approx(1)
    assert joined[known][:, :2].square().sum(1).mean() == pytest.approx(1)
    expected = (small[known] - small[known].mean(0)) / small[known].std(0, correction=0) / 2**0.5
    assert np.allclose(joined[known][:, :2], expected, atol=1e-6)
    assert not joined[~known][:, :2].any()


def test_joined_rows_are_those_of_one_block(monkeypatch):
    x, known = torch.from_numpy(np.random.default_rng(0).normal(5, 2, size=(50, 3))), torch.arange(50) % 7 > 0
    whole = join_modalities([x, x[:, :1]], [known, ~known])
    monkeypatch.setattr(clustering, "BLOCK", 8)
    assert torch.allclose(join_modalities([x, x[:, :1]], [known, ~known]), whole, atol=1e-7)


def test_a_modality_that_none_has_and_a_constant_one_are_zeros():
    x = torch.full((4, 2), 0.1)
    joined = join_modalities([x, x], [torch.ones(4, dtype=torch.bool), torch.zeros(4, dtype=torch.bool)])
    assert not joined.any()
