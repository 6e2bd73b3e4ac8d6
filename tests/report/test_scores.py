from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from alharness.report.basis import basis
from alharness.report.curves import plot
from alharness.report.scores import known_metrics, scores
from alharness.report.summary import summarize

FALLING = (0.5, 0.4, 0.35, 0.32)


def test_curves_by_sampler_and_seed(make_results):
    found = scores(make_results({"random": [FALLING, None], "a": [FALLING, FALLING]}), "mae")
    assert found.curves["random"] == {0: FALLING}
    assert set(found.curves["a"]) == {0, 1}
    assert found.lower_is_better
    assert found.refused == ()
    first, second = found.pair("random", "a")
    assert first.shape == second.shape == (1, 4)  # the seed that both finished
    assert np.array_equal(found.pair("a", "random")[0], second)
    assert found.areas(second) == pytest.approx([0.362857], abs=1e-6)


def test_a_metric_that_is_missing_is_undefined(make_results):
    found = scores(make_results({"random": [FALLING]}), "corr")
    assert np.isnan(found.curves["random"][0]).all()


def test_a_cell_under_other_conditions_is_left_out_by_name(make_results):
    curves = {label: [FALLING, FALLING] for label in ("random", "a", "b")}
    results = make_results(curves, contexts={"a-s1": {"initial_pool": "another", "data": "other"}})
    found = scores(results, "mae")
    assert set(found.curves["a"]) == {0}
    assert set(found.curves["b"]) == {0, 1}
    (reason,) = found.refused
    assert "a-s1" in reason
    assert "data, initial_pool" in reason


def test_the_metric_that_ranks_is_known(make_results):
    results = make_results({"random": [FALLING]}, references=(0.2, 0.3), headline=("acc", "mae"))
    assert known_metrics(results) == ("mae",)


def test_validation_samples_that_count_are_labels_of_every_cycle(make_results):
    curves = {"random": [FALLING] * 3, "a": [FALLING] * 3}
    results = make_results(curves, valid=50, count_valid=True, references=(0.3,) * 3)
    assert scores(results, "mae").labeled == (150, 250, 450, 850)
    figure = Figure()
    cells = basis(results.run, results.record, results.contexts)
    assert plot(figure.add_subplot(), results.run, cells, cells.groups[0], "mae")
    *lines, level = figure.axes[0].lines
    assert {tuple(line.get_xdata()) for line in lines} == {(150, 250, 450, 850)}
    assert level.get_label() == "all 5,050 labels (n = 3)"
    assert {row.labels for row in summarize(results.run, results.record, cells)} == {850, 5050}
    alone = replace(results.run, valid=0)
    assert alone.counted([100]) == (100,)
