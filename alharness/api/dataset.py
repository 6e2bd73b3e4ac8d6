"""The contract of a data set: its samples, how they are split, what it is known by, and how it is registered."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from alharness.errors import DataError

from .make import Make
from .vocabulary import Task  # noqa: TC001 - read when a plan comes back from JSON

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from .metrics import Metrics
    from .params import Params
    from .samples import Inputs, Samples, Splits

    Content = Samples | Splits

FRACTIONS = (0.6, 0.1, 0.3)
"""Train, validation and test shares."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """What a data set plugin makes.

    Attributes:
        task: classification or regression.
        content: `Splits` if the data set comes with its own; `Samples` if every seed draws its split. A
            function that returns one of them is called when the content is first needed, and only then.
        classes: names of the classes, in the order of the label indices; empty for regression.
        fractions: train, validation and test shares of the drawn split.
        stretch: so many samples that are next to each other, in the order of their ids, stay together in the drawn
            split: in a time series, neighbours are alike. The number of samples is a multiple of it.
        synthetic: made-up data; every page and every run says so.
        pooled_content: the same with every sequence pooled already, or a function that returns it, so that
            models which take vectors never touch the sequences.
        stored_digest: replaces `digest` if the data is known by the checksums of its files.
        remarks: what was corrected or left out when the data was imported; `alharness data describe` shows it.
        metrics: what is measured on its samples; None for the metrics of the task.
        unlabeled: samples without a label, which are in no part; None if there are none. A benchmark leaves them
            out, as nothing knows their labels: they are what a labeling project chooses from.

    >>> import numpy as np
    >>> from alharness import Dataset, Inputs, Samples, Task
    >>> inputs = Inputs(ids=tuple("abcdefghij"), arrays={"text": np.zeros((10, 4), np.float32)})
    >>> content = Samples(inputs=inputs, labels=np.arange(10) % 2)
    >>> dataset = Dataset(task=Task.CLASSIFICATION, content=content, classes=("no", "yes"))
    >>> dataset.modalities, len(dataset.split(np.random.default_rng(0)).train)
    (('text',), 6)
    """

    task: Task
    content: Content | Callable[[], Content]
    classes: tuple[str, ...] = ()
    fractions: tuple[float, float, float] = FRACTIONS
    stretch: int = 1
    synthetic: bool = False
    pooled_content: Content | Callable[[], Content] | None = None
    stored_digest: str = ""
    remarks: tuple[str, ...] = ()
    metrics: Metrics | None = None
    unlabeled: Inputs | None = None

    def __post_init__(self) -> None:
        """Raise DataError for metrics of another task, and for what is no `Metrics`."""
        if self.metrics is None:
            return
        from .metrics import Metrics  # here and below: a command that makes no data set starts without these

        if not isinstance(self.metrics, Metrics):
            raise DataError(f"metrics is {self.metrics!r:.100}, expected None or alharness.Metrics")
        if self.metrics.task != self.task:
            raise DataError(
                f"the metrics {self.metrics.name!r} are for {self.metrics.task}, but the task is {self.task}"
            )

    @property
    def measured_by(self) -> Metrics:
        """Its metrics, or those of the task."""
        from .metrics import metrics_of

        return self.metrics or metrics_of(self.task)

    @cached_property
    def loaded(self) -> Content:
        """The content itself."""
        return self.content() if callable(self.content) else self.content

    @property
    def parts(self) -> dict[str, Samples]:
        """The stored parts by name. The names are train, valid and test, or `all`."""
        return self.loaded.parts

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the modalities, in the data set's order."""
        return self._example.inputs.modalities

    @property
    def incomplete(self) -> tuple[str, ...]:
        """The modalities that some samples may lack, in the data set's order."""
        return self._example.inputs.incomplete

    @property
    def truth(self) -> tuple[str, ...]:
        """Names of what is known of every sample; empty unless it is made-up data that comes with its truth."""
        return tuple(self._example.truth)

    @property
    def _example(self) -> Samples:
        """A part, perhaps without its sequences."""
        content = self.loaded if self.pooled_content is None else self.pooled().loaded
        return next(iter(content.parts.values()))

    @cached_property
    def digest(self) -> str:
        """sha256 of everything that a run depends on.

        Task, metrics, classes, ids, inputs, lengths, what is present, labels, truth and split.
        """
        if self.stored_digest:
            return self.stored_digest
        import numpy as np

        from .rows import pieces

        metrics = self.metrics.name if self.metrics else None
        sha = hashlib.sha256(f"{self.task} {metrics} {self.classes} {self.fractions}".encode())
        if self.stretch != 1:
            sha.update(f"stretch {self.stretch}".encode())
        for part, samples in self.parts.items():
            arrays = {f"x {m}": a for m, a in samples.inputs.arrays.items()}
            arrays |= {f"n {m}": a for m, a in samples.inputs.lengths.items()}
            if samples.inputs.pooling:
                sha.update(f"{sorted(samples.inputs.pooling.items())}".encode())
            arrays |= {"y": samples.labels} | {f"y {m}": a for m, a in samples.unimodal_labels.items()}
            arrays |= {f"p {m}": a for m, a in samples.inputs.present.items()}
            arrays |= {f"t {name}": a for name, a in samples.truth.items()}
            sha.update(f"{part} {samples.ids}".encode())
            for name, array in arrays.items():
                sha.update(f"{name} {array.dtype.str} {array.shape}".encode())
                for piece in pieces(array):
                    sha.update(np.ascontiguousarray(array[piece]).view(np.uint8).data)
        return sha.hexdigest()

    def pooled(self) -> Dataset:
        """The same data set with every sequence replaced by one vector."""
        return self._pooled

    @cached_property
    def _pooled(self) -> Dataset:
        pooled = self.pooled_content if self.pooled_content is not None else self.loaded.pooled()
        # Its digest is that of its own arrays: it is not the data set that was stored.
        unlabeled = None if self.unlabeled is None else self.unlabeled.pooled()
        return replace(self, content=pooled, pooled_content=None, stored_digest="", unlabeled=unlabeled)

    def split(self, rng: np.random.Generator) -> Splits:
        """The data set's own split, or one drawn with `rng`; rows in the order of their ids.

        Inputs are those of the data set, not copied: every seed, and every process, reads the same arrays.
        """
        import numpy as np

        from .samples import Splits

        content = self.loaded
        if isinstance(content, Splits):
            return Splits(**{name: part.sorted() for name, part in content.parts.items()})
        samples = content.sorted()
        train, valid, _ = split_sizes(len(samples), self.fractions, self.stretch)
        stretches = np.arange(len(samples)).reshape(-1, self.stretch)
        order = rng.permutation(stretches).ravel()
        parts = order[:train], order[train : train + valid], order[train + valid :]
        drawn = [samples.subset(np.sort(part)) for part in parts]
        return Splits(train=drawn[0], valid=drawn[1], test=drawn[2])


