"""How a task model is registered. No heavy imports: the network is in `network`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from .make import Make
from .vocabulary import PROVIDED, Feature, ModelShape, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .dataset import DatasetFacts
    from .network import MultimodalModel
    from .params import Params


@dataclass(frozen=True, kw_only=True)
class ModelPlugin:
    """A task model as the registry knows it.

    Attributes:
        name: the name in a spec.
        params: model of its parameters.
        make: (params, shape) -> MultimodalModel, with fresh weights from torch's global generator: a function, or
            `module:name` of the model's class, which is imported when it is first used.
        provides: the features a sampler can have from it, or params -> the features.
        inputs: `pooled` if each modality is one vector (sequences are averaged beforehand, once),
            `sequences` if the model needs them whole.
        incomplete: it understands samples that lack a modality, which `Batch.present` names. Another model is not
            run on data in which some do.
        fits_itself: its class is a `FittingModel`. `alharness check` then warns of settings of `training` that
            have no effect.
        tasks: the tasks it can serve.
        review: (params, facts of the data set) -> warnings for the user, before anything is trained. Raises
            SpecError if the model cannot serve these modalities with these parameters: nothing is run. Quick and
            without heavy imports.
        summary: one line for `alharness plugins`.
        reference: the paper.
        formerly: the distribution that offered it under the same name before. Runs know it by that, so that they
            can be continued.
        adapts: the distribution of another project whose code it calls. Its version counts like the plugin's own.

    >>> from alharness import Feature, ModelPlugin, Params
    >>> plugin = ModelPlugin(
    ...     name="mine", params=Params, make="my_model.network:Network", provides={Feature.PREDICTIONS}
    ... )
    >>> Feature.MC_DRAWS in plugin.features(Params())
    False
    """

    name: str
    params: type[Params]
    make: Make[Callable[[Any, ModelShape], MultimodalModel]] = Make("model")  # noqa: RUF009
    provides: frozenset[Feature] | set[Feature] | Callable[[Any], frozenset[Feature] | set[Feature]] = PROVIDED
    inputs: Literal["pooled", "sequences"] = "pooled"
    incomplete: bool = False
    fits_itself: bool = False
    tasks: frozenset[Task] | set[Task] = frozenset(Task)
    review: Callable[[Any, DatasetFacts], Iterable[str]] | None = None
    summary: str = ""
    reference: str = ""
    formerly: str = ""
    adapts: str = ""

    def features(self, params: Params) -> frozenset[Feature]:
        """The features that a model of these parameters provides."""
        return frozenset(self.provides(params) if callable(self.provides) else self.provides)
