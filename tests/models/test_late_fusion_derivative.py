"""The derivative that is written out is the one that torch finds."""

import numpy as np
import pytest
import torch

from alharness import Batch, ModelShape, Task
from alharness.models.late_fusion.plugin import LateFusionParams, make

FEATURES = {"my.audio": 5, "text": 3, "vision": 4}


def build(task, dropout):
    torch.manual_seed(0)
    shape = ModelShape(features=FEATURES, task=task, outputs=4 if task == Task.CLASSIFICATION else 1)
    params = LateFusionParams(hidden=8, representation=6, fusion=7, dropout=dropout, unimodal_weight=0.3)
    return make(params, shape).double()


def prepared(model, n):
    """Labels of every source are its own."""
    rng = np.random.default_rng(0)
    labels = lambda: rng.integers(0, 4, n) if model.shape.task == Task.CLASSIFICATION else rng.normal(size=n)
    samples = Batch(
        inputs={m: torch.from_numpy(rng.normal(5, 2, size=(n, d))) for m, d in FEATURES.items()},
        labels={source: torch.from_numpy(labels()) for source in model.sources},
    )
    model.adapt(samples)
    return model.prepare(samples)


def gradients(model):
    return {name: p.grad.clone() for name, p in model.named_parameters()}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("n", [1, 9])
@pytest.mark.parametrize("task", list(Task))
def test_loss_and_gradients(task, n, dropout, training):
    model = build(task, dropout).train(training)
    batch = prepared(model, n)
    torch.manual_seed(1)
    expected = model.loss(batch)
    expected.backward()
    theirs, drawn = gradients(model), torch.rand(1)

    model.zero_grad()
    torch.manual_seed(1)
    found = model.differentiate(batch)

    torch.testing.assert_close(found, expected.detach(), rtol=1e-12, atol=0)
    assert not found.requires_grad
    for name, gradient in gradients(model).items():
        torch.testing.assert_close(gradient, theirs[name], rtol=1e-10, atol=1e-12, msg=name)
        assert n == 1 or theirs[name].any(), name
    assert torch.equal(drawn, torch.rand(1))  # as many random numbers, too


def test_gradients_are_added_to_those_that_are_there():
    model = build(Task.REGRESSION, 0.0)
    batch = prepared(model, 9)
    model.differentiate(batch)
    once = gradients(model)
    model.differentiate(batch)
    for name, gradient in gradients(model).items():
        torch.testing.assert_close(gradient, 2 * once[name], msg=name)


def test_another_batch_size_another_mean():
    """The gradients of a batch are the mean of those of its samples."""
    model = build(Task.CLASSIFICATION, 0.0)
    batch = prepared(model, 6)
    model.differentiate(batch)
    whole = gradients(model)
    model.zero_grad()
    for part in batch.parts(1):
        model.differentiate(part)
    for name, gradient in gradients(model).items():
        torch.testing.assert_close(gradient / 6, whole[name], msg=name)
