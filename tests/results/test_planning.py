"""How many seeds decide: against simulation, and against the formulas of one paired comparison."""

import math

import numpy as np
import pytest

from alharness.errors import RunError
from alharness.results.planning import MOST, as_of, can_show, can_show_at_all, plan_seeds


def curves(areas):
    """Curves that have these areas."""
    return [(area,) * 4 for area in areas]


@pytest.fixture(scope="module")
def run(make_results):
    def run(shifts, n=5, sd=0.01, seed=0, statistics="blocks", **more):
        draws = {label: np.random.default_rng([seed, number]) for number, label in enumerate(shifts)}
        rows = {label: curves(0.8 + shift + sd * draws[label].normal(size=n)) for label, shift in shifts.items()}
        return make_results(rows, metric="accuracy", statistics=statistics, **more)

    return run


def test_rows_of_more_seeds_have_the_moments_of_those_that_are_there():
    rows = dict(zip("abcd", np.random.default_rng(1).normal(size=(4, 5)), strict=True))
    more = as_of(rows, 40)
    assert all(len(row) == 40 for row in more.values())
    values, were = np.stack([*more.values()]), np.stack([*rows.values()])
    assert values.mean(axis=1) == pytest.approx(were.mean(axis=1))
    assert np.cov(values) == pytest.approx(np.cov(were))


def test_seeds_for_one_paired_comparison_follow_its_formulas(run):
    from scipy import stats

    results = run({"random": 0.0, "a": 0.004}, statistics="paired_t")
    (need,) = plan_seeds(results, 0.01).needs
    d, sd = abs(need.difference.value), need.difference.sd

    def detectable(n):
        return (stats.t.ppf(0.975, n - 1) + stats.t.ppf(0.8, n - 1)) * sd / math.sqrt(n)

    careful = sd * math.sqrt(4 / stats.chi2.ppf(0.2, 4))

    def half(n):
        return stats.t.ppf(0.975, n - 1) * careful / math.sqrt(n)

    assert detectable(need.show) <= d < detectable(need.show - 1)
    assert half(need.decide) <= 0.005 < half(need.decide - 1)


def test_what_is_known_needs_nothing_more(run):
    planning = plan_seeds(run({"random": 0.0, "far": 0.2, "worse": -0.2, "near": 0.0}), 0.02)
    verdicts = {need.label: need.verdict for need in planning.needs}
    assert verdicts["far"] == "better"
    assert verdicts["worse"] == "worse"
    assert [need.label for need in planning.open] == [x for x in verdicts if verdicts[x] == "open"]
    assert plan_seeds(run({"random": 0.0, "near": 0.0}, n=30), 0.5).needs[0].verdict == "no relevant difference"
    assert plan_seeds(run({"random": 0.0, "near": 0.0}, n=30), 0.5).decide is None


@pytest.mark.parametrize("shift", [0.0, 0.01, 0.03])
def test_the_seeds_that_decide_do_so_nine_times_in_ten(run, shift):
    decided = 0
    for seed in range(12):
        first = plan_seeds(run({"random": 0.0, "a": shift, "b": 0.0}, n=6, seed=seed), 0.02)
        n = max([need.decide for need in first.needs if need.verdict == "open"], default=6)
        after = plan_seeds(run({"random": 0.0, "a": shift, "b": 0.0}, n=n, seed=seed), 0.02)
        decided += all(need.verdict != "open" for need in after.needs)
    assert decided >= 11


def test_a_number_that_is_out_of_reach_is_not_named(run):
    planning = plan_seeds(run({"random": 0.0, "a": 0.001}), 1e-5)
    assert planning.needs[0].decide is None
    assert planning.decide is None
    assert planning.open
    assert MOST == 2000


def test_equal_samplers_need_nothing(make_results):
    same = curves([0.8, 0.7, 0.9])
    (need,) = plan_seeds(make_results({"random": same, "twin": same}, metric="accuracy"), 0.01).needs
    assert (need.show, need.decide, need.verdict) == (None, None, "no relevant difference")


def test_the_margin_is_a_part_of_the_way_to_all_labels_or_of_random(run):
    planning = plan_seeds(run({"random": 0.0, "a": 0.0}, references=(0.9,) * 5))
    assert planning.margin == pytest.approx(0.01, abs=0.002)
    assert planning.about == "10% of the way from random to all labels"
    planning = plan_seeds(run({"random": 0.0, "a": 0.0}))
    assert planning.margin == pytest.approx(0.008, abs=0.0002)
    assert planning.about == "1% of the area of random"
    assert plan_seeds(run({"random": 0.0, "a": 0.0}), 0.3).margin == 0.3


@pytest.mark.parametrize("margin", [0.0, -1.0, math.inf, math.nan])
def test_a_margin_that_cannot_be(run, margin):
    with pytest.raises(RunError, match="positive number"):
        plan_seeds(run({"random": 0.0, "a": 0.0}), margin)


def test_what_says_nothing_about_noise(run, make_results):
    with pytest.raises(RunError, match="before 3 seeds"):
        plan_seeds(run({"random": 0.0, "a": 0.0}, n=2))
    with pytest.raises(RunError, match="no finished cell of Random"):
        plan_seeds(run({"b": 0.0, "a": 0.0}))
    with pytest.raises(RunError, match="before 3 seeds"):
        plan_seeds(run({"random": 0.0}))
    lacking = make_results(
        {"random": curves([0.8, 0.7, 0.9]), "a": curves([0.8, 0.75, 0.9]), "b": [None, None, None]}
    )
    assert [need.label for need in plan_seeds(lacking).needs] == ["a"]


def test_what_seeds_can_show_is_what_they_show_in_four_of_five_experiments(run):
    results = run({"random": 0.0, "a": 0.0}, n=8, statistics="paired_t")
    low, high = can_show(results, 12)
    assert low == high
    sd = results.pairs["a", "random"].sd
    draws = np.random.default_rng(3).normal(low, sd, size=(4000, 12))
    from scipy import stats

    shown = np.mean(stats.ttest_1samp(draws, 0.0, axis=1).pvalue < 0.05)
    assert shown == pytest.approx(0.8, abs=0.03)
    assert can_show(results, 24)[0] < low
    assert can_show(results, 2) is None
    assert can_show(run({"random": 0.0, "a": 0.0}, n=2), 5) is None


def test_what_seeds_can_show_at_all_falls_with_seeds_and_replicates():
    found = [can_show_at_all(9, r, n, "blocks") for n, r in ((3, 1), (5, 1), (5, 3), (10, 3))]
    assert found == sorted(found, reverse=True)
    assert can_show_at_all(9, 3, 5, "paired_t") > can_show_at_all(9, 3, 5, "blocks")


def test_the_table_of_what_is_needed(run):
    from alharness.results.results import Results

    results = run({"random": 0.0, "far": 0.2, "near": 0.001})
    table = Results([results]).power(0.01)
    assert table["sampler"].tolist() == ["far", "near"]
    assert table["verdict"].tolist() == ["better", "open"]
    planning = plan_seeds(results, 0.01)
    assert table["decide"].tolist() == [need.decide for need in planning.needs]
    assert table["n"].tolist() == [5, 5]
    assert (table["low"] < table["difference"]).all()
