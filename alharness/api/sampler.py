"""The contract of a sampler: what it sees (Query, View), what it is (Sampler), how it is registered.

No heavy imports: a plugin module imports this without importing torch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from alharness.errors import SamplerError, SpecError
from alharness.text.words import did_you_mean

from .make import Make, ParamsClass
from .vocabulary import FUSED, Feature, Space, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import Tensor

    from .params import Params
    from .parts import Part, Parts

    Positions = Tensor | NDArray[Any] | Sequence[int]
    Features = frozenset[Feature] | set[Feature]


class View(Protocol):
    """One side of the pool, labeled or unlabeled, through the eyes of the model just trained.

    Everything is computed on first use, in batches, without gradients, and kept until the cycle ends.
    Rows are in the order of `ids`. Reading a feature that the sampler's plugin did not declare raises
    SamplerError. All tensors are on `query.device`.

    >>> import torch
    >>> from alharness.testing import TensorView
    >>> view = TensorView(embeddings=torch.ones(3, 5), targets=torch.tensor([0, 1, 1]))
    >>> view.embeddings().shape, view.targets()
    (torch.Size([3, 5]), tensor([0, 1, 1]))
    """

    @property
    def ids(self) -> tuple[str, ...]:
        """n ids, in canonical order."""
        ...

    def __len__(self) -> int: ...

    def embeddings(self, source: str = FUSED) -> Tensor:
        """(n, d) inputs of the last linear layer of that source's head."""
        ...

    def representations(self, modality: str) -> Tensor:
        """(n, d_u) encoder outputs z_u, which feed the modality's own head and the fusion."""
        ...

    def context(self) -> dict[str, Tensor]:
        """What the model encodes in addition to the representations, by name, (n, ...); empty for most models.

        `query.decode` needs it, of the same rows: `query.decode({**z, **query.unlabeled.context()})`.
        """
        ...

    def predictions(self, source: str = FUSED) -> Tensor:
        """(n, C) log-probabilities, or (n, 1) values in regression."""
        ...

    def mc_draws(self, draws: int, source: str = FUSED) -> Iterator[Tensor]:
        """`draws` predictions of the shape of `predictions`, each with fresh dropout masks, one at a time.

        Normalization layers stay in evaluation mode. Raises SamplerError if the model has no active dropout.
        """
        ...

    def inputs(self, modality: str) -> Tensor:
        """(n, d) what the data set has of that modality, a vector per sample, as it is: not standardized.

        A sequence is averaged over its steps, or whatever the data set says, as for a model that takes vectors.
        Zeros for samples that lack the modality.
        """
        ...

    def present(self, modality: str) -> Tensor:
        """(n,) bool, which samples have that modality. Needs no declaration."""
        ...

    def truth(self, name: str) -> Tensor:
        """(n,) or (n, k) what is known of these samples, by its name in `Samples.truth`; for controls alone."""
        ...

    def targets(self, source: str = FUSED) -> Tensor:
        """(n,) labels of the labeled view; on the unlabeled view it raises LabelLeak.

        Those of a modality are the fused ones if the data set has none of that modality alone.
        """
        ...

    def bought(self) -> Tensor:
        """(n,) int64: the cycle whose query bought each label of the labeled view, -1 for the initial pool.

        On the unlabeled view it raises SamplerError.
        """
        ...


