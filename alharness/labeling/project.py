"""Projects of real labeling: a run directory with one cell, whose labels come from people.

Its journal is that of a cell. The last line is the cycle whose batch is being labeled, and names nothing that
was chosen, as in a cell that has ended; when its labels have come it is written again with what was labeled, and
the next line follows. So a report can be made at any time.

What is written in which order matters if the process is killed: labels first, so that none is lost; then the
batch; then the journal, with which the batch counts; then what can be made again from these.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from os.path import normpath
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness import registry
from alharness.api.dataset import Dataset, DatasetFacts
from alharness.api.records import Schedule
from alharness.api.samples import Inputs, Samples, Splits
from alharness.api.vocabulary import Task
from alharness.engine.initial import choose
from alharness.engine.pool import Pool
from alharness.engine.seeds import stream
from alharness.errors import DataError, PluginError, RunError, SamplerError, SpecError
from alharness.guard.border import Border
from alharness.results.worth import Worth
from alharness.runs import saved
from alharness.runs.conditions import changes
from alharness.runs.environment import describe, machine
from alharness.runs.files import TEMPORARY, explain, write
from alharness.runs.journal import Journal, with_format
from alharness.runs.journal import read as read_journal
from alharness.runs.locks import Locks, take
from alharness.runs.setup import Setup, count_validation, pool_if_needed, validation
from alharness.spec import load_all, yamlfile
from alharness.spec.plan import make_plan
from alharness.spec.reader import resolved_yaml

from .asking import Known, ask_once
from .batch import RANDOM_SHARE, RANDOM_START, START, Batch, Item
from .comparing import compare
from .labels import OWN, Label, accept, read_given, read_ids, read_known, sorted_classes, to_text
from .measuring import cross_validate
from .pooling import joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from alharness.api.plan import Plan
    from alharness.api.records import Cell, CycleRecord
    from alharness.api.sampler import Sampler
    from alharness.registry import Registry
    from alharness.spec import Spec

    from .asking import Answer

SETTINGS, LABELS, NEXT, BATCHES, LOCK = "project.yaml", "labels.csv", "next_batch.csv", "batches", "project.lock"
CONTEXT = "labeling project"
"""In what its journal depends on: so no run takes the cell for one of its own."""
CLASSES = "dataset.params.classes="
"""Assigns the classes of a project to its data set, if that takes any."""
WITHOUT_VALIDATION = "training.valid=none"
"""For data without validation samples."""


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
        self._settings: dict[str, Any] = yamlfile.read(path).data

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
        """Make a project, once its settings are known to be right.

        Args:
            folder: that it gets; a project must not be there.
            document: a spec with one sampler and one seed; relative paths in it start at the project.
            assignments: values that replace those of the document, as after `--set`.
            include: files with plugins.
            control: share of each batch that is drawn at random.
            classes: all there are; empty if labels make them.
            warn: gets what the user should know.

        Raises:
            HarnessError: a setting is wrong, or there is a project already.
        """
        if (folder / SETTINGS).exists():
            raise SpecError(f"{folder}: there is a project already, with settings of its own; leave out --data")
        if not 0 <= control < 1:
            raise SpecError(f"control: expected a share from 0 to less than 1, and not {control}")
        settings = {
            "spec": dict(document),
            "set": list(assignments),
            "include": [str(path) for path in include],
            "control": control,
            "classes": list(classes),
        }
        new = not folder.exists()
        try:
            folder.mkdir(parents=True, exist_ok=True)  # paths that begin in it are followed
            _require_sense(settings, folder, warn)
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
            if classes:
                self._accept_classes(classes)
            return _Session(self.folder, self._settings, self._warn).go(
                labels or {}, size=size, go_on=go_on, relabel=relabel
            )

    def _accept_classes(self, classes: Sequence[str]) -> None:
        self._settings["classes"] = list(dict.fromkeys([*self._settings["classes"], *classes]))
        write(self.folder / SETTINGS, yamlfile.write(self._settings))

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


class _Session:
    """One call: what is in the folder, and what becomes of it."""

    def __init__(self, folder: Path, settings: Mapping[str, Any], warn: Callable[[str], None]) -> None:
        self.folder, self.settings, self.warn = folder, settings, warn
        self.installed = _installed(settings, folder)
        self.spec = self._load()
        self.seed = self.spec.seeds[0]
        self.dataset = self._open()
        self.inputs, self.given = _pool(self.dataset)
        self.place = {name: position for position, name in enumerate(self.inputs.ids)}
        content = self.dataset.loaded
        test = content.test if isinstance(content, Splits) else None
        self.test = test.sorted() if test is not None and len(test) else None
        self.valid = content.valid.sorted() if isinstance(content, Splits) else None
        self.known = read_known(folder / LABELS)
        self._require_there()
        self.cycles, self.cell = self._journal()
        self.open = self._batch(self.cycles[-1].cycle if self.cycles else START)

    def go(
        self, labels: Mapping[str, Mapping[str, str]], *, size: int | None, go_on: bool, relabel: bool
    ) -> Progress:
        """See `Project.query`."""
        new, changed = self._take(labels, relabel=relabel)
        if self.open is not None:
            missing = [name for name in self.open.ids if name not in self.known]
            if not self._closing() or (missing and not go_on):
                self._show(self.open)
                return self._progress(new=new, changed=changed, asked=False)
        elif self.cycles and not self._closing():
            return self._progress(new=new, changed=changed, asked=False)  # nothing was left to ask for
        if not self.known:
            return self._start(self._size(size))
        return self._ask(self._size(size), new, changed)

    # What there is.

    def _load(self, *more: str) -> Spec:
        return _load(self.settings, self.folder, self.installed, *more)

    def _open(self) -> Dataset:
        with _border(self.spec, self.warn).crossed():
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
                f"{self.folder / LABELS}: {len(gone):,} samples with a label are no longer in the data: "
                f"{', '.join(gone[:5])}{', ...' * (len(gone) > 5)}; put them back, or begin another project"
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

    # Labels.

    def _take(self, more: Mapping[str, Mapping[str, str]], *, relabel: bool) -> tuple[int, int]:
        """Keep labels that have come; how many are new, and how many have changed."""
        sources: dict[str, Mapping[str, str]] = {"the data": self.given}
        if (self.folder / NEXT).exists():
            sources[str(self.folder / NEXT)] = read_given(self.folder / NEXT)
        sources |= more
        fresh: dict[str, str] = {}
        known = dict(self.known)
        for source, labels in sources.items():
            if source == "the data":  # what has changed since then is not taken back by it
                labels = {name: label for name, label in labels.items() if name not in known}  # noqa: PLW2901
            accepted = accept(
                known,
                labels,
                source=source,
                ids=self.place,
                task=self.dataset.task,
                classes=self._expected,
                relabel=relabel,
            )
            fresh |= accepted
            known |= {name: self._label(name, label, known.get(name)) for name, label in accepted.items()}
        changed = [name for name in fresh if name in self.known]
        if fresh:
            self.known = known
            self._write(self.folder / LABELS, to_text(known))
        return len(fresh) - len(changed), len(changed)

    @property
    def _expected(self) -> tuple[str, ...]:
        """The classes that labels may be; empty if they make them: before the first training."""
        named = (*self.settings["classes"],)
        if not named and not self.cycles:
            return ()
        return tuple(dict.fromkeys([*named, *self._classes]))

    @property
    def _classes(self) -> tuple[str, ...]:
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

    def _by(self, chosen_by: str, done: Sequence[CycleRecord]) -> list[int]:
        """Positions of what these cycles have brought and this has chosen, in the order in which it was chosen."""
        names = [name for cycle in done for name in cycle.chosen]
        return [self.place[name] for name in names if self.known[name].by == chosen_by]

    def _closing(self) -> list[str]:
        """What was labeled since the last batch was chosen: first what it asked for, in its order."""
        came = {label.id: None for label in self.known.values() if label.batch == self.number}
        asked = dict.fromkeys(self.open.ids) if self.open else {}
        return [*(name for name in asked if name in came), *(name for name in came if name not in asked)]

    # What comes next.

    def _size(self, wish: int | None) -> int:
        left = len(self.inputs) - len(self.known)
        return min(wish or self.spec.active_learning.budget, left)

    def _start(self, size: int) -> Progress:
        """A first batch, chosen as the initial pool of a run."""
        chosen = self.spec.initial
        if chosen is None:
            drawn = Pool(self.inputs.ids).draw(size, stream(self.seed, "pool")).labeled
        else:
            who = f"{chosen.label} ({chosen.registered.origin})"
            with Border(who, SamplerError, self.warn).crossed("construction"):
                sampler, features = chosen.plugin.make(chosen.params), chosen.plugin.features(chosen.params)
            drawn = choose(
                sampler,
                self.inputs,
                size=size,
                seed=self.seed,
                task=self.dataset.task,
                classes=self._classes,
                features=features,
                who=who,
                warn=self.warn,
            ).positions
        by = RANDOM_START if chosen is None else chosen.label
        items = [Item(id=self.inputs.ids[p], rank=rank, by=by) for rank, p in enumerate(drawn, 1)]
        batch = Batch(cycle=START, items=tuple(items), task=self.dataset.task, classes=self._classes)
        self._keep(batch)
        self._show(batch)
        self.open = batch
        return self._progress(new=0, changed=0, asked=True)

    def _ask(self, size: int, new: int, changed: int) -> Progress:
        """Close the last cycle, train, and choose."""
        done = list(self.cycles)
        if done:
            done[-1] = replace(done[-1], chosen=tuple(self._closing()))
        known = self._knowledge(done)
        if self.dataset.task == Task.CLASSIFICATION and len(known.classes) < 2:
            raise DataError(
                f"{self.folder / LABELS}: all labels are {known.classes[0]!r}; a model needs two classes or more: "
                "label some samples of another class, or name it with --class"
            )
        plan, spec = self._plan(known, size)
        (cell,) = plan.cells
        sampler, features = self._sampler(spec, cell)
        setup = Setup(
            Dataset(task=self.dataset.task, content=known.samples, classes=known.classes, stored_digest=CONTEXT),
            spec.model.plugin,
            spec.model.params,
            spec.training,
            plan.schedule,
        )
        control = min(size, round(size * self.settings["control"])) if self.settings["control"] else 0
        answer = ask_once(
            setup.trainer,
            known,
            sampler,
            size=size,
            cycles=spec.active_learning.cycles,
            at_random=max(control, 1) if self.settings["control"] and size > 1 else control,
            seed=self.seed,
            batch=spec.training.inference_batch,
            features=features,
            who=cell.who,
            warn=self.warn,
        )
        record = replace(answer.record, chosen=(), scores=(), at=_now(), machine=machine(setup.device))
        inference = spec.training.inference_batch
        if known.test is None:
            record = replace(record, metrics=cross_validate(setup.trainer, known, self.seed, inference))
        own, drawn = self._by(cell.label, done), self._by(RANDOM_SHARE, done)
        worth = compare(setup.trainer, known, own, drawn, seed=self.seed, batch=inference)
        if worth:
            record = replace(record, diagnostics={**record.diagnostics, **worth.numbers})
        batch = self._answered(answer, known, cell) if size else None
        plan = replace(plan, environment=describe(setup.device, self.folder))
        if batch:
            self._keep(batch)
        self._record(plan, cell, [*done, record])
        self.open = batch
        self._show(batch)
        return self._progress(new=new, changed=changed, asked=True)

    def _knowledge(self, done: Sequence[CycleRecord]) -> Known:
        """The pool with what is labeled, batch by batch."""
        classes, task = self._classes, self.dataset.task
        number = {name: index for index, name in enumerate(classes)}
        labels = np.full(len(self.inputs), -1 if classes else np.nan, np.int64 if classes else np.float32)
        for label in self.known.values():
            value = number[label.label] if task == Task.CLASSIFICATION else float(label.label)
            labels[self.place[label.id]] = value
        later = {name for cycle in done for name in cycle.chosen}
        start = [name for name in self.known if name not in later]
        batches = [start, *(cycle.chosen for cycle in done)]
        spread = (tuple(self.place[name] for name in names) for names in batches)
        valid = self.valid if self.valid is not None and len(self.valid) else None
        wish = self.spec.training.valid
        return Known(
            samples=Samples(inputs=self.inputs, labels=labels),
            batches=tuple(spread),
            classes=classes,
            metrics=self.dataset.measured_by,
            test=self.test,
            valid=None if valid is None else validation(valid, wish, self.seed),
        )

    def _plan(self, known: Known, size: int) -> tuple[Plan, Spec]:
        valid = 0 if self.valid is None else len(self.valid)
        spec = self.spec if valid or self.spec.training.valid != "full" else self._load(WITHOUT_VALIDATION)
        first, *others = map(len, known.batches)
        facts = DatasetFacts(
            task=self.dataset.task,
            modalities=self.inputs.modalities,
            sizes=(len(self.inputs), valid, 0 if self.test is None else len(self.test)),
            synthetic=self.dataset.synthetic,
            incomplete=self.inputs.incomplete,
        )
        plan = make_plan(spec, self.folder.parent, facts=facts)
        metrics = self.dataset.measured_by
        (cell,) = plan.cells
        if self.cell:  # a new version of the sampler continues the cell
            cell = replace(cell, key=self.cell.rpartition("-")[2])
        return (
            replace(
                plan,
                experiment=self.folder.name,
                folder=self.folder,
                cells=(cell,),
                schedule=Schedule(initial_pool=first, sizes=tuple(others)),
                warnings=(),
                metric=metrics.primary,
                lower_is_better=tuple(sorted(metrics.lower_is_better)),
                headline=metrics.headline,
                params={"dataset": spec.dataset.name, "model": spec.model.name, "budget": size},
                project=self._measured,
                valid=count_validation(spec.training.valid, valid),
                spec_text=resolved_yaml(spec),
            ),
            spec,
        )

    def _sampler(self, spec: Spec, cell: Cell) -> tuple[Sampler, Any]:
        chosen = spec.samplers[0]
        with Border(cell.who, SamplerError, self.warn).crossed("construction"):
            return chosen.plugin.make(chosen.params), chosen.plugin.features(chosen.params)

    def _answered(self, answer: Answer, known: Known, cell: Cell) -> Batch:
        own = len(answer.positions) - answer.at_random
        items = []
        for place, name in enumerate(answer.record.chosen):
            guess = answer.guesses[place]
            items.append(
                Item(
                    id=name,
                    rank=place + 1,
                    by=cell.label if place < own else RANDOM_SHARE,
                    score=float(answer.scores[place]) if place < len(answer.scores) else None,
                    guess=known.classes[int(guess)] if known.classes else f"{guess:.6g}",
                    probability=float(answer.probabilities[place]) if len(answer.probabilities) else None,
                )
            )
        return Batch(cycle=answer.record.cycle, items=tuple(items), task=self.dataset.task, classes=known.classes)

    # What is written.

    def _keep(self, batch: Batch) -> None:
        self._write(self._path(batch.cycle), batch.to_json())

    def _record(self, plan: Plan, cell: Cell, cycles: list[CycleRecord]) -> None:
        folder = self.folder / "cells" / cell.folder
        journal = Journal(folder, self._context, _now())
        journal.replace(cycles)
        self.cycles, self.cell = cycles, folder.name
        write(self.folder / "spec.yaml", plan.spec_text)
        saved.save(plan)

    def _show(self, batch: Batch | None) -> None:
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
    def _measured(self) -> str:
        if self.test is not None:
            return f"measured on {len(self.test):,} test samples"
        return (
            "measured by cross-validation over the labels so far, which are of samples that were chosen, not of "
            "the pool"
        )

    def _progress(self, *, new: int, changed: int, asked: bool) -> Progress:
        missing = tuple(name for name in self.open.ids if name not in self.known) if self.open else ()
        return Progress(
            folder=self.folder,
            labeled=len(self.known),
            pool=len(self.inputs),
            new=new,
            changed=changed,
            batch=self.open,
            missing=missing,
            asked=asked,
            metric=self.dataset.measured_by.primary,
            metrics=self.cycles[-1].metrics if self.cycles else {},
            measured=self._measured,
            worth=Worth.of(self.cycles[-1].diagnostics) if self.cycles else None,
            drawn=len(self._by(RANDOM_SHARE, self.cycles)),
        )


def _require_sense(settings: Mapping[str, Any], folder: Path, warn: Callable[[str], None]) -> None:
    """Look at everything that can be known before a project begins.

    Raises:
        HarnessError: a setting is wrong, data are missing, or all of them have a label.
    """
    installed = _installed(settings, folder)
    spec = _load(settings, folder, installed)
    with _border(spec, warn).crossed():
        facts = spec.dataset.plugin.inspect(spec.dataset.params)
    if not facts.unlabeled:
        raise DataError(
            f"all samples of {spec.dataset.name!r} have a label, so nothing is left to choose; leave the label of "
            "a sample blank if it has none"
        )
    if not facts.sizes[1] and spec.training.valid == "full":
        spec = _load(settings, folder, installed, WITHOUT_VALIDATION)
    first, *others = facts.sizes
    make_plan(spec, facts=replace(facts, sizes=(first + facts.unlabeled, *others)))


def _load(settings: Mapping[str, Any], folder: Path, installed: Registry, *more: str) -> Spec:
    """The spec of a project, changed by these assignments; its data set knows the classes."""
    found = load_all(settings["spec"], installed, [*settings["set"], *more], folder=folder)
    if len(found) != 1 or len(found[0].samplers) != 1 or len(found[0].seeds) != 1:
        raise SpecError(f"{folder / SETTINGS}: a project is one setting with one sampler and one seed")
    (spec,), classes = found, settings["classes"]
    if not classes or any(change.startswith(CLASSES) for change in more):
        return spec
    if "classes" not in type(spec.dataset.params).model_fields:
        return spec
    return _load(settings, folder, installed, *more, f"{CLASSES}{json.dumps(classes)}")


def _border(spec: Spec, warn: Callable[[str], None]) -> Border:
    """Around the code of the data set; what it says itself of its files is said well."""
    who = f"the data set {spec.dataset.name!r} of {spec.dataset.registered.origin}"
    return Border(who, PluginError, warn, passing=(DataError, SpecError))


def _installed(settings: Mapping[str, Any], folder: Path) -> Registry:
    files = [Path(normpath(folder / path)) for path in settings["include"]]
    return registry.load(extras=registry.Extras.collect(include=files))


def _pool(dataset: Dataset) -> tuple[Inputs, dict[str, str]]:
    """Inputs of all samples that could be labeled, in the order of their ids, and the labels of the data."""
    content = dataset.loaded
    labeled = content.train if isinstance(content, Splits) else content
    inputs = labeled.inputs if dataset.unlabeled is None else joined(labeled.inputs, dataset.unlabeled)
    order = np.array(sorted(range(len(inputs)), key=inputs.ids.__getitem__), np.int64)
    names = dataset.classes
    labels = [names[int(y)] if names else repr(float(y)) for y in labeled.labels]
    return inputs.subset(order), dict(zip(labeled.ids, labels, strict=True))


def _now() -> int:
    return int(time.time() * 1000)