def split_sizes(
    n: int, fractions: tuple[float, float, float] = FRACTIONS, stretch: int = 1
) -> tuple[int, int, int]:
    """Sizes of train, valid and test when n samples are split by these shares, in stretches.

    Raises:
        DataError: n is no multiple of the stretch.

    >>> from alharness.api.dataset import split_sizes
    >>> split_sizes(1000)
    (600, 100, 300)
    """
    if stretch < 1 or n % stretch:
        raise DataError(
            f"{n} samples cannot be split in stretches of {stretch}; leave some out or change the stretch"
        )
    train, valid = (round(n // stretch * share) * stretch for share in fractions[:2])
    return train, valid, n - train - valid


def split_in_order(samples: Samples, order: np.ndarray[Any, Any]) -> Splits:
    """The first 60 % in this order to be labeled, the next 10 % for validation, the last 30 % for the test.

    Args:
        samples: n samples.
        order: (n,) each position once, such as by time; within a part, samples stay as they were.

    >>> import numpy as np
    >>> from alharness import Inputs, Samples
    >>> from alharness.api.dataset import split_in_order
    >>> inputs = Inputs(ids=tuple("abcdefghij"), arrays={"text": np.zeros((10, 4), np.float32)})
    >>> samples = Samples(inputs=inputs, labels=np.zeros(10, np.float32))
    >>> split_in_order(samples, np.arange(10)).test.ids
    ('h', 'i', 'j')
    """
    import numpy as np

    from .samples import Splits

    train, valid, _ = split_sizes(len(samples))
    parts = np.split(order, [train, train + valid])
    first, next_, last = (samples.subset(np.sort(rows)) for rows in parts)
    return Splits(train=first, valid=next_, test=last)


@dataclass(frozen=True, kw_only=True)
class DatasetFacts:
    """What is known of a data set before it is loaded.

    Attributes:
        task: classification or regression.
        modalities: their names.
        sizes: samples in train, valid and test.
        synthetic: made-up data; every page and every run says so.
        incomplete: the modalities that some samples may lack. Only models that understand this are run on it.
        truth: names of what is known of every sample of made-up data; see `Samples.truth`.
        warnings: what is allowed, but perhaps not meant; `alharness check` and `alharness run` show it.
        unlabeled: samples without a label, which are in none of the parts; see `Dataset.unlabeled`.

    >>> from alharness import DatasetFacts, Task
    >>> facts = DatasetFacts(task=Task.REGRESSION, modalities=("audio", "text"), sizes=(600, 100, 300))
    >>> facts.sizes[0]
    600
    """

    task: Task
    modalities: tuple[str, ...]
    sizes: tuple[int, int, int]
    synthetic: bool = False
    incomplete: tuple[str, ...] = ()
    truth: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    unlabeled: int = 0

    @property
    def stand_in(self) -> bool:
        """Whether the data are made up in place of real ones. Those with known truth are meant to be made up."""
        return self.synthetic and not self.truth


@dataclass(frozen=True, kw_only=True)
class DatasetPlugin:
    """A data set as the registry knows it.

    Attributes:
        name: the name in a spec.
        params: model of its parameters.
        inspect: params -> DatasetFacts; quick and without heavy imports; raises DataError if files are
            missing, saying how to get them.
        make: params -> Dataset: a function, or `module:name` of one, which is imported when it is first used.
        fetch: for data that must be converted once: `alharness data import <name>` calls it with the user's
            file or folder (None if it is to be downloaded) and an empty folder, which becomes the data set
            only when it returns. It returns lines to show.
        options: parameters of the import (`alharness data import <name> --set key=value`), if it has any;
            `fetch` then gets them as its third argument.
        verify: params -> lines to show; compares everything that is stored with its checksums, for
            `alharness data describe <name> --verify`. Raises DataError if something is damaged.
        summary: one line for `alharness plugins`.
        reference: the paper to cite.
        license: the terms it comes under.
        formerly: the distribution that offered it under the same name before. Runs know it by that, so that they
            can be continued.

    >>> from alharness import DatasetFacts, DatasetPlugin, Params, Task
    >>> def inspect(params):
    ...     return DatasetFacts(task=Task.REGRESSION, modalities=("audio", "text"), sizes=(600, 100, 300))
    >>> def make(params):
    ...     from my_calls.reader import read  # imported when it is used
    ...
    ...     return read()
    >>> DatasetPlugin(name="calls", params=Params, inspect=inspect, make=make).inspect(Params()).modalities
    ('audio', 'text')
    """

    name: str
    params: type[Params]
    inspect: Callable[[Any], DatasetFacts]
    make: Make[Callable[[Any], Dataset]] = Make("data set")  # noqa: RUF009
    fetch: Callable[..., list[str]] | None = None
    options: type[Params] | None = None
    verify: Callable[[Any], list[str]] | None = None
    summary: str = ""
    reference: str = ""
    license: str = ""
    formerly: str = ""
