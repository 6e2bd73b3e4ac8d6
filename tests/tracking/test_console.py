from pathlib import Path

from rich.console import Console

from alharness.records import Cell, Run, Schedule
from alharness.tracking.console import ConsoleProgress


def cell(label, **more):
    return Cell(label=label, sampler=label, params={}, distribution="d==1", seed=0, key=label, **more)


def test_what_earlier_runs_finished_is_told_references_included():
    run = Run(
        name="demo",
        experiment="demo-1",
        folder=Path("runs"),
        schedule=Schedule(initial_pool=10, sizes=(5, 5)),
        pool=100,
        cells=(cell("random"), cell("full-data", reference=True)),
        finished={"random-s0": 2, "full-data-s0": 1},
    )
    console = Console(width=120)
    progress = ConsoleProgress(console)
    with console.capture() as shown, progress.shown():
        progress.alharness_run_started(run)
    assert "3 of 4 cycles are finished already, 1 of 2 cells complete" in shown.get()
