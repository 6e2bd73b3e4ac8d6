from dataclasses import replace

import pytest

from alharness import JobState
from alharness.api.records import Cell, CycleRecord, Outcome, Plan, Schedule
from alharness.errors import RunError
from alharness.runs import following as module
from alharness.runs import saved
from alharness.runs.following import Following
from alharness.runs.jobs import Setting, Submission, Submissions
from alharness.runs.journal import Journal
from alharness.runs.rounds import Rounds

RUNNING, QUEUED = JobState(state="running"), JobState(state="queued", reason="Priority")


@pytest.fixture
def plan(tmp_path):
    cells = tuple(
        Cell(label=label, sampler="m", params={}, distribution="", seed=0, key="k" * 8) for label in ("a", "b")
    )
    return Plan(
        name="x",
        experiment="x",
        folder=tmp_path / "x",
        schedule=Schedule(initial_pool=2, sizes=(2,)),
        pool=9,
        cells=cells,
    )


class World:
    """A batch system whose jobs do the next of some steps whenever someone asks for them."""

    def __init__(self, plan, steps):
        self.plan, self.steps, self.seen, self.said, self.warned = plan, list(steps), [], [], []
        self.books = {}
        plan.folder.mkdir()
        cells = {f"1_{number}": (cell.folder,) for number, cell in enumerate(plan.cells)}
        note = Submission(system="fake", at=1, logs=str(plan.folder / "jobs"), cells=cells)
        Submissions(plan.folder).add(note)

    def states(self, ids):
        return self.steps.pop(0)(self)

    def cancelling(self, ids):
        return f"kill {' '.join(ids)}"

    def load(self):
        """What the first job writes when it has loaded the data."""
        saved.begin(replace(self.plan, metric="f1", params={"device": "cpu"}), self.plan.cells)

    def cycle(self, cell):
        if cell not in self.books:
            folder = self.plan.folder / "cells" / cell.folder
            self.books[cell] = Journal(folder, {"data": "d"}, 1, self.plan.labeled(cell))
        number = len(self.books[cell].cycles)
        last = number == len(self.plan.schedule.sizes)
        chosen = () if last else (f"{cell.label}1", f"{cell.label}2")
        labeled = self.plan.labeled(cell)[number]
        self.books[cell].append(
            CycleRecord(cycle=number, labeled=labeled, metrics={"f1": 0.5}, chosen=chosen, at=number + 2)
        )

    def emit(self, hook, **records):
        cycle, record = records.get("cycle"), records.get("record")
        cell = records.get("cell") or getattr(record, "cell", None)
        what = cycle.cycle if cycle else getattr(record, "status", None)
        self.seen.append((hook.removeprefix("alharness_"), *([cell.label, what] if cell else [])))

    def follow(self):
        setting = Setting(spec=None, plan=self.plan, cells=self.plan.cells)
        followed = Following("fake", self, setting, self.emit, self.said.append, self.warned.append)
        followed.until_ended({cell: f"1_{number}" for number, cell in enumerate(self.plan.cells)})
        rounds = Rounds(self.plan, self.plan.cells, None, {}, lambda _: {}, lambda _: None)
        return followed.conclude(rounds, interrupted=False)


@pytest.fixture
def world(plan, monkeypatch):
    for name in ("LOOK", "SOONEST", "LATEST", "QUIET"):
        monkeypatch.setattr(module, name, 0.0)
    monkeypatch.setattr(module, "SHARE", 1.0)
    return lambda *steps: World(plan, steps)


def test_observers_hear_of_cycles_when_they_are_written(world, plan):
    a, b = plan.cells

    def waits(world):
        return {"1_0": QUEUED, "1_1": QUEUED}

    def begins(world):
        world.load()
        world.cycle(a)
        return {"1_0": RUNNING, "1_1": QUEUED}

    def continues(world):
        world.cycle(a)
        world.cycle(b)
        return {"1_0": RUNNING, "1_1": RUNNING}

    def ends(world):
        world.cycle(b)
        return {"1_1": RUNNING}

    found = world(waits, begins, continues, ends)
    made, outcomes = found.follow()
    assert found.seen == [
        ("run_started",),
        ("cycle_finished", "a", 0),
        ("cycle_finished", "a", 1),
        ("cell_ended", "a", "ok"),
        ("cycle_finished", "b", 0),
        ("cycle_finished", "b", 1),
        ("cell_ended", "b", "ok"),
        ("run_finished",),
    ]
    assert (made.metric, made.params, made.groups) == ("f1", {"device": "cpu"}, (("a-s0",), ("b-s0",)))
    assert [one.status for one in outcomes.cells] == ["ok", "ok"]
    assert found.said == [
        "fake: 2 jobs in the queue (Priority)",
        "fake: 1 job at work, 1 job in the queue (Priority)",
        "fake: 1 job at work",
    ]


def gone(world):
    return {}


def test_a_job_that_is_gone_fails_its_cells_with_what_it_printed_last(world, plan):
    def begins(world):
        world.load()
        world.cycle(plan.cells[0])
        (plan.folder / "jobs" / "1_0.log").write_text("begins\nerror: no space left\nat last\n")
        return {
            "1_0": JobState(state="ended", reason="FAILED"),
            "1_1": JobState(state="ended", reason="CANCELLED"),
        }

    found = world(begins, begins)
    found.cycle = lambda cell, once=found.cycle: None if found.books else once(cell)
    _, outcomes = found.follow()
    log = plan.folder / "jobs" / "1_0.log"
    assert [one.error for one in outcomes.cells] == [
        f"its job 1_0 ended before the cell was finished (FAILED): error: no space left; see {log}",
        "its job 1_1 ended before the cell was finished (CANCELLED): it has printed nothing",
    ]
    assert [one.status for one in saved.load(plan.folder)[1]] == ["failed", "failed"], "reports say it, too"


def test_how_a_cell_failed_is_what_its_job_has_written(world, plan):
    def fails(world):
        world.load()
        ended = [Outcome(cell=cell, status="diverged", error=f"loss of {cell.label}") for cell in plan.cells]
        saved.conclude(plan, ended)
        for number in range(2):
            (plan.folder / "jobs" / f"1_{number}.log").touch()
        return {}

    _, outcomes = world(fails, gone).follow()
    assert [(one.status, one.error) for one in outcomes.cells] == [
        ("diverged", "loss of a"),
        ("diverged", "loss of b"),
    ]


def test_if_no_job_begins_the_reason_is_the_error(world, plan):
    def ends(world):
        (plan.folder / "jobs" / "1_0.log").write_text(
            "bash: alharness: command not found\nerror: node7 has no torch\n"
        )
        return {}

    with pytest.raises(
        RunError, match="no job has begun: its job 1_0 .*: error: node7 has no torch; see .*1_0.log"
    ):
        world(ends, gone).follow()


def test_a_batch_system_that_does_not_answer_is_asked_again(world, plan):
    def silent(world):
        raise RunError("squeue has not answered")

    def ends(world):
        world.load()
        for cell in (*plan.cells, *plan.cells):
            world.cycle(cell)
        return {}

    found = world(silent, silent, ends)
    _, outcomes = found.follow()
    assert [one.status for one in outcomes.cells] == ["ok", "ok"]
    assert set(found.warned) == {"squeue has not answered; the jobs continue, and this waits for it"}