class Embed(Protocol):
    """Heads and fusion up to the last layer: modality -> (n, d_u) in, (n, d) out.

    >>> import torch
    >>> from alharness.testing import TensorView, make_query
    >>> query = make_query(TensorView(n=1), embed=lambda z, source="fused": torch.cat(list(z.values()), dim=1))
    >>> query.embed({"audio": torch.ones(1, 2), "text": torch.zeros(1, 1)})
    tensor([[1., 1., 0.]])
    """

    def __call__(self, z: Mapping[str, Tensor], source: str = FUSED) -> Tensor:
        """Inputs of the last linear layer of that source's head."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Query:
    """A request for labels.

    Attributes:
        unlabeled: the samples to choose from; `select` returns positions into this view.
        labeled: the samples whose labels are known.
        size: how many to choose.
        cycle: 0-based number of this query.
        cycles: number of queries in the whole schedule.
        task: classification or regression.
        modalities: names of the modalities.
        classes: names of the classes, in the order of the columns of predictions; empty for regression.
        device: the device of all tensors.
        rng: this query's own generator, made from the seed and the cycle; the only randomness allowed.
        decode: heads and fusion only, modality -> (n, d_u) in, source -> (n, C) or (n, 1) out, as in
            `View.predictions`; differentiable, in evaluation mode. Rows of `View.context` go in with them.
        embed: `embed(z, source="fused")` gives the (n, d) inputs of the last linear layer of that source's head,
            as `View.embeddings`, but for any z, as `decode` takes it; without gradients.
        log: `log(name, value)` keeps a diagnostic of this cycle; it becomes the metric `al/<name>`.
        phase: `with query.phase("gradients"):` charges what happens inside to that part of the query time;
            views charge themselves to `inference`, and the rest is `selection`.

    >>> from alharness.testing import TensorView, make_query
    >>> query = make_query(TensorView(n=8), size=2)
    >>> query.rng.permutation(len(query.unlabeled))[: query.size].shape
    (2,)
    """

    unlabeled: View
    labeled: View
    size: int
    cycle: int
    cycles: int
    task: Task
    modalities: tuple[str, ...]
    classes: tuple[str, ...] = ()
    device: torch.device
    rng: np.random.Generator
    decode: Callable[[Mapping[str, Tensor]], dict[str, Tensor]]
    embed: Embed
    log: Callable[[str, float], None]
    phase: Callable[[str], AbstractContextManager[None]]

    def seed(self) -> int:
        """A fresh seed from `rng` for a library that brings its own generator, such as torch or scikit-learn."""
        return int(self.rng.integers(2**32))

    def points(self, space: Space) -> tuple[Tensor, Tensor]:
        """Labeled and unlabeled samples as points between which distances are measured, (m, d) and (n, d).

        `embeddings` are those of the fused source, as they are. Of `inputs`, the data set's own vectors, and of
        `representations`, all modalities are joined, and each weighs the same: `alharness.kernels.join_modalities`
        standardizes their columns over all samples of both views. `Feature(space)` is what the sampler declares.

        Raises:
            SamplerError: joined features are not finite.

        >>> import torch
        >>> from alharness.testing import TensorView, make_query
        >>> inputs = {"text": torch.tensor([[1.0], [3.0]])}
        >>> make_query(TensorView(inputs=inputs), size=1, modalities=("text",)).points("inputs")[1]
        tensor([[-1.],
                [ 1.]])
        """
        views = self.labeled, self.unlabeled
        if space == "embeddings":
            unlabeled = views[1].embeddings()
            return views[0].embeddings() if len(views[0]) else unlabeled[:0], unlabeled
        import torch

        from alharness.kernels import join_modalities

        # The unlabeled samples may be too many to be copied, as is done to join them with none.
        known = [view for view in views if len(view)] or views[:1]
        read = [[getattr(view, space)(modality) for view in known] for modality in self.modalities]
        present = [torch.cat([view.present(modality) for view in known]) for modality in self.modalities]
        joined = join_modalities([both[0] if len(both) == 1 else torch.cat(both) for both in read], present)
        return joined[: len(views[0])], joined[len(views[0]) :]


class Selection(NamedTuple):
    """Chosen positions, and the scores they were chosen by, if any.

    >>> import torch
    >>> from alharness import Selection
    >>> Selection([4, 2], torch.tensor([0.9, 0.7])).positions
    [4, 2]
    """

    positions: Positions
    scores: Tensor | None = None


class Sampler(ABC):
    """Chooses which samples to label. Keeps no state between queries, so that a run can be continued exactly.

    Attributes:
        params: its parameters. A subclass says which by an annotation: `params: MarginParams`.

    >>> from alharness import Sampler
    >>> from alharness.testing import TensorView, make_query
    >>> class Random(Sampler):
    ...     def select(self, query):
    ...         return query.rng.permutation(len(query.unlabeled))[: query.size]
    >>> len(Random().select(make_query(TensorView(n=8), size=2)))
    2
    """

    params: Any

    def __init__(self, params: Any = None) -> None:
        self.params = params

    @abstractmethod
    def select(self, query: Query) -> Positions | Selection:
        """`query.size` distinct positions into `query.unlabeled`, the first choice first."""


class ScoringSampler(Sampler):
    """A sampler that ranks: give every unlabeled sample a score, and the largest are taken.

    Pools in parts come with it, see `alharness.api.parts`: the best of each part are compared.

    Attributes:
        by_row: a sample's score does not depend on which other unlabeled samples there are. Untrue for, say, a
            score that is scaled to the range over the pool: such a sampler says so here, and has no pools in parts
            unless it overrides `answer` and `select_in_parts`.

    >>> import torch
    >>> from alharness import ScoringSampler
    >>> from alharness.testing import TensorView, make_query
    >>> class LeastConfident(ScoringSampler):
    ...     def score(self, query):
    ...         return -query.unlabeled.predictions().amax(dim=1)
    >>> log_p = torch.tensor([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3]]).log()
    >>> LeastConfident().select(make_query(TensorView(predictions=log_p), size=2)).positions
    tensor([1, 2])
    """

    by_row: bool = True

    @abstractmethod
    def score(self, query: Query) -> Tensor:
        """(n,) finite scores of the unlabeled samples; larger is chosen first, ties by position."""

    def select(self, query: Query) -> Selection:
        """The `query.size` largest scores. Raises SamplerError if a score is NaN or infinite."""
        return Selection(*self._largest(query, query.size))

    def answer(self, part: Part, question: Any) -> Any:
        """The largest scores of a part, at most so many, with positions in the whole pool."""
        positions, scores = self._largest(part.query, min(question, len(part.query.unlabeled)))
        return Selection(positions + part.start, scores)

    def select_in_parts(self, query: Query, parts: Parts) -> Selection:
        """What `select` would choose if the pool were in one piece."""
        import torch

        from alharness.kernels import top_k

        answers = parts.ask(query.size)
        positions, scores = (torch.cat([answer[column] for answer in answers]) for column in range(2))
        best = top_k(scores, query.size)
        return Selection(positions[best], scores[best])

    def _largest(self, query: Query, k: int) -> tuple[Tensor, Tensor]:
        from alharness.kernels import top_k

        scores = self.score(query)
        if scores.shape != (len(query.unlabeled),):
            raise SamplerError(f"scores have shape {tuple(scores.shape)}, expected ({len(query.unlabeled)},)")
        if bad := int((~scores.isfinite()).sum()):
            raise SamplerError(f"{bad} of {len(scores)} scores are NaN or infinite")
        positions = top_k(scores, k)
        return positions, scores[positions]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a sampler is going to meet, as far as it is known before anything is trained.

    Attributes:
        task: classification or regression.
        modalities: names of the modalities.
        unlabeled: samples to choose from at query 0, 1, ...
        sizes: samples to choose at query 0, 1, ...
        incomplete: the modalities that some samples may lack.
        truth: names of what is known of every sample; empty unless the data are made up and come with it.

    >>> from alharness import Setting, Task
    >>> setting = Setting(task=Task.REGRESSION, modalities=("audio", "text"), unlabeled=(80, 70), sizes=(10, 10))
    >>> setting.require_source("smell")
    Traceback (most recent call last):
    alharness.errors.SpecError: there is no source 'smell'; it may be audio, text, fused
    """

    task: Task
    modalities: tuple[str, ...]
    unlabeled: tuple[int, ...]
    sizes: tuple[int, ...]
    incomplete: tuple[str, ...] = ()
    truth: tuple[str, ...] = ()

    def require_source(self, source: str) -> None:
        """Raise SpecError unless `source` is a modality or `fused`."""
        known = (*self.modalities, FUSED)
        if source not in known:
            near = did_you_mean(source, known) or ";"
            raise SpecError(f"there is no source {source!r}{near} it may be {', '.join(known)}")


