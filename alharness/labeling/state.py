"""What a project holds: its data, the labels so far, its journal, and what is being labeled.

What is written in which order matters if the process is killed: labels first, so that none is lost; then the
batch, and what a report needs; then the journal, with which the batch counts; then the table of the batch.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from alharness.api.samples import Splits
from alharness.api.vocabulary import Task
from alharness.errors import DataError, RunError, SpecError
from alharness.runs import saved
from alharness.runs.conditions import changes
from alharness.runs.files import explain, write
from alharness.runs.journal import Journal, with_format
from alharness.runs.journal import read as read_journal
from alharness.runs.setup import pool_if_needed

from .batch import START, Batch
from .labels import OWN, Label, accept, read_given, read_ids, read_known, sorted_classes, to_text
from .pooling import pool_of
from .settings import SETTINGS, border, installed_with, load_spec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from alharness.api.dataset import Dataset
    from alharness.api.records import Cell, CycleRecord, Plan
    from alharness.spec import Spec


LABELS, NEXT, BATCHES = "labels.csv", "next_batch.csv", "batches"
CONTEXT = "labeling project"
"""In what its journal depends on: so no run takes the cell for one of its own."""


class State:
    """What is in the folder of a project, and how it changes.

    Args:
        folder: of the project.
        settings: of the project.
        warn: gets what the user should know.

    Attributes:
        spec: the settings as a spec.
        seed: of every random stream.
        dataset: as the model wants it.
        inputs: of all samples that may be labeled, in the order of their ids.
        given: labels that the data have, by id.
        place: id -> position.
        test: samples that are set aside for a test; None if there are none.
        valid: the same for stopping trainings; None if the data have no splits.
        known: labels so far, by id, in the order in which they came.
        cycles: of the journal.
        cell: name of the folder of the cell; empty before the first training.
        open: the batch that is being labeled; None if there is none.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any], warn: Callable[[str], None]) -> None:
        self.folder, self.settings, self.warn = folder, settings, warn
        self.installed = installed_with(settings, folder)
        self.spec = self.load()
        self.seed = self.spec.seeds[0]
        self.dataset = self._open()
        self.inputs, self.given = pool_of(self.dataset)
        self.place = {name: position for position, name in enumerate(self.inputs.ids)}
        content = self.dataset.loaded
        test = content.test if isinstance(content, Splits) else None
        self.test = test.sorted() if test is not None and len(test) else None
        self.valid = content.valid.sorted() if isinstance(content, Splits) else None
        self.known = read_known(folder / LABELS)
        self._require_there()
        self.cycles, self.cell = self._journal()
        self.open = self._batch(self.cycles[-1].cycle if self.cycles else START)

    def load(self, *more: str) -> Spec:
        """The settings as a spec, changed by these assignments."""
        return load_spec(self.settings, self.folder, self.installed, *more)

    def _open(self) -> Dataset:
        with border(self.spec, self.warn).crossed():
            found = self.spec.dataset.plugin.make(self.spec.dataset.params)
            return pool_if_needed(found, self.spec.model.plugin)

    def _journal(self) -> tuple[list[CycleRecord], str]:
        """The cycles so far, and the folder of the cell; its sampler and seed are still those of the settings."""
        cells = sorted((self.folder / "cells").glob("*/journal.jsonl"))
        found = read_journal(cells[0]) if cells else None
        if not found:
            return [], ""
        header, cycles = found
        pairs = changes(header.context, with_format(self._context))
        if different := [f"{what} {change}" for what, change in pairs]:
            raise SpecError(
                f"{self.folder / SETTINGS}: {'; '.join(different)}. A project keeps its sampler and its seed: "
                f"begin another one, to which the labels go with --labels {self.folder / LABELS}"
            )
        return cycles, cells[0].parent.name

    @property
    def _context(self) -> dict[str, Any]:
        """What the journal says at its beginning. Data may grow, and versions may change, in a project."""
        chosen = self.spec.samplers[0]
        params = json.loads(json.dumps(chosen.plain))
        return {CONTEXT: True, "sampler": chosen.name, "params": params, "seed": self.seed}

    def _require_there(self) -> None:
        """Raise DataError if samples with a label are no longer in the data."""
        if gone := [name for name in self.known if name not in self.place]:
            raise DataError(
                f"{self.folder / LABELS}: samples that have a label are no longer in the data: "
                f"{', '.join(gone[:5])}{f', and {len(gone) - 5:,} more' * (len(gone) > 5)}; put them back, or "
                "begin another project"
            )

    def _batch(self, cycle: int) -> Batch | None:
        path = self._path(cycle)
        try:
            return Batch.from_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(f"{path}: cannot be read ({error}); restore it from a copy") from error

    def _path(self, cycle: int) -> Path:
        return self.folder / BATCHES / f"{'start' if cycle == START else cycle}.json"

    @property
    def number(self) -> int:
        """Of the cycle whose batch is being labeled."""
        return self.cycles[-1].cycle if self.cycles else START

    def take(self, more: Mapping[str, Mapping[str, str]], *, relabel: bool) -> tuple[int, int]:
        """Keep labels that have come; how many are new, and how many have changed."""
        own = {name: label for name, label in self.given.items() if name not in self.known}
        self._warn_of_other_labels()
        sources: dict[str, Mapping[str, str]] = {"the data": own}
        if (self.folder / NEXT).exists():
            sources[str(self.folder / NEXT)] = read_given(self.folder / NEXT)
        sources |= more
        fresh: dict[str, str] = {}
        known = dict(self.known)
        for source, labels in sources.items():
            accepted = accept(
                known,
                labels,
                source=source,
                ids=self.place,
                task=self.dataset.task,
                classes=self.expected,
                relabel=relabel,
            )
            fresh |= accepted
            known |= {name: self._label(name, label, known.get(name)) for name, label in accepted.items()}
        changed = [name for name in fresh if name in self.known]
        if fresh:
            self.known = known
            self._write(self.folder / LABELS, to_text(known))
        return len(fresh) - len(changed), len(changed)

    def _warn_of_other_labels(self) -> None:
        """Say which labels of the data are others than those of the project, which may be corrected ones."""
        numbers = self.dataset.task == Task.REGRESSION
        same = [(name, self.known[name].label, label) for name, label in self.given.items() if name in self.known]
        other = [x for x in same if x[1] != x[2] and not (numbers and float(x[1]) == float(x[2]))]
        if other:
            name, ours, theirs = other[0]
            more = f", and {len(other) - 1:,} more" if len(other) > 1 else ""
            self.warn(
                f"labels of the data differ from those of the project, which count: {name!r} is {theirs[:80]!r} "
                f"there, and {ours[:80]!r} here{more}. To take others, give a table with --labels and --relabel"
            )

    @property
    def expected(self) -> tuple[str, ...]:
        """The classes that labels may be; empty if they make them: before the first training."""
        named = self.settings["classes"]
        if not named and not self.cycles:
            return ()
        return tuple(dict.fromkeys([*named, *(name for name in self.classes if name not in self._unexpected)]))

    @property
    def _unexpected(self) -> set[str]:
        """Classes of labels that are new in the data, if these have no other list of classes."""
        if getattr(self.spec.dataset.params, "classes", ()) is not None:
            return set()
        set_aside = [part.labels for part in (self.test, self.valid) if part is not None]
        seen = {self.dataset.classes[int(y)] for labels in set_aside for y in labels}
        return {*self.given.values()} - seen - {label.label for label in self.known.values()}

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of their indices."""
        if self.dataset.task == Task.REGRESSION:
            return ()
        named = (*self.settings["classes"], *self.dataset.classes)
        more = sorted_classes({label.label for label in self.known.values()} - set(named))
        found = tuple(dict.fromkeys([*named, *more]))
        given = self.settings["classes"] or sorted_classes(self.dataset.classes) != self.dataset.classes
        return found if given else sorted_classes(found)  # as of data in which all have their label

    def _label(self, name: str, label: str, before: Label | None) -> Label:
        if before is not None:
            return replace(before, label=label)
        items = self.open.items if self.open else ()
        by = next((item.by for item in items if item.id == name), OWN)
        return Label(id=name, label=label, batch=self.number, by=by)

    def chosen_by(self, chosen_by: str, done: Sequence[CycleRecord]) -> list[int]:
        """Positions of what these cycles have brought and this has chosen, in the order in which it was chosen."""
        names = [name for cycle in done for name in cycle.chosen]
        return [self.place[name] for name in names if self.known[name].by == chosen_by]

    def closing(self) -> list[str]:
        """What was labeled since the last batch was chosen: first what it asked for, in its order."""
        came = {label.id: None for label in self.known.values() if label.batch == self.number}
        asked = dict.fromkeys(self.open.ids) if self.open else {}
        return [*(name for name in asked if name in came), *(name for name in came if name not in asked)]

    def keep(self, batch: Batch) -> None:
        """Write what is asked for; it counts once the journal has its cycle."""
        self._write(self._path(batch.cycle), batch.to_json())

    def record(self, plan: Plan, cell: Cell, cycles: list[CycleRecord]) -> None:
        """Write the journal with these cycles, and what a report needs with it."""
        write(self.folder / "spec.yaml", plan.spec_text)
        saved.save(plan)
        folder = self.folder / "cells" / cell.folder
        journal = Journal(folder, self._context, now())
        journal.replace(cycles)
        self.cycles, self.cell = cycles, folder.name

    def show(self, batch: Batch | None) -> None:
        """Write the table that is to be filled in; labels that are known are in it."""
        path = self.folder / NEXT
        if batch is None:
            path.unlink(missing_ok=True)
            return
        if path.exists() and read_ids(path) == {*batch.ids}:
            return  # perhaps with notes of the people who label
        self._write(path, batch.to_csv({name: label.label for name, label in self.known.items()}))

    def _write(self, path: Path, text: str) -> None:
        try:
            path.parent.mkdir(exist_ok=True)
            write(path, text)
        except OSError as error:
            raise RunError(explain(error, path)) from error

    @property
    def measured(self) -> str:
        """How the model is measured, in words."""
        if self.test is not None:
            return f"measured on {len(self.test):,} test samples"
        return (
            "measured by cross-validation over the labels so far, which are of samples that were chosen, not of "
            "the pool"
        )


def now() -> int:
    """Milliseconds since the epoch."""
    return int(time.time() * 1000)
