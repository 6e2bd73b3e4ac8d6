"""The dashboard of an experiment: a view of MLflow's own interface, kept as a tag of the experiment.

MLflow promises nothing about this format, which is that of its major version 3. If the tag is missing, the same
page opens without charts of ours.
"""

from __future__ import annotations

import base64
import json
import math
import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from alharness.text.redaction import redact

from .addresses import is_link

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from alharness.api.records import CycleRecord, Outcomes, Plan

MAJOR = "3."
"""The versions of MLflow that know the format."""
KEY = "alharness-curves"
TAG = f"mlflow.sharedViewState.{KEY}"
NAME = "Learning curves by sampler"

MOST_CURVES = 12
"""Metrics of quality that are drawn: more are no dashboard, and MLflow takes 20,000 characters."""
PAGE = 100
"""Cells that MLflow's interface loads at once."""
HEIGHT = 340
"""Pixels of a chart of curves."""
BAR = 28
"""Pixels of a sampler's bar."""
MARGIN = 0.05
"""Of the range of a metric's values, left free below and above."""


def place(address: str, experiment_id: str, name: str, *, view: bool) -> str:
    """The page of an experiment on a server; for one that no browser can open, what it is called there."""
    link = is_link(address)
    return deep_link(address, experiment_id, view=view) if link else f"{name} at {redact(address)}"


def deep_link(address: str, experiment_id: str, *, view: bool) -> str:
    """The page of an experiment on a server, without the credentials that its address may hold.

    Args:
        address: of the server, `http://...`.
        experiment_id: MLflow's number of the experiment.
        view: whether the experiment has the tag: asked for one that is not there, the page shows an error.
    """
    parts = urlsplit(address)
    base = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl().rstrip("/")
    key = f"&viewStateShareKey={KEY}" if view else ""
    page = f"#/experiments/{experiment_id}/runs?workflowType=machine_learning&compareRunsMode=CHART{key}"
    return f"{base}/{page}"


def make_tag(run: Plan, record: Outcomes) -> str:
    """The tag's value; the same run gives the same one."""
    text = json.dumps(make_view(run, record), separators=(",", ":"), allow_nan=False)
    state = base64.b64encode(zlib.compress(text.encode(), 9)).decode()
    return json.dumps(
        {
            "name": NAME,
            "createdAt": min((cell.started for cell in record.cells if cell.started), default=0),
            "updatedAt": max((cycle.at for cell in record.cells for cycle in cell.cycles), default=0),
            "state": f"deflate;{state}",
        }
    )


def make_view(run: Plan, record: Outcomes) -> dict[str, Any]:
    """What the page shows: finished cells in one group per sampler, their quality, its area, what they cost."""
    cycles = [
        cycle for cell in record.cells if cell.status == "ok" and not cell.cell.reference for cycle in cell.cycles
    ]
    area = f"summary/aubc_{run.metric}"
    metrics = _metrics_to_show(run, cycles)
    memory = "gpu" if any("gpu_peak_alloc_mib" in cycle.cost for cycle in cycles) else "cpu"
    peak = {"gpu": "gpu_peak_alloc_mib", "cpu": "cpu_peak_mib"}[memory]
    bars = max(HEIGHT, 100 + BAR * len(run.labels))
    sections = (
        (
            "quality",
            f"Quality ({_directions(run, metrics)})",
            HEIGHT,
            [_line(f"test/{name}", _range(run.schedule.labeled, cycles, name)) for name in metrics],
        ),
        (
            "summary",
            f"Area ({_directions(run, [run.metric])})",
            bars,
            [_bar(area), _scatter("summary/query_seconds_total", area)],
        ),
        (
            "cost",
            "Cost (lower is better)",
            HEIGHT,
            [
                *(_line(f"cost/{name}", {}) for name in ("query_seconds", "train_seconds", peak)),
                _bar("summary/query_seconds_total"),
            ],
        ),
    )
    constant = _constants()
    return {
        **constant["view"],
        "searchFilter": _filter(run),
        # Of too many cells, rather some seeds of every sampler than all seeds of some.
        "orderByKey": "params.`sampler`" if len(run.cells) <= PAGE else "params.`seed`",
        "selectedColumns": [f"metrics.`{area}`", "params.`sampler`", "params.`seed`"],
        # Closed: the list of the samplers with their colors fits next to the charts.
        "groupsExpanded": {f"param.sampler.{label}": False for label in run.labels},
        "compareRunCharts": [
            {
                **constant["chart"],
                **chart,
                "uuid": f"{KEY}/{section}/{number}",
                "runsCountToCompare": len(run.cells),
                "metricSectionId": f"{KEY}/{section}",
            }
            for section, _, _, charts in sections
            for number, chart in enumerate(charts)
        ],
        # In one column: side by side, titles are cut and legends, of two lines, show some of the samplers.
        "compareRunSections": [
            {**constant["section"], "uuid": f"{KEY}/{section}", "name": title, "cardHeight": height}
            for section, title, height, _ in sections
        ],
    }


