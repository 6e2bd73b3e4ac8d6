"""Queries of pools in parts: a worker for each part, and one sampler that asks them."""

from __future__ import annotations

import time
import warnings
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, Protocol

import numpy as np
import torch

from alharness.api.parts import Part, needs_whole
from alharness.api.sampler import Query
from alharness.api.vocabulary import Task
from alharness.errors import DataError, RunError, SamplerError
from alharness.guard.border import Border

from .extraction import Extractor
from .measure import Clock, Meter
from .recipe import Fitted
from .seeds import derive, stream
from .selection import CheckedSelection, checked
from .views import Bought, ModelView

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from alharness.api.executor import Held
    from alharness.api.network import MultimodalModel
    from alharness.api.parts import InParts
    from alharness.api.sampler import Sampler
    from alharness.api.samples import Array, Inputs, Samples
    from alharness.api.vocabulary import Feature


@dataclass(frozen=True, kw_only=True, eq=False)
class Request:
    """What is asked of a sampler. Can be pickled.

    Attributes:
        sampler: is asked.
        size: samples to choose.
        features: what the sampler may read.
        task: classification or regression.
        cycle: 0-based.
        cycles: number of queries in the whole schedule.
        seed: of the cell.
        who: the sampler, for messages.
        classes: their names; empty for regression.
    """

    sampler: Sampler
    size: int
    features: frozenset[Feature]
    task: Task = Task.CLASSIFICATION
    cycle: int = 0
    cycles: int = 1
    seed: int = 0
    who: str = "the sampler"
    classes: tuple[str, ...] = ()

    @property
    def moment(self) -> str:
        """For messages."""
        return f"cycle {self.cycle}"

    @property
    def in_parts(self) -> InParts:
        """The sampler, which has the two methods."""
        sampler: Any = self.sampler
        found: InParts = sampler
        return found


class Rows(Protocol):
    """The rows of a part, read or computed in the process of its worker."""

    device: torch.device
    modalities: tuple[str, ...]

    def __len__(self) -> int: ...

    @property
    def layout(self) -> Mapping[str, str]:
        """What all parts must agree in: name -> what it is, in words that follow "has"."""
        ...

    def ids(self, rows: Sequence[int], start: int) -> tuple[str, ...]:
        """Of these rows.

        Args:
            rows: of this part.
            start: position of the part's first row in the whole pool.
        """
        ...

    def views(self, request: Request, clock: Clock, start: int) -> Mapping[str, Any]:
        """`unlabeled`, `labeled`, `decode` and `embed` of a query."""
        ...


@dataclass(frozen=True)
class Answer:
    """What a part says, and what it took.

    Attributes:
        value: the answer.
        seconds: phase -> seconds that were charged to it.
    """

    value: Any
    seconds: Mapping[str, float]


class Begun(NamedTuple):
    """What a part says before it is asked anything.

    Attributes:
        labeled: labeled samples.
        modalities: their names.
        layout: see `Rows`.
    """

    labeled: int
    modalities: tuple[str, ...]
    layout: Mapping[str, str]


class PartWorker:
    """Holds a part of a pool, and answers a sampler's questions about it.

    Args:
        make: opens the part's rows, here.
    """

    def __init__(self, make: Callable[[], Rows]) -> None:
        self._rows = make()
        self._logged: dict[str, float] = {}

    def size(self) -> int:
        """Rows of the part."""
        return len(self._rows)

    def begin(self, request: Request, start: int) -> Begun:
        """Get ready for the questions of one query.

        Args:
            request: what the sampler is asked.
            start: position of the part's first row in the whole pool.
        """
        self._logged = {}
        self._clock = Clock(self._rows.device, rest="selection")
        who = f"{request.who} at positions {start} to {start + len(self._rows) - 1}"
        self._request, self._border = request, Border(who, SamplerError, warnings.warn)
        views = self._rows.views(request, self._clock, start)
        query = Query(
            **views,
            size=request.size,
            cycle=request.cycle,
            cycles=request.cycles,
            task=request.task,
            modalities=self._rows.modalities,
            classes=request.classes,
            device=self._rows.device,
            rng=stream(request.seed, "sampler", request.cycle, f"part {start}"),
            log=lambda name, value: self._logged.update({name: float(value)}),
            phase=self._clock.charge,
        )
        self._part = Part(query=query, start=start)
        self._meter = Meter(self._rows.device)
        self._meter.__enter__()
        return Begun(len(query.labeled), self._rows.modalities, dict(self._rows.layout))

    def answer(self, question: Any) -> Answer:
        """What the sampler answers to a question of its own."""
        before = dict(self._clock.seconds)
        self._clock.lap()
        with self._border.crossed(self._request.moment):
            value = on_cpu(self._request.in_parts.answer(self._part, question))
        self._clock.lap()
        spent = {phase: seconds - before.get(phase, 0.0) for phase, seconds in self._clock.seconds.items()}
        return Answer(value, spent)

    def end(self) -> tuple[dict[str, float], dict[str, float]]:
        """What the part has logged, and what it took, see `Meter`. It forgets the query."""
        self._meter.__exit__(None, None, None)
        del self._part
        return self._logged, self._meter.cost

    def ids(self, rows: Sequence[int], start: int) -> tuple[str, ...]:
        """Of these rows of the part."""
        return self._rows.ids(rows, start)


