"""Differences with noise estimated from all samplers: by direct formulas, and on data in which nothing differs."""

import json
import math
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from alharness.results.blocks import compare, pooled
from alharness.results.statistics import corrected, width

DATA = Path(__file__).parents[1] / "data"
AREAS = json.loads((DATA / "clipart_areas.json").read_text())


@pytest.fixture
def rows():
    """Random and four samplers over six seeds, one of them noisier."""
    rng = np.random.default_rng(3)
    noise = rng.normal(size=(5, 6)) * np.array([1, 1, 1, 1, 2])[:, None] + rng.normal(size=6)
    better = np.array([0, 2.0, 1.0, 0, 0.5])[:, None]
    return dict(zip(("random", "a", "b", "c", "d"), noise + better, strict=True))


def against(rows, other="random"):
    return [(label, other) for label in rows if label != other]


@pytest.mark.parametrize("noise", [0.1, 1.0, 4.0])
def test_as_the_formulas_have_it(rows, noise):
    """The covariance matrix of the differences says everything."""
    rows = rows | {"random": noise * rows["random"]}
    pairs = against(rows)
    d = np.array([rows[one] - rows[other] for one, other in pairs])
    covariance, df, k, n = np.cov(d), 5, 4, 6
    own, common = covariance.diagonal(), covariance.diagonal().mean()
    scatter = (own.std(ddof=1) / common) ** 2 * df / 2
    weight = min(2 * (df - 1) / scatter**2, (k - 1) / 2 * df)
    variances = [(weight * common + df * one) / (weight + df) for one in own]
    box = own.sum() ** 2 / (covariance**2).sum() / k  # Greenhouse and Geisser's epsilon
    feldt = min((n * k * box - 2) / (k * (n - 1 - k * box)), 1)
    found = compare(rows, pairs, lower_is_better=False).values()
    assert [one.error for one in found] == pytest.approx([math.sqrt(v / n) for v in variances])
    assert [one.df for one in found] == pytest.approx([max(min(weight + df, feldt * k * df), df)] * k)


def test_p_and_interval_are_students_with_that_error(rows):
    from scipy import stats

    found = corrected(compare(rows, against(rows), lower_is_better=False))
    for one in found.values():
        expected = 2 * stats.t.sf(abs(one.value) / one.error, one.df)
        assert one.p == pytest.approx(expected)
        assert one.adjusted == pytest.approx(min(4 * expected, 1))
        assert one.half == pytest.approx(stats.t.ppf(1 - 0.05 / 8, one.df) * one.error)
        assert one.tests == 4


def test_an_interval_excludes_0_where_a_difference_is_shown(rows):
    decided = set()
    for shift in np.linspace(-3, 3, 41):
        moved = rows | {label: row + shift for label, row in rows.items() if label != "random"}
        for one in corrected(compare(moved, against(moved), lower_is_better=False)).values():
            assert one.significant == (one.low > 0 or one.high < 0)
            decided.add(one.significant)
    assert decided == {True, False}


def test_a_single_pair_has_the_paired_t_test(rows):
    from scipy import stats

    ((_, found),) = corrected(compare(rows, [("a", "random")], lower_is_better=False)).items()
    theirs = stats.ttest_rel(rows["a"], rows["random"])
    assert (found.p, found.adjusted) == pytest.approx((theirs.pvalue, theirs.pvalue))
    assert (found.low, found.high) == pytest.approx(tuple(theirs.confidence_interval(0.95)))


def test_paired_t_has_its_own_noise_and_holms_correction(rows):
    from scipy import stats
    from statsmodels.stats.multitest import multipletests

    found = corrected(compare(rows, against(rows), "paired_t", lower_is_better=False))
    p = [stats.ttest_rel(rows[one], rows[other]).pvalue for one, other in found]
    assert [one.p for one in found.values()] == pytest.approx(p)
    assert [one.adjusted for one in found.values()] == pytest.approx(multipletests(p, method="holm")[1])


def test_smaller_is_better_turns_signs_and_nothing_else(rows):
    up, down = (compare(rows, against(rows), lower_is_better=lower) for lower in (False, True))
    assert [one.value for one in down.values()] == pytest.approx([-one.value for one in up.values()])
    assert [one.p for one in down.values()] == pytest.approx([one.p for one in up.values()])


def test_a_scale_and_a_shift_of_seeds_change_no_p(rows):
    moved = {label: 1e-7 * (row + np.arange(6)) for label, row in rows.items()}
    found, theirs = (compare(x, against(x), lower_is_better=False).values() for x in (rows, moved))
    assert [one.p for one in theirs] == pytest.approx([one.p for one in found], rel=1e-6)