@dataclass(frozen=True, kw_only=True)
class SamplerPlugin:
    """A sampler as the registry knows it.

    Attributes:
        name: the name in a spec.
        params: model of its parameters, or `module:name` of it, which is imported when it is first read.
        make: params -> Sampler: a function, or `module:name` of the sampler's class, which is imported when it is
            first used, so that the plugin's own module stays light.
        requires: the features it reads, or params -> the features; reading another one raises. One that reads
            `Feature.TRUTH` is a control: it runs on data that come with truth, and is never ranked.
        tasks: the tasks it can serve.
        review: (params, setting) -> warnings for the user, before anything is trained. Raises SamplerError if
            the sampler cannot serve this setting with these parameters: it is skipped with that reason. Raises
            SpecError if a parameter is a mistake here: nothing is run. Quick and without heavy imports.
            Parameters of type `Source` are checked without it.
        summary: one line for `alharness plugins`.
        reference: the paper.
        adapts: the distribution of another project whose code it calls. Its version counts like the plugin's own:
            another one makes other cells.

    >>> from alharness import Feature, Params, SamplerPlugin, Task
    >>> plugin = SamplerPlugin(
    ...     name="margin",
    ...     params=Params,
    ...     make="my_margin.sampler:Margin",
    ...     requires={Feature.PREDICTIONS},
    ...     tasks={Task.CLASSIFICATION},
    ... )
    >>> plugin.features(Params())
    frozenset({<Feature.PREDICTIONS: 'predictions'>})
    """

    name: str
    params: ParamsClass = ParamsClass("sampler")  # noqa: RUF009 - no default, but a descriptor
    make: Make[Callable[[Any], Sampler]] = Make("sampler")  # noqa: RUF009 - no default, but a descriptor
    requires: Features | Callable[[Any], Features] = frozenset()
    tasks: frozenset[Task] | set[Task] = frozenset(Task)
    review: Callable[[Any, Setting], Iterable[str]] | None = None
    summary: str = ""
    reference: str = ""
    adapts: str = ""

    def features(self, params: Params) -> frozenset[Feature]:
        """The features that a sampler of these parameters reads."""
        return frozenset(self.requires(params) if callable(self.requires) else self.requires)
