"""The view is unpacked as MLflow's interface unpacks it, and compared member by member."""

import base64
import json
import math
import zlib
from pathlib import Path

import pytest

from alharness.api.records import Cell, CycleRecord, Outcome, Outcomes, Plan, Schedule
from alharness.tracking.mlflow.dashboard import MOST_CURVES, deep_link, make_tag, make_view

LABELED = (10, 12, 14)
LIMIT = 20_000
"""Characters of an experiment's tag."""


def cell(label="mine", seed=0, *, reference=False):
    return Cell(
        label=label,
        sampler=label,
        params={},
        distribution="toy==1",
        seed=seed,
        key=f"{label}{seed}",
        reference=reference,
    )


def record(cell, curves, status="ok", **more):
    """A cell whose metrics are these curves over the labels."""
    length = max(map(len, curves.values()), default=0)
    cycles = tuple(
        CycleRecord(
            cycle=number,
            labeled=LABELED[number],
            metrics={name: curve[number] for name, curve in curves.items() if number < len(curve)},
            cost={"query_seconds": 1.0, "cpu_peak_mib": 100.0, **more},
            at=2_000_000 + number,
        )
        for number in range(length)
    )
    return Outcome(cell=cell, status=status, cycles=cycles, started=1_000_000)


def run_of(records, metric="mae", headline=(), **more):
    given = {
        "name": "demo",
        "experiment": "demo-1234",
        "folder": Path("runs/demo"),
        "schedule": Schedule(initial_pool=10, sizes=(2, 2)),
        "pool": 50,
        "cells": tuple(found.cell for found in records),
        "metric": metric,
        "headline": headline,
    }
    return Plan(**(given | more))


CURVES = {"mae": [0.5, 0.4, 0.3], "corr": [0.2, 0.5, 0.6], "r2": [0.0, 0.1, 0.2], "f1": [0.7, 0.7, 0.7]}


@pytest.fixture
def records():
    return [record(cell(label, seed), CURVES) for label in ("mine", "other") for seed in (0, 1)]


def unpack(tag):
    """The view and what is around it, by the steps of MLflow's interface."""
    outer = json.loads(tag)
    kind, _, text = outer.pop("state").partition(";")
    assert kind == "deflate"
    return outer, json.loads(zlib.decompress(base64.b64decode(text, validate=True)))


def axes(records, metric="mae"):
    view = make_view(run_of(records), Outcomes(cells=tuple(records)))
    return next(chart for chart in view["compareRunCharts"] if chart.get("metricKey") == f"test/{metric}")["range"]


def test_the_tag_says_when_and_holds_the_view(records):
    run, ended = run_of(records), Outcomes(cells=tuple(records))
    outer, view = unpack(make_tag(run, ended))
    assert outer == {"name": "Learning curves by sampler", "createdAt": 1_000_000, "updatedAt": 2_000_002}
    assert view == make_view(run, ended)


def test_every_member_of_the_view_but_its_charts(records):
    view = make_view(run_of(records), Outcomes(cells=tuple(records)))
    del view["compareRunCharts"], view["compareRunSections"]
    assert view == {
        "searchFilter": 'tags.`alharness.kind` = "cell" and tags.`alharness.experiment` = "demo-1234" '
        'and attributes.status = "FINISHED"',
        "orderByKey": "params.`sampler`",
        "orderByAsc": True,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": ["metrics.`summary/aubc_mae`", "params.`sampler`", "params.`seed`"],
        "columnOrder": [],
        "columnWidths": {},
        "runsHiddenMode": "SHOWALL",
        "viewMaximized": False,
        "runListHidden": False,
        "isAccordionReordered": True,
        "useGroupedValuesInCharts": True,
        "hideEmptyCharts": True,
        "groupBy": {"aggregateFunction": "average", "groupByKeys": [{"mode": "param", "groupByData": "sampler"}]},
        "groupsExpanded": {"param.sampler.mine": False, "param.sampler.other": False},
        "globalLineChartConfig": {"xAxisKey": "step", "lineSmoothness": 0, "selectedXAxisMetricKey": ""},
    }


def test_three_sections_say_which_way_is_better_in_few_words(records):
    names = headings(run_of(records, headline=("mae", "corr", "f1")), records)
    assert names == ["Quality (mae ↓, others ↑)", "Area (lower is better)", "Cost (lower is better)"]
    assert headings(run_of(records, metric="f1"), records)[:2] == [
        "Quality (mae ↓, others ↑)",
        "Area (higher is better)",
    ]


