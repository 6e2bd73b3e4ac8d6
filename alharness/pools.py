"""Queries of pools beyond one machine: features in files, in several parts, each read by its own worker."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from numbers import Integral
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from alharness.api.vocabulary import FUSED, Feature, Task
from alharness.errors import DataError, LabelLeak, RunError, SamplerError, SpecError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    import torch
    from torch import Tensor

    from alharness.api.executor import ExecutorPlugin, Held
    from alharness.api.sampler import Sampler
    from alharness.engine.measure import Clock
    from alharness.engine.parts import PartWorker, Request, Rows
    from alharness.spec.chosen import Chosen

    Source = str | Path | Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Arrays:
    """A part of a pool: features of its samples, which were computed before.

    Every file is one array of numpy (`numpy.save`), of float16, float32 or float64, with a row per sample. It is
    mapped, not read, on the machine of the part's worker: only what is in use takes memory. A tensor travels
    to the worker as it is. A mapping gives a file for each source; a file alone is that of the fused one.

    Attributes:
        embeddings: source -> (n, d).
        predictions: source -> (n, C) log-probabilities, or (n, 1) values in regression.
        representations: modality -> (n, d_u).
        inputs: modality -> (n, d).
        labeled: the same features of all labeled samples; None if nothing is labeled.
        ids: a text file with an id on each line; without it, ids are positions in the whole pool.

    >>> import torch
    >>> from alharness.pools import Arrays
    >>> rows = Arrays(embeddings=torch.ones(3, 2)).open()
    >>> len(rows), rows.ids([2], start=10)
    (3, ('12',))
    """

    embeddings: Source | Mapping[str, Source] | None = None
    predictions: Source | Mapping[str, Source] | None = None
    representations: Mapping[str, Source] = field(default_factory=dict)
    inputs: Mapping[str, Source] = field(default_factory=dict)
    labeled: Arrays | None = None
    ids: str | Path | None = None

    def open(self) -> Rows:
        """The arrays, mapped. Raises DataError if a file is missing, is no such array, or does not fit."""
        return _ArrayRows(self)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a sampler has chosen.

    Attributes:
        positions: in the whole pool, all parts in a row, the first choice first.
        ids: of the same samples.
        scores: of the same samples, or empty.
        diagnostics: what the sampler logged, such as the `radius` that CoreSet has reached.
        cost: seconds and MiB: `query_seconds` and its phases, `query_cpu_seconds` and `cpu_peak_increase_mib` of
            this process, `parts_cpu_seconds` of all workers together, and `part_cpu_peak_increase_mib` of the
            worker that took most.

    >>> from alharness.pools import Choice
    >>> Choice(positions=(4,), ids=("e",)).ids
    ('e',)
    """

    positions: tuple[int, ...]
    ids: tuple[str, ...]
    scores: tuple[float, ...] = ()
    diagnostics: Mapping[str, float] = field(default_factory=dict)
    cost: Mapping[str, float] = field(default_factory=dict)


def select(
    sampler: str | Sampler,
    parts: Sequence[Arrays],
    *,
    size: int,
    params: Mapping[str, Any] | None = None,
    executor: str | None = None,
    executor_params: Mapping[str, Any] | None = None,
    task: Task | str = Task.CLASSIFICATION,
    classes: Sequence[str] = (),
    seed: int = 0,
    cycle: int = 0,
    cycles: int = 1,
) -> Choice:
    """Have a sampler choose from a pool in parts.

    What this process holds does not grow with the pool. Parts are in the order of the pool.

    Args:
        sampler: the name of an installed one, or an object.
        parts: the features of the pool.
        size: samples to choose.
        params: of the named sampler.
        executor: the name of an installed one, whose workers hold a part each; None for this process.
        executor_params: its parameters, as after `-x`.
        task: classification or regression.
        classes: their names, for a sampler that reads them.
        seed: of what the sampler draws.
        cycle: number of this query.
        cycles: how many there will be.

    Raises:
        SamplerError: the sampler cannot choose from a pool in parts, or not from these features.
        SpecError: a name or a parameter is wrong.
        RunError: the executor has no workers, or one of them was lost.

    >>> import torch
    >>> from alharness.pools import Arrays, select
    >>> near, far = torch.tensor([[0.0], [1.0]]), torch.tensor([[4.0], [9.0]])
    >>> labeled = Arrays(embeddings=near[:1])
    >>> parts = [Arrays(embeddings=x, labeled=labeled) for x in (near, far)]
    >>> chosen = select("coreset", parts, size=2)
    >>> chosen.positions, chosen.diagnostics["radius"]
    ((3, 2), 1.0)
    """
    from alharness import registry
    from alharness.engine.parts import PartWorker, Request, ids_of, select_in_parts
    from alharness.spec.executor import choose, choose_executor

    _require_sense(parts, size=size, seed=seed, task=task)
    installed = registry.load()
    features = frozenset(Feature)
    who = type(sampler).__name__
    used: tuple[str, ...] = ()
    if isinstance(sampler, str):
        chosen = choose(installed.sampler(sampler), params, f"sampler {sampler}")
        used = (chosen.registered.distribution,)
        if task not in chosen.plugin.tasks:
            raise SamplerError(f"{sampler} does not serve {task}")
        who, features, sampler = sampler, chosen.plugin.features(chosen.params), chosen.plugin.make(chosen.params)
    elif params:
        raise SpecError("params: are for a sampler that is named; this one has been made")
    request = Request(
        sampler=sampler,
        size=size,
        features=features,
        task=Task(task),
        cycle=cycle,
        cycles=cycles,
        seed=seed,
        who=who,
        classes=tuple(classes),
    )
    makes = [partial(PartWorker, part.open) for part in parts]
    if executor is None and executor_params:
        raise SpecError("executor_params: there is no executor that they are for; name one")
    place = None if executor is None else choose_executor(executor, executor_params, installed)
    with held(place, makes, used) as workers:
        answer = select_in_parts(request, workers)
        ids = ids_of(answer.positions, workers)
    return Choice(
        positions=answer.positions,
        ids=ids,
        scores=answer.scores,
        diagnostics=answer.diagnostics,
        cost=answer.cost,
    )


