"""Samples: what models see of them, and their labels. Plain numpy, checked once when they are made."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, get_args

from alharness.errors import DataError

from .importing import Pooling, pool
from .rows import Rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Inputs:
    """What a model sees of n samples. It holds no labels, so a reader of it cannot look them up.

    Attributes:
        ids: n distinct strings.
        arrays: modality -> (n, d) or, for a sequence, (n, t, d), float32; may be memory-mapped, and may be `Rows`
            of an array that holds more than these samples, or that is stored in half precision.
        lengths: modality -> (n,) number of valid steps of a sequence; a sequence without an entry is full.
        pooling: modality -> how `pooled` makes a vector of its sequence; `mean` without an entry.
        present: modality -> (n,) bool, which samples have it, for the modalities that some samples may lack;
            without an entry, all have it. The inputs of a modality that a sample lacks are zeros.

    >>> import numpy as np
    >>> from alharness import Inputs
    >>> audio = np.zeros((2, 10, 8), np.float32)  # a sequence: 10 steps of 8 numbers
    >>> inputs = Inputs(ids=("a", "b"), arrays={"audio": audio}, lengths={"audio": np.array([4, 10])})
    >>> inputs.modalities, inputs.pooled().arrays["audio"].shape
    (('audio',), (2, 8))
    """

    ids: tuple[str, ...]
    arrays: Mapping[str, Array | Rows]
    lengths: Mapping[str, Array] = field(default_factory=dict)
    pooling: Mapping[str, Pooling] = field(default_factory=dict)
    present: Mapping[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise DataError if rows, ids, lengths or what is present do not fit together."""
        if len(set(self.ids)) != len(self.ids):
            seen: set[str] = set()
            twice = next(i for i in self.ids if i in seen or seen.add(i))  # type: ignore[func-returns-value]
            raise DataError(f"the id {twice!r} belongs to more than one sample; ids must be distinct")
        _require_arrays({**self.arrays, **{f"lengths of {m}": x for m, x in self.lengths.items()}})
        _require_arrays({f"present of {m}": x for m, x in self.present.items()})
        for modality, array in self.arrays.items():
            if array.ndim not in (2, 3) or len(array) != len(self.ids):
                raise DataError(
                    f"{modality}: expected shape ({len(self.ids)}, d) or ({len(self.ids)}, t, d), "
                    f"one row per sample, but it is {array.shape}"
                )
        for modality, lengths in self.lengths.items():
            if modality not in self.arrays:
                raise DataError(f"there are lengths of {modality!r}, which is no modality")
            steps = self.arrays[modality].shape[1]
            if self.arrays[modality].ndim != 3 or lengths.shape != (len(self.ids),):
                raise DataError(f"{modality}: lengths need a sequence (n, t, d) and one number per sample")
            if len(lengths) and not (lengths.min() >= 0 and lengths.max() <= steps):
                raise DataError(
                    f"{modality}: lengths must be between 0 and {steps}, "
                    f"but they reach from {lengths.min()} to {lengths.max()}"
                )
        for modality, pooling in self.pooling.items():
            if modality not in self.arrays or pooling not in get_args(Pooling):
                raise DataError(f"{modality}: pooling is for a modality that there is, and one of mean and first")
        for modality, present in self.present.items():
            if modality not in self.arrays:
                raise DataError(f"it is said which samples have {modality!r}, which is no modality")
            if present.shape != (len(self.ids),) or present.dtype != bool:
                raise DataError(
                    f"{modality}: present needs one bool per sample, ({len(self.ids)},), but it is "
                    f"{present.shape} of type {present.dtype}"
                )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the modalities, in the data set's order."""
        return tuple(self.arrays)

    @property
    def incomplete(self) -> tuple[str, ...]:
        """The modalities that some samples may lack, in the data set's order."""
        return tuple(m for m in self.arrays if m in self.present)

    def take(self, positions: Array) -> Inputs:
        """The rows at these positions, in this order (copied)."""
        return self._at(positions, {m: a[positions] for m, a in self.arrays.items()})

    def subset(self, positions: Array) -> Inputs:
        """The same, but what the arrays hold is not copied: it is read when a row is asked for."""
        return self._at(positions, {m: Rows.of(a, positions) for m, a in self.arrays.items()})

    def _at(self, positions: Array, arrays: Mapping[str, Array | Rows]) -> Inputs:
        return Inputs(
            ids=tuple(self.ids[i] for i in positions),
            arrays=arrays,
            lengths={m: v[positions] for m, v in self.lengths.items()},
            pooling=self.pooling,
            present={m: v[positions] for m, v in self.present.items()},
        )

    def pooled(self) -> Inputs:
        """Sequences replaced by one vector each, (n, d) float32; see `pool`."""

        def vectors(modality: str, array: Array | Rows) -> Array | Rows:
            if array.ndim == 2:
                return array
            return pool(array, self.lengths.get(modality), self.pooling.get(modality, "mean"))

        return Inputs(
            ids=self.ids, arrays={m: vectors(m, a) for m, a in self.arrays.items()}, present=self.present
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Samples:
    """Inputs together with their labels.

    Attributes:
        inputs: what a model sees.
        labels: (n,) int64 class indices, or float32 targets.
        unimodal_labels: modality -> (n,) labels of that modality alone; without an entry, the fused label is used.
        truth: of made-up data: name -> (n,) or (n, k) bool, int64 or float32, what is known of every sample, such
            as `outlier`; needed of the samples that may be bought alone. No model sees it, and no sampler but a
            control (`Feature.TRUTH`).

    >>> import numpy as np
    >>> from alharness import Inputs, Samples
    >>> text = np.arange(6, dtype=np.float32).reshape(3, 2)
    >>> samples = Samples(inputs=Inputs(ids=("a", "b", "c"), arrays={"text": text}), labels=np.array([0, 1, 0]))
    >>> samples.take(np.array([2, 0])).ids
    ('c', 'a')
    """

    inputs: Inputs
    labels: Array
    unimodal_labels: Mapping[str, Array] = field(default_factory=dict)
    truth: Mapping[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise DataError if the number of labels, or of what is known, is not the number of samples."""
        named = {"labels": self.labels, **self.unimodal_labels}
        _require_arrays(named)
        for name, labels in named.items():
            if labels.shape != (len(self.inputs),):
                raise DataError(f"{name}: expected {len(self.inputs)} labels, but the shape is {labels.shape}")
        _require_arrays({f"truth of {name}": known for name, known in self.truth.items()})
        for name, known in self.truth.items():
            if known.ndim not in (1, 2) or len(known) != len(self.inputs):
                raise DataError(
                    f"truth of {name}: expected a row for each of {len(self.inputs)} samples, but the shape is "
                    f"{known.shape}"
                )

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def ids(self) -> tuple[str, ...]:
        """The samples' ids."""
        return self.inputs.ids

    @property
    def parts(self) -> dict[str, Samples]:
        """All of them, as `all`: every seed draws its split."""
        return {"all": self}

    def take(self, positions: Array) -> Samples:
        """The rows at these positions, in this order (copied)."""
        return self._at(positions, self.inputs.take(positions))

    def subset(self, positions: Array) -> Samples:
        """The same, but what the inputs hold is not copied: it is read when a row is asked for."""
        return self._at(positions, self.inputs.subset(positions))

    def _at(self, positions: Array, inputs: Inputs) -> Samples:
        return Samples(
            inputs=inputs,
            labels=self.labels[positions],
            unimodal_labels={m: v[positions] for m, v in self.unimodal_labels.items()},
            truth={name: v[positions] for name, v in self.truth.items()},
        )

    def pooled(self) -> Samples:
        """The same samples with every sequence replaced by one vector."""
        return replace(self, inputs=self.inputs.pooled())

    def protect(self) -> None:
        """Have NumPy refuse to write to any array of these samples from now on."""
        for array in (
            *self.inputs.arrays.values(),
            *self.inputs.lengths.values(),
            *self.inputs.present.values(),
            self.labels,
            *self.unimodal_labels.values(),
            *self.truth.values(),
        ):
            (array.base if isinstance(array, Rows) else array).flags.writeable = False

    def sorted(self) -> Samples:
        """Rows in the order of their ids, so that no result depends on the order of a file."""
        import numpy as np

        order = sorted(range(len(self)), key=self.ids.__getitem__)
        return self if order == list(range(len(self))) else self.subset(np.array(order))


@dataclass(frozen=True, kw_only=True, eq=False)
class Splits:
    """Train is the pool; valid serves early stopping; test is only ever evaluated.

    >>> import numpy as np
    >>> from alharness import Inputs, Samples, Splits
    >>> def part(name, n):
    ...     inputs = Inputs(ids=tuple(f"{name}{i}" for i in range(n)), arrays={"x": np.zeros((n, 2), np.float32)})
    ...     return Samples(inputs=inputs, labels=np.zeros(n, np.int64))
    >>> len(Splits(train=part("a", 4), valid=part("b", 2), test=part("c", 3)).train)
    4
    """

    train: Samples
    valid: Samples
    test: Samples

    @property
    def parts(self) -> dict[str, Samples]:
        """The three of them, by name."""
        return {"train": self.train, "valid": self.valid, "test": self.test}

    def pooled(self) -> Splits:
        """The same samples with every sequence replaced by one vector."""
        return Splits(**{name: part.pooled() for name, part in self.parts.items()})


def _require_arrays(named: Mapping[str, Any]) -> None:
    for name, array in named.items():
        if not hasattr(array, "dtype") or not hasattr(array, "shape"):
            raise DataError(f"{name}: expected a NumPy array, but it is {type(array).__name__}")


CONTRADICTION = 0.5
"""Targets of modalities that are further apart contradict each other; classes do if they differ."""


def contradict(labels: Sequence[Array]) -> Array:
    """Which of n samples have labels of their modalities, (n,) each, that contradict each other: (n,) bool.

    >>> import numpy as np
    >>> from alharness.api.samples import contradict
    >>> contradict([np.array([0.0, 1.0]), np.array([0.4, -1.0])])
    array([False,  True])
    """
    import numpy as np

    stacked = np.array(labels)
    found: Array = np.ptp(stacked, axis=0) > CONTRADICTION + 1e-6  # 0.2 - -0.3 is not more than 0.5
    return found
