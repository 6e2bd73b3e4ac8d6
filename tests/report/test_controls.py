"""Controls are shown and compared, and never the best."""

import numpy as np
import pytest
from rich.console import Console

from alharness.report.answers import answers
from alharness.report.build import single
from alharness.report.tables import closing_table, settings_table, summary_table
from alharness.results.settings import settings

SEEDS = 6


@pytest.fixture
def build(make_results):
    def build(name="demo", **more):
        rng = np.random.default_rng(0)
        level = {"oracle": 0.2, "random": 0.5, "good": 0.4, "poor": 0.52}
        curves = {x: [[y + 0.01 * rng.normal()] * 4 for _ in range(SEEDS)] for x, y in level.items()}
        return make_results(curves, controls=("oracle",), name=name, experiment=f"{name}-1", **more)

    return build


@pytest.fixture
def results(build):
    return build()


def test_a_control_is_never_the_best(results):
    assert results.ranked == ("good", "random", "poor", "oracle")
    assert results.advice.label == "good"
    assert results.advice.shown == ("good",)
    first = answers(results)[0]
    assert first.short == "good."
    (about,) = [reason for reason in first.reasons if "control" in reason]
    assert about.startswith(
        "The control oracle, which knows the truth of these made-up data and is no sampler, is"
    )
    assert "shown to be better than Random: 0.299" in about


def test_it_is_compared_without_a_word_in_the_tests_of_samplers(results, make_results):
    assert [len(family) for family in results.families] == [2, 1, 3]
    assert results.pairs["oracle", "random"].better
    assert results.pairs["good", "oracle"].worse
    alone = {x: results.curves(x, range(SEEDS)).tolist() for x in ("random", "good", "poor")}
    assert results.pairs["good", "random"] == make_results(alone).pairs["good", "random"]


def test_tables_say_what_it_is(results):
    console = Console(width=160)
    with console.capture() as captured:
        console.print(closing_table(results), settings_table([results]))
    shown = " ".join(captured.get().split())
    assert shown.count("oracle (control)") == 2
    assert "a control reads what is known of the data, and is never the best" in shown
    rows = summary_table(results, "demo").columns
    assert list(rows[0].cells) == ["random", "good", "poor", "oracle (control)"]
    assert [cell.strong for cell in rows[2].shown] == [False, True, False, False]
    (section,) = [x for x in single(results).sections if x.anchor == "differences"]
    assert [len(table.columns[0].cells) for table in section.tables] == [2, 1, 3]


def test_it_is_not_ranked_over_settings(build):
    runs = [build(f"n{number}") for number in range(2)]
    found = settings(runs)
    assert "oracle" not in found.common
    assert "oracle is not ranked: it is a control, which reads what is known of made-up data" in found.left_out
