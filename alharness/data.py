"""Samples, their splits, and the data set they come from: plain numpy, checked once when they are made."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

from .errors import DataError
from .rows import Rows
from .split import FRACTIONS, split_sizes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy as np

    from .features import Scoring, Task

    Array = np.ndarray[Any, Any]

PIECE = 2**20
"""Numbers that are looked at together: 4 MiB of float32."""

Pooling = Literal["mean", "first"]
"""How a sequence becomes one vector: the mean over its valid steps, or its first one (the CLS token of a text)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Inputs:
    """What a model sees of n samples. Holds no labels, so that whoever gets it cannot look them up.

    Attributes:
        ids: n distinct strings.
        arrays: modality -> (n, d) or, for a sequence, (n, t, d), float32; may be memory-mapped, and may be `Rows`
            of an array that holds more than these samples.
        lengths: modality -> (n,) number of valid steps of a sequence; a sequence without an entry is full.
        pooling: modality -> how `pooled` makes a vector of its sequence; `mean` without an entry.
    """

    ids: tuple[str, ...]
    arrays: Mapping[str, Array | Rows]
    lengths: Mapping[str, Array] = field(default_factory=dict)
    pooling: Mapping[str, Pooling] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise DataError where rows, ids or lengths do not belong together."""
        if len(set(self.ids)) != len(self.ids):
            seen: set[str] = set()
            twice = next(i for i in self.ids if i in seen or seen.add(i))  # type: ignore[func-returns-value]
            raise DataError(f"the id {twice!r} stands for more than one sample; ids must be distinct")
        for modality, array in self.arrays.items():
            if array.ndim not in (2, 3) or len(array) != len(self.ids):
                raise DataError(
                    f"{modality}: expected shape ({len(self.ids)}, d) or ({len(self.ids)}, t, d), "
                    f"one row per sample, but it is {array.shape}"
                )
        for modality, lengths in self.lengths.items():
            steps = self.arrays[modality].shape[1]
            if self.arrays[modality].ndim != 3 or lengths.shape != (len(self.ids),):
                raise DataError(f"{modality}: lengths need a sequence (n, t, d) and one number per sample")
            if len(lengths) and not (lengths.min() >= 0 and lengths.max() <= steps):
                raise DataError(
                    f"{modality}: lengths must lie within 0 and {steps}, "
                    f"but they reach from {lengths.min()} to {lengths.max()}"
                )
        for modality, pooling in self.pooling.items():
            if modality not in self.arrays or pooling not in get_args(Pooling):
                raise DataError(f"{modality}: pooling is for a modality that there is, and one of mean and first")

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the modalities, in the data set's order."""
        return tuple(self.arrays)

    def take(self, positions: Array) -> Inputs:
        """The rows at these positions, in this order (copied)."""
        return Inputs(
            ids=tuple(self.ids[i] for i in positions),
            arrays={m: a[positions] for m, a in self.arrays.items()},
            lengths={m: v[positions] for m, v in self.lengths.items()},
            pooling=self.pooling,
        )

    def subset(self, positions: Array) -> Inputs:
        """The same as `take`, but what the arrays hold is not copied: it is read when a row is asked for."""
        return Inputs(
            ids=tuple(self.ids[i] for i in positions),
            arrays={m: Rows.of(a, positions) for m, a in self.arrays.items()},
            lengths={m: v[positions] for m, v in self.lengths.items()},
            pooling=self.pooling,
        )

    def pooled(self) -> Inputs:
        """Sequences replaced by one vector each, (n, d) float32; see `pool`."""

        def vectors(modality: str, array: Array | Rows) -> Array | Rows:
            if array.ndim == 2:
                return array
            return pool(array, self.lengths.get(modality), self.pooling.get(modality, "mean"))

        return Inputs(ids=self.ids, arrays={m: vectors(m, a) for m, a in self.arrays.items()})


