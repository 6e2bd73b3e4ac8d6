import numpy as np
import pytest
import torch

from alharness import SamplerError
from alharness.kernels import k_means_plus_plus
from alharness.kernels.factored import Factored
from alharness.kernels.seeding import SeedingPart, textbook_k_means_plus_plus


def normal(n, d, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def uniform(n, seed=0):
    return torch.rand(n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def explicit(q, h):
    return torch.einsum("nc,nd->ncd", q.double(), h.double()).flatten(1)


def oracle(g, k, uniforms, first=None):
    """The race on explicit embeddings in float64: the whole pool is updated for every pick, from differences."""
    picks = [int(g.norm(dim=1).argmax()) if first is None else first]
    clocks = -torch.log(1 - uniforms)
    gaps = (g - g[picks[0]]).square().sum(1)
    while len(picks) < k:
        waits = torch.where(gaps > 0, clocks / gaps, torch.inf)
        i = int(waits.argmin())
        clocks = clocks - waits[i] * gaps
        gaps = torch.minimum(gaps, (g - g[i]).square().sum(1))
        picks.append(i)
    return picks


def factors(n=150, c=4, d=9, seed=0):
    return normal(n, c, seed), normal(n, d, seed + 100)


def clusters(n=150):
    places = torch.arange(n) % 8
    return normal(8, 4, 5)[places] + 1e-2 * normal(n, 4, 6), normal(8, 9, 7)[places] + 1e-2 * normal(n, 9, 8)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("front", [1, 2, 9, 64, 1000])
@pytest.mark.parametrize("make", [factors, clusters])
def test_equals_explicit_embeddings_with_the_same_uniforms(make, front, dtype):
    q, h = (part.to(dtype) for part in make())
    # With these uniforms no two clocks are so near that rounding of float32 decides between them.
    picks = k_means_plus_plus(q, h, 60, uniform(150, 1), front=front, block=32)
    assert picks.tolist() == oracle(explicit(q, h), 60, uniform(150, 1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_without_left_factors_the_points_are_the_right_ones(dtype):
    h = normal(150, 9).to(dtype)
    assert k_means_plus_plus(None, h, 60, uniform(150)).tolist() == oracle(h.double(), 60, uniform(150))


@pytest.mark.parametrize("block", [1, 3, 50, 1000])
def test_does_not_depend_on_the_block(block):
    q, h = factors(100)
    picks = k_means_plus_plus(q, h, 40, uniform(100), block=block, front=11)
    assert picks.tolist() == oracle(explicit(q, h), 40, uniform(100))


def test_does_not_depend_on_the_default_front():
    q, h = factors(12_000)
    picks = k_means_plus_plus(q, h, 300, uniform(12_000))
    assert picks.tolist() == k_means_plus_plus(q, h, 300, uniform(12_000), front=11).tolist()


def test_the_pool_does_not_learn_of_the_last_picks(monkeypatch):
    learned = []
    take = SeedingPart.take
    monkeypatch.setattr(
        SeedingPart, "take", lambda part, picks, *more: learned.append(len(picks)) or take(part, picks, *more)
    )
    q, h = factors()
    assert len(k_means_plus_plus(q, h, 60, uniform(150))) == 60
    assert learned == [1]  # all others came from a front as large as the pool


@pytest.mark.parametrize("first", [0, 31, 149])
def test_starts_where_it_is_told(first):
    q, h = factors()
    picks = k_means_plus_plus(q, h, 30, uniform(150), first=first, front=7)
    assert picks.tolist() == oracle(explicit(q, h), 30, uniform(150), first)


def test_starts_with_the_lowest_position_of_the_largest_norm():
    h = torch.tensor([[1.0, 0], [0, 3], [3, 0], [-3, 0]])
    assert k_means_plus_plus(None, h, 1, uniform(4)).tolist() == [1]


def test_a_norm_is_that_of_the_outer_product():
    q, h = torch.tensor([[1.0], [5.0], [0.1]]), torch.tensor([[4.0], [1.0], [30.0]])
    assert k_means_plus_plus(q, h, 1, uniform(3)).tolist() == [1]


@pytest.mark.parametrize("offset", [1e3, 1e4])
def test_an_offset_of_the_points_changes_nothing(offset):
    h = normal(150, 9).float()
    picks = k_means_plus_plus(None, h + offset, 60, uniform(150), first=3)
    assert picks.tolist() == oracle((h + offset).double(), 60, uniform(150), 3)


def test_an_offset_of_the_right_factors_costs_no_digits():
    # Many points of few left factors: their distances come from what is left of h without the offset.
    q, h = normal(4, 3)[torch.arange(150) % 4].float(), (normal(150, 9) + 1000).float()
    assert k_means_plus_plus(q, h, 60, uniform(150)).tolist() == oracle(explicit(q, h), 60, uniform(150))


def test_a_permuted_pool_with_its_uniforms_gives_the_same_points():
    (q, h), uniforms = factors(), uniform(150)
    order = torch.randperm(150, generator=torch.Generator().manual_seed(3))
    permuted = k_means_plus_plus(q[order], h[order], 40, uniforms[order])
    assert order[permuted].tolist() == k_means_plus_plus(q, h, 40, uniforms).tolist()


def gaps_from(g, *picks):
    return torch.stack([(g - g[i]).square().sum(1) for i in picks]).amin(0).numpy()


@pytest.fixture(scope="module")
def draws():
    """Second and third pick of 1000 seedings that begin at 2."""
    q, h = factors(7, 3, 2)
    uniforms = np.random.default_rng(5).random((1000, 7))
    picks = [k_means_plus_plus(q, h, 3, torch.from_numpy(u), first=2, front=2).tolist() for u in uniforms]
    return explicit(q, h), np.array(picks)


def test_the_second_pick_follows_the_squared_distances_from_the_first(draws):
    from scipy.stats import chisquare

    g, picks = draws
    law = gaps_from(g, 2) / gaps_from(g, 2).sum()
    observed = np.bincount(picks[:, 1], minlength=7)
    assert observed[2] == 0
    assert chisquare(np.delete(observed, 2), 1000 * np.delete(law, 2)).pvalue > 1e-3


def test_second_and_third_pick_together_follow_their_law(draws):
    from scipy.stats import chisquare

    g, picks = draws
    first = gaps_from(g, 2) / gaps_from(g, 2).sum()
    pairs = [(i, j) for i in range(7) for j in range(7) if len({2, i, j}) == 3]
    law = [first[i] * gaps_from(g, 2, i)[j] / gaps_from(g, 2, i).sum() for i, j in pairs]
    observed = [np.all(picks[:, 1:] == pair, axis=1).sum() for pair in pairs]
    assert chisquare(observed, 1000 * np.array(law)).pvalue > 1e-3


def test_second_and_third_pick_are_drawn_as_in_the_textbook(draws):
    from scipy.stats import chi2_contingency

    g, picks = draws
    generator = torch.Generator().manual_seed(0)
    textbook = np.array([textbook_k_means_plus_plus(g, 3, 2, generator).tolist() for _ in range(1000)])
    counts = np.zeros((2, 49), int)
    for row, found in enumerate((picks, textbook)):
        np.add.at(counts[row], 7 * found[:, 1] + found[:, 2], 1)
    assert chi2_contingency(counts[:, counts.sum(0) > 0]).pvalue > 1e-3


def test_every_point_is_picked_once_when_all_are_asked_for():
    q, h = factors(60)
    assert sorted(k_means_plus_plus(q, h, 60, uniform(60), front=7).tolist()) == list(range(60))


@pytest.mark.parametrize("front", [5, 60])
def test_no_point_is_picked_twice_however_its_distance_from_itself_is_rounded(monkeypatch, front):
    exact = Factored.squared_distances
    monkeypatch.setattr(Factored, "squared_distances", lambda points, others: exact(points, others) + 9)
    q, h = factors(60)
    assert len(set(k_means_plus_plus(q, h, 60, uniform(60), front=front).tolist())) == 60


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("offset", [0, 1000])
def test_distinct_points_come_before_duplicates(dtype, offset):
    q, h = factors(20, d=300)
    q, h = q.to(dtype).repeat(4, 1), (h + offset).to(dtype).repeat(4, 1)
    picks = k_means_plus_plus(q, h, 80, uniform(80), block=33, front=9)
    assert len(set((picks[:20] % 20).tolist())) == 20
    assert len(set(picks.tolist())) == 80


def test_among_duplicates_alone_each_is_as_likely():
    from scipy.stats import chisquare

    h = torch.full((6, 3), 0.1)
    uniforms = np.random.default_rng(1).random((500, 6))
    second = [int(k_means_plus_plus(None, h, 2, torch.from_numpy(u))[1]) for u in uniforms]
    assert chisquare(np.bincount(second, minlength=6)[1:]).pvalue > 1e-3


def test_among_duplicates_left_after_a_race_each_is_as_likely():
    from scipy.stats import chisquare

    h = torch.tensor([[0.0], [3], [3], [3], [0], [0], [0]])
    uniforms = np.random.default_rng(2).random((700, 7))
    picks = [k_means_plus_plus(None, h, 3, torch.from_numpy(u), first=0).tolist() for u in uniforms]
    # The second pick is one of three equal points; the third any of the five that are left.
    third = [([1, 2, 3, 4, 5, 6].index(c), [1, 2, 3].index(b)) for _, b, c in picks]
    left = [[c - (c > b) for c, b in third].count(i) for i in range(5)]
    assert chisquare(left).pvalue > 1e-3


@pytest.mark.parametrize("q", [torch.zeros(5, 2), torch.full((5, 2), 1e-200, dtype=torch.float64)])
def test_gradients_of_zero_give_a_full_batch(q):
    assert len(set(k_means_plus_plus(q, torch.ones(5, 3), 4, uniform(5)).tolist())) == 4


def test_tiny_gradients_are_points_like_others():
    q, h = factors()
    tiny = k_means_plus_plus(1e-20 * q, h, 60, uniform(150))
    assert tiny.tolist() == k_means_plus_plus(q, h, 60, uniform(150)).tolist()


@pytest.mark.parametrize("n", [0, 1, 5])
def test_none_of_any(n):
    assert k_means_plus_plus(None, torch.ones(n, 2), 0, uniform(n)).tolist() == []


def test_one_of_one():
    assert k_means_plus_plus(None, torch.ones(1, 2), 1, uniform(1)).tolist() == [0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"q": torch.full((5, 2), torch.nan)}, "5 of 5 rows of the left factors"),
        ({"h": torch.full((5, 3), torch.inf)}, "5 of 5 rows of the features"),
        ({"k": 6}, "cannot pick 6 of 5 points"),
        ({"k": -1}, "cannot pick -1 of 5 points"),
        ({"first": 5}, "position 5 of 5"),
        ({"first": -1}, "position -1 of 5"),
        ({"q": torch.ones(4, 2)}, "4 left factors, 5 right"),
        ({"uniforms": torch.full((4,), 0.5)}, r"uniforms of shape \(4,\)"),
        ({"uniforms": torch.ones(5)}, r"\[0, 1\)"),
        ({"uniforms": torch.full((5,), torch.nan)}, r"\[0, 1\)"),
    ],
)
def test_refuses(change, message):
    arguments = {"q": torch.ones(5, 2), "h": torch.ones(5, 3), "k": 2, "uniforms": uniform(5), "first": None}
    arguments |= change
    with pytest.raises(SamplerError, match=message):
        k_means_plus_plus(**arguments)
