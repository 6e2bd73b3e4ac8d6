"""The study from which the method was chosen still runs, and tests what alharness tests."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from alharness.results.blocks import compare
from alharness.results.statistics import corrected

PATH = Path(__file__).parents[2] / "studies" / "statistics" / "simulate.py"


@pytest.fixture(scope="module")
def study():
    return runpy.run_path(str(PATH))


def test_it_prints_its_tables(study, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", [str(PATH), "--experiments", "5", "--quick"])
    study["main"]()
    printed = capsys.readouterr().out
    assert printed.count("\n## ") == 5
    assert "| equal | 5 | 3 | 0." in printed


@pytest.mark.parametrize(("study_name", "method"), [("blocks", "blocks"), ("paired", "paired_t")])
@pytest.mark.parametrize("pairs", [False, True])
def test_its_methods_are_those_of_a_run(study, study_name, method, pairs):
    values = study["experiments"]("one sampler three times as noisy", 5, 4, 3, "some", 1)
    labels = ["a", "b", "c", "d"]
    rows = {label: values[0, :, i] for i, label in enumerate(labels)} | {"random": values[0, :, 4:]}
    one, other = study["positions"](4, pairs)
    names = [*labels, "random"]
    found = corrected(
        compare(
            rows, [(names[i], names[j]) for i, j in zip(one, other, strict=True)], method, lower_is_better=False
        )
    )
    p = study[study_name](values, 4, pairs)[0]
    assert [d.adjusted for d in found.values()] == pytest.approx(p.tolist())
    assert np.ptp(p) > 0
