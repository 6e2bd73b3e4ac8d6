"""What a cell looks like in MLflow: params, metrics per cycle, a summary, and files."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import posixpath
import re
from typing import TYPE_CHECKING, Any

from alharness.results.statistics import aubc
from alharness.results.summary import OVERALL, seconds
from alharness.runs import journal
from alharness.text.spreadsheets import defused

LONGEST_KEY = 250
_REFUSED = re.compile(r"[^\w/.: -]|\.{2,}")

COSTS = "alharness.costs"
"""Tag that shows whether a cell was measured again."""

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from mlflow.entities import Metric, Param

    from alharness.api.records import Cell, CycleRecord, Outcome, Plan


def params(run: Plan, cell: Cell) -> list[Param]:
    """The run's common parameters, the sampler's label, its seed, and `<label>.<parameter>`."""
    from mlflow.entities import Param

    values = {"sampler": cell.label, "seed": cell.seed, **run.params}
    values |= {f"{cell.label}.{name}": value for name, value in cell.params.items()}
    return [Param(name, str(value)) for name, value in values.items()]


def tags(record: Outcome) -> dict[str, str]:
    """How the queries were measured, and a digest of what the cycles cost, with their number."""
    return {
        "alharness.timing": record.timing,
        COSTS: f"{len(record.cycles)}-{digest_of_costs(record.cycles)}",
    }


def measured_again(tag: str, cycles: Sequence[CycleRecord]) -> bool:
    """Whether the costs in a journal differ from those that the tag is about: `<number of cycles>-<digest>`."""
    number, _, digest = tag.partition("-")
    return bool(tag) and digest != digest_of_costs(cycles[: int(number)])


def digest_of_costs(cycles: Sequence[CycleRecord]) -> str:
    """It differs if a cycle was measured again."""
    costs = json.dumps([[dict(cycle.cost), cycle.timing] for cycle in cycles], sort_keys=True)
    return hashlib.sha256(costs.encode()).hexdigest()[:16]


def metrics(cycle: CycleRecord) -> list[Metric]:
    """`test/...`, `cost/...` and `al/...` at step = labeled count.

    The journal's timestamp makes a point that is written twice the same point.
    """
    return list(_points(_values(cycle), cycle))


def names(cycles: Sequence[CycleRecord]) -> set[str]:
    """Names of the metrics that these cycles have."""
    return {name for cycle in cycles for name, value in _values(cycle).items() if math.isfinite(value)}


def summary(run: Plan, record: Outcome) -> list[Metric]:
    """One point each at the last cycle: area under the budget curve, seconds of all queries, overall seconds.

    A reference has no curve, and so no area.
    """
    labeled = [cycle.labeled for cycle in record.cycles]
    curve = [cycle.metrics[run.metric] for cycle in record.cycles]
    values = {
        f"summary/aubc_{run.metric}": math.nan if record.cell.reference else float(aubc(labeled, curve)),
        "summary/query_seconds_total": seconds(record, "query_seconds"),
        "summary/overall_seconds": seconds(record, *OVERALL),
    }
    return list(_points(values, record.cycles[-1]))


def write_artifacts(folder: Path, run: Plan, record: Outcome) -> None:
    """spec.yaml, env.txt, journal.jsonl, and selections.csv: every choice with its cycle, rank, id and score."""
    source = run.folder / "cells" / record.cell.folder / journal.NAME
    (folder / journal.NAME).write_bytes(source.read_bytes())
    (folder / "spec.yaml").write_text(run.spec_text, encoding="utf-8")
    lines = [f"{name}: {value}\n" for name, value in run.environment.items()]
    (folder / "env.txt").write_text("".join(lines), encoding="utf-8")
    with (folder / "selections.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["cycle", "rank", "id", "score"])
        for cycle in record.cycles:
            scores = cycle.scores or ("",) * len(cycle.chosen)
            rows.writerows(
                (cycle.cycle, rank, defused(sample), score)
                for rank, (sample, score) in enumerate(zip(cycle.chosen, scores, strict=True))
            )


def _values(cycle: CycleRecord) -> dict[str, Any]:
    values = {f"test/{name}": value for name, value in cycle.metrics.items()}
    values |= {f"cost/{name}": value for name, value in cycle.cost.items()}
    values |= {_key(f"al/{name}"): value for name, value in cycle.diagnostics.items()}
    for name, value in cycle.utilisation.items():
        measure, _, modality = name.partition("/")
        folder = "utilisation" if measure == "share" else f"utilisation_{measure}"
        values[_key(f"al/{folder}/{modality}")] = value
    return {**values, "al/cycle": cycle.cycle}


def _key(name: str) -> str:
    """A name that MLflow takes: one that it refuses would cost the whole cell."""
    return posixpath.normpath(_REFUSED.sub("_", name))[:LONGEST_KEY].rstrip("/. ")


def _points(values: Mapping[str, Any], cycle: CycleRecord) -> Iterator[Metric]:
    from mlflow.entities import Metric

    for name, value in values.items():
        # MLflow turns an infinity into 1.8e308, and one NaN blanks the mean of its whole group.
        if math.isfinite(value):
            yield Metric(name, float(value), cycle.at, cycle.labeled)