def pool(array: Array | Rows, lengths: Array | None, pooling: Pooling) -> Array:
    """One vector per sequence, (n, d) float32, from (n, t, d); (n,) lengths, None where all are full.

    The mean runs over the valid steps, in float64; length 0 counts as 1.
    """
    import numpy as np

    if pooling == "first":
        return np.array(array[:, 0], np.float32)
    full = np.full(len(array), array.shape[1])
    out = np.empty((len(array), array.shape[2]), np.float32)
    for row, length in enumerate(np.maximum(full if lengths is None else lengths, 1)):
        # Row by row: a memory-mapped array stays on disk.
        out[row] = array[row, :length].mean(axis=0, dtype=np.float64)
    return out


@dataclass(frozen=True, kw_only=True, eq=False)
class Samples:
    """Inputs together with their labels.

    Attributes:
        inputs: what a model sees.
        labels: (n,) int64 class indices, or float32 targets.
        unimodal_labels: modality -> (n,) labels of that modality alone; without an entry the fused one serves.
    """

    inputs: Inputs
    labels: Array
    unimodal_labels: Mapping[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise DataError where the number of labels is not the number of samples."""
        for name, labels in {"labels": self.labels, **self.unimodal_labels}.items():
            if labels.shape != (len(self.inputs),):
                raise DataError(f"{name}: expected {len(self.inputs)} labels, but the shape is {labels.shape}")

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def ids(self) -> tuple[str, ...]:
        """The samples' ids."""
        return self.inputs.ids

    def take(self, positions: Array) -> Samples:
        """The rows at these positions, in this order (copied)."""
        return Samples(
            inputs=self.inputs.take(positions),
            labels=self.labels[positions],
            unimodal_labels={m: v[positions] for m, v in self.unimodal_labels.items()},
        )

    def subset(self, positions: Array) -> Samples:
        """The same as `take`, but what the inputs hold is not copied: it is read when a row is asked for."""
        return Samples(
            inputs=self.inputs.subset(positions),
            labels=self.labels[positions],
            unimodal_labels={m: v[positions] for m, v in self.unimodal_labels.items()},
        )

    def pooled(self) -> Samples:
        """The same samples with every sequence replaced by one vector."""
        return replace(self, inputs=self.inputs.pooled())

    def sorted(self) -> Samples:
        """Rows in the order of their ids, so that no result depends on the order of a file."""
        import numpy as np

        order = sorted(range(len(self)), key=self.ids.__getitem__)
        return self if order == list(range(len(self))) else self.subset(np.array(order))


@dataclass(frozen=True, kw_only=True, eq=False)
class Splits:
    """Train is the pool; valid serves early stopping; test is only ever evaluated."""

    train: Samples
    valid: Samples
    test: Samples


CONTRADICTION = 0.5
"""Targets of modalities that are further apart contradict each other; classes do where they differ."""


def contradict(labels: Sequence[Array]) -> Array:
    """Which of n samples have labels of their modalities, (n,) each, that contradict each other: (n,) bool."""
    import numpy as np

    stacked = np.array(labels)
    found: Array = np.ptp(stacked, axis=0) > CONTRADICTION + 1e-6  # 0.2 - -0.3 is not more than 0.5
    return found


Content = Samples | Splits


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """What a data set plugin makes.

    Attributes:
        task: classification or regression.
        content: `Splits` where the data set comes with its own; `Samples` where every seed draws its split. A
            function that returns one of them is called when the content is first needed, and only then.
        classes: names of the classes, in the order of the label indices; empty for regression.
        fractions: train, validation and test shares of the drawn split.
        synthetic: made-up data; every page and every run says so.
        pooled_content: the same with every sequence pooled already, or a function that returns it, so that
            models which take vectors never touch the sequences.
        stored_digest: stands for `digest` where the data is known by the checksums of its files.
        remarks: what was mended or left out when the data was imported; `alharness data describe` shows it.
        scoring: the metrics that its predictions are scored by; None for those of the task.
    """

    task: Task
    content: Content | Callable[[], Content]
    classes: tuple[str, ...] = ()
    fractions: tuple[float, float, float] = FRACTIONS
    synthetic: bool = False
    pooled_content: Content | Callable[[], Content] | None = None
    stored_digest: str = ""
    remarks: tuple[str, ...] = ()
    scoring: Scoring | None = None

    def __post_init__(self) -> None:
        """Raise DataError where the scoring is one of another task."""
        if self.scoring is not None and self.scoring.task != self.task:
            raise DataError(
                f"the scoring {self.scoring} is one of {self.scoring.task}, but the task is {self.task}"
            )

    @cached_property
    def loaded(self) -> Content:
        """The content itself."""
        return self.content() if callable(self.content) else self.content

    @property
    def parts(self) -> dict[str, Samples]:
        """The stored parts by name: train, valid and test, or `all`."""
        return _parts(self.loaded)

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the modalities, in the data set's order."""
        content = self.loaded if self.pooled_content is None else self.pooled().loaded
        return next(iter(_parts(content).values())).inputs.modalities

    @cached_property
    def digest(self) -> str:
        """sha256 over all that a run depends on: task, scoring, classes, ids, inputs, lengths, labels, split."""
        import numpy as np

        if self.stored_digest:
            return self.stored_digest

        sha = hashlib.sha256(f"{self.task} {self.scoring} {self.classes} {self.fractions}".encode())
        for part, samples in self.parts.items():
            arrays = {f"x {m}": a for m, a in samples.inputs.arrays.items()}
            arrays |= {f"n {m}": a for m, a in samples.inputs.lengths.items()}
            if samples.inputs.pooling:
                sha.update(f"{sorted(samples.inputs.pooling.items())}".encode())
            arrays |= {"y": samples.labels} | {f"y {m}": a for m, a in samples.unimodal_labels.items()}
            sha.update(f"{part} {samples.ids}".encode())
            for name, array in arrays.items():
                sha.update(f"{name} {array.dtype.str} {array.shape}".encode())
                for piece in _pieces(array):
                    sha.update(np.ascontiguousarray(piece).view(np.uint8).data)
        return sha.hexdigest()

    def pooled(self) -> Dataset:
        """The same data set with every sequence replaced by one vector."""
        return self._pooled

    @cached_property
    def _pooled(self) -> Dataset:
        pooled = self.pooled_content if self.pooled_content is not None else _pooled(self.loaded)
        # Its digest is that of its own arrays: it is not the data set that was stored.
        return replace(self, content=pooled, pooled_content=None, stored_digest="")

    def split(self, rng: np.random.Generator) -> Splits:
        """The data set's own split, or one drawn with `rng`; rows in the order of their ids.

        Inputs are those of the data set, not copied: every seed, and every process, reads the same arrays.
        """
        import numpy as np

        content = self.loaded
        if isinstance(content, Splits):
            return Splits(**{name: part.sorted() for name, part in _parts(content).items()})
        samples = content.sorted()
        train, valid, _ = split_sizes(len(samples), self.fractions)
        order = rng.permutation(len(samples))
        parts = order[:train], order[train : train + valid], order[train + valid :]
        drawn = [samples.subset(np.sort(part)) for part in parts]
        return Splits(train=drawn[0], valid=drawn[1], test=drawn[2])


def _pieces(array: Array | Rows) -> Iterator[Array]:
    """Some rows at a time: the array may be larger than memory."""
    step = max(1, PIECE * len(array) // max(1, math.prod(array.shape)))
    return (array[start : start + step] for start in range(0, len(array), step))


def _parts(content: Content) -> dict[str, Samples]:
    if isinstance(content, Splits):
        return {"train": content.train, "valid": content.valid, "test": content.test}
    return {"all": content}


def _pooled(content: Content) -> Content:
    if isinstance(content, Samples):
        return content.pooled()
    return Splits(**{name: part.pooled() for name, part in _parts(content).items()})
