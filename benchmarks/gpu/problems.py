"""Made-up samples in the shapes of SIMSv2 and CHERMA, and the models that are trained on them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness.api.samples import Inputs, Samples
from alharness.api.vocabulary import ModelShape, Task
from alharness.engine.contexts import choose_device
from alharness.engine.recipe import Recipe, model_border
from alharness.registry import load
from alharness.spec.settings import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from alharness.registry import Registry

MODELS: Mapping[str, dict[str, Any]] = {"late_fusion": {}, "av_mc": {"mixup": True}, "lfmim": {"preset": "small"}}
"""Models that are trained as stacks, with their parameters."""

TINY: Mapping[str, dict[str, Any]] = {"lfmim": {"width": 8, "heads": 2, "layers": 1}}
"""More of them, to try it out."""

SIMSV2 = {"text": (50, 768), "audio": (925, 25), "vision": (232, 177)}
"""Modality -> steps and features of a step."""

CHERMA = {"text": 1024, "audio": 1024, "vision": 2048}
EMOTIONS, POOL, INITIAL, BUDGET = 7, 17_230, 500, 500
"""Of `specs/cherma_5000.yaml`: classes, training samples, labels at first, labels per query."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where is measured, and how much.

    Attributes:
        device: is checked and measured.
        tiny: whether problems are shrunk so far that all of it takes seconds: to try it out, not to measure.
        registry: the installed plugins.
    """

    device: torch.device
    tiny: bool
    registry: Registry

    @classmethod
    def on(cls, device: str, *, tiny: bool) -> Place:
        """On `cpu` or `cuda`. Raises DataError if there is no such device."""
        return cls(device=choose_device(device), tiny=tiny, registry=load())

    def regression(self, model: str, n: int) -> Samples:
        """Samples as SIMSv2 has them: sequences for a model that reads them, and labels in [-1, 1]."""
        rng = np.random.default_rng(0)
        arrays: dict[str, Any] = {}
        lengths: dict[str, Any] = {}
        for modality, (steps, features) in SIMSV2.items():
            few = (min(steps, 12), min(features, 8)) if self.tiny else (steps, features)
            arrays[modality] = rng.standard_normal((n, *few), np.float32)
            lengths[modality] = rng.integers(1, few[0], n, endpoint=True)
        labels = {modality: rng.uniform(-1, 1, n).astype(np.float32) for modality in arrays}
        fused = np.mean(list(labels.values()), axis=0)
        inputs = Inputs(ids=tuple(f"{row:06d}" for row in range(n)), arrays=arrays, lengths=lengths)
        if self.registry.model(model).plugin.inputs == "pooled":
            inputs = inputs.pooled()
        return Samples(inputs=inputs, labels=fused, unimodal_labels=labels)

    def classification(self, n: int) -> Samples:
        """Samples as CHERMA has them, pooled: a Gaussian for each emotion."""
        rng = np.random.default_rng(1)
        labels = rng.integers(EMOTIONS, size=n)
        arrays = {}
        for modality, features in CHERMA.items():
            d = min(features, 16) if self.tiny else features
            centers = rng.standard_normal((EMOTIONS, d), np.float32)
            arrays[modality] = rng.standard_normal((n, d), np.float32)
            arrays[modality] += 0.2 * centers[labels]
        return Samples(inputs=Inputs(ids=tuple(f"{row:06d}" for row in range(n)), arrays=arrays), labels=labels)

    def recipe(self, model: str, samples: Samples, device: torch.device | None = None, **settings: Any) -> Recipe:
        """How such a model is trained on such samples; `device` in place of the place's own."""
        plugin = self.registry.model(model).plugin
        arrays = samples.inputs.arrays
        classes = samples.labels.dtype.kind == "i"
        shape = ModelShape(
            features={m: x.shape[-1] for m, x in arrays.items()},
            task=Task.CLASSIFICATION if classes else Task.REGRESSION,
            outputs=EMOTIONS if classes else 1,
            steps={m: x.shape[1] for m, x in arrays.items() if x.ndim == 3},
        )
        params = plugin.params(**MODELS[model], **(TINY.get(model, {}) if self.tiny else {}))
        return Recipe(
            build=partial(plugin.make, params, shape),
            settings=TrainingSettings(**settings),
            device=device or self.device,
            border=model_border(f"the model {model!r}"),
            classes=tuple(map(str, range(EMOTIONS))) if classes else (),
        )
