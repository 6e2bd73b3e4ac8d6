"""Cells as jobs of a batch system: submitted here, and computed elsewhere."""

from __future__ import annotations

import hashlib
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from alharness.api.batch import Job
from alharness.errors import SpecError
from alharness.spec import resolved_yaml
from alharness.text.words import counted

from . import saved
from .claims import Claims
from .directory import JOBS, RunDirectory
from .following import Following
from .jobs import TERMS, Setting, Submission, Submissions, Terms, pack
from .parcel import needed
from .rounds import Rounds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from alharness.api.batch import BatchSystem
    from alharness.api.records import Cell, Look, Outcomes, Plan
    from alharness.spec import Spec

    from .rounds import Judge
    from .run import Options


class Batch:
    """Runs the cells of settings as jobs.

    Args:
        name: of the batch system.
        system: puts jobs into its queue.
        options: how to run.
        judge: says which cells are needed, if the seeds of a spec stop.
        say: shows a line to the user.
        warn: called with what the user should know.
    """

    def __init__(
        self,
        name: str,
        system: BatchSystem,
        options: Options,
        judge: Judge | None,
        say: Callable[[str], None],
        warn: Callable[[str], None],
    ) -> None:
        self._name, self._system, self._options, self._judge = name, system, options, judge
        self._say, self._warn = say, warn

    def script(self, settings: Sequence[Setting], words: Callable[[Setting], Sequence[str]]) -> str:
        """A script with all that is not finished; empty if nothing is left to do.

        Args:
            settings: what is to be run.
            words: the command that runs a setting, without the cells.
        """
        due = [replace(setting, cells=self._due(setting)) for setting in map(_measured, settings)]
        jobs = _jobs(self._pack(due), [[*words(setting)] for setting in due])
        return self._system.script(jobs, _title(settings)) if jobs else ""

    def submit(self, settings: Sequence[Setting]) -> dict[Path, str]:
        """Submit what is not finished, and not in the queue or at work already.

        Returns:
            Folder of a cell -> the id of its job, of those that are in the queue or at work now.

        Raises:
            SpecError: another process works on one of the cells, or a plugin cannot be found by a job.
            RunError: the batch system does not answer.
        """
        for setting in settings:
            _require_found(setting.spec, self._name)
        folders = [setting.plan.folder for setting in settings]
        with ExitStack() as stack:
            claims = {folder: Claims(RunDirectory(folder), self._warn) for folder in sorted(folders)}
            for own in claims.values():  # no cell is submitted twice by two commands
                stack.enter_context(own)
                stack.enter_context(own.writing())
            settings = [*map(_measured, settings)]
            present = self._present(settings)
            due = [
                replace(
                    setting, cells=[cell for cell in self._due(setting) if setting.folder(cell) not in present]
                )
                for setting in settings
            ]
            for setting in due:
                claims[setting.plan.folder].claim(setting.cells)
            found = self._send(due)
            for setting in due:
                if setting.cells:
                    plan = replace(setting.plan, spec_text=resolved_yaml(setting.spec))
                    saved.begin(saved.with_known(plan), setting.cells)
            return present | found

    def _send(self, settings: Sequence[Setting]) -> dict[Path, str]:
        packed = self._pack(settings)
        if not packed:
            return {}
        words = [self._words(setting) if setting.cells else [] for setting in settings]
        logs = (settings[0].plan.folder / JOBS).absolute()
        ids = self._system.submit(_jobs(packed, words), logs, _title(settings))
        at, found = int(time.time() * 1000), dict[Path, str]()
        for number, setting in enumerate(settings):
            parts = ((one, dict(job).get(number, ())) for one, job in zip(ids, packed, strict=True))
            own = {one: cells for one, cells in parts if cells}
            if own:
                names = {one: tuple(cell.folder for cell in cells) for one, cells in own.items()}
                note = Submission(system=self._name, at=at, logs=str(logs), cells=names)
                Submissions(setting.plan.folder).add(note)
            found |= {setting.folder(cell): one for one, cells in own.items() for cell in cells}
        count = f"{counted(len(ids), 'job')} with {counted(len(found), 'cell')}"
        self._say(f"{self._name}: submitted {count}: {_some(ids)}; they print to {logs}")
        return found

    def _pack(self, settings: Sequence[Setting]) -> list[list[tuple[int, list[Cell]]]]:
        return pack(settings, self._options.jobs, self._system.most)

    def _words(self, setting: Setting) -> list[str]:
        """The command that runs a setting, as it is now, wherever and whenever it is called."""
        spec, plan, options = setting.spec, setting.plan, self._options
        text = resolved_yaml(spec)
        terms = Terms(folder=str(spec.folder.absolute()), versions=needed(spec))
        name = f"{plan.name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
        path = Submissions(plan.folder).keep(name, text, terms).absolute()
        words = [
            "run",
            str(path),
            "--job",
            str(path.with_suffix(TERMS)),
            "--workdir",
            str(options.workdir.absolute()),
        ]
        words += [word for file in spec.extras.files for word in ("--include", str(file.path))]
        words += ["--stack", str(options.stack)] if options.stack else []
        return [*words, *(f"--{name}" for name in ("restart", "keep") if getattr(options, name))]

    def _due(self, setting: Setting) -> list[Cell]:
        """What is not finished; all if cells may begin again: that is for the job to see, which knows the data."""
        if self._options.restart:
            return [*setting.cells]
        plan = setting.plan
        due = [cell for cell in setting.cells if plan.finished[cell.name] < len(plan.labeled(cell))]
        return self._rounds(plan, due, lambda _: None).next({})

    def _rounds(self, plan: Plan, cells: Sequence[Cell], say: Callable[[Look], None]) -> Rounds:
        judge = self._judge if plan.stopping else None
        return Rounds(plan, cells, judge, {}, lambda _: {}, say)

    def _present(self, settings: Iterable[Setting]) -> dict[Path, str]:
        """Folder of a cell -> its job, of those that wait or run."""
        known: dict[str, list[Path]] = {}
        for setting in settings:
            for submission in Submissions(setting.plan.folder).read():
                if submission.system == self._name:
                    for one, folders in submission.cells.items():
                        known.setdefault(one, []).extend(setting.plan.folder / name for name in folders)
        states = self._system.states(known) if known else {}
        alive = [one for one in known if one in states and states[one].state != "ended"]
        return {folder: one for one in alive for folder in known[one]}

    def follow(self, setting: Setting, emit: Callable[..., None]) -> tuple[Plan, Outcomes]:
        """Submit what is needed, and show and report what the jobs write, until all have ended.

        Args:
            setting: what is to be run.
            emit: calls a hook of all observers.

        Raises:
            RunError: no job has begun.
        """
        following = Following(
            self._name, self._system, setting, emit, self._say, self._warn, self._options.stopping
        )
        cells = [cell for cell in setting.cells if self._options.restart or following.found[cell].status != "ok"]
        interrupted = False
        try:
            while needed := (rounds := self._rounds(following.plan, cells, following.judged)).next(
                following.ended
            ):
                jobs = self.submit([replace(setting, cells=needed)])
                following.until_ended({cell: jobs.get(setting.folder(cell), "") for cell in needed})
        except KeyboardInterrupt:
            interrupted = True
        return following.conclude(rounds, interrupted=interrupted)


