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
    assert found.basis.asked == {"random": {0: 1, 1: 1}, "a": {0: 1, 1: 1}}
    assert found.basis.shared("random") == [0]
    assert found.curves("random", [0]) == pytest.approx(np.array([FALLING]))
    assert found.lower_is_better
    assert found.basis.refused == ()
    first, second = found.pair("random", "a")
    assert first.shape == second.shape == (1, 4)  # the seed that both finished
    assert np.array_equal(found.pair("a", "random")[0], second)
    assert found.areas_of("a", [0, 1]) == pytest.approx([0.362857] * 2, abs=1e-6)


def test_replicates_of_random_are_averaged_within_a_seed(make_results):
    other, third = (0.6, 0.5, 0.45, 0.42), (0.7, 0.6, 0.55, 0.52)
    found = make_results(
        {"random": [FALLING, FALLING], "a": [FALLING, FALLING]}, replicates=[[other, third], [other]]
    )
    assert found.basis.asked["random"] == {0: 3, 1: 2}
    assert found.curves("random", [0, 1]) == pytest.approx(np.add([FALLING] * 2, [[0.1], [0.05]]))
    assert found.areas_of("random", [1, 0]) == pytest.approx([0.412857, 0.462857], abs=1e-6)
    own = found.replicates("random", [0, 1])
    assert own.shape == (2, 3, 4)
    assert own[0] == pytest.approx(np.array([FALLING, other, third]))
    assert np.isnan(own[1, 2]).all()
    assert found.replicates("a", [0, 1]).shape == (2, 1, 4)
    (row,) = (row for row in found.summary if row.label == "random")
    assert (row.count, row.replicates, row.area.n) == ("2", 3, 2)
    assert row.costs["train_seconds"].value == pytest.approx(8.0)  # of one cell, not of all of a seed
    assert found.pairs["a", "random"].n == 2
    assert found.basis.replicated == "In each seed random is the mean of 3 replicates."
    assert [*found.basis.gaps()] == []


def test_a_replicate_that_failed_is_left_out_and_said(make_results):
    found = make_results({"random": [FALLING] * 3, "a": [FALLING] * 3}, replicates=[[None], [FALLING], [FALLING]])
    assert found.basis.shared("random", "a") == [0, 1, 2]
    assert found.basis.gaps() == ["random has 1 of its replicates in seed 0, fewer than were asked for."]
    assert found.replicates("random", [0])[:, 1:].size == 0


def test_every_number_says_which_replicate_it_is_of(make_results):
    found = make_results({"random": [FALLING], "a": [FALLING]}, replicates=[[FALLING]])
    places = [row[:3] for row in found.numbers() if row[-2] == "mae"]
    assert [places.count(place) for place in (("random", 0, 1), ("random", 0, 2), ("a", 0, 1))] == [4, 4, 4]
    assert len(places) == 12


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
    slow, fast = results.basis.of(results.basis.seed_sets[0], "slow"), results.basis.cells["fast"][0][0]
    assert seconds_per_cycle(fast, "query_seconds") == 1
    assert [seconds(cell, "train_seconds", "query_seconds") for cell in slow] == [12, 12]  # not of seed 2
    assert results.row("slow").costs["train_seconds"].n == 2
    assert math.isnan(seconds_per_cycle(fast, "gpu_peak_alloc_mib"))
