"""Computes groups of cells, in a worker."""

from __future__ import annotations

import errno
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from alharness import faults
from alharness.api.executor import At, Finished, FirstFit, Warned
from alharness.api.records import CycleRecord, Outcome
from alharness.api.sampler import Sampler
from alharness.engine.loop import run_cell
from alharness.engine.measure import wants_memory
from alharness.engine.recipe import Fit, Fitted, model_border
from alharness.engine.training import stored
from alharness.errors import Diverged, HarnessError, RunError, SamplerError, described, text_of, trace_of
from alharness.guard.border import Border
from alharness.text.redaction import redact

from .conditions import changes
from .environment import machine
from .files import explain, is_full
from .setup import Setup

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    from alharness.api.dataset import Dataset
    from alharness.api.executor import Finding, Group
    from alharness.api.records import Cell
    from alharness.api.vocabulary import Feature
    from alharness.registry import Registry

    from .messages import Blueprint


class Driver:
    """Computes groups, one after another.

    Args:
        blueprint: what they are computed with.
        registry: the installed plugins.
        dataset: opens the data set as the model wants it.

    Attributes:
        setup: what their cells are run with.
    """

    def __init__(self, blueprint: Blueprint, registry: Registry, dataset: Callable[[], Dataset]) -> None:
        self._blueprint, self._registry, self._dataset = blueprint, registry, dataset
        self._pending: list[str] = []  # warnings that wait for the next message

    @cached_property
    def setup(self) -> Setup:
        """Made when the first group begins: then the data are opened."""
        blueprint, model = self._blueprint, self._registry.model(self._blueprint.model)
        border = model_border(f"the model {blueprint.model!r} of {model.origin}", self._pending.append)
        return Setup(
            self._dataset(),
            model.plugin,
            blueprint.model_params,
            blueprint.training,
            blueprint.schedule,
            border=border,
            stack=blueprint.stack,
        )

    def drive(self, group: Group) -> Iterator[At | Finding]:
        """Compute a group: what its cells train in a cycle is trained at once, then they query one by one.

        The cells with the fewest labels go first: those that are behind catch up, and train with the others from
        then on. One cell's failure is its own `Outcome`, and the others continue.

        An `At` comes before each step.
        """
        members = [_Member(cell) for cell in group.cells]
        turn = [*members]
        answers: Sequence[Fitted | BaseException | None] = [None] * len(members)  # nothing was asked for yet
        while members:
            for member, answer in zip(turn, answers, strict=True):
                cell = member.cell
                found: list[Finding] = []
                yield At(cell=cell)
                try:
                    if isinstance(answer, BaseException):
                        raise answer  # noqa: TRY301 - what the training raised
                    if answer is None:
                        member.steps = self._begin(cell, group)
                    else:
                        faults.reach("query")
                        cycle = member.steps.send(answer)
                        assert isinstance(cycle, CycleRecord)
                        faults.reach("queried")
                        found.append(Finished(cell=cell, cycle=replace(cycle, machine=machine(answer.device))))
                    request = next(member.steps)
                    assert isinstance(request, Fit)
                    member.request = request
                except StopIteration:
                    found.append(Outcome(cell=cell, status="ok"))
                except BaseException as error:  # noqa: BLE001 - whatever a plugin raises, other cells continue
                    found.append(failure(cell, error))
                yield from self._warnings()
                yield from found
                if found and isinstance(found[-1], Outcome):
                    members.remove(member)
            fewest = min((len(member.request.labeled) for member in members), default=0)
            turn = [member for member in members if len(member.request.labeled) == fewest]
            if turn:
                yield At(cell=turn[0].cell if len(turn) == 1 else None)
                answers = yield from self._fit_all(turn, group)

    def _warnings(self) -> Iterator[Warned]:
        while self._pending:
            yield Warned(text=self._pending.pop(0))

    def _begin(self, cell: Cell, group: Group) -> Generator[Fit | CycleRecord, Fitted, None]:
        """The cell's loop: the cycles that are left, or all of them if its queries are to be measured again."""
        self.setup.keep_only(group.seeds)
        data = self.setup.seed_data(cell.seed, group.initial.get(cell.seed, ()))
        _require_equal(cell, group.contexts.get(cell.seed, data.context), data.context)
        data = data.reference if cell.reference else data
        sampler, features = self._make_sampler(cell)
        chosen, again = group.chosen.get(cell.name, ()), group.action == "retime"
        pool, first = (data.initial, 0) if again else (data.initial.replay(chosen), len(chosen))
        steps = run_cell(
            data,
            sampler,
            pool,
            first,
            features=features,
            own=cell.stream,
            who=cell.who,
            warn=self._pending.append,
        )
        return _queried_again(steps, chosen) if again else steps

    def _make_sampler(self, cell: Cell) -> tuple[Sampler | None, frozenset[Feature]]:
        if cell.reference:
            return None, frozenset()
        plugin, params = self._registry.sampler(cell.sampler).plugin, self._blueprint.sampler_params[cell.label]
        with Border(cell.who, SamplerError, self._pending.append).crossed("construction"):
            sampler, features = plugin.make(params), plugin.features(params)
            if not isinstance(sampler, Sampler):
                raise SamplerError(f"its plugin made {type(sampler).__name__}, expected a Sampler")
        return sampler, features

    def _fit_all(
        self, members: Sequence[_Member], group: Group
    ) -> Generator[Finding, None, list[Fitted | BaseException]]:
        """The models that the members ask for, or why there is none. Equal requests are trained once."""
        found: dict[int, Fitted | BaseException] = {}
        equal: dict[tuple[int, tuple[str, ...]], list[int]] = {}
        for number, member in enumerate(members):
            request = member.request
            content = group.fits.get((member.cell.seed, member.cell.reference)) if request.cycle == 0 else None
            if restored := content and self._restore(content, request):
                found[number] = restored
            else:
                equal.setdefault((request.seed, request.labeled.ids), []).append(number)
        requests = [members[numbers[0]].request for numbers in equal.values()]
        faults.reach("train")
        for (first, *others), fitted in zip(equal.values(), self.setup.trainer.fit_many(requests), strict=True):
            found[first] = fitted
            cell, request = members[first].cell, members[first].request
            content = self._stored(fitted) if others or request.cycle == 0 else None
            yield from self._warnings()
            if content and request.cycle == 0:
                yield FirstFit(seed=cell.seed, everything=cell.reference, content=content)
            for number in others:
                if isinstance(fitted, Fitted):  # each gets one of its own, which no other can change
                    copy = content and self._restore(content, request)
                    found[number] = copy or self.setup.trainer.fit_many([request])[0]
                else:
                    found[number] = fitted
        return [found[number] for number in range(len(members))]

    def _stored(self, fitted: Fitted | BaseException) -> bytes | None:
        """A model as bytes; None if there is none, or if it cannot be stored."""
        try:
            return stored(fitted) if isinstance(fitted, Fitted) else None
        except Exception as error:  # noqa: BLE001 - a model may keep anything in its state
            self._pending.append(f"a fit cannot be stored ({described(error)}); cells that need it train it again")
            return None

    def _restore(self, content: bytes, request: Fit) -> Fitted | BaseException | None:
        """A stored model; None if it is damaged."""
        try:
            return self.setup.trainer.restore(content, request.seed)
        except ValueError as error:
            self._pending.append(f"a stored fit is damaged ({error}); it is trained again")
            return None
        except BaseException as error:  # noqa: BLE001 - the model's own
            return error


