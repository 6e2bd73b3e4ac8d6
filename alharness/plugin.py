"""What plugin authors subclass and return. Light: a plugin module imports this without importing torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, ConfigDict, ValidationInfo

from .documented import Documented
from .errors import SamplerError, SpecError
from .features import FUSED, Feature, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from .data import Dataset
    from .model import MultimodalModel
    from .query import Query

    Positions = Tensor | NDArray[Any] | Sequence[int]
    Features = frozenset[Feature] | set[Feature]


class Params(Documented):
    """Parameters of a plugin: typed, frozen, unknown keys refused. Give every field a docstring below it."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True)


def _beside_the_spec(path: Path, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder")
    return path if folder is None else Path(folder, path)


SpecPath = Annotated[Path, AfterValidator(_beside_the_spec)]
"""A path in a plugin's parameters; a relative one starts at the folder of the spec file."""


class Selection(NamedTuple):
    """Chosen positions, and the scores they were chosen by where there are such."""

    positions: Positions
    scores: Tensor | None = None


class Sampler(ABC):
    """Chooses which samples to label. Keeps no state between queries, so that a run can be continued exactly."""

    @abstractmethod
    def select(self, query: Query) -> Positions | Selection:
        """`query.size` distinct positions into `query.unlabeled`, the first choice first."""


class ScoringSampler(Sampler):
    """A sampler that ranks: give every unlabeled sample a score, and the largest are taken."""

    @abstractmethod
    def score(self, query: Query) -> Tensor:
        """(n,) finite scores of the unlabeled samples; larger is chosen first, ties by position."""

    def select(self, query: Query) -> Selection:
        """The `query.size` largest scores. Raises SamplerError where a score is NaN or infinite."""
        from .geometry import top_k

        scores = self.score(query)
        if scores.shape != (len(query.unlabeled),):
            raise SamplerError(f"scores have shape {tuple(scores.shape)}, expected ({len(query.unlabeled)},)")
        if bad := int((~scores.isfinite()).sum()):
            raise SamplerError(f"{bad} of {len(scores)} scores are NaN or infinite")
        positions = top_k(scores, query.size)
        return Selection(positions, scores[positions])


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a sampler is going to meet, as far as it is known before anything is trained.

    Attributes:
        task: classification or regression.
        modalities: names of the modalities.
        unlabeled: samples to choose from at query 0, 1, ...
        sizes: samples to choose at query 0, 1, ...
    """

    task: Task
    modalities: tuple[str, ...]
    unlabeled: tuple[int, ...]
    sizes: tuple[int, ...]

    def require_source(self, source: str) -> None:
        """Raise SpecError unless `source` is a modality or `fused`."""
        known = (*self.modalities, FUSED)
        if source not in known:
            raise SpecError(f"there is no source {source!r}; it may be {', '.join(known)}")


@dataclass(frozen=True, kw_only=True)
class SamplerPlugin:
    """A sampler as the registry knows it; `make` imports the heavy module.

    Attributes:
        name: the name in a spec.
        params: model of its parameters.
        make: params -> Sampler.
        requires: the features it reads, or params -> the features; reading another one raises.
        tasks: the tasks it can serve.
        review: (params, setting) -> warnings for the user, before anything is trained. Raises SamplerError where
            the sampler cannot serve this setting with these parameters: it is skipped with that reason. Raises
            SpecError where a parameter is a mistake here: nothing is run. Quick and without heavy imports.
        summary: one line for `alharness plugins`.
        reference: the paper.
    """

    name: str
    params: type[Params]
    make: Callable[[Any], Sampler]
    requires: Features | Callable[[Any], Features] = frozenset()
    tasks: frozenset[Task] | set[Task] = frozenset(Task)
    review: Callable[[Any, Setting], Iterable[str]] | None = None
    summary: str = ""
    reference: str = ""

    def features(self, params: Params) -> frozenset[Feature]:
        """The features that a sampler of these parameters reads."""
        return frozenset(self.requires(params) if callable(self.requires) else self.requires)


@dataclass(frozen=True, kw_only=True)
class ModelShape:
    """What a model is built for.

    Attributes:
        features: modality -> d, the size of an input vector (of a step, for a sequence).
        task: classification or regression.
        outputs: the number of classes, or 1.
        steps: modality -> the most steps of a sequence; a modality without an entry is one vector.
    """

    features: Mapping[str, int]
    task: Task
    outputs: int
    steps: Mapping[str, int] = field(default_factory=dict)

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the modalities, in the data set's order."""
        return tuple(self.features)


@dataclass(frozen=True, kw_only=True)
class ModelPlugin:
    """A task model as the registry knows it.

    Attributes:
        name: the name in a spec.
        params: model of its parameters.
        make: (params, shape) -> MultimodalModel, with fresh weights from torch's global generator.
        provides: the features a sampler can have from it.
        inputs: `pooled` where each modality is one vector (sequences are averaged beforehand, once),
            `sequences` where the model wants them whole.
        tasks: the tasks it can serve.
        review: (params, facts of the data set) -> warnings for the user, before anything is trained. Raises
            SpecError if the model cannot serve these modalities with these parameters: nothing is run. Quick and
            without heavy imports.
        summary: one line for `alharness plugins`.
        reference: the paper.
    """

    name: str
    params: type[Params]
    make: Callable[[Any, ModelShape], MultimodalModel]
    provides: frozenset[Feature] | set[Feature] = frozenset(Feature)
    inputs: Literal["pooled", "sequences"] = "pooled"
    tasks: frozenset[Task] | set[Task] = frozenset(Task)
    review: Callable[[Any, DatasetFacts], Iterable[str]] | None = None
    summary: str = ""
    reference: str = ""


@dataclass(frozen=True, kw_only=True)
class DatasetFacts:
    """What is known of a data set before it is loaded.

    Attributes:
        task: classification or regression.
        modalities: their names.
        sizes: samples in train, valid and test.
        synthetic: made-up data; every page and every run says so.
        warnings: what is allowed, but perhaps not meant; `alharness check` and `alharness run` show it.
    """

    task: Task
    modalities: tuple[str, ...]
    sizes: tuple[int, int, int]
    synthetic: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DatasetPlugin:
    """A data set as the registry knows it.

    Attributes:
        name: the name in a spec.
        params: model of its parameters.
        inspect: params -> DatasetFacts; quick and without heavy imports; raises DataError where files are
            missing, saying how to get them.
        make: params -> Dataset.
        fetch: for data that must be converted once: `alharness data import <name>` calls it with the user's
            file or folder (None where it is to be downloaded) and an empty folder, which becomes the data set
            only when it returns. It returns lines to show.
        options: parameters of the import (`alharness data import <name> --set key=value`), where it has any;
            `fetch` then gets them as its third argument.
        verify: params -> lines to show; compares everything that is stored with its checksums, for
            `alharness data describe <name> --verify`. Raises DataError where something is damaged.
        summary: one line for `alharness plugins`.
        reference: the paper to cite.
        license: the terms it comes under.
    """

    name: str
    params: type[Params]
    inspect: Callable[[Any], DatasetFacts]
    make: Callable[[Any], Dataset]
    fetch: Callable[..., list[str]] | None = None
    options: type[Params] | None = None
    verify: Callable[[Any], list[str]] | None = None
    summary: str = ""
    reference: str = ""
    license: str = ""
