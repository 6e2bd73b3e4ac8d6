"""The next step of a project: a first batch, or train and choose."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from alharness.api.dataset import Dataset, DatasetFacts
from alharness.api.records import Cell, CycleRecord, Plan, Schedule
from alharness.api.samples import Samples
from alharness.api.vocabulary import Task
from alharness.errors import DataError
from alharness.runs.environment import describe, machine
from alharness.runs.setup import Setup, count_validation, validation
from alharness.spec.plan import make_plan
from alharness.spec.reader import resolved_yaml

from .asking import Answer, Known, ask_once
from .batch import RANDOM_SHARE, RANDOM_START, START, Batch, Item
from .comparing import compare
from .measuring import cross_validate
from .settings import WITHOUT_VALIDATION
from .starting import first_batch, make_sampler
from .state import CONTEXT, LABELS, State, now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alharness.spec import Spec


class Step:
    """Chooses the next batch of a project.

    Args:
        state: of the project.
    """

    def __init__(self, state: State) -> None:
        self.state = state

    def start(self, size: int) -> None:
        """A first batch, chosen as the initial pool of a run."""
        state = self.state
        chosen = state.spec.initial
        drawn, _ = first_batch(
            chosen,
            state.inputs,
            size=size,
            seed=state.seed,
            task=state.dataset.task,
            classes=state.classes,
            warn=state.warn,
        )
        by = RANDOM_START if chosen is None else chosen.label
        items = [Item(id=state.inputs.ids[p], rank=rank, by=by) for rank, p in enumerate(drawn, 1)]
        batch = Batch(cycle=START, items=tuple(items), task=state.dataset.task, classes=state.classes)
        state.keep(batch)
        state.show(batch)
        state.open = batch

    def ask(self, size: int) -> None:
        """Close the last cycle, train, and choose."""
        state = self.state
        done = list(state.cycles)
        if done:
            done[-1] = replace(done[-1], chosen=tuple(state.closing()))
        known = self._knowledge(done)
        if state.dataset.task == Task.CLASSIFICATION and len(known.classes) < 2:
            raise DataError(
                f"{state.folder / LABELS}: all labels are {known.classes[0]!r}; a model needs two classes or "
                "more: name the others with --class, and the next batch is chosen; or give some labels of them "
                "with --labels"
            )
        plan, spec = self._plan(known, size)
        (cell,) = plan.cells
        chosen = spec.samplers[0]
        setup = Setup(
            Dataset(task=state.dataset.task, content=known.samples, classes=known.classes, stored_digest=CONTEXT),
            spec.model.plugin,
            spec.model.params,
            spec.training,
            plan.schedule,
        )
        control = min(size, round(size * state.settings["control"])) if state.settings["control"] else 0
        answer = ask_once(
            setup.trainer,
            known,
            make_sampler(chosen, state.warn),
            size=size,
            cycles=spec.active_learning.cycles,
            at_random=max(control, 1) if state.settings["control"] and size > 1 else control,
            seed=state.seed,
            batch=spec.training.inference_batch,
            features=chosen.plugin.features(chosen.params),
            who=cell.who,
            warn=state.warn,
        )
        record = replace(answer.record, chosen=(), scores=(), at=now(), machine=machine(setup.device))
        inference = spec.training.inference_batch
        if known.test is None:
            record = replace(record, metrics=cross_validate(setup.trainer, known, state.seed, inference))
        own, drawn = state.chosen_by(cell.label, done), state.chosen_by(RANDOM_SHARE, done)
        worth = compare(setup.trainer, known, own, drawn, seed=state.seed, batch=inference)
        if worth:
            record = replace(record, diagnostics={**record.diagnostics, **worth.numbers})
        batch = self._answered(answer, known, cell) if size else None
        plan = replace(
            plan,
            params={**plan.params, "device": setup.device.type},
            environment=describe(setup.device, state.folder),
        )
        if batch:
            state.keep(batch)
        state.record(plan, cell, [*done, record])
        state.open = batch
        state.show(batch)

    def _knowledge(self, done: Sequence[CycleRecord]) -> Known:
        """The pool with what is labeled, batch by batch."""
        state = self.state
        classes, task = state.classes, state.dataset.task
        number = {name: index for index, name in enumerate(classes)}
        labels = np.full(len(state.inputs), -1 if classes else np.nan, np.int64 if classes else np.float32)
        for label in state.known.values():
            value = number[label.label] if task == Task.CLASSIFICATION else float(label.label)
            labels[state.place[label.id]] = value
        later = {name for cycle in done for name in cycle.chosen}
        start = [name for name in state.known if name not in later]
        batches = [start, *(cycle.chosen for cycle in done)]
        spread = (tuple(state.place[name] for name in names) for names in batches)
        valid = state.valid if state.valid is not None and len(state.valid) else None
        wish = state.spec.training.valid
        return Known(
            samples=Samples(inputs=state.inputs, labels=labels),
            batches=tuple(spread),
            classes=classes,
            metrics=state.dataset.measured_by,
            test=state.test,
            valid=None if valid is None else validation(valid, wish, state.seed),
        )

    def _plan(self, known: Known, size: int) -> tuple[Plan, Spec]:
        state = self.state
        valid = 0 if state.valid is None else len(state.valid)
        spec = state.spec if valid or state.spec.training.valid != "full" else state.load(WITHOUT_VALIDATION)
        first, *others = map(len, known.batches)
        facts = DatasetFacts(
            task=state.dataset.task,
            modalities=state.inputs.modalities,
            sizes=(len(state.inputs), valid, 0 if state.test is None else len(state.test)),
            synthetic=state.dataset.synthetic,
            incomplete=state.inputs.incomplete,
        )
        plan = make_plan(spec, state.folder.parent, facts=facts)
        metrics = state.dataset.measured_by
        (cell,) = plan.cells
        if state.cell:  # a new version of the sampler continues the cell
            cell = replace(cell, key=state.cell.rpartition("-")[2])
        return (
            replace(
                plan,
                experiment=state.folder.name,
                folder=state.folder,
                cells=(cell,),
                schedule=Schedule(initial_pool=first, sizes=tuple(others)),
                warnings=(),
                metric=metrics.primary,
                lower_is_better=tuple(sorted(metrics.lower_is_better)),
                headline=metrics.headline,
                params={"dataset": spec.dataset.name, "model": spec.model.name, "budget": size},
                project=state.measured,
                valid=count_validation(spec.training.valid, valid),
                spec_text=resolved_yaml(spec),
            ),
            spec,
        )

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
        return Batch(
            cycle=answer.record.cycle, items=tuple(items), task=self.state.dataset.task, classes=known.classes
        )
