"""What the page says first must follow from the figures."""

import re
from dataclasses import replace

import numpy as np
import pytest

from alharness.report.answers import answers
from alharness.report.overall import answers_over
from alharness.results.settings import settings


@pytest.fixture
def ask(make_results):
    """The four answers, each as one text."""

    def build(curves, change=lambda results: results, **options):
        found = answers(change(make_results(curves, **options)))
        return [" ".join([answer.short, *answer.reasons]) for answer in found]

    return build


def test_a_clear_winner_is_recommended(ask, noisy):
    which, sure, labels, cost = ask(
        {"random": noisy(6), "quick": noisy(6, 1.0, seed=1), "slow": noisy(6, -0.5, seed=2)}
    )
    assert which.startswith("quick. ")
    assert "better than every other sampler" in which
    assert "Shown to be worse than Random: slow." in which
    assert sure.startswith("Significant at 5 %.")
    assert "n = 6" in sure
    assert "after Bonferroni's correction over 2 comparisons with Random" in sure
    assert "of 800" in labels.partition(".")[0]
    assert "95 % interval" in labels
    assert cost.startswith("0.5 s a query. A query of quick takes 0.5 s, 25.0% of a training (2 s).")


def test_equals_of_the_winner_are_named(ask, noisy):
    which = ask({"random": noisy(6), "one": noisy(6, 1.0, seed=1), "two": noisy(6, 1.0, seed=2)})[0]
    assert "Not shown to be worse than it: " in which
    assert re.search(r"Shown to be better than Random: (one, two|two, one)\. The quickest of these is", which)


def test_a_saving_says_how_many_labels_both_need_with_its_interval(ask, noisy):
    _, _, saved, _ = ask({"random": noisy(6), "early": noisy(6, 1.0, seed=1)})
    assert saved.startswith(
        "463 of 800. early reaches with 337 labels the mae that Random has with 800: 463 fewer"
    )
    assert "(95 % interval 437 to 495, by bootstrap over seeds). Random needs 2.4 times as many." in saved
    assert saved.endswith("In 5 of 6 seeds its own curve reaches it.")


def test_without_a_significant_difference_random_is_recommended(ask, noisy):
    which, sure, labels, _ = ask({"random": noisy(5, noise=0.02), "other": noisy(5, 0.02, noise=0.02, seed=3)})
    assert which.startswith("Random: none is shown to be better.")
    assert sure.startswith("Not significant.")
    assert "smaller ones need more seeds" in sure
    assert labels.startswith(("None that is sure.", "None."))


def test_random_that_is_best_is_said_to_be(ask, noisy):
    which, *_ = ask({"random": noisy(6, 1.0), "slow": noisy(6, seed=1)})
    assert "On average Random is the best of all." in which
    assert "Shown to be worse than Random: slow." in which


def test_one_seed_is_no_evidence(ask, noisy):
    which, sure, labels, _ = ask({"random": noisy(1), "quick": noisy(1, 1.0)})
    assert which.startswith("Random: none is shown to be better.")
    assert sure.startswith("Not at all: one seed.")
    assert "interval" not in labels


def test_without_random_nothing_is_recommended(ask, noisy):
    which, sure, labels, _ = ask({"a": noisy(5), "b": noisy(5, 1.0)})
    assert which.startswith("b is best on average.")
    assert "add `random` to the spec" in which
    assert "nothing to test against" in sure
    assert labels.startswith("Not known.")


def test_a_sampler_alone_is_not_compared_with_itself(ask, noisy):
    assert len(ask({"random": noisy(5)})) == 4


def test_nothing_finished(ask):
    assert ask({"random": [None], "a": [None]}) == ["Nothing is finished yet."]


def test_a_target_out_of_reach_saves_nothing(ask, noisy):
    early = noisy(5, seed=1, noise=0.001) + np.array(
        [0, -0.05, 0, 0.02]
    )  # better along the way, and worse in the end
    which, _, labels, _ = ask({"random": noisy(5, noise=0.001), "early": early})
    assert which.startswith("early.")
    assert labels.startswith("None.")
    assert "does not reach" in labels


def test_times_that_cannot_be_compared_name_no_quickest(ask, noisy):
    def shared(results):
        cells = [
            replace(record, cycles=tuple(replace(c, timing="shared") for c in record.cycles))
            for record in results.records
        ]
        return replace(results, records=tuple(cells))

    curves = {"random": noisy(6), "one": noisy(6, 1.0, seed=1), "two": noisy(6, 1.0, seed=2)}
    which, _, _, cost = ask(curves, shared)
    assert "quickest" not in which
    assert "--retime" in cost


def test_different_machines_cannot_be_compared(ask, noisy):
    def moved(results):
        first, *others = results.records
        first = replace(first, cycles=tuple(replace(c, machine="another") for c in first.cycles))
        return replace(results, records=(first, *others))

    cost = ask({"random": noisy(3), "a": noisy(3, seed=1)}, moved)[3]
    assert "different machines (another; one)" in cost


def test_where_nothing_differs_random_is_recommended(make_results):
    """Except in one report in twenty, by the correction over the comparisons with Random."""
    rng = np.random.default_rng(0)
    repeats, wrong = 150, 0
    for _ in range(repeats):
        curves = {x: 0.4 + 0.01 * rng.normal(size=(5, 4)) for x in ("random", "a", "b", "c")}
        wrong += not answers(make_results(curves))[0].short.startswith("Random")
    assert wrong / repeats < 0.05


def test_over_settings_ranks_decide_and_few_are_not_tested(make_results, noisy):
    def runs(count):
        return [
            make_results(
                {
                    "random": noisy(5, seed=i),
                    "quick": noisy(5, 1.0, seed=i + 50),
                    "slow": noisy(5, -0.6, seed=i + 90),
                },
                experiment=f"e{i}",
                name=f"set {i}",
            )
            for i in range(count)
        ]

    which, sure, saved, cost = answers_over(settings(runs(3)))
    assert which.short == "quick, by average rank."
    assert "within 3 of 3 settings" in sure.reasons[0]
    assert sure.short == "Within 3 of 3 settings."
    assert "at least 5 settings" in sure.reasons[-1]
    assert saved.short.endswith("% in the median setting, sure in 3 of 3.")
    assert "sure in 3 of 3 (better" in saved.reasons[0]
    assert cost.short == "0.5 s a query."
    _, sure, *_ = answers_over(settings(runs(8)))
    assert sure.short.startswith("Better than ")
    assert "quick is significantly better than: " in sure.reasons[1]
    assert np.isclose(settings(runs(8)).ranking.average.sum(), 6)