def _require_sense(parts: Any, *, size: Any, seed: Any, task: Any) -> None:
    """Raise SpecError for an argument of `select` that is something else than it must be."""
    if not isinstance(parts, Sequence) or not all(isinstance(part, Arrays) for part in parts):
        raise SpecError("parts: expected a list of Arrays, one for each part of the pool")
    if not parts:
        raise SpecError("parts: a pool has at least one part")
    for name, value in {"size": size, "seed": seed}.items():
        if type(value) is bool or not isinstance(value, Integral) or int(value) < 0:
            raise SpecError(f"{name}: expected a whole number, 0 or more, and not {value!r}")
    if task not in list(Task):
        raise SpecError(f"task: expected {' or '.join(Task)}, and not {task!r}")


@contextmanager
def held(
    executor: Chosen[ExecutorPlugin] | None,
    makes: Sequence[Callable[[], PartWorker]],
    distributions: Collection[str] = (),
) -> Iterator[Held]:
    """Workers that hold these parts; of an executor, or in this process.

    Args:
        executor: which; None for this process.
        makes: makes the worker of a part.
        distributions: of the plugins that workers use, whose versions must be the same there.
    """
    from alharness.engine.parts import HeldHere

    if executor is None:
        yield HeldHere(makes)
        return
    from alharness.api.batch import BatchPlugin
    from alharness.api.executor import ExecutorContext
    from alharness.registry.sending import pack
    from alharness.runs.executors import make_executor, who
    from alharness.runs.parcel import needed_with

    if isinstance(executor.plugin, BatchPlugin):
        raise SpecError(
            f"{who(executor)} makes jobs, which cannot hold a pool in parts; another one can, such as ray"
        )
    with TemporaryDirectory(prefix="alharness-") as folder:
        context = ExecutorContext(folder=Path(folder), warn=_warn, jobs=len(makes))
        with make_executor(executor, context) as workers:
            there = needed_with(distributions)
            yield workers.hold([partial(_compared, pack(make), there) for make in makes])


def _compared(content: bytes, there: Mapping[str, str]) -> PartWorker:
    """The worker of a part, in its process; nothing of it is unpickled before versions were compared."""
    import pickle
    import socket

    from alharness.runs.parcel import differences, versions

    if different := differences(there, versions(there)):
        raise RunError(
            f"{socket.gethostname()} has {', '.join(different)}; the same versions are needed on every machine"
        )
    make: Callable[[], PartWorker] = pickle.loads(content)  # noqa: S301 - of the process that sent this
    return make()


def _warn(text: str) -> None:
    import warnings

    from alharness.errors import HarnessWarning

    warnings.warn(text, HarnessWarning, stacklevel=3)


class _ArrayRows:
    """Features in files, as rows of a part."""

    def __init__(self, arrays: Arrays) -> None:
        import torch

        self.device: torch.device = torch.device("cpu")
        self.unlabeled = _ArrayView(arrays)
        self.labeled = _ArrayView(arrays.labeled or Arrays())
        for name, width in self.labeled.widths.items():
            if (other := self.unlabeled.widths.get(name)) not in (None, width):
                raise DataError(
                    f"{name[0].value} of {name[1]!r} have {other} columns, "
                    f"and those of the labeled samples {width}"
                )
        self.modalities: tuple[str, ...] = tuple({**arrays.representations, **arrays.inputs})
        self._ids = None if arrays.ids is None else Path(arrays.ids).read_text().splitlines()
        if self._ids is not None and len(self._ids) != len(self.unlabeled):
            raise DataError(f"{arrays.ids}: {len(self._ids)} ids for {len(self.unlabeled)} samples")

    def __len__(self) -> int:
        return len(self.unlabeled)

    @property
    def layout(self) -> Mapping[str, str]:
        return self.unlabeled.layout

    def ids(self, rows: Sequence[int], start: int) -> tuple[str, ...]:
        return tuple(str(start + row) if self._ids is None else self._ids[row] for row in rows)

    def views(self, request: Request, clock: Clock, start: int) -> Mapping[str, Any]:  # noqa: ARG002 - files alone
        return {
            "unlabeled": self.unlabeled,
            "labeled": self.labeled,
            "decode": _no_model,
            "embed": _no_model,
        }