class ModelRows:
    """Rows whose features a model computes.

    Args:
        model: trained, in evaluation mode.
        inputs: of the part; may be memory-mapped.
        labeled: the labeled samples.
        batch: samples per batch of inference.
        bought: cycles of the queries that bought the labels, (labeled,); None if they are not known.
        truth: name -> what is known of the samples of the part.
    """

    def __init__(
        self,
        model: MultimodalModel,
        inputs: Inputs,
        labeled: Samples,
        batch: int,
        *,
        bought: NDArray[np.int64] | None = None,
        truth: Mapping[str, Array] | None = None,
    ) -> None:
        self.device = torch.device("cpu")
        self.modalities = inputs.modalities
        self._fitted = Fitted(model=model, device=self.device, epochs=0)
        self._inputs, self._labeled, self._batch = inputs, Bought(samples=labeled, cycles=bought), batch
        self._truth = truth

    def __len__(self) -> int:
        return len(self._inputs)

    @property
    def layout(self) -> Mapping[str, str]:
        """Sizes of the inputs, and which modalities samples may lack."""
        shapes = {m: f"{m} of shape {x.shape[1:]}" for m, x in self._inputs.arrays.items()}
        return shapes | {name: name for m in self._inputs.incomplete if (name := f"samples that may lack {m}")}

    def ids(self, rows: Sequence[int], start: int) -> tuple[str, ...]:  # noqa: ARG002 - samples have ids of their own
        """Those of the inputs."""
        return tuple(self._inputs.ids[row] for row in rows)

    def views(self, request: Request, clock: Clock, start: int) -> Mapping[str, Any]:
        """As in a run, of the rows of this part; dropout masks are the part's own."""
        seed = derive(request.seed, "dropout", request.cycle, f"part {start}")
        extractor = Extractor(self._fitted, self._batch, request.features, clock, seed)
        labeled = self._labeled.samples
        return {
            "unlabeled": ModelView(extractor, self._inputs, np.arange(len(self._inputs)), truth=self._truth),
            "labeled": ModelView(extractor, labeled.inputs, np.arange(len(labeled)), self._labeled, labeled.truth),
            "decode": extractor.decode,
            "embed": extractor.embed,
        }


class HeldHere:
    """All parts in this process, one after another; see `alharness.api.executor.Held`.

    >>> from functools import partial
    >>> HeldHere([partial(list, "ab"), partial(list, "c")]).call("index", ["b", "c"])
    [1, 0]
    """

    def __init__(self, makes: Sequence[Callable[[], Any]]) -> None:
        self._things = [make() for make in makes]

    def __len__(self) -> int:
        return len(self._things)

    def call(self, name: str, *arguments: Sequence[Any]) -> list[Any]:
        """In the order of the parts."""
        return [getattr(thing, name)(*(each[i] for each in arguments)) for i, thing in enumerate(self._things)]


@dataclass(eq=False)
class AskedParts:
    """`Parts` of one query.

    Attributes:
        workers: of the parts.
        sizes: rows of each.
        seconds: phase -> seconds of the slowest part, added up over all questions.
        questions: asked so far.
    """

    workers: Held
    sizes: tuple[int, ...]
    seconds: dict[str, float] = field(default_factory=dict)
    questions: int = 0

    def ask(self, question: Any) -> list[Any]:
        """The answers of all parts, in their order."""
        self.questions += 1
        try:
            answers: list[Answer] = self.workers.call("answer", [on_cpu(question)] * len(self.workers))
        except RunError as error:
            if type(error) is RunError and not error.culprit:  # a lost worker is not the sampler's doing
                error.culprit = "the workers of the pool"
            raise
        slowest = max(answers, key=lambda answer: sum(answer.seconds.values()))
        for phase, seconds in slowest.seconds.items():
            self.seconds[phase] = self.seconds.get(phase, 0.0) + seconds
        return [answer.value for answer in answers]


class Elsewhere:
    """A side of a pool in parts, in the coordinating process: it has a length, and nothing to read."""

    def __init__(self, length: int) -> None:
        self._length = length

    def __len__(self) -> int:
        return self._length

    @property
    def ids(self) -> NoReturn:
        """Not here."""
        self._refuse()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise SamplerError("it read a view of a pool in parts, whose rows are elsewhere; ask the parts for them")

    embeddings = representations = context = predictions = mc_draws = _refuse
    inputs = present = truth = targets = bought = _refuse


