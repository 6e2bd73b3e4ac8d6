"""What to label next in a parquet file of embeddings: `alharness query`, as a user calls it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from alharness.runs.vitals import own_memory
from benchmarks import commands
from benchmarks.rows import LABELING, Row, at_most

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import psutil

    from benchmarks.bench import Bench
    from benchmarks.rows import Cost

LABELED = 200
PIECE = 50_000
"""Rows that are made and written together."""

FEW = 1000
"""Rows of a file that takes next to no memory: what a command then holds is Python, torch and the harness."""


def write(path: Path, rows: int, width: int) -> Path:
    """Write a parquet file of unit noise, in which `LABELED` rows have one of two labels."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng, writer = np.random.default_rng(0), None
    for start in range(0, rows, PIECE):
        x = rng.standard_normal((min(PIECE, rows - start), width), np.float32)
        ids = [f"doc-{row:08}" for row in range(start, start + len(x))]
        labels = [None if row >= LABELED else "ab"[row % 2] for row in range(start, start + len(x))]
        ends = pa.array(np.arange(0, x.size + 1, width, dtype=np.int32))
        table = pa.table({"id": ids, "label": pa.array(labels, pa.string())})
        table = table.append_column("vector", pa.ListArray.from_arrays(ends, pa.array(x.ravel())))
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()
    return path


def largest(processes: Sequence[psutil.Process]) -> int:
    """Bytes that the process with most of them has for itself: not what it maps from files."""
    return max(own_memory(process.pid) for process in processes)


def first_batch(data: Path, sampler: str) -> Cost:
    """Begin a project and choose its first batch."""
    project = str(data.with_name(f"{data.stem}-{sampler}"))
    words = ["query", project, "--data", str(data), "--sampler", sampler, "-n", "100"]
    return commands.start("-m", "alharness", *words, memory=largest).cost


def query(rows: int, width: int, samplers: tuple[str, ...], seconds: float, bench: Bench) -> Row:
    """The first batch by each sampler; memory is the most that any of them took beyond that for a few rows.

    Args:
        rows: of the file.
        width: numbers of a row.
        samplers: one after another. The first also writes the arrays that all later calls map.
        seconds: by the clock that any of them may take.
        bench: in small, only the last sampler is tried.
    """
    rows, width, samplers = (FEW, 8, samplers[-1:]) if bench.tiny else (rows, width, samplers)
    with TemporaryDirectory() as folder:
        few = first_batch(write(Path(folder, "few.parquet"), FEW, width), samplers[-1])
        data = write(Path(folder, "many.parquet"), rows, width) if rows > FEW else None
        costs = {sampler: few if data is None else first_batch(data, sampler) for sampler in samplers}
    beyond = {sampler: (cost.memory or 0) - (few.memory or 0) for sampler, cost in costs.items()}
    slowest = max(costs.values(), key=lambda cost: cost.wall)
    return Row(
        group=LABELING,
        by="wall",
        work=f"alharness query, {rows:,} x {width} in parquet, by {', '.join(samplers)}: the slowest",
        reference=f"{FEW:,} samples",
        ours=replace(slowest, memory=max(cost.memory or 0 for cost in costs.values())),
        theirs=few,
        bounds=(
            at_most("time", slowest.wall, seconds, " s"),
            at_most("memory beyond the reference's", max(beyond.values()), 500, " MB"),
        ),
        notes=tuple(
            f"Of {rows:,} samples, {sampler} chooses in {cost.wall:.3g} s, with {beyond[sampler]:,.0f} MB."
            for sampler, cost in costs.items()
        ),
    )


ROWS: dict[str, Callable[[Bench], Row]] = {
    "query, 50,000 rows": partial(query, 50_000, 512, ("badge",), 10),
    "query, a million rows": partial(query, 1_000_000, 768, ("random", "margin", "coreset"), 120),
}
