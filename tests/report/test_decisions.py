"""The page of a run whose seeds stop when they are decided: intervals of that rule, and none of a fixed number."""

from dataclasses import replace

import numpy as np
import pytest

from alharness.api.records import Outcome, Stopping
from alharness.report.build import single
from alharness.report.tables import closing_table
from alharness.results.judge import judge


@pytest.fixture(scope="module")
def results(make_results):
    """Random and three samplers of which one is better and one worse, as they stop within 12 seeds."""

    def build(finished=True, **rule):
        rng, shape = np.random.default_rng(0), np.array([0.5, 0.4, 0.35, 0.3])
        levels = {"random": 0.0, "good": -0.1, "bad": 0.1, "same": 0.0}
        curves = {
            x: shape + level * (shape < 0.5) + 0.02 * rng.normal(size=(12, 4)) for x, level in levels.items()
        }
        found = make_results(curves, stopping=Stopping(at_least=4, block=4, **rule), references=[0.3] * 12)
        look = judge(found.run, found.records)
        rest = "spared" if finished else "pending"
        records = tuple(
            one
            if one.cell in look.needed and (finished or one.cell.seed < 4)
            else Outcome(cell=one.cell, status=rest)
            for one in found.records
        )
        return replace(found, records=records)

    return build


def words(document):
    """All text of a document."""
    text = [part for answer in document.answers for part in (answer.short, *answer.reasons)]
    for section in document.sections:
        text += [section.title, *section.paragraphs]
        for table in section.tables:
            text += [table.title, table.note, *(column.text for column in table.columns)]
    return "\n".join(text)


def section(document, anchor):
    return next(section for section in document.sections if section.anchor == anchor)


def test_the_page_shows_the_intervals_of_the_looks_and_no_others(results):
    found = results()
    text = words(single(found))
    for fixed in ("95 % confidence interval", "95 % CI", "Holm", "p (", "Wilcoxon", "detectable", "bootstrap"):
        assert fixed not in text, fixed
    assert "Seeds are missing" not in text
    (table,) = section(single(found), "differences").tables
    assert [column.text for column in table.columns] == ["pair", "n", "difference ± interval", "decided"]
    _, n, difference, decided = ([getattr(cell, "text", cell) for cell in c.cells] for c in table.columns)
    assert n == ["4", "4", "12"]
    assert decided == ["better", "worse", "undecided"]
    expected = found.pairs["good", "random"]
    assert f"{expected.half:.3f}" in difference[0]


def test_the_rule_and_what_stayed_undecided_are_said(results):
    paragraphs = section(single(results(margin=0.001)), "differences").paragraphs
    assert paragraphs[0].startswith(
        "Seeds ran until decided: after 4 of them, and then after every 4 more up to 12, each of 3 comparisons "
        "was looked at, until its interval excluded 0, or is within ± 0.001."
    )
    assert "Undecided after 12 seeds: same and random." in paragraphs


def test_the_answers_are_those_of_the_looks(results):
    which, sure, saved, _ = single(results()).answers
    assert which.short == "good."
    assert "Shown to be worse than Random: bad." in which.reasons
    assert sure.short == "Decided: 2 of 3 comparisons."
    assert sure.reasons[0].startswith("good is better than random: +0.")
    assert any(reason.startswith("undecided: same and random: ") for reason in sure.reasons)
    assert not any("interval of the saving" in reason for reason in saved.reasons)


def test_an_unfinished_run_says_what_is_open(results):
    document = single(results(finished=False))
    assert (
        "The run is not finished: the next look needs more cells." in section(document, "differences").paragraphs
    )
    assert "More seeds are to come: run the spec again." in document.answers[1].reasons


def test_cells_that_were_not_needed_are_not_missing(results):
    (paragraph, spared) = section(single(results()), "cells").paragraphs
    assert paragraph == "All 44 cells (sampler x seed) are complete."
    assert spared.startswith("16 more cells were not needed")


def test_the_closing_table_has_means_without_intervals(results):
    table = closing_table(results())
    text = str(table.__dict__ if hasattr(table, "__dict__") else table)
    assert "mean over seeds" in text
    assert "±" not in text


def test_differences_of_other_pairs_and_metrics_are_not_tested(results):
    found = results()
    assert np.isnan(found.pairs["good", "bad"].half)
    assert not found.pairs["good", "bad"].significant
    assert found.pairs["random", "good"].worse
    assert found.pairs["random", "good"].value == -found.pairs["good", "random"].value
    assert np.isnan(found.pairs["good", "random"].p)