def headings(run, records):
    return [section["name"] for section in make_view(run, Outcomes(cells=tuple(records)))["compareRunSections"]]


def test_a_row_has_one_chart_so_that_titles_and_legends_fit(records):
    view = make_view(run_of(records, headline=("mae", "corr")), Outcomes(cells=tuple(records)))
    sections = view["compareRunSections"]
    assert len({section.pop("uuid") for section in sections}) == len({s.pop("name") for s in sections}) == 3
    common = {"display": True, "isReordered": True, "deleted": False, "isGenerated": False}
    assert sections == [common | {"columns": 1, "cardHeight": 340}] * 3


def test_bars_of_many_samplers_have_room():
    many = [record(cell(f"s{number}"), CURVES) for number in range(30)]
    sections = make_view(*_pair(many))["compareRunSections"]
    assert [section["cardHeight"] for section in sections] == [340, 940, 340]


@pytest.mark.parametrize(("names", "way"), [(("mae", "rmse"), "lower"), (("f1", "corr"), "higher")])
def test_where_all_metrics_have_one_direction_the_heading_says_it(names, way):
    one = record(cell(), {name: [0.1, 0.2, 0.3] for name in names})
    view = make_view(*_pair([one], metric=names[0], headline=names))
    assert view["compareRunSections"][0]["name"] == f"Quality ({way} is better)"


def test_charts_of_quality_area_and_cost(records):
    view = make_view(run_of(records, headline=("corr", "mae")), Outcomes(cells=tuple(records)))
    titles = {section["uuid"]: section["name"].split()[0] for section in view["compareRunSections"]}
    charts = view["compareRunCharts"]
    assert [(titles[c["metricSectionId"]], c["type"], c.get("metricKey")) for c in charts] == [
        ("Quality", "LINE", "test/mae"),
        ("Quality", "LINE", "test/corr"),
        ("Area", "BAR", "summary/aubc_mae"),
        ("Area", "SCATTER", None),
        ("Cost", "LINE", "cost/query_seconds"),
        ("Cost", "LINE", "cost/train_seconds"),
        ("Cost", "LINE", "cost/cpu_peak_mib"),
        ("Cost", "BAR", "summary/query_seconds_total"),
    ]
    assert len({chart["uuid"] for chart in charts}) == len(charts)
    assert all((c["runsCountToCompare"], c["deleted"], c["isGenerated"]) == (4, False, False) for c in charts)


def test_every_member_of_a_line_a_bar_and_a_scatter(records):
    view = make_view(run_of(records, headline=("mae",)), Outcomes(cells=tuple(records)))
    line, bar, scatter, *_ = [
        {k: v for k, v in chart.items() if k not in ("uuid", "metricSectionId", "runsCountToCompare")}
        for chart in view["compareRunCharts"]
    ]
    common = {"deleted": False, "isGenerated": False}
    margin = pytest.approx(0.05 * 0.2)
    assert (0.3 - line["range"].pop("yMin"), line["range"].pop("yMax") - 0.5) == (margin, margin)
    assert line == common | {
        "type": "LINE",
        "displayName": "test/mae",
        "metricKey": "test/mae",
        "selectedMetricKeys": ["test/mae"],
        "lineSmoothness": 0,
        "xAxisScaleType": "linear",
        "scaleType": "linear",
        "range": {"xMin": 10, "xMax": 14},
        "xAxisKey": "step",
        "selectedXAxisMetricKey": "",
        "yAxisKey": "metric",
        "yAxisExpressions": [],
        "ignoreOutliers": False,
        "useGlobalXaxisKey": True,
        "useGlobalLineSmoothing": True,
    }
    assert bar == common | {
        "type": "BAR",
        "displayName": "summary/aubc_mae",
        "metricKey": "summary/aubc_mae",
    }
    assert scatter == common | {
        "type": "SCATTER",
        "xaxis": {"key": "summary/query_seconds_total", "type": "METRIC"},
        "yaxis": {"key": "summary/aubc_mae", "type": "METRIC"},
    }


def test_memory_is_the_gpus_where_there_is_one(records):
    records[0] = record(cell(), CURVES, gpu_peak_alloc_mib=5.0)
    view = make_view(run_of(records), Outcomes(cells=tuple(records)))
    assert view["compareRunCharts"][-2]["metricKey"] == "cost/gpu_peak_alloc_mib"


def test_without_a_headline_all_metrics_are_drawn_the_one_that_ranks_first(records):
    view = make_view(run_of(records, metric="r2"), Outcomes(cells=tuple(records)))
    drawn = [chart.get("metricKey", "") for chart in view["compareRunCharts"]]
    quality = [key for key in drawn if key.startswith("test/")]
    assert quality == ["test/r2", "test/mae", "test/corr", "test/f1"]


