"""The matrix finds faults that are put in, and shows the smallest input."""

import numpy as np
import pytest

from alharness import Task

pytest.importorskip("skactiveml")

from alharness_skactiveml import matrix
from alharness_skactiveml import params as of


def case(unlabeled=6, labeled=2, **changes):
    return matrix.case_of(of.CoreSet(), Task.CLASSIFICATION, unlabeled, labeled, 2, **changes)


@pytest.fixture
def asked(monkeypatch):
    """Have something else choose: (case, size, seed) -> picks."""

    def use(picks):
        monkeypatch.setattr(matrix, "choose", lambda _, case, size, seed, **__: (picks(case, size, seed), None))

    return use


def by_chance(case, size, seed):
    return np.random.default_rng(seed).permutation(case.unlabeled)[:size].tolist()


def by_value(case, size, _seed):
    return np.lexsort(case.pool.T)[:size].tolist()


@pytest.mark.parametrize("picks", [by_chance, by_value], ids=["draws", "ranks"])
@pytest.mark.parametrize("check", ["distinct", "permutation", "seed"])
def test_a_sound_strategy_passes(asked, picks, check):
    asked(picks)
    assert matrix.CHECKS[check](of.CoreSet(), case()) == ""


@pytest.mark.parametrize(
    ("check", "picks", "text"),
    [
        ("distinct", lambda case, size, seed: [0] * size, "chose [0, 0, 0]"),
        ("distinct", lambda case, size, seed: [0], "asked for 3, it chose [0]"),
        ("distinct", lambda case, size, seed: range(1, size + 1), "asked for 6"),
        ("permutation", lambda case, size, seed: [*range(size)], "if the order is"),
        (
            "permutation",
            lambda case, size, seed: [seed % (case.unlabeled - size) + i for i in range(size)],
            "is chosen in",
        ),
        ("seed", lambda case, size, seed: np.random.permutation(case.unlabeled)[:size].tolist(), "random_state=0"),
    ],
    ids=["twice", "too-few", "outside", "first-ones", "middle-ones", "global"],
)
def test_a_fault_is_found(asked, check, picks, text):
    asked(picks)
    assert text in matrix.CHECKS[check](of.CoreSet(), case())


def test_the_law_of_the_second_pick(asked):
    asked(by_chance)
    assert matrix.second(of.RandomSampling(), case()) == ""
    asked(lambda case, size, seed: [0, 1 if seed % 3 else 2 + seed % 4])
    assert "1: 0.67 instead of 0.20" in matrix.second(of.RandomSampling(), case())
    assert "and the paper" in matrix.second(of.CoreSet(), case())


def test_the_smallest_case_cannot_be_made_smaller():
    """It fails if there are two equal unlabeled samples."""

    def fails(case):
        return len(np.unique(case.pool, axis=0)) < case.unlabeled

    found = matrix.smallest(fails, case(unlabeled=8, labeled=3, distinct=4))
    assert (found.unlabeled, found.labeled, found.x.shape[1]) == (2, 1, 1)


def test_a_strategy_that_raises_is_shown(asked):
    def raises(case, size, seed):
        raise ZeroDivisionError("no more")

    asked(raises)
    finding = matrix.examine(of.CoreSet(), "seed")
    assert finding.text == "ZeroDivisionError: no more"
    assert "x = [[" in matrix.shown(of.CoreSet, "seed", finding)


def test_a_section_takes_the_place_of_that_of_its_version():
    page = "head\n<!-- matrix -->\n### a 1.0\n\nold\n\n### a 1.0.1\n\nkept\n<!-- end of matrix -->\nfoot\n"
    made = matrix.put(page, "### a 1.0\n\nnew")
    assert made == (
        "head\n<!-- matrix -->\n\n### a 1.0\n\nnew\n\n### a 1.0.1\n\nkept\n\n<!-- end of matrix -->\nfoot\n"
    )


def test_badge_of_this_version_repeats_a_pick():
    """If this fails, the strategy has been corrected: make the matrix again."""
    assert matrix.examine(of.Badge(), "distinct").text
