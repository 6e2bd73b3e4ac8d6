"""Trainers of stacks, and what is asked of them."""

import pytest
import torch

from alharness import Task
from alharness.engine.recipe import Fit
from alharness.engine.training import Trainer


@pytest.fixture
def make_stacks(make_recipe):
    """A trainer of a kind of model, and the warnings that it gives."""

    def build(kind=None, stack=None, task=Task.CLASSIFICATION, metrics=None, **settings):
        warnings = []
        recipe = make_recipe(task, kind, metrics, warnings.append, **settings)
        trainer = Trainer(recipe.build, recipe.settings, metrics, recipe.border, stack=stack)
        return trainer, warnings

    return build


@pytest.fixture(scope="session")
def make_requests(make_samples):
    """Requests for so many models: each with its own samples and seed."""

    def build(number, labels=20, task=Task.CLASSIFICATION, valids=()):
        return [
            Fit(
                labeled=make_samples(labels, task, seed).pooled(),
                seed=100 + seed,
                valid=valids[seed % len(valids)] if valids else None,
            )
            for seed in range(number)
        ]

    return build


def weights(fitted):
    """All numbers of a model."""
    return torch.cat([value.flatten().double() for value in fitted.model.state_dict().values()])


@pytest.fixture(scope="session")
def same():
    """Whether two lists of models are equal bit by bit, and were trained for as many epochs."""

    def compare(ones, others):
        return [
            torch.equal(weights(a), weights(b)) and a.epochs == b.epochs for a, b in zip(ones, others, strict=True)
        ]

    return compare
