import re
from pathlib import Path

import pytest
from rich.console import Console

from alharness.api.records import Cell, CycleRecord, Look, Outcome, Plan, Schedule, Stopping
from alharness.tracking.console import ConsoleProgress


def cell(label, seed=0, **more):
    return Cell(label=label, sampler=label, params={}, distribution="d==1", seed=seed, key=label, **more)


def demo(cells, sizes=(5, 5), **more):
    """The plan of a run of these cells."""
    return Plan(
        name="demo",
        experiment="demo-1",
        folder=Path("runs/none"),
        schedule=Schedule(initial_pool=10, sizes=sizes),
        pool=100,
        cells=tuple(cells),
        metric="f1",
        **more,
    )


def test_what_earlier_runs_finished_is_told_references_included():
    run = demo((cell("random"), cell("full-data", reference=True)), finished={"random-s0": 2, "full-data-s0": 1})
    console = Console(width=120)
    progress = ConsoleProgress(console)
    with console.capture() as shown, progress.shown():
        progress.alharness_run_started(run)
    assert "3 of 4 cycles are finished already, 1 of 2 cells complete" in shown.get()


def test_every_sampler_at_work_has_a_bar_until_its_last_cell_has_ended():
    cells = (cell("random"), cell("grace"), cell("grace", seed=1))
    run = demo(cells, sizes=(5,), jobs=2)
    progress = ConsoleProgress(Console(width=120, force_terminal=True))

    def finish(which, number):
        record = CycleRecord(cycle=number, labeled=10 + 5 * number, metrics={"f1": 0.5})
        progress.alharness_cycle_finished(run, which, record)
        return [(task.description, task.completed, task.total) for task in progress._bars.tasks][1:]

    with progress.shown():
        progress.alharness_run_started(run)
        assert finish(cells[0], 0) == [("random", 1, 2)]
        assert finish(cells[1], 0) == [("random", 1, 2), ("grace", 1, 4)]
        assert finish(cells[0], 1) == [("grace", 1, 4)]
        assert finish(cells[1], 1) == [("grace", 2, 4)]
        assert finish(cells[2], 0) == [("grace", 3, 4)]
        assert progress._bars.tasks[1].fields["note"] == "s1: f1 0.500 at 10 labels"
        progress.alharness_cell_ended(run, Outcome(cell=cells[2], status="failed"))
        assert len(progress._bars.tasks) == 1
        assert progress._bars.tasks[0].completed == 5


def test_cells_that_are_needed_no_more_are_not_expected_any_longer():
    cells = tuple(cell(label, seed) for seed in (0, 1, 2) for label in ("random", "grace"))
    run = demo(cells, finished={"grace-s1": 1}, stopping=Stopping())
    console = Console(width=120)
    progress = ConsoleProgress(console)
    with console.capture() as shown, progress.shown():
        progress.alharness_run_started(run)
        for one in cells[:2]:
            for number in range(3):
                record = CycleRecord(cycle=number, labeled=10 + 5 * number, metrics={"f1": 0.5})
                progress.alharness_cycle_finished(run, one, record)
            progress.alharness_cell_ended(run, Outcome(cell=one, status="ok", cycles=(record,)))
        possible = frozenset((*cells[:3], cells[4]))
        progress.alharness_seeds_judged(run, Look(seeds=1, lines=("grace stops",), possible=possible))
    assert "1 of at most 18 cycles are finished already, 0 of at most 6 cells complete" in shown.get()
    assert "grace stops" in shown.get()
    assert progress._bars.tasks[0].total == 13  # of four cells, and the one that grace has begun
    assert len(progress._asked) == 4


