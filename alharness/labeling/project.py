"""Projects of real labeling: a run directory with one cell, whose labels come from people.

Its journal is that of a cell. The last line is the cycle whose batch is being labeled, and names nothing that
was chosen, as in a cell that has ended; when its labels have come it is written again with what was labeled, and
the next line follows. So a report can be made at any time.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from os.path import normpath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alharness.errors import RunError, SpecError
from alharness.results.worth import Worth
from alharness.runs.files import TEMPORARY, explain, write
from alharness.runs.locks import Locks, take
from alharness.spec import yamlfile

from .batch import RANDOM_SHARE, Batch
from .labels import plain_classes
from .settings import SETTINGS, complete, read, require_sense
from .state import BATCHES, LABELS, NEXT, State
from .steps import Step
from .tools.contents import Contents, require_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from .tools.tool import Tool

LOCK = "project.lock"
OWN = (LABELS, NEXT, BATCHES, "run.json", "spec.yaml", "cells")
"""What a project writes, and may not find."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a project is.

    Attributes:
        folder: of the project.
        labeled: samples with a label.
        pool: all samples that could have one.
        new: labels that came with this call.
        changed: labels that were replaced.
        batch: what is to be labeled now; None if nothing is left.
        missing: ids of the batch that have no label yet.
        asked: whether the batch is new.
        metric: the metric that the curve shows.
        metrics: of the last model; empty if there is none yet.
        measured: how they were measured, in words.
        worth: what the random share shows; None if there is none, or if it is too small yet.
        drawn: labels of the random share.
    """

    folder: Path
    labeled: int
    pool: int
    new: int
    changed: int
    batch: Batch | None
    missing: tuple[str, ...]
    asked: bool
    metric: str
    metrics: Mapping[str, float]
    measured: str
    worth: Worth | None
    drawn: int


class Project:
    """A folder with a labeling project.

    Args:
        folder: of the project; `begin` makes it.
        warn: gets what the user should know.

    Raises:
        RunError: there is no project.
    """

    def __init__(self, folder: Path, warn: Callable[[str], None]) -> None:
        self.folder, self._warn = folder, warn
        path = folder / SETTINGS
        if not path.exists():
            raise RunError(
                f"{folder}: is no labeling project; begin one with --data, as in: alharness query {folder} --data "
                "my_data --sampler badge -n 20"
            )
        self._settings = read(path)

    @classmethod
    def begin(
        cls,
        folder: Path,
        document: Mapping[str, Any],
        *,
        assignments: Sequence[str] = (),
        include: Sequence[Path] = (),
        control: float = 0.0,
        classes: Sequence[str] = (),
        warn: Callable[[str], None],
    ) -> Project:
        """Make a project, once its settings are known to be right. One that has asked for nothing yet is replaced.

        Args:
            folder: that it gets.
            document: a spec with one sampler and one seed; relative paths in it start at the project. It may leave
                out the sampler and the model.
            assignments: values that replace those of the document, as after `--set`.
            include: files with plugins.
            control: share of each batch that is drawn at random.
            classes: all there are; empty if labels make them.
            warn: gets what the user should know.

        Raises:
            HarnessError: a setting is wrong, or there is a project already.
        """
        if any((folder / BATCHES).glob("*.json")):
            raise SpecError(f"{folder}: there is a project already, with settings of its own; leave out --data")
        if not (folder / SETTINGS).exists() and (foreign := [name for name in OWN if (folder / name).exists()]):
            raise SpecError(
                f"{folder}: there is {foreign[0]} of something else, and a project writes its own; give it "
                "a folder of its own"
            )
        if not 0 <= control < 1:
            raise SpecError(f"control: expected a share from 0 to less than 1, and not {control}")
        settings = {
            "spec": dict(document),
            "set": list(assignments),
            "include": [str(path) for path in include],
            "control": control,
            "classes": list(dict.fromkeys(plain_classes(classes))),
        }
        new = not folder.exists()
        try:
            folder.mkdir(parents=True, exist_ok=True)  # paths that begin in it are followed
            complete(settings, folder, warn)
            require_sense(settings, folder, warn)
            write(folder / SETTINGS, yamlfile.write(settings))
        except OSError as error:
            raise RunError(explain(error, folder)) from error
        finally:
            if new and folder.exists() and not any(folder.iterdir()):
                folder.rmdir()
        return cls(folder, warn)

    def query(
        self,
        labels: Mapping[str, Mapping[str, str]] | None = None,
        *,
        size: int | None = None,
        go_on: bool = False,
        relabel: bool = False,
        classes: Sequence[str] = (),
    ) -> Progress:
        """Take the labels that have come, and if the batch is labeled, train and choose the next one.

        Args:
            labels: name of a source -> id -> label; those of the data and of `next_batch.csv` are taken anyway.
            size: samples of the next batch; None for the project's.
            go_on: choose the next batch although some of this one have no label; these may be chosen again.
            relabel: take labels that differ from those so far.
            classes: that are accepted from now on.

        Raises:
            HarnessError: says what is wrong and what to do. Nothing that was known is lost.
        """
        with self._alone():
            state = self._state(classes)
            new, changed = state.take(labels or {}, relabel=relabel)
            asked = self._is_due(state, go_on=go_on)
            if asked:
                left = len(state.inputs) - len(state.known)
                wish = min(size or state.spec.active_learning.budget, left)
                step = Step(state)
                step.ask(wish) if state.known else step.start(wish)
            return _progress(state, new=new, changed=changed, asked=asked)

    def show(self, table: Path) -> None:
        """From now on, people see the columns of this table in labeling tools. Raises DataError if it is none."""
        require_ids(table)
        self._settings["show"] = os.path.relpath(table, self.folder)
        write(self.folder / SETTINGS, yamlfile.write(self._settings))

    def send(self, progress: Progress, tool: Tool) -> str:
        """Send what has no label yet of the batch to a labeling tool, and say what was sent.

        Args:
            progress: of the call that chose the batch, or that still waits for it.
            tool: where people label.

        Raises:
            HarnessError: it cannot be sent. The batch stays what it is, and the next call sends what is missing.
        """
        if progress.batch is None or not progress.missing:
            return "nothing: all samples that were asked for have a label"
        batch = replace(
            progress.batch,
            items=tuple(item for item in progress.batch.items if item.id in progress.missing),
            classes=tuple(dict.fromkeys([*progress.batch.classes, *self._settings["classes"]])),
        )
        table = self._settings.get("show")
        contents = Contents.of(Path(normpath(self.folder / table)) if table else None, batch.ids)
        with self._alone():  # two calls at once would send the same samples
            return tool.send(batch, contents)

    def _is_due(self, state: State, *, go_on: bool) -> bool:
        """Whether the next batch is to be chosen; if not, the table of this one is there."""
        if state.open is None:
            return bool(state.closing()) or not state.cycles
        missing = [name for name in state.open.ids if name not in state.known]
        if state.closing() and (go_on or not missing):
            return True
        state.show(state.open)
        return False

    def _state(self, classes: Sequence[str]) -> State:
        """What the folder holds; these classes are accepted from now on."""
        if not classes:
            return State(self.folder, self._settings, self._warn)
        before = self._settings["classes"]
        if not before:
            state = State(self.folder, self._settings, self._warn)
            before = state.expected or state.classes
        settings = {**self._settings, "classes": list(dict.fromkeys(plain_classes([*before, *classes])))}
        state = State(self.folder, settings, self._warn)
        write(self.folder / SETTINGS, yamlfile.write(settings))
        self._settings = settings
        return state

    @contextmanager
    def _alone(self) -> Iterator[None]:
        lock = Locks(self.folder).make(self.folder / LOCK)
        if not take(lock):
            raise RunError(f"{self.folder}: another process works on this project; try again when it has ended")
        try:
            for folder in (self.folder, self.folder / BATCHES, *self.folder.glob("cells/*")):
                for unfinished in folder.glob(f"{TEMPORARY}*"):
                    unfinished.unlink(missing_ok=True)
            yield
        finally:
            lock.release()


def _progress(state: State, *, new: int, changed: int, asked: bool) -> Progress:
    missing = tuple(name for name in state.open.ids if name not in state.known) if state.open else ()
    return Progress(
        folder=state.folder,
        labeled=len(state.known),
        pool=len(state.inputs),
        new=new,
        changed=changed,
        batch=state.open,
        missing=missing,
        asked=asked,
        metric=state.dataset.measured_by.primary,
        metrics=state.cycles[-1].metrics if state.cycles else {},
        measured=state.measured,
        worth=Worth.of(state.cycles[-1].diagnostics) if state.cycles else None,
        drawn=len(state.chosen_by(RANDOM_SHARE, state.cycles)),
    )