class _Member:
    """A cell of a group: its loop, and the model that it asks for."""

    steps: Generator[Fit | CycleRecord, Fitted, None]
    request: Fit

    def __init__(self, cell: Cell) -> None:
        self.cell = cell


def _queried_again(
    steps: Generator[Fit | CycleRecord, Fitted, None], chosen: Sequence[tuple[str, ...]]
) -> Generator[Fit | CycleRecord, Fitted, None]:
    """The loop of a finished cell up to its last query. Raises RunError if a cycle chooses others than before."""
    for before in chosen[:-1]:  # the last model is asked for nothing
        cycle = steps.send((yield next(steps)))
        assert isinstance(cycle, CycleRecord)
        if cycle.chosen != before:
            raise RunError(
                f"cycle {cycle.cycle} chose other samples than it did when the run was made, so that its queries "
                "cannot be measured again on this machine; the journal is as it was"
            )
        yield cycle


def _require_equal(cell: Cell, expected: Mapping[str, object], found: Mapping[str, object]) -> None:
    if different := [f"{place} {change}" for place, change in changes(expected, found)]:
        raise RunError(f"{cell.who}: this worker computes under other conditions: {'; '.join(different)}")


def failure(cell: Cell, error: BaseException) -> Outcome:
    """The outcome of a cell that raised this; with a traceback if it is a bug."""
    if wants_memory(error):
        return Outcome(cell=cell, status="oom", error=f"{cell.who}: not enough memory: {described(error)}")
    if isinstance(error, Diverged):
        return Outcome(cell=cell, status="diverged", error=text_of(error))
    if isinstance(error, OSError) and (is_full(error) or error.errno == errno.EROFS):  # no plugin's fault
        place = Path(error.filename or cell.folder)
        return Outcome(cell=cell, status="failed", error=explain(error, place))
    if isinstance(error, HarnessError) and not error.unexpected:
        return Outcome(cell=cell, status="failed", error=text_of(error))
    text = text_of(error) if isinstance(error, HarnessError) else f"{cell.who}: {described(error)}"
    return Outcome(cell=cell, status="failed", error=text, traceback=redact(trace_of(error)))