def test_of_many_samplers_those_have_a_bar_of_which_a_cycle_has_just_finished():
    cells = tuple(cell(f"s{number:02}") for number in range(20))
    run = demo(cells)
    progress = ConsoleProgress(Console(width=120, force_terminal=True))
    with progress.shown():
        progress.alharness_run_started(run)
        for number in (0, 1):
            for one in cells:
                record = CycleRecord(cycle=number, labeled=10 + 5 * number, metrics={"f1": 0.5})
                progress.alharness_cycle_finished(run, one, record)
        bars = [(task.description, task.completed) for task in progress._bars.tasks][1:]
    assert bars == [(f"s{number:02}", 2) for number in range(8, 20)]


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def play(terminal, jobs=1, failing=(), seconds=30.0, seeds=2, width=200, **options):
    """What a run of some cells prints whose cycles take as long as this."""
    cells = tuple(
        Cell(label=label, sampler=label, params={}, distribution="d==1", seed=seed, key=f"{label}{seed}")
        for seed in range(seeds)
        for label in ("random", "grace")
    )
    run = demo(cells, jobs=jobs)
    clock = Clock()
    console = Console(width=width, force_terminal=terminal, markup=False, highlight=False)
    progress = ConsoleProgress(console, clock=clock, **options)
    with console.capture() as shown, progress.shown():
        progress.alharness_run_started(run)
        for one in (one for one in cells if one.label in options.get("only", (one.label,))):
            cycles = []
            for number in range(3):
                clock.now += seconds
                cycles.append(
                    CycleRecord(
                        cycle=number,
                        labeled=10 + 5 * number,
                        metrics={"f1": 0.8125},
                        cost={"train_seconds": seconds, "evaluate_seconds": 0.0},
                    )
                )
                progress.alharness_cycle_finished(run, one, cycles[-1])
                if one.name in failing:
                    break
            status, error = ("failed", failing[one.name]) if one.name in failing else ("ok", "")
            record = Outcome(cell=one, status=status, cycles=tuple(cycles), error=error)
            progress.alharness_cell_ended(run, record)
    return shown.get()


def test_a_log_has_a_line_for_each_cell_with_the_time_of_day_and_the_time_left():
    lines = [line for line in play(terminal=False, seconds=10.0).splitlines() if "[" in line]
    stamp = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d "
    assert re.fullmatch(
        stamp + r"\[1/4\] random-s0: f1 0\.81\d at 20 labels, ok in 30 s; about 70 s left", lines[0]
    )
    assert re.fullmatch(stamp + r"\[4/4\] grace-s1: f1 0\.81\d at 20 labels, ok in 30 s", lines[-1])


def test_a_log_says_now_and_then_how_far_a_long_cell_is():
    lines = play(terminal=False, seconds=45.0).splitlines()
    assert "2 of 12 cycles, 0 of 4 cells complete; about 6 min left" in lines[0]
    assert len(lines) <= 8


def test_a_terminal_has_a_line_for_each_cell_too():
    page = play(terminal=True)
    assert page.count("ok in 90 s") == 4
    assert re.search(r"\[2/4\] grace-s0: f1 0\.81\d at 20 labels, ok in 90 s", page)
    assert "-:--:--" not in page


def test_a_failed_cell_has_its_line_with_the_reason_and_without_secrets():
    error = "ValueError: cannot reach https://me:secret@host/x\nand more\x1b[2J"
    page = play(terminal=False, failing={"random-s0": error})
    assert "random-s0: failed: ValueError: cannot reach https://***@host/x" in page
    assert "secret" not in page
    assert "\x1b[2J" not in page


def test_only_the_cells_that_were_asked_for_count():
    page = play(terminal=False, only=("grace",))
    assert "[2/2] grace-s1" in page


@pytest.mark.parametrize("width", [22, 40, 60, 80, 120])
def test_progress_and_the_time_left_are_there_at_any_width(width):
    page = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", play(terminal=True, width=width))
    bars = [line for line in page.splitlines() if "/12" in line]
    assert any(re.search(r"\b3/12\b.* about 4 min left", line) for line in bars)
    assert max(map(len, bars)) <= width


def test_a_terminal_that_cannot_move_gets_the_lines_of_a_log(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    page = play(terminal=True)
    assert page.count("\x1b[") == 0
    assert re.search(r"\d\d:\d\d:\d\d \[1/4\] random-s0: .* left\n", page)
