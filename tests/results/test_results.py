import math
from dataclasses import replace

import numpy as np
import pytest

from alharness.errors import RunError
from alharness.results.results import Results

CURVES = {
    "random": [[0.5, 0.4, 0.35, 0.32], [0.52, 0.41, 0.36, 0.33], [0.51, 0.43, 0.37, 0.31]],
    "a": [[0.5, 0.38, 0.33, 0.30], [0.52, 0.40, 0.33, 0.32], [0.51, 0.40, 0.36, 0.30]],
}


@pytest.fixture
def results(make_results):
    return Results([make_results(CURVES, references=(0.2, 0.21, 0.22))])


def row(table, **values):
    """The one row with these values."""
    for column, value in values.items():
        table = table[table[column] == value]
    (found,) = table.to_dict("records")
    return found


def test_cycles_have_a_row_a_cycle_and_a_column_a_metric(results):
    table = results.cycles
    assert list(table.columns[:7]) == ["run", "setting", "sampler", "seed", "replicate", "cycle", "labeled"]
    assert len(table) == 2 * 3 * 4 + 3
    found = row(table, sampler="a", seed=1, cycle=2)
    assert (found["labeled"], found["mae"], found["train_seconds"], found["query_seconds"]) == (
        400,
        0.33,
        2.0,
        0.5,
    )


def test_cycles_are_in_the_order_of_the_run(results):
    assert results.cycles["sampler"].drop_duplicates().tolist() == ["random", "a", "full-data"]
    assert results.cycles["cycle"].tolist()[:5] == [0, 1, 2, 3, 0]


def test_what_was_not_measured_is_nan(results):
    last = results.cycles[results.cycles["cycle"] == 3]
    assert last["query_seconds"].isna().all()
    assert results.cycles["train_seconds"].notna().all()


def test_a_metric_with_the_name_of_a_column_has_a_column_of_its_own(make_results):
    table = Results([make_results(CURVES, metric="seed")]).cycles
    assert table["seed"].tolist()[:4] == [0, 0, 0, 0]
    assert table["seed_2"].tolist()[:4] == CURVES["random"][0]


def test_measurements_hold_what_samplers_logged(make_run):
    run = make_run(n=1)
    first, *others = run.records
    cycles = tuple(replace(cycle, diagnostics={"entropy": 0.7}) for cycle in first.cycles)
    table = Results([replace(run, records=(replace(first, cycles=cycles), *others))]).measurements
    assert table[table["kind"] == "choice"]["value"].tolist() == [0.7] * 3
    assert table[table["kind"] == "choice"]["sampler"].unique().tolist() == ["slow"]


def test_cells_say_how_they_ended(make_run):
    table = Results([make_run(failed=("slow-s2",))]).cells
    failed, finished = row(table, sampler="slow", seed=2), row(table, sampler="fast", seed=0)
    assert (failed["status"], failed["error"], failed["cycles"], failed["compared"]) == (
        "failed",
        "broke",
        1,
        False,
    )
    assert (finished["status"], finished["error"], finished["compared"]) == ("ok", "", True)
    assert finished["seconds"] == pytest.approx(3 * 2.0 + 2 * 1.0)


def test_a_summary_has_mean_bounds_deviation_and_number(results):
    from scipy import stats

    found = row(results.summary(), sampler="a", metric="mae", statistic="final")
    values = [curve[-1] for curve in CURVES["a"]]
    low, high = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (found["mean"], found["sd"], found["n"]) == (pytest.approx(np.mean(values)), np.std(values, ddof=1), 3)
    assert (found["low"], found["high"]) == pytest.approx((low, high))
    assert (found["seeds"], found["seed_set"], found["labeled"]) == ("0-2", 0, 800)


def test_a_summary_has_areas_and_costs(results):
    area = row(results.summary(), sampler="random", metric="mae", statistic="area")
    assert area["mean"] == pytest.approx(results.runs["demo"].areas["random"].value)
    costs = results.summary().query("statistic == 'cost' and sampler == 'a'").set_index("metric")["mean"]
    assert costs.to_dict() == {"query_seconds": 0.5, "train_seconds": 8.0, "overall_seconds": 9.5}