def select_in_parts(request: Request, workers: Held) -> CheckedSelection:
    """Have the sampler choose from a pool in parts; time it; check the answer.

    Raises:
        SamplerError: the sampler has no pools in parts, or its answer breaks the contract.
        DataError: parts differ in their features, or in the labeled samples.
        RunError: a part was lost.
    """
    if reason := needs_whole(request.sampler):
        raise SamplerError(f"{request.who} cannot choose from a pool in parts: {reason}")
    sizes = tuple(workers.call("size"))
    if not all(sizes):
        raise SamplerError(f"part {sizes.index(0) + 1} of the pool has no samples; leave it out")
    if not 0 <= request.size <= sum(sizes):
        raise SamplerError(f"cannot choose {request.size} of {sum(sizes)} samples")
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    border = Border(request.who, SamplerError, warnings.warn)
    logged: dict[str, float] = {}
    parts = AskedParts(workers, sizes)
    began = time.perf_counter()
    begun: list[Begun] = workers.call("begin", [request] * len(sizes), starts)
    _require_alike(begun)
    query = Query(
        unlabeled=Elsewhere(sum(sizes)),
        labeled=Elsewhere(begun[0].labeled),
        size=request.size,
        cycle=request.cycle,
        cycles=request.cycles,
        task=request.task,
        modalities=begun[0].modalities,
        classes=request.classes,
        device=torch.device("cpu"),
        rng=stream(request.seed, "sampler", request.cycle),
        decode=Elsewhere(0).predictions,
        embed=Elsewhere(0).embeddings,
        log=lambda name, value: logged.update({name: float(value)}),
        phase=lambda _: nullcontext(),
    )
    # What an executor does to this process, such as starting threads, is not the sampler's doing.
    with border.blamed(request.moment), Meter(query.device) as meter:
        positions, scores = checked(request.in_parts.select_in_parts(query, parts), sum(sizes), request.size)
    ends = workers.call("end")
    seconds = time.perf_counter() - began
    told = dict.fromkeys(("inference", "gradients"), 0.0) | parts.seconds
    cost = {"query_seconds": seconds, "query_cpu_seconds": meter.cost["cpu_seconds"]}
    cost |= {f"query_{phase}_seconds": told[phase] for phase in ("inference", "gradients")}
    cost["query_selection_seconds"] = max(0.0, seconds - told["inference"] - told["gradients"])
    cost |= {name: value for name, value in meter.cost.items() if name.endswith("_mib")}
    cost["parts_cpu_seconds"] = sum(spent["cpu_seconds"] for _, spent in ends)
    for name in {name for _, memory in ends for name in memory if name.endswith("_mib")}:
        cost[f"part_{name}"] = max(memory.get(name, 0.0) for _, memory in ends)
    return CheckedSelection(
        positions=tuple(positions),
        scores=tuple(scores),
        diagnostics=_mean_of_logs([log for log, _ in ends], sizes) | logged | {"questions": parts.questions},
        cost=cost,
    )


def ids_of(positions: Sequence[int], workers: Held) -> tuple[str, ...]:
    """Ids of positions in the whole pool, in their order."""
    sizes = workers.call("size")
    ends = np.cumsum(sizes)
    part = np.searchsorted(ends, positions, side="right")
    places = list(zip(positions, part.tolist(), strict=True))
    wanted = [[p - int(ends[i] - sizes[i]) for p, j in places if i == j] for i in range(len(sizes))]
    found = [iter(ids) for ids in workers.call("ids", wanted, (ends - sizes).tolist())]
    return tuple(next(found[i]) for i in part)


def on_cpu(thing: Any) -> Any:
    """The same with its tensors on the CPU, in lists, tuples, named tuples and dictionaries, too."""
    match thing:
        case torch.Tensor():
            return thing.detach().cpu()
        case tuple():
            inner = [on_cpu(part) for part in thing]
            return type(thing)(*inner) if hasattr(thing, "_fields") else tuple(inner)
        case list():
            return [on_cpu(part) for part in thing]
        case dict():
            return {name: on_cpu(part) for name, part in thing.items()}
    return thing


def _require_alike(begun: Sequence[Begun]) -> None:
    """Raise DataError if parts differ in what all must agree in."""
    first = begun[0]
    for number, part in enumerate(begun[1:], 2):
        if part.labeled != first.labeled:
            raise DataError(
                f"part {number} of the pool has {part.labeled} labeled samples, and part 1 has {first.labeled}; "
                "every part needs all of them"
            )
        for name in {**first.layout, **part.layout}:
            mine, others = part.layout.get(name, f"no {name}"), first.layout.get(name, f"no {name}")
            if mine != others:
                raise DataError(f"part {number} of the pool has {mine}, and part 1 has {others}")


def _mean_of_logs(logs: Sequence[Mapping[str, float]], sizes: Sequence[int]) -> dict[str, float]:
    """What parts have logged, averaged over the samples of those that have."""
    found = {}
    for name in {name for log in logs for name in log}:
        pairs = [(log[name], size) for log, size in zip(logs, sizes, strict=True) if name in log]
        found[name] = sum(value * size for value, size in pairs) / sum(size for _, size in pairs)
    return found