def test_replicates_count_by_their_mean(rows):
    random = np.full((6, 3), math.nan)
    random[:, 0], random[:4, 1], random[2, 2] = 1.0, 2.0, 6.0
    means = np.array([1.5, 1.5, 3.0, 1.5, 1.0, 1.0])
    found = compare(rows | {"random": random}, against(rows), lower_is_better=False)
    assert found == compare(rows | {"random": means}, against(rows), lower_is_better=False)


def test_a_seed_without_any_replicate_is_missing(rows):
    random = np.tile(rows["random"][:, None], 2)
    random[1] = math.nan
    found = compare(rows | {"random": random}, against(rows), lower_is_better=False)
    assert {one.n for one in found.values()} == {5}


def test_a_pair_is_over_the_seeds_that_both_have(rows):
    gaps = rows | {"a": np.where(np.arange(6) < 2, math.nan, rows["a"])}
    found = compare(gaps, against(rows), lower_is_better=False)
    assert [one.n for one in found.values()] == [4, 6, 6, 6]
    assert found["a", "random"].value == pytest.approx((rows["a"] - rows["random"])[2:].mean())
    assert found["a", "random"].df < found["b", "random"].df
    own = np.array([np.nanvar(gaps[label] - gaps["random"], ddof=1) for label in "abcd"])
    counts, common = np.array([4, 6, 6, 6]), own.mean()
    scatter = (own.std(ddof=1) / common) ** 2 * np.mean(counts - 1) / 2
    weight = np.minimum(2 * (counts - 2) / scatter**2, 1.5 * (counts - 1))
    expected = (weight * common + (counts - 1) * own) / (weight + counts - 1) / counts
    assert [one.error**2 for one in found.values()] == pytest.approx(expected)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(np.array([1.0, 2.0, *[math.nan] * 4]), id="two seeds"),
        pytest.param(None, id="the same difference in every seed"),
        pytest.param(np.full(6, math.nan), id="no seed"),
    ],
)
def test_what_cannot_be_tested_says_nothing_of_the_others(rows, other):
    strange = rows["random"] + 0.25 if other is None else other
    found = corrected(compare(rows | {"z": strange}, against({**rows, "z": 0}), lower_is_better=False))
    assert math.isnan(found["z", "random"].p)
    assert not found["z", "random"].significant
    del found["z", "random"]
    assert found == corrected(compare(rows, against(rows), lower_is_better=False))


def test_two_labels_that_choose_the_same_differ_by_nothing(rows):
    twice = rows | {"again": rows["a"] + 1e-16}
    pairs = list(combinations([label for label in twice if label != "random"], 2))
    found = corrected(compare(twice, pairs, lower_is_better=False))
    assert (found["a", "again"].value, found["a", "again"].sd) == (0, 0)
    assert math.isnan(found["a", "again"].p)
    assert {one.tests for key, one in found.items() if key != ("a", "again")} == {len(pairs) - 1}


def test_nothing_is_tested_with_two_seeds(rows):
    few = {label: row[:2] for label, row in rows.items()}
    found = corrected(compare(few, against(few), lower_is_better=False))
    assert all(math.isnan(one.p) and not one.significant for one in found.values())
    assert compare({}, [], lower_is_better=False) == corrected({}) == {}


def test_a_sampler_with_far_more_noise_keeps_its_own(rows):
    wild = rows | {"d": 100 * rows["d"]}
    found = compare(wild, against(wild), lower_is_better=False)
    own = np.std(wild["d"] - wild["random"], ddof=1) / math.sqrt(6)
    assert found["d", "random"].error == pytest.approx(own, rel=0.05)
    assert found["a", "random"].df < 6


def test_samplers_that_do_the_same_in_each_seed_know_no_more_than_one():
    """Their differences to Random are Random's noise, several times."""
    rng = np.random.default_rng(0)
    random = rng.normal(size=5)
    rows = {"random": random} | {f"s{i}": 1e-3 * rng.normal(size=5) for i in range(8)}
    found = compare(rows, against(rows), lower_is_better=False)
    assert all(4 <= one.df < 4.1 for one in found.values())


# If nothing differs. Seeds are fixed; `studies/statistics` has many more worlds and experiments.

WORLDS = {
    "equal": ([1] * 9, 1),
    "Random twice as noisy": ([1] * 9, 2),
    "from .5 to 2": (np.geomspace(0.5, 2, 9), 1),
    "one three times as noisy": ([1] * 8 + [3], 1),
    "one six times as noisy": ([1] * 8 + [6], 1),
    "a third three times as noisy": ([1] * 6 + [3] * 3, 1),
    "half six times as noisy": ([1] * 4 + [6] * 5, 1),
}
COUNT = 3000
SURE = 0.05 + 3 * math.sqrt(0.05 * 0.95 / COUNT)