class _ArrayView:
    """A view of features in files."""

    def __init__(self, arrays: Arrays) -> None:
        given = {
            Feature.EMBEDDINGS: _by_source(arrays.embeddings),
            Feature.PREDICTIONS: _by_source(arrays.predictions),
            Feature.REPRESENTATIONS: arrays.representations,
            Feature.INPUTS: arrays.inputs,
        }
        self._tensors = {
            (feature, source): _opened(x, f"{feature.value} of {source!r}")
            for feature, sources in given.items()
            for source, x in sources.items()
        }
        lengths = {f"{feature.value} of {source!r}": len(x) for (feature, source), x in self._tensors.items()}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{name}: {length}" for name, length in lengths.items())
            raise DataError(f"a part's features have different numbers of rows: {told}")
        self._length = next(iter(lengths.values()), 0)
        self.widths = {name: x.shape[1] for name, x in self._tensors.items()}

    @property
    def layout(self) -> Mapping[str, str]:
        """Name -> what it is, in words."""
        return {
            f"{feature.value} of {source!r}": f"{feature.value} of {source!r} with {width} columns"
            for (feature, source), width in self.widths.items()
        }

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(map(str, range(len(self))))

    def __len__(self) -> int:
        return self._length

    def embeddings(self, source: str = FUSED) -> Tensor:
        return self._read(Feature.EMBEDDINGS, source)

    def representations(self, modality: str) -> Tensor:
        return self._read(Feature.REPRESENTATIONS, modality)

    def context(self) -> dict[str, Tensor]:
        return {}

    def predictions(self, source: str = FUSED) -> Tensor:
        return self._read(Feature.PREDICTIONS, source)

    def mc_draws(self, draws: int, source: str = FUSED) -> Iterator[Tensor]:  # noqa: ARG002 - there are none
        raise SamplerError("it needs draws under dropout, and these files hold no model that could make them")

    def inputs(self, modality: str) -> Tensor:
        return self._read(Feature.INPUTS, modality)

    def present(self, modality: str) -> Tensor:  # noqa: ARG002 - files hold all rows
        import torch

        return torch.ones(len(self), dtype=torch.bool)

    def truth(self, name: str) -> Tensor:
        raise SamplerError(f"it asked for the truth {name!r}, which these files do not hold")

    def targets(self, source: str = FUSED) -> Tensor:
        raise LabelLeak(f"it asked for labels of {source}, which these files do not hold")

    def bought(self) -> Tensor:
        raise SamplerError("it asked when samples were bought, which these files do not hold")

    def _read(self, feature: Feature, source: str) -> Tensor:
        if (feature, source) not in self._tensors:
            raise SamplerError(f"it needs {feature.value} of {source!r}; give their files to Arrays")
        return self._tensors[feature, source]


def _by_source(sources: Source | Mapping[str, Source] | None) -> Mapping[str, Source]:
    if sources is None:
        return {}
    return {FUSED: sources} if not hasattr(sources, "items") else sources  # type: ignore[return-value]


def _opened(source: Source, name: str) -> Tensor:
    import numpy as np
    import torch

    if isinstance(source, torch.Tensor):
        found = source
    else:
        try:
            # Copy on write: torch takes it as it is, all processes read one copy, and none writes to the file.
            array = np.load(source, mmap_mode="c", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            reason = getattr(error, "strerror", None) or "it is no array that numpy.save has written"
            raise DataError(f"{source}: {name} cannot be read: {reason}") from error
        if not isinstance(array, np.ndarray) or array.dtype not in (np.float16, np.float32, np.float64):
            kind = getattr(array, "dtype", "several arrays")
            raise DataError(f"{source}: {name} must be float16, float32 or float64 numbers, and are {kind}")
        found = torch.from_numpy(array)
    if not found.is_floating_point():
        raise DataError(f"{name}: must be float16, float32 or float64 numbers, and are {found.dtype}")
    if found.dim() != 2:
        raise DataError(f"{name}: expected a row per sample, (n, d), and it has shape {tuple(found.shape)}")
    return found


def _no_model(*_: Any, **__: Any) -> Any:
    raise SamplerError("it needs the model's heads, and these files hold none")
