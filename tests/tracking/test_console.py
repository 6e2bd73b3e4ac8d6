from pathlib import Path

from rich.console import Console

from alharness.cells import Cell, Schedule
from alharness.records import CycleRecord, Run
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


def test_every_cell_at_work_has_a_bar_and_gives_it_up():
    cells = (cell("random"), cell("grace"), cell("dbal"))
    run = Run(
        name="demo",
        experiment="demo-1",
        folder=Path("runs"),
        schedule=Schedule(initial_pool=10, sizes=(5,)),
        pool=100,
        cells=cells,
        jobs=2,
        metric="f1",
    )
    progress = ConsoleProgress(Console(width=120, force_terminal=True))

    def finish(which, number):
        record = CycleRecord(cycle=number, labeled=10 + 5 * number, metrics={"f1": 0.5})
        progress.alharness_cycle_finished(run, which, record)
        return [task.description for task in progress._bars.tasks][1:]

    with progress.shown():
        progress.alharness_run_started(run)
        assert finish(cells[0], 0) == ["random-s0"]
        assert finish(cells[1], 0) == ["random-s0", "grace-s0"]
        assert finish(cells[1], 1) == ["random-s0"]
        assert finish(cells[2], 0) == ["random-s0", "dbal-s0"]
        assert finish(cells[1], 0) == ["dbal-s0", "grace-s0"]  # of two at a time, random can be at work no more
        assert progress._bars.tasks[0].completed == 5
