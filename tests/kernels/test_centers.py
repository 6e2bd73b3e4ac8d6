import pytest
import torch

from alharness import SamplerError
from alharness.kernels import k_center
from alharness.kernels.centers import textbook_k_center


def normal(n, d, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def oracle(pool, centers, k, first=None):
    """Every pick from scratch: distances of everything to everything chosen, in float64."""

    from sklearn.metrics import pairwise_distances

    pool, centers = pool.double().numpy(), centers.double().numpy()
    picks = [] if first is None else [first]
    while len(picks) < k:
        gaps = [pairwise_distances(pool, some).min(1) for some in (centers, pool[picks]) if len(some)]
        gap = gaps[0] if len(gaps) == 1 else gaps[0].clip(max=gaps[1])
        gap[picks] = -1
        picks.append(int(gap.argmax()))
    return picks[:k]


def clusters(n, d, spread):
    return 3 * normal(8, d, seed=5)[torch.arange(n) % 8] + spread * normal(n, d, seed=6)


def textbook(pool, centers, k, first=None):
    return textbook_k_center(pool, centers, k, first).tolist()


@pytest.mark.parametrize("reference", [textbook, oracle])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("front", [1, 2, 9, 64, 1000])
@pytest.mark.parametrize("make", [normal, lambda n, d: clusters(n, d, 0.5)], ids=["cloud", "clusters"])
def test_equals_the_textbook_and_brute_force(make, front, dtype, reference):
    points = make(150, 10)
    pool, centers = points[20:].to(dtype), points[:20].to(dtype)
    assert k_center(pool, centers, 60, front=front, block=32).tolist() == reference(pool, centers, 60)


@pytest.mark.parametrize("block", [1, 3, 50, 1000])
def test_does_not_depend_on_the_block(block):
    pool, centers = normal(100, 4), normal(30, 4, seed=1)
    assert k_center(pool, centers, 40, block=block, front=11).tolist() == oracle(pool, centers, 40)


@pytest.mark.parametrize("n", [900, 140_000])
def test_does_not_depend_on_the_default_front(n):
    pool, centers = normal(n, 2), normal(30, 2, seed=1)
    assert k_center(pool, centers, 300).tolist() == k_center(pool, centers, 300, front=7).tolist()


@pytest.mark.parametrize("offset", [1e3, 1e4])
def test_an_offset_costs_no_digits(offset):
    points = (normal(120, 12) + offset).float()
    pool, centers = points[20:], points[:20]
    assert k_center(pool, centers, 50).tolist() == oracle(pool - offset, centers - offset, 50)


def test_tight_clusters_in_float64():
    points = clusters(120, 6, 1e-4)
    assert k_center(points[20:], points[:20], 40).tolist() == oracle(points[20:], points[:20], 40)


@pytest.mark.parametrize("reference", [textbook, oracle])
def test_without_centers_the_first_pick_is_the_caller_s(reference):
    pool = normal(50, 3)
    assert k_center(pool, pool[:0], 12, first=31, front=4).tolist() == reference(pool, pool[:0], 12, first=31)


def test_a_first_pick_beside_centers_counts_as_a_center():
    pool, centers = normal(50, 3), normal(4, 3, seed=1)
    assert k_center(pool, centers, 12, first=31).tolist() == oracle(pool, centers, 12, first=31)


def test_refuses_to_guess_the_first_pick():
    with pytest.raises(SamplerError, match="say which point is picked first"):
        k_center(normal(5, 2), torch.empty(0, 2, dtype=torch.float64), 2)


@pytest.mark.parametrize("front", [1, 3, 100])
def test_ties_go_to_the_lowest_position(front):
    # The corners and the middle of the edges of a square, all exact in binary, seen from its middle.
    pool = torch.tensor([[0, 2], [2, 2], [-2, 2], [2, 0], [2, -2], [-2, -2], [-2, 0], [0, -2.0]])
    picks = k_center(pool, torch.zeros(1, 2), 8, front=front)
    assert picks.tolist() == oracle(pool, torch.zeros(1, 2), 8) == [1, 2, 4, 5, 0, 3, 6, 7]


@pytest.mark.parametrize("front", [1, 2, 3, 4])
def test_a_point_outside_the_front_wins_a_tie_by_its_position(front):
    # Seen from 0 the gaps are 3, 10, 5, 10 on a line; each pick of a 10 leaves ties further in.
    pool = torch.tensor([[4.0], [10.0], [6.0], [-4.0], [-6.0], [-10.0], [4.0], [-4.0]])
    center = torch.zeros(1, 1)
    assert k_center(pool, center, 8, front=front).tolist() == oracle(pool, center, 8)


def test_never_picks_twice_when_only_duplicates_are_left():
    pool = normal(10, 4).repeat(5, 1)
    picks = k_center(pool, pool[:1], 50, front=7).tolist()
    assert sorted(picks) == list(range(50))


@pytest.mark.parametrize("front", [3, 100])
def test_rounding_never_puts_a_duplicate_below_a_pick(front):
    # Squared distances of these duplicates come out as far below 0 as −100.
    pool = (1e4 * normal(20, 30)).float().repeat(5, 1)
    assert sorted(k_center(pool, pool[:1], 100, front=front).tolist()) == list(range(100))


def test_picks_every_distinct_point_before_a_duplicate():
    pool = normal(10, 4).repeat(3, 1)
    picks = k_center(pool, normal(2, 4, seed=1), 10, front=7)
    assert len(pool[picks].unique(dim=0)) == 10


def test_takes_the_whole_pool_when_asked():
    pool, centers = normal(33, 3), normal(2, 3, seed=1)
    assert k_center(pool, centers, 33, front=8).tolist() == oracle(pool, centers, 33)


@pytest.mark.parametrize("n", [0, 5])
def test_takes_nothing_when_asked_for_nothing(n):
    assert k_center(normal(n, 3), normal(0, 3), 0).tolist() == []


def test_leaves_its_inputs_alone():
    pool, centers = normal(30, 4), normal(3, 4, seed=1)
    before = pool.clone(), centers.clone()
    k_center(pool, centers, 9)
    assert torch.equal(pool, before[0])
    assert torch.equal(centers, before[1])


@pytest.mark.parametrize("k", [-1, 6])
def test_refuses_a_count_out_of_range(k):
    with pytest.raises(SamplerError, match=f"cannot pick {k} of 5 points"):
        k_center(normal(5, 2), normal(1, 2), k)


@pytest.mark.parametrize("first", [-1, 5])
def test_refuses_a_first_pick_out_of_range(first):
    with pytest.raises(SamplerError, match=f"position {first} of 5 points"):
        k_center(normal(5, 2), normal(0, 2), 2, first=first)


@pytest.mark.parametrize("side", ["pool", "centers"])
def test_refuses_rows_that_are_not_finite_and_counts_them(side):
    points = {"pool": normal(9, 3), "centers": normal(9, 3, seed=1)}
    points[side][[1, 4, 8], 0] = torch.nan
    with pytest.raises(SamplerError, match=f"3 of 9 rows of the {side}'"):
        k_center(points["pool"], points["centers"], 2)