def shown(world, n, replicates, better=0.0, few=0):
    """(COUNT, 9): which of nine samplers are shown to differ from Random; the last three have `few` seeds."""
    from scipy.special import stdtr

    scales, random = WORLDS[world]
    rng = np.random.default_rng(n + replicates)
    noise = rng.normal(size=(COUNT, n, 9)) * scales
    d = noise + better - random * rng.normal(size=(COUNT, n, replicates)).mean(-1, keepdims=True)
    d[:, few or n :, 6:] = math.nan
    variances, df = pooled(d, 9)
    errors = np.sqrt(variances / (~np.isnan(d)).sum(1))
    return 9 * 2 * stdtr(df, -abs(np.nanmean(d, axis=1)) / errors) < 0.05


@pytest.mark.parametrize("replicates", [1, 3])
@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize("world", WORLDS)
def test_where_nothing_differs_one_family_in_twenty_says_otherwise(world, n, replicates):
    assert shown(world, n, replicates).any(axis=1).mean() < SURE


@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize("world", ["one three times as noisy", "a third three times as noisy"])
def test_where_only_the_noisy_do_not_differ_either(world, n):
    """With Holm's correction every ninth family would be wrong: the quiet ones make the noisy look quiet."""
    scales, _ = WORLDS[world]
    noisy = np.array(scales) > 1
    assert shown(world, n, 3, better=np.where(noisy, 0, 50.0))[:, noisy].any(axis=1).mean() < SURE


@pytest.mark.parametrize("world", ["equal", "one three times as noisy", "one six times as noisy"])
def test_where_some_lack_seeds_and_nothing_differs_either(world):
    assert shown(world, 20, 1, few=3).any(axis=1).mean() < SURE


@pytest.mark.parametrize("samplers", [1, 9])
@pytest.mark.parametrize("n", [3, 5, 10])
def test_random_does_not_differ_from_random_in_real_runs(n, samplers):
    """Ten runs of Random in each of 60 seeds, with other draws: any of them as Random, others as samplers."""
    areas = np.array(json.loads((DATA / "digits_randoms.json").read_text())["areas"])
    rng, wrong, count = np.random.default_rng(0), 0, 500
    for _ in range(count):
        drawn = areas[rng.permutation(60)[:n]][:, rng.permutation(10)[: samplers + 1]]
        rows = dict(enumerate(drawn.T))
        found = corrected(compare(rows, against(rows, other=0), lower_is_better=False))
        wrong += any(one.significant for one in found.values())
    assert wrong / count < 0.05 + 3 * math.sqrt(0.05 * 0.95 / count)


def test_more_is_shown_than_by_each_pairs_own_noise():
    from scipy import stats

    found = shown("equal", 5, 3, better=1.5).mean()
    t = np.sqrt(5 / (1 + 1 / 3))
    alone = stats.nct.sf(stats.t.ppf(1 - 0.05 / 18, 4), 4, 1.5 * t)
    assert found > 2 * alone


def test_clip_art_as_the_documentation_has_it():
    """Three seeds and eleven samplers, six seeds and nine: what each method shows."""

    def what(run, method):
        rows = {label: np.array(row) for label, row in AREAS[run].items()}
        found = corrected(compare(rows, against(rows), method, lower_is_better=False))
        return {one for (one, _), d in found.items() if d.better}

    def pairs(run, method):
        rows = {label: np.array(row) for label, row in AREAS[run].items() if label != "random"}
        found = corrected(compare(rows, list(combinations(rows, 2)), method, lower_is_better=False))
        return sum(d.significant for d in found.values())

    assert what("three_seeds", "paired_t") == set()
    assert what("three_seeds", "blocks") == {"badge", "bmmal", "margin"}
    six = {"badge", "bald", "bmmal", "coreset", "gcnal", "margin"}
    assert what("six_seeds", "paired_t") == what("six_seeds", "blocks") == six
    assert [pairs("three_seeds", "paired_t"), pairs("three_seeds", "blocks")] == [2, 4]
    assert [pairs("six_seeds", "paired_t"), pairs("six_seeds", "blocks")] == [8, 16]


def test_the_smallest_difference_that_is_shown_belongs_to_the_family(rows):
    one = corrected(compare(rows, against(rows), lower_is_better=False))["a", "random"]
    assert one.detectable == pytest.approx(one.half + width(one.df, 0.8) * one.error)
