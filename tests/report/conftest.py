from pathlib import Path

import pytest

from alharness.records import Cell, CellRecord, CycleRecord, Run, RunRecord, Schedule


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
                return CellRecord(cell=cell, status="ok", cycles=(only,))
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
                return CellRecord(cell=cell, status="failed", cycles=cycles[:1], error="broke")
            return CellRecord(cell=cell, status="ok", cycles=cycles)

        run = Run(
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
        return run, RunRecord(cells=tuple(map(record, cells)))

    return build