@cache
def _constants() -> dict[str, dict[str, Any]]:
    """What every view, section, chart and line of MLflow's interface has; it does not depend on what it shows."""
    found: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))
    return found


def _filter(run: Plan) -> str:
    # A mean takes whatever is there: no reference, no cell of other settings under this name, no unfinished one.
    conditions = (
        'tags.`alharness.kind` = "cell"',
        f'tags.`alharness.experiment` = "{run.experiment}"',
        'attributes.status = "FINISHED"',
    )
    return " and ".join(conditions)


def _metrics_to_show(run: Plan, cycles: Sequence[CycleRecord]) -> list[str]:
    """The metric that ranks, then those of the closing table, as far as they were measured."""
    measured = dict.fromkeys(name for cycle in cycles for name in cycle.metrics)
    wanted = dict.fromkeys([run.metric, *(run.headline or measured)])
    return [name for name in wanted if name in measured or not measured][:MOST_CURVES]


def _directions(run: Plan, metrics: Sequence[str]) -> str:
    """Which way is better, in as few words as a heading shows."""
    lower = [name for name in metrics if name in run.lower_is_better]
    higher = [name for name in metrics if name not in run.lower_is_better]
    if not lower or not higher:
        return f"{'lower' if lower else 'higher'} is better"
    few, way, other = (lower, "↓", "↑") if len(lower) <= len(higher) else (higher, "↑", "↓")
    return f"{', '.join(few)} {way}, others {other}"


def _range(labeled: Sequence[int], cycles: Iterable[CycleRecord], metric: str) -> dict[str, float]:
    """Axes around the data: MLflow's own begin at 0, which makes curves overlap. Empty without data."""
    values = [cycle.metrics[metric] for cycle in cycles if math.isfinite(cycle.metrics.get(metric, math.nan))]
    low, high = min(values, default=0.0), max(values, default=0.0)
    margin = MARGIN * (high - low or abs(high) or 1.0)
    if not values or not math.isfinite(margin):
        return {}
    aside = 0 if labeled[0] < labeled[-1] else 1
    return {
        "xMin": labeled[0] - aside,
        "xMax": labeled[-1] + aside,
        "yMin": low - margin,
        "yMax": high + margin,
    }


def _line(metric: str, axes: dict[str, float]) -> dict[str, Any]:
    own = {"displayName": metric, "metricKey": metric, "selectedMetricKeys": [metric], "range": axes}
    return {**_constants()["line"], **own}


def _bar(metric: str) -> dict[str, Any]:
    return {"type": "BAR", "displayName": metric, "metricKey": metric}


def _scatter(x: str, y: str) -> dict[str, Any]:
    return {"type": "SCATTER", "xaxis": {"key": x, "type": "METRIC"}, "yaxis": {"key": y, "type": "METRIC"}}