def test_axes_hold_the_finished_cells_and_nothing_else(records):
    outside = {"mae": [90.0, 90.0, 90.0]}
    others = [
        record(cell("full-data", reference=True), outside),
        record(cell("mine", 7), outside, status="failed"),
        record(cell("mine", 8), outside, status="interrupted"),
    ]
    assert axes([*records, *others]) == axes(records)


def test_what_is_not_finite_does_not_stretch_the_axes(records):
    bad = record(cell("third"), {"mae": [math.nan, math.inf, 0.4]})
    assert axes([*records, bad]) == axes(records)


@pytest.mark.parametrize(
    ("curve", "low", "high"), [([0.5] * 3, 0.475, 0.525), ([0.0] * 3, -0.05, 0.05), ([-2.0] * 3, -2.1, -1.9)]
)
def test_a_constant_metric_has_room_around_it(curve, low, high):
    found = axes([record(cell(), {"mae": curve})])
    assert (found["yMin"], found["yMax"]) == (pytest.approx(low), pytest.approx(high))


def test_a_single_point_has_room_around_it():
    one = record(cell(), {"mae": [0.4]})
    run = run_of([one], schedule=Schedule(initial_pool=10, sizes=()))
    found = make_view(run, Outcomes(cells=(one,)))["compareRunCharts"][0]["range"]
    assert (found["xMin"], found["xMax"]) == (9, 11)
    assert found["yMin"] < 0.4 < found["yMax"]


@pytest.mark.parametrize(
    "curves", [{}, {"mae": [math.nan] * 3}, {"mae": [-1.7e308, 1.7e308, 0.0]}], ids=["none", "nan", "huge"]
)
def test_axes_are_left_to_mlflow_where_there_is_nothing_to_take_them_from(curves):
    assert axes([record(cell(), curves)]) == {}


def test_an_undefined_metric_makes_a_tag_all_the_same():
    _, view = unpack(make_tag(*_pair([record(cell(), {"mae": [math.nan, 0.2, math.inf]})])))
    assert view["compareRunCharts"][0]["range"]["yMin"] == pytest.approx(0.19)


def test_the_same_run_gives_the_same_tag_and_other_results_another(records):
    assert make_tag(*_pair(records)) == make_tag(*_pair(records))
    worse = [record(cell("mine", 0), CURVES | {"mae": [0.9, 0.9, 0.9]}), *records[1:]]
    assert make_tag(*_pair(worse)) != make_tag(*_pair(records))


def test_many_samplers_and_metrics_fit_into_a_tag():
    curves = {f"metric_with_a_long_name_{n}": [n / 7, math.pi * n, math.e**n] for n in range(200)}
    many = [record(cell(f"sampler_{label}", seed), curves) for label in range(30) for seed in range(10)]
    tag = make_tag(*_pair(many, metric="metric_with_a_long_name_3"))
    _, view = unpack(tag)
    assert len(tag) < LIMIT
    assert len([c for c in view["compareRunCharts"] if c.get("metricKey", "").startswith("test/")]) == MOST_CURVES
    assert view["compareRunCharts"][0]["runsCountToCompare"] == 300


@pytest.mark.parametrize(("seeds", "key"), [(50, "params.`sampler`"), (51, "params.`seed`")])
def test_of_more_cells_than_are_loaded_there_are_some_of_every_sampler(seeds, key):
    many = [record(cell(label, seed), CURVES) for label in ("mine", "other") for seed in range(seeds)]
    assert make_view(*_pair(many))["orderByKey"] == key


def _pair(records, **more):
    return run_of(records, **more), Outcomes(cells=tuple(records))


@pytest.mark.parametrize(
    "address",
    ["http://host:5000", "http://host:5000/", "http://user:secret@host:5000", "http://user:p@ss@host:5000/?a=b#c"],
)
def test_a_link_has_no_credentials(address):
    link = deep_link(address, "7", view=True)
    page = "#/experiments/7/runs?workflowType=machine_learning&compareRunsMode=CHART"
    assert link == f"http://host:5000/{page}&viewStateShareKey=alharness-curves"
    assert deep_link(address, "7", view=False) == f"http://host:5000/{page}"


def test_a_link_keeps_the_prefix_of_a_server():
    assert deep_link("https://host/mlflow/", "7", view=False).startswith("https://host/mlflow/#/experiments/7/")