def test_means_in_one_group_are_over_the_same_seeds(make_results):
    curves = {
        "random": [[0.5, 0.4, 0.3, 0.2]] * 4,
        "a": [[0.4, 0.3, 0.2, 0.1]] * 4,
        "b": [[0.3] * 4, None, None, None],
    }
    table = Results([make_results(curves)]).summary()
    seed_sets = table.groupby("seed_set")
    assert seed_sets["seeds"].unique().map(list).to_dict() == {0: ["0-3"], 1: ["0"]}
    assert seed_sets["sampler"].unique().map(list).to_dict() == {0: ["random", "a"], 1: ["random", "b"]}


def test_differences_are_paired_by_seed(results):
    from scipy import stats

    (found,) = results.compare().to_dict("records")
    areas = {label: results.runs["demo"].areas_of(label, range(3)) for label in ("random", "a")}
    expected = stats.ttest_rel(areas["random"], areas["a"])  # smaller is better
    low, high = expected.confidence_interval(0.95)
    assert (found["first"], found["second"], found["metric"], found["n"]) == ("a", "random", "mae", 3)
    assert (found["low"], found["high"]) == pytest.approx((low, high))
    assert found["p"] == found["p_corrected"] == pytest.approx(expected.pvalue)
    assert math.isnan(found["p_wilcoxon"])


def test_differences_to_one_sampler_and_of_another_metric(make_run, results):
    assert results.compare(against="a")["second"].unique().tolist() == ["a"]
    other = Results([make_run()]).compare(metric="accuracy")
    assert other["metric"].tolist() == ["accuracy"]
    assert [str(value) for value in other["difference"]] == ["0.0"]  # and not -0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metric": "mea"}, "did you mean 'mae'"),
        ({"against": "rando"}, "did you mean 'random'"),
        ({"metric": "zz"}, "there is mae"),
    ],
)
def test_a_name_that_no_run_has_is_refused(results, arguments, message):
    with pytest.raises(RunError, match=message):
        results.compare(**arguments)


def test_a_setting_without_the_metric_has_no_differences(make_results):
    runs = [make_results(CURVES, experiment=f"{metric}-1", metric=metric) for metric in ("mae", "other")]
    assert Results(runs).compare("other")["run"].tolist() == ["other-1"]


def test_several_runs_are_settings_of_their_own(make_results):
    runs = [make_results(CURVES, experiment=f"demo-{i}") for i in range(2)]
    found = Results(runs)
    assert list(found.runs) == ["demo", "demo-1"]
    assert found.cycles.groupby("run")["setting"].unique().map(list).to_dict() == {
        "demo-0": ["demo"],
        "demo-1": ["demo-1"],
    }
    assert len(found.compare()) == 2
    assert found.summary().groupby("setting")["n"].max().to_dict() == {"demo": 3, "demo-1": 3}  # never 6


def test_no_run_is_refused():
    with pytest.raises(RunError, match="no run is named"):
        Results.load()


def test_a_run_named_twice_is_refused(make_results):
    with pytest.raises(RunError, match="counted twice"):
        Results([make_results(CURVES), make_results(CURVES)])


def test_a_run_without_a_finished_cycle_has_empty_tables(make_results):
    import pandas as pd

    found = Results([make_results({"random": [None], "a": [None]})])
    for table in (found.cycles, found.measurements, found.compare()):
        assert isinstance(table, pd.DataFrame)
        assert table.empty
    assert found.cells["status"].tolist() == ["failed", "failed"]
    assert found.summary().empty


def test_several_settings_are_summed_up_by_sampler(make_results, noisy):
    runs = [
        make_results(
            {"random": noisy(5, seed=i), "quick": noisy(5, 1.0, seed=i + 50)}, experiment=f"e{i}", name=f"set {i}"
        )
        for i in range(5)
    ]
    table = Results(runs).overall().set_index("sampler")
    assert list(table.index) == ["quick", "random"]
    quick = table.loc["quick"]
    assert (quick["rank"], quick["better"], quick["worse"], quick["settings"]) == (1, 5, 0, 5)
    assert quick["above_random_low"] < quick["above_random"] < quick["above_random_high"]
    assert quick["speed_up"] > 1
    assert quick["better_in_practice"] > 0.95
    assert table.loc["random", ["above_random", "beats_random", "speed_up", "better_in_practice"]].isna().all()
    alone = Results(runs[:1]).overall().set_index("sampler")
    assert alone["score"].isna().all()