def _measured(setting: Setting) -> Setting:
    """With what is finished."""
    plan = setting.plan
    finished = {cell.name: len(saved.outcome_of(plan, cell).cycles) for cell in plan.cells}
    return replace(setting, plan=replace(plan, finished=finished))


def _require_found(spec: Spec, name: str) -> None:
    given = [one for one in spec.extras.given if one.kind != "tracker"]
    if given:
        raise SpecError(
            f"{name}: jobs are commands, which know no objects of this program, such as {given[0].origin}. Put it "
            "in a file and include that, or install it"
        )


def _title(settings: Sequence[Setting]) -> str:
    first = settings[0].spec
    return first.name if len(settings) == 1 else first.grid or first.name


def _jobs(packed: Sequence[Sequence[tuple[int, Sequence[Cell]]]], words: Sequence[Sequence[str]]) -> list[Job]:
    """What each job is to do; `words` are the commands of the settings, without the cells."""
    return [
        Job(
            commands=tuple((*words[number], *_only(cells)) for number, cells in parts),
            cells=tuple(cell.name for _, cells in parts for cell in cells),
        )
        for parts in packed
    ]


def _only(cells: Iterable[Cell]) -> list[str]:
    return [word for cell in cells for word in ("--only", cell.name)]


def _some(ids: Sequence[str]) -> str:
    return ids[0] if len(ids) == 1 else f"{ids[0]} to {ids[-1]}"
