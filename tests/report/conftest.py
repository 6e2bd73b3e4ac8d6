from pathlib import Path

import numpy as np
import pytest

from alharness.api.records import Cell, CycleRecord, Outcome, Outcomes, Plan, Schedule
from alharness.report.reading import Results


@pytest.fixture
def make_run():
    """A run of two samplers x n seeds, with f1 = base + 0.1 per cycle + 0.01 per seed."""

    def build(n=3, failed=(), metric="f1", references=False, **changes):
        schedule = Schedule(initial_pool=10, sizes=(10, 10))
        cells = tuple(
            Cell(label=label, sampler=label, params={}, distribution="d==1", seed=seed, key=f"{label}{seed}")
            for seed in range(n)
            for label in ("slow", "fast")
        )

        if references:
            cells += tuple(
                Cell(
                    label="full-data",
                    sampler="full-data",
                    params={},
                    distribution="",
                    seed=seed,
                    key=f"r{seed}",
                    reference=True,
                )
                for seed in range(n)
            )

        def record(cell):
            if cell.reference:
                metrics = {"accuracy": 0.99, metric: 0.95 + 0.01 * cell.seed}
                only = CycleRecord(cycle=0, labeled=100, metrics=metrics, cost={"train_seconds": 9.0})
                return Outcome(cell=cell, status="ok", cycles=(only,))
            base = {"slow": 0.5, "fast": 0.6}[cell.label]
            cycles = tuple(
                CycleRecord(
                    cycle=c,
                    labeled=10 + 10 * c,
                    metrics={"accuracy": 0.9, metric: base + 0.1 * c + 0.01 * cell.seed},
                    cost={"train_seconds": 2.0, "cpu_peak_mib": 100.0 + c}
                    | ({"query_seconds": {"slow": 3.0, "fast": 1.0}[cell.label]} if c < 2 else {}),
                )
                for c in range(3)
            )
            if cell.name in failed:
                return Outcome(cell=cell, status="failed", cycles=cycles[:1], error="broke")
            return Outcome(cell=cell, status="ok", cycles=cycles)

        run = Plan(
            **{
                "name": "demo",
                "experiment": "demo-1",
                "folder": Path("runs/demo-1"),
                "schedule": schedule,
                "pool": 100,
                "cells": cells,
                "metric": metric,
                "params": {"dataset": "toy"},
            }
            | changes
        )
        return run, Outcomes(cells=tuple(map(record, cells)))

    return build


@pytest.fixture
def make_results():
    """Results of samplers with these curves: label -> (seeds, cycles); None for a seed that is not finished."""

    def build(
        curves, metric="mae", labeled=(100, 200, 400, 800), references=(), contexts=None, pool=None, **changes
    ):
        schedule = Schedule(initial_pool=labeled[0], sizes=tuple(np.diff(labeled).tolist()))
        records, found = [], {}
        for label, rows in curves.items():
            for seed, row in enumerate(rows):
                cell = Cell(
                    label=label, sampler=label, params={}, distribution="d==1", seed=seed, key=f"{label}{seed}"
                )
                found[cell] = {"data": "d", "split": "s", **(contexts or {}).get(cell.name, {})}
                if row is None:
                    records.append(Outcome(cell=cell, status="failed", error="it broke"))
                    continue
                cycles = tuple(
                    CycleRecord(
                        cycle=c,
                        labeled=n,
                        metrics={metric: float(value)},
                        chosen=tuple(f"{seed}-{c}-{i}" for i in range(4)) if c + 1 < len(labeled) else (),
                        cost={"train_seconds": 2.0} | ({"query_seconds": 0.5} if c + 1 < len(labeled) else {}),
                        machine="one",
                    )
                    for c, (n, value) in enumerate(zip(labeled, row, strict=True))
                )
                records.append(Outcome(cell=cell, status="ok", cycles=cycles))
        for seed, value in enumerate(references):
            cell = Cell(
                label="full-data",
                sampler="full-data",
                params={},
                distribution="",
                seed=seed,
                key=f"f{seed}",
                reference=True,
            )
            only = CycleRecord(cycle=0, labeled=5000, metrics={metric: value}, cost={"train_seconds": 9.0})
            records.append(Outcome(cell=cell, status="ok", cycles=(only,)))
        run = Plan(
            **{
                "name": "demo",
                "experiment": "demo-1",
                "folder": Path("runs/demo-1"),
                "schedule": schedule,
                "pool": 5000,
                "cells": tuple(record.cell for record in records),
                "metric": metric,
                "params": {"dataset": "toy", "model": "net"},
            }
            | changes
        )
        return Results(run=run, record=Outcomes(cells=tuple(records)), contexts=found, pool=pool)

    return build


@pytest.fixture
def noisy():
    """Curves that fall from 0.5 to 0.3, of n seeds that share an offset each; a larger `effect` falls quicker."""

    def build(n, effect=0.0, noise=0.004, seed=0, cycles=4):
        shared = np.random.default_rng(99).normal(0, 0.01, (n, 1))
        own = np.random.default_rng(seed).normal(0, noise, (n, cycles))
        x = np.arange(cycles)
        return 0.3 + 0.2 * np.exp(-x * (1 + effect)) + shared + own * (x > 0)

    return build
