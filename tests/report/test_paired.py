"""What is compared comes from the same seeds: learning curves whose right conclusions are known."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alharness.report.answers import answers
from alharness.report.build import several, single
from alharness.report.overall import answers_over
from alharness.results.settings import settings

KNOWN = json.loads(Path(__file__).with_name("paired_curves.json").read_text())


@pytest.fixture
def told(make_results):
    """The four answers about some curves, each as one text."""

    def build(curves, **options):
        found = answers(make_results(curves, **options))
        return [" ".join([answer.short, *answer.reasons]) for answer in found]

    return build


@pytest.fixture
def runs(make_results):
    """Settings with these curves."""

    def build(*curves, **options):
        return [make_results(one, experiment=f"e{i}", name=f"set {i}", **options) for i, one in enumerate(curves)]

    return build


def table(document, name):
    (found,) = (t for section in document.sections for t in section.tables if t.name == name)
    rows = [[cell if isinstance(cell, str) else cell.text for cell in row] for row in found.rows]
    return found, rows


def test_one_that_is_worse_over_the_seeds_that_both_have_is_not_recommended(told):
    """Its three seeds are easy ones, so that its own mean is the best."""
    which, sure, saved, cost = told(KNOWN["worse_than_random"])
    assert which.startswith("Random: none is shown to be better.")
    assert "Shown to be worse than Random: x." in which
    assert "x (3 of 10) lacks seeds 3-9" in which
    assert sure.startswith("Significant at 5 %: x is worse.")
    assert "(n = 3)" in sure
    assert saved.startswith("None.")
    assert "A query of random takes" in cost


def test_a_better_mean_that_is_not_sure_does_not_hide_one_that_is(told):
    which, sure, saved, cost = told(KNOWN["noisy_best_hides_a_sure_one"])
    assert which.startswith("y.")
    assert "Better on average than y, but not shown to be better than Random: x by " in which
    assert sure.startswith("Significant at 5 %. y against Random")
    assert saved.startswith("400 of 800. y reaches")
    assert cost.startswith("0.5 s a query. A query of y takes")


def test_of_many_that_lead_the_first_are_told_with_their_difference(told, noisy):
    uneven = np.array([[3], [-1], [-1]])  # by seed: better on average, and far from sure
    random = noisy(3)
    curves = {"random": random} | {x: random - 0.01 * (i + 1) * uneven for i, x in enumerate("abcde")}
    which, *_ = told(curves)
    (sentence,) = [s for s in which.split(". ") if s.startswith("Better on average")]
    assert sentence.count(" by ") == 3
    assert sentence.startswith("Better on average, but not shown to be better: e by ")
    assert sentence.endswith("; also b, a.")


def test_ranks_over_settings_are_of_the_seeds_that_all_have(runs):
    found = settings(runs(*KNOWN["ranks_over_settings"]))
    assert dict(zip(found.common, found.ranking.average, strict=True)) == {"random": 2, "x": 3, "y": 1}
    which, sure, *_ = answers_over(found)
    assert which.short == "y, by average rank."
    names = ", ".join(f"set {i}" for i in range(6))
    assert f"{names} are ranked over seeds 0-1, which all samplers have (x lacks seeds 2-4)" in which.reasons
    assert "y is significantly better than: x." in sure.reasons


def test_higher_is_better_mirrors_lower_is_better(told):
    mirrored = {
        label: [row and [1 - value for value in row] for row in rows]
        for label, rows in KNOWN["noisy_best_hides_a_sure_one"].items()
    }
    which, *_ = told(mirrored, metric="f1")
    assert which.startswith("y.")
    assert "not shown to be better than Random: x by " in which


def test_means_next_to_each_other_are_over_the_same_seeds(make_results):
    document = single(make_results(KNOWN["worse_than_random"]))
    found, rows = table(document, "outcome")
    areas = {row[0].text: row[2].number for row in found.rows}
    assert areas["random"] == pytest.approx(0.4464286)
    assert areas["random"] < areas["x"]
    assert [row[1] for row in rows] == ["3 of 10", "3 of 10"]


def test_a_target_is_what_random_reaches_over_the_same_seeds(make_results):
    _, rows = table(single(make_results(KNOWN["worse_than_random"])), "labels_to_target_0")
    assert [row[1] for row in rows] == ["3", "3"]


@pytest.fixture
def one_fails(noisy):
    """Ten seeds; one sampler has three of them."""
    failing = [*noisy(10, 0.3, seed=2)[:3], *[None] * 7]
    return {"random": noisy(10), "a": noisy(10, 1.0, seed=1), "failing": failing}


def test_one_that_fails_often_leaves_the_others_their_seeds(make_results, one_fails):
    found = make_results(one_fails)
    assert [(seed_set.labels, seed_set.seeds) for seed_set in found.basis.seed_sets] == [
        (("random", "a"), tuple(range(10))),
        (("random", "failing"), (0, 1, 2)),
    ]
    outcome, rows = table(single(make_results(one_fails)), "outcome")
    assert outcome.apart == [2]  # a line between the two
    assert [(row[0], row[1], row[-1]) for row in rows] == [
        ("random", "10", "0-9"),
        ("a", "10", "0-9"),
        ("random", "3 of 10", "0-2"),
        ("failing", "3 of 10", "0-2"),
    ]


def test_a_picture_shows_no_sampler_over_other_seeds(make_results, one_fails):
    from matplotlib.figure import Figure

    document = single(make_results(one_fails))
    (section,) = (section for section in document.sections if section.anchor == "curves")
    drawn = {}
    for picture in section.pictures:
        figure = Figure()
        picture.draw(figure)
        drawn[picture.name] = [line.get_label() for line in figure.axes[0].lines]
    assert drawn == {
        "curve_mae": ["random (n = 10)", "a (n = 10)"],
        "curve_mae_fewer_seeds_1": ["random (n = 3)", "failing (n = 3)"],
    }
    assert any("for lack of seeds 0-9: failing" in text for text in section.paragraphs)


def test_a_run_that_is_going_on_is_compared_over_the_seeds_that_all_have(make_results, noisy):
    curves = {x: noisy(5, seed=i) for i, x in enumerate(("random", "a", "b", "c"))}
    for label in ("b", "c"):
        curves[label] = [*curves[label][:3], None, None]
    (seed_set,) = make_results(curves).basis.seed_sets
    assert (seed_set.labels, seed_set.seeds) == (("random", "a", "b", "c"), (0, 1, 2))


def test_samplers_that_lack_the_same_seeds_are_named_together(make_results, noisy):
    curves = {x: [*noisy(5, seed=i)[:3], None, None] for i, x in enumerate(("random", "a"))}
    found = make_results(curves | {"b": [*noisy(5)[:1], *[None] * 4], "c": noisy(5, seed=9)})
    assert found.basis.gaps() == [
        "Seeds are missing: random, a (3 of 5 each) lack seeds 3-4; b (1 of 5) lacks seeds 1-4."
    ]


def test_candidates_are_compared_with_each_other_over_the_seeds_that_they_share(told, noisy):
    """`easy` has the larger difference to Random, but over shared seeds it is the smaller one."""
    random = noisy(8, noise=0.001)
    effect = np.linspace(0.08, 0.01, 8)[:, None] * [0, 1, 1, 1]  # seeds differ in what can be gained
    small = np.random.default_rng(3).normal(0, 0.0005, (2, 8, 4))
    curves = {
        "random": random,
        "easy": [*(random - 0.9 * effect + small[0])[:4], *[None] * 4],
        "all": random - effect + small[1],
    }
    which, sure, *_ = told(curves)
    assert which.startswith("all.")
    assert sure.startswith("Significant at 5 %. all against Random")


def test_candidates_without_seeds_in_common_are_said_to_be_so(told, noisy):
    random = noisy(8, noise=0.001)
    small = np.random.default_rng(3).normal(0, 0.0005, (2, 8, 4))
    one, other = random - 0.05 * np.array([0, 1, 1, 1]) + small
    which, *_ = told({"random": random, "a": [*one[:4], *[None] * 4], "b": [*[None] * 4, *(other[4:] - 0.02)]})
    assert which.startswith("b.")
    assert "share fewer than 3 seeds, so that their means cannot be compared" in which


def test_random_under_another_label_is_random(make_results, noisy):
    results = relabeled(make_results({"chance": noisy(6), "a": noisy(6, 1.0, seed=1)}), "chance")
    found = results
    assert found.random == "chance"
    assert answers(found)[0].short == "a."


def test_of_two_randoms_neither_is_recommended_and_the_fuller_one_counts(make_results, noisy):
    better = noisy(6, 1.0, seed=1)
    results = make_results(
        {"random": [*noisy(6)[:2], *[None] * 4], "again": noisy(6), "a": better, "more": better}
    )
    found = relabeled(results, "again")
    assert found.random == "again"
    results = relabeled(make_results({"random": noisy(6), "lucky": better}), "lucky")
    which, sure, saved, _ = answers(results)
    assert which.short == "Random: none is shown to be better."
    assert saved.short == "Not known."
    assert "nothing to test against" in sure.short


def relabeled(results, *labels):
    """The same results, with these labels being those of the sampler `random`."""

    def change(cell):
        return replace(cell, sampler="random") if cell.label in labels else cell

    cells = tuple(replace(record, cell=change(record.cell)) for record in results.records)
    run = replace(results.run, cells=tuple(record.cell for record in cells))
    return replace(results, run=run, records=cells)


def test_random_that_lacks_seeds_is_compared_over_those_it_has(told, noisy):
    which, sure, *_ = told({"random": [*noisy(6)[:4], None, None], "a": noisy(6, 1.0, seed=1)})
    assert which.startswith("a.")
    assert "random (4 of 6) lacks seeds 4-5" in which
    assert "(n = 4)" in sure


def test_a_sampler_that_shares_no_seed_with_random_is_not_compared_with_it(told, make_results, noisy):
    curves = {"random": [*noisy(6)[:3], None, None, None], "a": [None, None, None, *noisy(6, 1.0)[3:]]}
    which, sure, saved, _ = told(curves)
    assert which.startswith("Random: none is shown to be better.")
    assert "nothing to test against" in sure
    assert saved.startswith("None.")
    _, rows = table(single(make_results(curves)), "outcome")
    assert [(row[0], row[-1]) for row in rows] == [("random", "0-2"), ("a", "3-5")]


def test_a_cell_that_counts_nowhere_is_in_no_mean(make_results, noisy):
    curves = {"random": noisy(5), "a": noisy(5, seed=1), "b": noisy(5, seed=2)}
    curves["a"][4] += 100
    results = make_results(curves, contexts={"a-s4": {"versions": "others"}})
    document = single(results)
    for name, column in (("outcome", 2), ("outcome", 3)):
        found, _ = table(document, name)
        assert all(row[column].number < 1 for row in found.rows)
    (section,) = (section for section in document.sections if section.anchor == "outcome")
    assert "a-s4 is left out of every comparison: it differs from random-s4 in versions" in section.paragraphs


def test_of_as_many_on_each_side_those_with_random_count(make_results, noisy):
    curves = {"a": noisy(3), "b": noisy(3, seed=1), "random": noisy(3, seed=2), "c": noisy(3, seed=3)}
    others = {f"{label}-s{seed}": {"device": "cuda"} for label in ("a", "b") for seed in range(3)}
    assert make_results(curves, contexts=others).labels == ("random", "c")


def test_a_seed_on_other_data_counts_nowhere(make_results, noisy):
    other = {f"{label}-s4": {"data": "other"} for label in ("random", "a")}
    found = make_results({"random": noisy(5), "a": noisy(5, seed=1)}, contexts=other)
    assert [seed_set.seeds for seed_set in found.basis.seed_sets] == [(0, 1, 2, 3)]
    assert found.basis.refused == tuple(
        f"{label}-s4 is left out of every comparison: it differs from random-s0 in data"
        for label in ("random", "a")
    )


def test_seeds_that_were_run_elsewhere_are_named(make_results, noisy):
    other = {f"{label}-s{seed}": {"device": "cuda"} for label in ("random", "a") for seed in (3, 4)}
    results = make_results({"random": noisy(5), "a": noisy(5, seed=1)}, contexts=other)
    (section,) = (section for section in single(results).sections if section.anchor == "outcome")
    assert (
        "Seeds were run under different device (seeds 0-2; seeds 3-4); within a seed all are the same."
        in section.paragraphs
    )


def test_a_curve_that_is_undefined_somewhere_counts_nowhere(make_results, told, noisy):
    curves = {"random": noisy(5), "a": noisy(5, 1.0, seed=1)}
    curves["a"][1, 2] = np.nan
    which, sure, *_ = told(curves)
    assert "a-s1 is left out of every comparison: its mae is undefined in cycle 2." in which
    assert "(n = 4)" in sure


def test_a_reference_with_other_seeds_comes_with_random_over_the_same(make_results, noisy):
    results = make_results({"random": noisy(5), "a": noisy(5, seed=1)}, references=(0.28, 0.29))
    document = single(results)
    _, rows = table(document, "outcome")
    assert [(row[0], row[-1]) for row in rows] == [
        ("random", "0-4"),
        ("a", "0-4"),
        ("random", "0-1"),
        ("full-data (5,000 labels)", "0-1"),
    ]
    found, _ = table(document, "labels_to_target_1")
    assert "over seeds 0-1" in found.title


def test_settings_whose_samplers_share_no_seed_are_left_out_by_name(runs, noisy):
    good = [{"random": noisy(4, seed=i), "a": noisy(4, 1.0, seed=i + 50)} for i in range(2)]
    gap = {"random": [*noisy(4)[:2], None, None], "a": [None, None, *noisy(4, 1.0)[2:]]}
    found = settings(runs(*good, gap))
    assert list(found.seeds) == ["set 0", "set 1"]
    assert found.ranking.ranks.tolist() == [[2, 1], [2, 1]]
    assert (
        "set 2 is left out of the ranks: the samplers have no seed in common "
        "(random lacks seeds 2-3, a lacks seeds 0-1)"
    ) in found.left_out
    assert several(runs(*good, gap)).sections


def test_without_a_setting_to_rank_the_page_says_so(runs, noisy):
    gap = {"random": [*noisy(4)[:2], None, None], "a": [None, None, *noisy(4, 1.0)[2:]]}
    (which,) = several(runs(gap)).answers
    assert which.short == "Not known: no setting can be ranked."


def test_a_pair_that_shares_too_few_seeds_is_left_empty_in_the_matrix(make_results, noisy):
    from alharness.results.penalty import penalties

    curves = {"random": noisy(5), "a": noisy(5, 1.0, seed=1), "b": [*noisy(5, 1.0, seed=2)[:2], None, None, None]}
    found = make_results(curves)
    matrix = penalties([found], found.labels)
    assert matrix.tested.tolist() == [[False, True, False], [True, False, False], [False, False, False]]
    assert np.isnan(matrix.column_means).tolist() == [False, False, True]


@pytest.mark.parametrize("n", [1, 3, 10])
def test_equal_samplers_are_told_in_words(told, n):
    same = [[0.5, 0.4, 0.3, 0.2]] * n
    texts = told({"random": same, "a": same})
    assert texts[0].startswith("Random: none is shown to be better.")
    assert not any("nan" in text for text in texts)
    if n > 1:
        assert "nothing differs in any seed" in texts[1]


def test_a_difference_that_is_the_same_in_every_seed_is_not_tested(told, noisy):
    curves = noisy(5)
    which, sure, *_ = told({"random": curves, "a": curves - 0.01})
    assert which.startswith("Random: none is shown to be better.")
    assert "the difference is the same in every seed" in sure


def test_curves_that_never_move_are_reported(make_results):
    flat = {"random": [[0.4] * 4] * 5, "a": [[0.4] * 4] * 5, "b": [[0.3] * 4] * 5}
    document = single(make_results(flat), [0.35])
    assert not any("nan" in text for answer in document.answers for text in (answer.short, *answer.reasons))


def test_targets_of_a_billionth_are_compared_like_any_others(told, noisy):
    which, *_ = told({"random": 1e-9 * noisy(6), "a": 1e-9 * noisy(6, 1.0, seed=1)})
    assert which.startswith("a.")


def test_the_closing_table_draws_a_line_and_names_what_is_left_out(make_results, one_fails):
    from rich.console import Console

    from alharness.report.tables import closing_table

    found = make_results(one_fails, contexts={"a-s9": {"data": "other"}})
    shown = closing_table(found)
    assert [row[:2] for row in shown.rows] == [
        ["random", "9 of 10"],
        ["a", "9 of 10"],
        ["random", "3 of 10"],
        ["failing", "3 of 10"],
    ]
    assert shown.apart == [2]
    console = Console(width=200)
    with console.capture() as captured:
        console.print(shown)
    text = " ".join(captured.get().split())
    assert "above the line over seeds 0-8, below it what lacks some" in text
    assert "a-s9 is left out of every comparison: it differs from random-s9 in data" in text


def test_figures_of_a_paper_are_next_to_means_over_the_same_seeds(make_results, one_fails):
    from alharness.api.records import Paper
    from alharness.results.paper import compare_with_paper

    values = {"random": {"mae": 0.3}, "a": {"mae": 0.3}, "failing": {"mae": 0.3}}
    results = make_results(one_fails, paper=Paper(source="T", labels=None, values=values))
    found = compare_with_paper(results)
    assert [(label, len(seeds)) for label, seeds, _ in found.rows] == [
        *[("random", 10), ("a", 10)],
        *[("random", 3), ("failing", 3)],
    ]


def test_a_metric_that_is_undefined_for_one_is_averaged_over_the_other_seeds_for_all(make_results, noisy):
    results = make_results({"random": noisy(4), "a": noisy(4, seed=1), "b": noisy(4, seed=2)})

    def with_corr(record):
        value = {"a": np.nan if record.cell.seed == 2 else 0.5, "b": np.nan}.get(
            record.cell.label, record.cell.seed
        )
        cycles = (*record.cycles[:-1], replace(record.cycles[-1], metrics={"mae": 0.4, "corr": value}))
        return replace(record, cycles=cycles)

    rows = replace(results, records=tuple(map(with_corr, results.records))).summary
    means = {row.label: row.final["corr"] for row in rows}
    assert (means["random"].value, means["random"].n, means["random"].undefined) == (pytest.approx(4 / 3), 3, 0)
    assert (means["a"].n, means["a"].undefined) == (3, 1)
    assert (means["b"].n, means["b"].undefined) == (0, 4)
