"""The matrix finds faults that are put in, and shows the smallest input."""

from importlib import import_module

import numpy as np
import pytest

from alharness import Task
from alharness_skactiveml import params as of


class Adapter:
    """Its modules, each imported when it is first used: scikit-activeml takes seconds."""

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return import_module(f"alharness_skactiveml.{name}")


its = Adapter()


@pytest.fixture(autouse=True)
def needs_the_library():
    pytest.importorskip("skactiveml")


def case(unlabeled=6, labeled=2, **changes):
    return its.cases.case_of(of.CoreSet(), Task.CLASSIFICATION, unlabeled, labeled, 2, **changes)


@pytest.fixture
def asked(monkeypatch):
    """Have something else choose: (case, size, seed) -> picks."""

    def use(picks):
        monkeypatch.setattr(
            its.checks, "choose", lambda _, case, size, seed, **__: (picks(case, size, seed), None)
        )

    return use


def by_chance(case, size, seed):
    return np.random.default_rng(seed).permutation(case.unlabeled)[:size].tolist()


def by_value(case, size, _seed):
    return np.lexsort(case.pool.T)[:size].tolist()


@pytest.mark.parametrize("picks", [by_chance, by_value], ids=["draws", "ranks"])
@pytest.mark.parametrize("check", ["distinct", "permutation", "seed"])
def test_a_sound_strategy_passes(asked, picks, check):
    asked(picks)
    assert its.checks.CHECKS[check](of.CoreSet(), case()) == ""


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
    assert text in its.checks.CHECKS[check](of.CoreSet(), case())


def test_the_law_of_the_second_pick(asked):
    asked(by_chance)
    assert its.checks.second(of.RandomSampling(), case()) == ""
    asked(lambda case, size, seed: [0, 1 if seed % 3 else 2 + seed % 4])
    assert "1: 0.67 instead of 0.20" in its.checks.second(of.RandomSampling(), case())
    assert "and the paper" in its.checks.second(of.CoreSet(), case())


def test_the_smallest_case_cannot_be_made_smaller():
    """It fails if there are two equal unlabeled samples."""

    def fails(case):
        return len(np.unique(case.pool, axis=0)) < case.unlabeled

    found = its.cases.smallest(fails, case(unlabeled=8, labeled=3, distinct=4))
    assert (found.unlabeled, found.labeled, found.x.shape[1]) == (2, 1, 1)


def test_predictions_of_the_smallest_case_have_few_decimals():
    made = its.cases.case_of(of.Badge(), Task.CLASSIFICATION, 4, 2, 2)
    found = its.cases.smallest(lambda case: case.predictions is not None, made)
    assert np.array_equal(found.predictions, found.predictions.round(1))
    assert np.allclose(found.predictions.sum(1), 1)


def test_a_strategy_that_raises_is_shown(asked):
    def raises(case, size, seed):
        raise ZeroDivisionError("no more")

    asked(raises)
    fault = its.checks.examine(of.CoreSet(), "seed")
    assert fault.text == "ZeroDivisionError: no more"
    assert "x=np.array([[" in its.matrix.shown(of.CoreSet(), "seed", fault)


def test_what_is_shown_prints_the_fault(capsys):
    """If it fails with another version of the library, the strategy was corrected: make the matrix again."""
    fault = its.checks.examine(of.Badge(), "distinct")
    code = its.matrix.shown(of.Badge(), "distinct", fault).partition("```python\n")[2].removesuffix("```")
    exec(code, {"np": np, "Case": its.sampler.Case, "checks": its.checks, "cases": its.cases, "params": of})
    assert capsys.readouterr().out == f"{fault.text}\n"


PAGE = "head\n<!-- matrix -->\n### scikit-activeml 0.9\n\nkept\n<!-- end of matrix -->\nfoot\n"


def test_a_page_keeps_the_sections_of_other_versions_and_what_is_not_made_again():
    line = its.matrix.Line.of("`badge`")
    line.cells[1:3], line.faults = ["no", "yes"], ["**`badge`, distinct**: twice\n\n```python\nprint(1)\n```"]
    page = its.matrix.written(PAGE, [line, its.matrix.Line.of("`clue`")])
    assert page.startswith("head\n<!-- matrix -->\n\n### scikit-activeml ")
    assert page.endswith("```\n\n### scikit-activeml 0.9\n\nkept\n\n<!-- end of matrix -->\nfoot\n")

    again = its.matrix.read(page)
    assert (again["`badge`"], [*again]) == (line, ["`badge`", "`clue`"])
    assert its.matrix.written(page, again.values()) == page


@pytest.mark.slow
def test_time_and_memory():
    assert all(float(found) >= 0 for found in its.matrix.cost("RandomSampling", 50, 3))
