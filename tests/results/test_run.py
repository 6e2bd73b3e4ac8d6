import math
from dataclasses import replace

import numpy as np
import pytest

from alharness.report.curves import plot
from alharness.report.pictures import styles
from alharness.results.summary import seconds, seconds_per_cycle

FALLING = (0.5, 0.4, 0.35, 0.32)


def test_curves_by_sampler_and_seed(make_results):
    found = make_results({"random": [FALLING, None], "a": [FALLING, FALLING]})
    assert found.basis.asked == {"random": (0, 1), "a": (0, 1)}
    assert found.basis.shared("random") == [0]
    assert found.curves("random", [0]) == pytest.approx(np.array([FALLING]))
    assert found.lower_is_better
    assert found.basis.refused == ()
    first, second = found.pair("random", "a")
    assert first.shape == second.shape == (1, 4)  # the seed that both finished
    assert np.array_equal(found.pair("a", "random")[0], second)
    assert found.areas_of("a", [0, 1]) == pytest.approx([0.362857] * 2, abs=1e-6)


def test_a_metric_that_is_missing_is_undefined(make_results):
    assert np.isnan(make_results({"random": [FALLING]}).curves("random", [0], "corr")).all()


def test_a_cell_under_other_conditions_is_left_out_by_name(make_results):
    curves = {label: [FALLING, FALLING] for label in ("random", "a", "b")}
    found = make_results(curves, contexts={"a-s1": {"initial_pool": "another", "data": "other"}})
    assert set(found.basis.cells["a"]) == {0}
    assert set(found.basis.cells["b"]) == {0, 1}
    (reason,) = found.basis.refused
    assert "a-s1" in reason
    assert "data, initial_pool" in reason


def test_the_metric_that_ranks_is_known(make_results):
    results = make_results({"random": [FALLING]}, references=(0.2, 0.3), headline=("acc", "mae"))
    assert results.metrics() == ("mae",)


def test_validation_samples_that_count_are_labels_of_every_cycle(make_results):
    from matplotlib.figure import Figure

    curves = {"random": [FALLING] * 3, "a": [FALLING] * 3}
    results = make_results(curves, valid=50, count_valid=True, references=(0.3,) * 3)
    assert results.labeled == (150, 250, 450, 850)
    figure = Figure()
    assert plot(figure.add_subplot(), results, results.basis.seed_sets[0], "mae", styles(results.labels))
    *lines, level = figure.axes[0].lines
    assert {tuple(line.get_xdata()) for line in lines} == {(150, 250, 450, 850)}
    assert level.get_label() == "all 5,050 labels (n = 3)"
    assert {row.labels for row in results.summary} == {850, 5050}
    alone = replace(results.run, valid=0)
    assert alone.counted([100]) == (100,)


def test_costs_are_sums_and_means_of_what_was_measured(make_run):
    results = make_run(failed=("slow-s2",))
    slow, fast = results.basis.of(results.basis.seed_sets[0], "slow"), results.basis.cells["fast"][0]
    assert seconds_per_cycle(fast, "query_seconds") == 1
    assert [seconds(cell, "train_seconds", "query_seconds") for cell in slow] == [12, 12]  # not of seed 2
    assert results.row("slow").costs["train_seconds"].n == 2
    assert math.isnan(seconds_per_cycle(fast, "gpu_peak_alloc_mib"))
