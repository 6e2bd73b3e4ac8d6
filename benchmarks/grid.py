"""Run directories of a whole grid with made-up figures, as `alharness run` leaves them: for reports over settings.

python -m benchmarks.grid FOLDER [SETTINGS SAMPLERS SEEDS]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from alharness.api.records import Cell, CycleRecord, Outcome, Plan, Schedule
from alharness.runs import saved
from alharness.runs.journal import Journal

CYCLES, FIRST, EACH = 11, 100, 50
NAMES = ("random", "margin", "entropy", "badge", "coreset", "bmmal", "bald", "gcnal", "dbal", "grace")


def write(
    folder: Path, settings: int = 30, samplers: int = 10, seeds: int = 20, *, full: bool = False
) -> list[Path]:
    """Write so many run directories, and say where.

    Half of the samplers are better than Random, by more in some settings than in others. Within a seed all share
    an offset, and their first cycle.

    Args:
        folder: where to write to.
        settings: how many runs.
        samplers: how many samplers, the first of which is Random.
        seeds: how many seeds each.
        full: with models that were trained with all labels.
    """
    return [_setting(folder, number, samplers, seeds, full=full) for number in range(settings)]


def _setting(folder: Path, number: int, samplers: int, seeds: int, *, full: bool) -> Path:
    rng = np.random.default_rng(number)
    name = f"grid_{number:02d}"
    labels = [NAMES[i] if i < len(NAMES) else f"sampler{i}" for i in range(samplers)]
    cells = [_cell(label, seed) for seed in range(seeds) for label in labels]
    plan = Plan(
        name=name,
        experiment=f"{name}-{number:08x}",
        folder=folder / f"{name}-{number:08x}",
        schedule=Schedule(initial_pool=FIRST, sizes=(EACH,) * (CYCLES - 1)),
        pool=5000,
        cells=(*cells, *(_cell("full-data", seed, reference=True) for seed in range(seeds if full else 0))),
        metric="accuracy",
        headline=("accuracy", "f1_macro"),
        params={"dataset": f"made up {number % 6}", "model": f"net {number // 6}", "device": "cpu"},
        environment={"cpu": "made up", "cores": 2},
    )
    plan.folder.mkdir(parents=True)
    first, last = rng.uniform(0.3, 0.5), rng.uniform(0.7, 0.95)
    quicker = np.where(np.arange(samplers) % 2, rng.uniform(0, 0.6, samplers), rng.normal(0, 0.02, samplers))
    quicker[0] = 0.0
    x = np.arange(CYCLES) / (CYCLES - 1)
    shared, start = rng.normal(0, 0.01, seeds), rng.normal(0, 0.01, seeds)
    records = []
    for cell in plan.cells:
        if cell.reference:
            curve = np.array([last + 0.02 + shared[cell.seed]])
        else:
            rate = 2.5 * (1 + quicker[labels.index(cell.label)])
            curve = last - (last - first) * np.exp(-rate * x) + shared[cell.seed] + rng.normal(0, 0.006, CYCLES)
            curve[0] = first + shared[cell.seed] + start[cell.seed]
        records.append(_journal(plan, cell, curve, rng))
    saved.save(plan, records)
    return plan.folder


def _cell(label: str, seed: int, *, reference: bool = False) -> Cell:
    return Cell(
        label=label,
        sampler=label,
        params={},
        distribution="made-up==1",
        seed=seed,
        key=f"{label}{seed}",
        reference=reference,
    )


def _journal(plan: Plan, cell: Cell, curve: np.ndarray, rng: np.random.Generator) -> Outcome:
    context = {"data": f"d{plan.name}", "split": f"s{cell.seed}", "initial_pool": f"i{cell.seed}", "device": "cpu"}
    journal = Journal(plan.folder / "cells" / cell.folder, context, 1_700_000_000_000)
    queries = 0 if cell.reference else CYCLES - 1
    labeled = plan.labeled(cell)
    cycles = []
    for cycle, value in enumerate(curve):
        cost = {"train_seconds": 2.0 + rng.random(), "evaluate_seconds": 0.1, "cpu_peak_mib": 900 + rng.random()}
        chosen: tuple[str, ...] = ()
        if cycle < queries:
            cost |= {
                f"query_{part}": rng.random() for part in ("seconds", "inference_seconds", "selection_seconds")
            }
            chosen = tuple(f"{cell.seed}-{cycle}-{i}" for i in range(EACH))
        cycles.append(
            CycleRecord(
                cycle=cycle,
                labeled=labeled[cycle],
                metrics={"accuracy": float(value), "f1_macro": float(value) - 0.03, "loss": 1 - float(value)},
                chosen=chosen,
                cost=cost,
                at=1_700_000_000_000,
                machine="made up",
            )
        )
    journal.replace(cycles)
    return Outcome(cell=cell, status="ok", cycles=tuple(cycles), context=context)


if __name__ == "__main__":
    where, *sizes = sys.argv[1:]
    write(Path(where), *map(int, sizes))
