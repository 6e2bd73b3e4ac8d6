"""What all trainings have in common: the optimizer, the score."""

import pytest
import torch

from alharness import Metrics, Task
from alharness.engine.batches import as_batch
from alharness.engine.recipe import Validation
from alharness.models.late_fusion.network import LateFusion


@pytest.fixture
def scored(make_recipe, make_samples):
    """Errors of a model on validation samples, and its score by some metrics."""
    valid = as_batch(make_samples(30, Task.REGRESSION).pooled(), torch.device("cpu"))
    model = make_recipe(Task.REGRESSION).made()
    model.adapt(valid)
    predictions = model.eval()(valid)["fused"].detach()
    recipe = lambda metrics: make_recipe(Task.REGRESSION, metrics=metrics)
    score = lambda metrics=None: recipe(metrics).score(
        predictions, Validation(batch=valid, contents={}), Task.REGRESSION
    )
    return (predictions[:, 0] - valid.labels["fused"]).abs(), score


def test_a_smaller_error_is_a_better_score(scored):
    errors, score = scored
    assert score() == pytest.approx(-errors.mean().item(), rel=1e-5)


def test_the_metrics_of_the_data_set_are_taken_on_the_validation_samples(scored):
    errors, score = scored

    def compute(predictions, labels, classes):
        return {"worst": abs(predictions[:, 0] - labels).max()}

    ours = Metrics(name="ours", task=Task.REGRESSION, compute=compute, primary="worst", lower_is_better={"worst"})
    assert score(ours) == pytest.approx(-errors.max().item(), rel=1e-5)


def test_the_models_recipe_is_kept_unless_the_settings_say_otherwise(make_recipe):
    class Own(LateFusion):
        def optimizer(self):
            groups = [{"params": self.fused.parameters(), "lr": 0.5}, {"params": self.heads.parameters()}]
            return torch.optim.SGD(groups, lr=0.25, weight_decay=0.125)

    model = make_recipe().made()
    model.__class__ = Own

    def rates(**settings):
        groups = make_recipe(**{"learning_rate": None} | settings).optimizer(model).param_groups
        return [(group["lr"], group["weight_decay"]) for group in groups]

    assert rates() == [(0.5, 0.125), (0.25, 0.125)]
    assert rates(learning_rate=0.1) == [(0.1, 0.125), (0.1, 0.125)]
    assert rates(weight_decay=0) == [(0.5, 0), (0.25, 0)]


def test_a_model_without_a_recipe_is_trained_by_adam(make_recipe):
    recipe = make_recipe(learning_rate=None)
    (group,) = recipe.optimizer(recipe.made()).param_groups
    assert (group["lr"], group["weight_decay"], group["betas"]) == (3e-3, 1e-4, (0.9, 0.999))
