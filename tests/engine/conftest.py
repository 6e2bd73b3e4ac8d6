"""Models that are cheap to train, and how to train them."""

import pytest
import torch

from alharness import ModelShape, Task
from alharness.engine.recipe import Recipe, model_border
from alharness.models.late_fusion.plugin import LateFusionParams, make
from alharness.spec.settings import TrainingSettings

FEATURES = {"audio": 6, "text": 4, "vision": 3}


@pytest.fixture(scope="session")
def make_shape():
    """Of the samples of `make_samples`."""

    def build(task=Task.CLASSIFICATION):
        return ModelShape(features=FEATURES, task=task, outputs=3 if task == Task.CLASSIFICATION else 1)

    return build


@pytest.fixture(scope="session")
def make_recipe(make_shape):
    """How to train models, `late_fusion` unless `kind`, a class that takes a shape, is another."""

    def build(task=Task.CLASSIFICATION, kind=None, metrics=None, warn=pytest.fail, **settings):
        shape = make_shape(task)
        params = LateFusionParams(hidden=16, representation=8, fusion=8)
        defaults = {"epochs": 3, "learning_rate": 1e-2, "device": "cpu"}
        return Recipe(
            build=lambda: kind(shape) if kind else make(params, shape),
            settings=TrainingSettings(**(defaults | settings)),
            device=torch.device("cpu"),
            border=model_border("the model", warn),
            metrics=metrics,
        )

    return build
