"""What a task model is built for, and how it is registered. No heavy imports: the network is in `network`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from .make import Make
from .vocabulary import Feature, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .dataset import DatasetFacts
    from .network import MultimodalModel
    from .params import Params


@dataclass(frozen=True, kw_only=True)
class ModelShape:
    """What a model is built for.

    Attributes:
        features: modality -> d, the size of an input vector (of a step, for a sequence).
        task: classification or regression.
        outputs: the number of classes, or 1.
        steps: modality -> the most steps of a sequence; a modality without an entry is one vector.

    >>> from alharness import ModelShape, Task
    >>> shape = ModelShape(features={"audio": 25, "text": 768}, task=Task.REGRESSION, outputs=1)
    >>> shape.modalities
    ('audio', 'text')
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
        make: (params, shape) -> MultimodalModel, with fresh weights from torch's global generator: a function, or
            `module:name` of the model's class, which is imported when it is first used.
        provides: the features a sampler can have from it.
        inputs: `pooled` if each modality is one vector (sequences are averaged beforehand, once),
            `sequences` if the model needs them whole.
        tasks: the tasks it can serve.
        review: (params, facts of the data set) -> warnings for the user, before anything is trained. Raises
            SpecError if the model cannot serve these modalities with these parameters: nothing is run. Quick and
            without heavy imports.
        summary: one line for `alharness plugins`.
        reference: the paper.
        formerly: the distribution that offered it under the same name before. Runs know it by that, so that they
            can be continued.

    >>> from alharness import Feature, ModelPlugin, Params
    >>> plugin = ModelPlugin(
    ...     name="mine", params=Params, make="my_model.network:Network", provides=set(Feature) - {Feature.MC_DRAWS}
    ... )
    >>> Feature.MC_DRAWS in plugin.provides
    False
    """

    name: str
    params: type[Params]
    make: Make[Callable[[Any, ModelShape], MultimodalModel]] = Make("model")  # noqa: RUF009
    provides: frozenset[Feature] | set[Feature] = frozenset(Feature)
    inputs: Literal["pooled", "sequences"] = "pooled"
    tasks: frozenset[Task] | set[Task] = frozenset(Task)
    review: Callable[[Any, DatasetFacts], Iterable[str]] | None = None
    summary: str = ""
    reference: str = ""
    formerly: str = ""
