"""Kernels on pools in parts must answer as they do for a pool in one piece."""

import pytest
import torch

from alharness import SamplerError
from alharness.kernels import (
    CenterPart,
    SeedingPart,
    cross_sums_of_distances,
    k_center,
    k_center_in_parts,
    k_means_plus_plus,
    k_means_plus_plus_in_parts,
)

CUTS = [[120], [40, 80], [1, 1, 117, 1], [30] * 4]


def normal(n, d, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def asker(parts):
    return lambda name, *of: [getattr(part, name)(*of) for part in parts]


def centers_of(pool, centers, cut):
    starts = [sum(cut[:i]) for i in range(len(cut))]
    return asker([CenterPart(x, centers, start=s, block=32) for x, s in zip(pool.split(cut), starts, strict=True)])


def seeds_of(q, h, uniforms, cut):
    starts = [sum(cut[:i]) for i in range(len(cut))]
    pieces = zip(q.split(cut), h.split(cut), uniforms.split(cut), starts, strict=True)
    return asker([SeedingPart(a, b, u, start=s, block=32) for a, b, u, s in pieces])


@pytest.mark.parametrize("offset", [0.0, 1e4])
@pytest.mark.parametrize("front", [1, 9, None])
@pytest.mark.parametrize("cut", CUTS, ids=str)
def test_centers_are_those_of_the_whole(cut, front, offset):
    points = normal(140, 6) + offset
    pool, centers = points[20:], points[:20]
    found = k_center_in_parts(centers_of(pool, centers, cut), 50, front=front)
    assert found.positions.tolist() == k_center(pool, centers, 50).tolist()


@pytest.mark.parametrize("k", [0, 1, 50, 120])
def test_the_radius_is_the_distance_of_the_farthest_point(k):
    pool, centers = normal(120, 6), normal(5, 6, seed=1)
    found = k_center_in_parts(centers_of(pool, centers, [30] * 4), k)
    chosen = torch.cat([centers, pool[found.positions]])
    assert found.radius == pytest.approx(torch.cdist(pool, chosen).amin(1).max().item(), abs=1e-6)


def test_centers_without_labels_begin_where_they_are_told():
    pool = normal(120, 6)
    found = k_center_in_parts(centers_of(pool, pool[:0], [30] * 4), 20, first=77)
    assert found.positions.tolist() == k_center(pool, pool[:0], 20, first=77).tolist()


@pytest.mark.parametrize("front", [1, 2, 4])
@pytest.mark.parametrize("cut", [[4, 4], [1, 3, 4], [1] * 8], ids=str)
def test_ties_of_different_parts_go_to_the_lowest_position(cut, front):
    pool = torch.tensor([[0, 2], [2, 2], [-2, 2], [2, 0], [2, -2], [-2, -2], [-2, 0], [0, -2.0]])
    found = k_center_in_parts(centers_of(pool, torch.zeros(1, 2), cut), 8, front=front)
    assert found.positions.tolist() == [1, 2, 4, 5, 0, 3, 6, 7]


def test_every_point_is_picked_once_when_only_duplicates_are_left():
    pool = normal(30, 4).repeat(4, 1)
    found = k_center_in_parts(centers_of(pool, pool[:1], [30] * 4), 120, front=8)
    assert sorted(found.positions.tolist()) == list(range(120))
    assert found.radius == 0


def test_half_precision_gives_the_picks_of_the_same_numbers_in_float32():
    pool, centers = (normal(120, 6) + 50).half(), normal(5, 6, seed=1).half() + 50
    found = k_center_in_parts(centers_of(pool, centers, [30] * 4), 40)
    assert found.positions.tolist() == k_center(pool.float(), centers.float(), 40).tolist()


@pytest.mark.parametrize(
    ("k", "centers", "message"), [(121, 3, "cannot pick 121 of 120 points"), (2, 0, "which point is picked first")]
)
def test_centers_that_cannot_be_picked_are_refused(k, centers, message):
    pool = normal(120, 6)
    with pytest.raises(SamplerError, match=message):
        k_center_in_parts(centers_of(pool, pool[:centers], [60, 60]), k)


@pytest.mark.parametrize("front", [3, 40, None])
@pytest.mark.parametrize("cut", CUTS, ids=str)
def test_seeds_are_those_of_the_whole(cut, front):
    q, h, uniforms = normal(120, 3), normal(120, 5, seed=1), torch.rand(120, dtype=torch.float64)
    found = k_means_plus_plus_in_parts(seeds_of(q, h, uniforms, cut), 50, front=front)
    assert found.tolist() == k_means_plus_plus(q, h, 50, uniforms).tolist()


def test_seeds_begin_where_they_are_told_and_end_with_duplicates():
    q, h, uniforms = (x.repeat(4, 1) for x in (normal(30, 3), normal(30, 5, seed=1), torch.rand(30, 1).double()))
    uniforms = torch.rand(120, dtype=torch.float64)
    found = k_means_plus_plus_in_parts(seeds_of(q, h, uniforms, [50, 70]), 120, first=99)
    assert found.tolist() == k_means_plus_plus(q, h, 120, uniforms, first=99).tolist()


def test_seeds_of_half_precision():
    q, h, uniforms = normal(120, 3), normal(120, 5, seed=1).half(), torch.rand(120, dtype=torch.float64)
    found = k_means_plus_plus_in_parts(seeds_of(q, h, uniforms, [60, 60]), 30)
    assert found.tolist() == k_means_plus_plus(q, h.float(), 30, uniforms).tolist()


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_cross_sums_equal_brute_force(block):
    X, Z, own = [normal(40, 3), normal(40, 8)], [normal(6, 3, seed=1), normal(6, 8, seed=1)], torch.full((6,), -1)
    own[2:4] = torch.tensor([39, 0])
    for x, z in zip(X, Z, strict=True):
        z[2:4] = x[[39, 0]]
    rows, columns = cross_sums_of_distances(X, Z, own, block=block)
    distances = sum(torch.cdist(x, z) for x, z in zip(X, Z, strict=True))
    torch.testing.assert_close(rows, distances.sum(1))
    torch.testing.assert_close(columns, distances.sum(0))


def test_a_point_is_at_no_distance_from_itself():
    X = (1e3 + normal(5, 4)).float()
    rows, columns = cross_sums_of_distances([X[:1]], [X[:1]], torch.tensor([0]))
    assert rows.item() == columns.item() == 0


def test_rows_that_are_not_finite_are_refused_in_half_precision_too():
    pool = torch.ones(5, 2, dtype=torch.float16)
    pool[3] = torch.inf
    with pytest.raises(SamplerError, match="1 of 5 rows of the pool's features"):
        CenterPart(pool, pool[:1])
    CenterPart(torch.full((5, 200), 60000.0, dtype=torch.float16), pool[:1].expand(1, 2).new_ones(1, 200))
