"""The network equals the same function written out modality by modality, from the same parameters."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, linear, relu

from alharness import Batch, ModelShape, Task
from alharness.models.late_fusion.plugin import LateFusionParams, make

FEATURES = {"text": 5, "audio": 3, "vision": 4}
HIDDEN, OWN, JOINT = 0.5, 0.7, 1.3


class Times(nn.Module):
    """Instead of a dropout: it shows its place, and leaves nothing to chance."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return self.factor * x


@pytest.fixture(params=list(Task))
def model(request):
    torch.manual_seed(0)
    task = request.param
    outputs = 4 if task == Task.CLASSIFICATION else 1
    shape = ModelShape(features=FEATURES, task=task, outputs=outputs)
    params = LateFusionParams(hidden=8, representation=6, fusion=7, unimodal_weight=0.3)
    model = make(params, shape).double()
    for encoder, head in zip(model.encoders, model.heads, strict=True):
        encoder[2], head.dropout = Times(HIDDEN), Times(OWN)
    model.fused.dropout = Times(JOINT)
    return model


@pytest.fixture
def batch(model):
    """Labels of every source are its own."""
    rng = np.random.default_rng(0)
    inputs = {m: torch.from_numpy(5 + 2 * rng.normal(size=(9, d))) for m, d in FEATURES.items()}
    inputs["audio"][3, 1] = 1e4
    if model.shape.task == Task.CLASSIFICATION:
        labels = {s: torch.from_numpy(rng.integers(0, 4, 9)) for s in model.sources}
    else:
        labels = {s: torch.from_numpy(100 + 20 * rng.normal(size=9)) for s in model.sources}
    model.adapt(Batch(inputs={m: x[4:] for m, x in inputs.items()}, labels=labels))
    return Batch(inputs=inputs, labels=labels)


def encode(model, batch):
    z = {}
    for i, m in enumerate(FEATURES):
        x, known = batch.inputs[m], batch.inputs[m][4:]
        x = ((x - known.mean(0)) / known.std(0, correction=0)).clamp(-8, 8)
        first, second = model.encoders[i][0], model.encoders[i][3]
        h = HIDDEN * relu(linear(x, first.weight, first.bias))
        z[m] = relu(linear(h, second.weight, second.bias))
    return z


def decode(model, z):
    """In units of standardized targets."""
    outputs = {}
    for i, m in enumerate(FEATURES):
        hidden, output = model.heads[i].hidden, model.heads[i].output
        h = relu(linear(OWN * z[m], hidden.weight, hidden.bias))
        outputs[m] = linear(h, output.weight, output.bias)
    head, joint = model.fused, JOINT * torch.cat([z[m] for m in FEATURES], 1)
    h = relu(linear(joint, head.hidden.weight, head.hidden.bias))
    outputs["fused"] = linear(h, head.output.weight, head.output.bias)
    return outputs


def loss(model, batch):
    total = 0.0
    fused = batch.labels["fused"]
    for source, output in decode(model, encode(model, batch)).items():
        labels = batch.labels[source]
        if model.shape.task == Task.CLASSIFICATION:
            error = cross_entropy(output, labels)
        else:
            error = (output[:, 0] - (labels - fused.mean()) / fused.std(correction=0)).abs().mean()
        total = total + (error if source == "fused" else 0.3 * error)
    return total


def test_the_loss_and_its_gradients(model, batch):
    names, parameters = zip(*model.named_parameters(), strict=True)
    found, expected = model.loss(model.prepare(batch)), loss(model, batch)
    torch.testing.assert_close(found, expected)
    gradients = (torch.autograd.grad(value, parameters) for value in (found, expected))
    for name, a, b in zip(names, *gradients, strict=True):
        assert b.abs().max() > 0, name
        torch.testing.assert_close(a, b, msg=name)


def test_representations(model, batch):
    found, expected = model.encode(batch), encode(model, batch)
    assert list(found) == list(FEATURES)
    for m, z in found.items():
        torch.testing.assert_close(z, expected[m])


def test_predictions_and_their_gradients_whatever_the_order_of_z(model, batch):
    z = {m: x.detach().requires_grad_() for m, x in encode(model, batch).items()}
    found, expected = model.decode({m: z[m] for m in ("vision", "text", "audio")}), decode(model, z)
    if model.shape.task == Task.REGRESSION:
        fused = batch.labels["fused"]
        expected = {s: o * fused.std(correction=0) + fused.mean() for s, o in expected.items()}
    assert list(found) == [*FEATURES, "fused"]
    for source, output in found.items():
        torch.testing.assert_close(output, expected[source])
        leaves = list(z.values()) if source == "fused" else [z[source]]
        gradients = (torch.autograd.grad(o[source].square().sum(), leaves) for o in (found, expected))
        for a, b in zip(*gradients, strict=True):
            torch.testing.assert_close(a, b)


def test_a_modalitys_prediction_hangs_on_nothing_else(model, batch):
    z = {m: x.detach().requires_grad_() for m, x in encode(model, batch).items()}
    others = [z["audio"], z["vision"]]
    gradients = torch.autograd.grad(model.decode(z)["text"].sum(), others, allow_unused=True)
    assert gradients == (None, None)  # not zeros, which would have taken their time


def test_dropout_can_be_switched_on(model):
    fresh = make(LateFusionParams(dropout=0.25), model.shape)
    assert [m.p for m in fresh.modules() if isinstance(m, nn.Dropout)] == [0.25] * 7
