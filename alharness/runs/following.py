"""Cells that jobs run elsewhere, as their journals and the batch system show them, shown to observers here."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from alharness.api.records import Outcome, Outcomes
from alharness.errors import RunError
from alharness.text.words import counted, grouped

from . import journal, saved
from .claims import Claims
from .directory import RunDirectory
from .jobs import Submissions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from alharness.api.batch import BatchSystem, JobState
    from alharness.api.records import Cell, Look, Plan

    from .jobs import Setting
    from .rounds import Rounds

LOOK = 1.0
"""Seconds between two looks at the journals of cells that are at work."""
SHARE = 0.05
"""Of the time that looking may take: there may be thousands of journals on a network file system."""
SOONEST, LATEST = 1.0, 15.0
"""Seconds between two questions to the batch system: in the beginning, and at last."""
QUIET = 30.0
"""Seconds between two lines that say how many jobs run, at least."""


class Following:
    """The cells of a setting while jobs run them.

    Observers see the run when a job has loaded the data: it is not known before what its metrics are.

    Args:
        name: of the batch system.
        system: says what becomes of jobs.
        setting: what is run.
        emit: calls a hook of all observers.
        say: shows a line to the user.
        warn: called with what the user should know.
        stopping: whether this is to end, and the jobs are not.

    Attributes:
        plan: of the run, as far as it is known.
        found: how far each cell was before.
        ended: how cells ended since.
    """

    def __init__(
        self,
        name: str,
        system: BatchSystem,
        setting: Setting,
        emit: Callable[..., None],
        say: Callable[[str], None],
        warn: Callable[[str], None],
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._name, self._system, self._setting = name, system, setting
        self._emit, self._say, self._warn, self._stopping = emit, say, warn, stopping
        self.found = {cell: saved.outcome_of(setting.plan, cell) for cell in setting.plan.cells}
        finished = {cell.name: len(outcome.cycles) for cell, outcome in self.found.items()}
        self.plan = replace(setting.plan, finished=finished)
        self.ended: dict[Cell, Outcome] = {}
        self._shown = {cell: len(outcome.cycles) for cell, outcome in self.found.items()}
        self._stamps: dict[Cell, tuple[int, int]] = {}
        self._jobs: dict[Cell, str] = {}  # of the cells that have not ended
        self._begun = False
        self._lines: set[str] = set()
        self._counts, self._counted = "", 0.0

    def judged(self, look: Look) -> None:
        """Show observers what finished seeds have decided."""
        self._begin()
        if self._begun:
            new = tuple(line for line in look.lines if line not in self._lines)
            self._emit("alharness_seeds_judged", run=self.plan, look=replace(look, lines=new))
            self._lines.update(new)

    def until_ended(self, jobs: Mapping[Cell, str]) -> None:
        """Show observers what the cells of these jobs finish, until all have ended."""
        self._jobs = dict(jobs)
        states: Mapping[str, JobState] | None = None
        ask, asked, gone = SOONEST, 0.0, set[str]()
        while self._jobs:
            if self._stopping():
                raise KeyboardInterrupt
            if time.monotonic() - asked >= ask:
                states = self._ask()
                asked, ask = time.monotonic(), min(LATEST, ask * 1.5)
            began = time.monotonic()
            self._begin()
            if self._begun:
                self._look()
            if states is not None:
                ids = {*self._jobs.values()}
                before, gone = gone, {one for one in ids if one not in states or states[one].state == "ended"}
                for cell in [cell for cell, one in self._jobs.items() if one in gone & before]:
                    self._end(self._lost(cell, states.get(self._jobs[cell])))
                self._count(states)
                states = None
            if self._jobs:
                time.sleep(max(LOOK, (time.monotonic() - began) / SHARE))

    def conclude(self, rounds: Rounds, *, interrupted: bool) -> tuple[Plan, Outcomes]:
        """Show observers how the run has ended.

        Raises:
            RunError: no job has begun.
        """
        self._begin()
        plan = self.plan
        ended = {cell: self.ended.get(cell) or saved.outcome_of(plan, cell) for cell in plan.cells}
        lost = [outcome for outcome in self.ended.values() if outcome.status != "ok"]
        if interrupted and self._jobs:
            ids = [one for one in dict.fromkeys(self._jobs.values()) if one]
            self._say(
                f"{counted(len(ids), 'job')} of {self._name} continue without this command, and the same command "
                f"follows them again. To end them: {self._system.cancelling(ids)}"
            )
        if not interrupted:
            spared = rounds.spared(ended)
            ended |= spared
            lost += spared.values()
        if not self._begun:
            if lost:
                raise RunError(f"{self.plan.folder}: no job has begun: {lost[0].error}")
            return plan, Outcomes(cells=tuple(ended.values()), interrupted=interrupted)
        if lost:
            with Claims(RunDirectory(plan.folder), self._warn) as claims, claims.writing():
                saved.conclude(plan, lost)
        outcomes = Outcomes(cells=tuple(ended.values()), interrupted=interrupted)
        self._emit("alharness_run_finished", run=plan, record=outcomes)
        return plan, outcomes

    def _begin(self) -> None:
        """Show observers of the run, as soon as a job has written what only it knows."""
        if self._begun:
            return
        known = saved.with_known(self.plan)
        if known.metric:
            groups = grouped((one, cell.name) for cell, one in self._jobs.items()).values()
            self.plan = replace(known, jobs=max(1, len(groups)), groups=tuple(map(tuple, groups)))
            self._begun = True
            self._emit("alharness_run_started", run=self.plan)

    def _ask(self) -> Mapping[str, JobState] | None:
        """What the batch system says; None if it does not answer: the jobs continue all the same."""
        try:
            return self._system.states({*self._jobs.values()})
        except RunError as error:
            self._warn(f"{error}; the jobs continue, and this waits for it")
            return None

    def _look(self) -> None:
        """Show observers what journals hold that they have not seen."""
        for cell in [*self._jobs]:
            path = RunDirectory(self.plan.folder).cell(cell) / journal.NAME
            with suppress(OSError):
                found = path.stat()
                stamp = found.st_size, found.st_mtime_ns
                if self._stamps.get(cell) != stamp:
                    self._stamps[cell] = stamp
                    outcome = self._show(cell)
                    if outcome.status == "ok":
                        self._end(outcome)

    def _show(self, cell: Cell) -> Outcome:
        """Show observers of the cycles that are new in a journal; what the journal holds."""
        outcome = saved.outcome_of(self.plan, cell)
        shown = self._shown[cell] if self._shown[cell] <= len(outcome.cycles) else 0  # the cell has begun again
        for cycle in outcome.cycles[shown:]:
            self._emit("alharness_cycle_finished", run=self.plan, cell=cell, cycle=cycle)
        self._shown[cell] = len(outcome.cycles)
        return outcome

    def _end(self, outcome: Outcome) -> None:
        del self._jobs[outcome.cell]
        self.ended[outcome.cell] = outcome
        if self._begun:
            self._emit("alharness_cell_ended", run=self.plan, record=outcome)

    def _lost(self, cell: Cell, state: JobState | None) -> Outcome:
        """How a cell has ended whose job is gone."""
        outcome = self._show(cell) if self._begun else saved.outcome_of(self.plan, cell)
        if outcome.status == "ok":
            return outcome
        log = self._log(self._jobs[cell])
        said = _last_error(log)
        with suppress(RunError):
            end = next(end for end in saved.load(self.plan.folder)[1] if end.cell.folder == cell.folder)
            if end.error and end.status != "pending" and log.exists():
                return replace(outcome, status=end.status, error=end.error)
        how = f" ({state.reason})" if state and state.reason else ""
        what = f"{said}; see {log}" if said else f"see {log}" if log.exists() else "it has printed nothing"
        error = f"its job {self._jobs[cell]} ended before the cell was finished{how}: {what}"
        return replace(outcome, status="failed", error=error)

    def _log(self, one: str) -> Path:
        for submission in Submissions(self.plan.folder).read():
            if one in submission.cells:
                return Path(submission.logs) / f"{one}.log"
        return Path(f"{one}.log")

    def _count(self, states: Mapping[str, JobState]) -> None:
        """Say how many jobs run, if that has changed."""
        found = [states[one] for one in {*self._jobs.values()} if one in states]
        alive = [state for state in found if state.state != "ended"]
        runs = sum(state.state == "running" for state in alive)
        waiting = [state for state in alive if state.state == "queued"]
        reasons = ", ".join(sorted({state.reason for state in waiting if state.reason}))
        wait = f"{counted(len(waiting), 'job')} in the queue{f' ({reasons})' if reasons else ''}"
        counts = ", ".join([*([f"{counted(runs, 'job')} at work"] if runs else []), *([wait] if waiting else [])])
        now = time.monotonic()
        if alive and counts != self._counts and (not self._counts or now - self._counted >= QUIET):
            self._counts, self._counted = counts, now
            self._say(f"{self._name}: {counts}")


def _last_error(log: Path) -> str:
    """The last line of a log that says what went wrong; empty if there is none."""
    with suppress(OSError):
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        return next((line for line in reversed(lines) if line.lower().lstrip().startswith("error:")), "")[:500]
    return ""
