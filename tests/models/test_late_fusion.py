from dataclasses import replace

import numpy as np
import pytest
import torch

from alharness import Batch, ModelShape, Task
from alharness.api.samples import Inputs, Samples
from alharness.engine.batches import as_batch
from alharness.models.late_fusion.plugin import LateFusionParams, make

CPU = torch.device("cpu")


def build(task=Task.CLASSIFICATION, **params):
    torch.manual_seed(0)
    shape = ModelShape(
        features={"my.audio": 5, "text": 3}, task=task, outputs=4 if task == Task.CLASSIFICATION else 1
    )
    return make(LateFusionParams(**({"hidden": 8, "representation": 6, "fusion": 7} | params)), shape)


def batch(n=9, task=Task.CLASSIFICATION, scale=1.0, offset=0.0):
    rng = np.random.default_rng(0)
    arrays = {
        m: (offset + scale * rng.normal(size=(n, d))).astype(np.float32) for m, d in (("my.audio", 5), ("text", 3))
    }
    labels = (
        rng.integers(0, 4, n)
        if task == Task.CLASSIFICATION
        else (100 + 20 * rng.normal(size=n)).astype(np.float32)
    )
    return as_batch(Samples(inputs=Inputs(ids=tuple(map(str, range(n))), arrays=arrays), labels=labels), CPU)


def test_encoding_leaves_the_batch_as_it_is():
    model, data = build(), batch(scale=100.0)
    model.adapt(batch())
    before = {m: x.clone() for m, x in data.inputs.items()}
    model.encode(data)
    assert all(torch.equal(before[m], x) for m, x in data.inputs.items())


@pytest.mark.parametrize(("task", "outputs"), [(Task.CLASSIFICATION, 4), (Task.REGRESSION, 1)])
def test_shapes(task, outputs):
    model, data = build(task).eval(), batch(task=task)
    z = model.encode(data)
    assert {m: tuple(v.shape) for m, v in z.items()} == {"my.audio": (9, 6), "text": (9, 6)}
    assert {s: tuple(o.shape) for s, o in model.decode(z).items()} == {
        "my.audio": (9, outputs),
        "text": (9, outputs),
        "fused": (9, outputs),
    }


def test_the_documented_number_of_parameters():
    # encoders 5-8-6 and 3-8-6, heads 6-6-4 twice, fused 12-7-4
    expected = (
        (5 * 8 + 8 + 8 * 6 + 6) + (3 * 8 + 8 + 8 * 6 + 6) + 2 * (6 * 6 + 6 + 6 * 4 + 4) + (12 * 7 + 7 + 7 * 4 + 4)
    )
    assert sum(p.numel() for p in build().parameters()) == expected


@pytest.mark.parametrize("task", list(Task))
def test_every_parameter_gets_a_gradient(task):
    model, data = build(task, dropout=0.0), batch(task=task)
    model.adapt(data)
    model.loss(model.prepare(data)).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


@pytest.mark.parametrize("task", list(Task))
def test_gradients_agree_with_finite_differences(gradients_agree, task):
    assert gradients_agree(
        build(task, dropout=0.0), batch(task=task), ["encoders.0.0.weight", "heads.1.hidden.weight"]
    )


def test_each_modality_is_standardized_with_the_labeled_samples():
    model, data = build(), batch(scale=50.0, offset=1000.0)
    model.adapt(data)
    scaled = model.scales[0](data.inputs["my.audio"])
    assert scaled.mean(dim=0).abs().max() < 1e-4
    assert (scaled.std(dim=0, correction=0) - 1).abs().max() < 1e-4


def test_a_constant_column_is_centered_and_not_blown_up():
    model, data = build(), batch()
    data.inputs["text"][:, 1] = 12345.678
    model.adapt(data)
    assert model.scales[1](data.inputs["text"])[:, 1].abs().max() < 0.01


def test_a_far_value_is_clipped():
    model, data = build().eval(), batch()
    model.adapt(data)
    far, farther = (Batch(inputs={m: x + shift for m, x in data.inputs.items()}) for shift in (1e4, 1e6))
    assert torch.equal(model(far)["fused"], model(farther)["fused"])


def test_regression_speaks_in_the_units_of_the_labels():
    model, data = build(Task.REGRESSION).eval(), batch(task=Task.REGRESSION)
    model.adapt(data)
    labels = data.labels["fused"]
    assert (model(data)["fused"].mean() - labels.mean()).abs() < 2 * labels.std()
    # and so the loss of predicting the mean is the mean absolute deviation in units of the standard deviation
    for source in model.sources:
        model.last_layer(source).weight.data.zero_()
        model.last_layer(source).bias.data.zero_()
    mad = ((labels - labels.mean()).abs().mean() / labels.std(correction=0)).item()
    assert model.loss(model.prepare(data)).item() == pytest.approx((1 + 2 * 0.4) * mad, rel=1e-4)


def test_the_unimodal_losses_have_their_weight():
    data = batch()
    without, with_ = (build(dropout=0.0, unimodal_weight=w).loss(data) for w in (0.0, 1.0))
    model = build(dropout=0.0)
    outputs = model(data)
    unimodal = sum(torch.nn.functional.cross_entropy(outputs[m], data.labels[m]) for m in ("my.audio", "text"))
    assert (with_ - without).item() == pytest.approx(unimodal.item(), rel=1e-5)


@pytest.mark.parametrize("task", list(Task))
def test_every_head_errs_on_labels_of_its_own(task):
    model, fused = build(task, dropout=0.0, unimodal_weight=0.3), batch(task=task)
    rolled = {s: y.roll(k) for k, (s, y) in enumerate(fused.labels.items())}
    data = Batch(inputs=fused.inputs, labels=rolled)
    model.adapt(data)
    expected = 0.0
    for source, output in model(data).items():
        labels = data.labels[source]
        if task == Task.CLASSIFICATION:
            error = torch.nn.functional.cross_entropy(output, labels).item()
        else:
            error = ((output[:, 0] - labels).abs().mean() / data.labels["fused"].std(correction=0)).item()
        expected += error if source == "fused" else 0.3 * error
    assert model.loss(model.prepare(data)).item() == pytest.approx(expected, rel=1e-5)


def test_the_last_layer_makes_the_prediction():
    model, data = build().eval(), batch()
    for source in ("my.audio", "text", "fused"):
        seen = []
        handle = model.last_layer(source).register_forward_hook(lambda _, __, output: seen.append(output))
        predicted = model(data)[source]
        handle.remove()
        assert torch.equal(seen[0], predicted)


def lacking(task, garbage=0.0):
    """Samples of which the first four lack audio; what is there in its place must not matter."""
    data = batch(12, task, scale=3.0, offset=2.0)
    audio, known = data.inputs["my.audio"].clone(), torch.arange(12) >= 4
    audio[~known] = garbage
    present = {"my.audio": known, "text": torch.ones(12, dtype=torch.bool)}
    return replace(data, inputs={**data.inputs, "my.audio": audio}, present=present)


@pytest.mark.parametrize("task", list(Task))
def test_samples_that_lack_a_modality_count_neither_in_its_loss_nor_in_its_scale(task):
    model, data = build(task, dropout=0.0), lacking(task)
    model.adapt(data)
    assert model.scales[0].mean.tolist() == pytest.approx(data.inputs["my.audio"][4:].mean(0).tolist(), rel=1e-6)
    prepared = model.prepare(data)
    out, labels = model._outputs(model.encode(data)), prepared.labels
    of = torch.nn.functional.cross_entropy if task == Task.CLASSIFICATION else torch.nn.functional.l1_loss
    shaped = {s: o if task == Task.CLASSIFICATION else o.squeeze(1) for s, o in out.items()}
    expected = 0.4 * of(shaped["my.audio"][4:], labels["my.audio"][4:])
    expected = expected + 0.4 * of(shaped["text"], labels["text"]) + of(shaped["fused"], labels["fused"])
    assert model.loss(prepared).item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("task", list(Task))
def test_what_is_in_place_of_an_absent_modality_does_not_matter(task):
    losses, encoded = [], []
    for garbage in (0.0, 1e3):
        model, data = build(task, dropout=0.0), lacking(task, garbage)
        model.adapt(data)
        losses.append(model.loss(model.prepare(data)).item())
        encoded.append(model.encode(data))
    assert losses[0] == losses[1]
    assert all(torch.equal(z, encoded[1][m]) for m, z in encoded[0].items())
    assert not encoded[0]["my.audio"][:4].any()
    assert encoded[0]["my.audio"][4:].any()


def test_a_modality_that_no_labeled_sample_has_is_no_obstacle():
    model, data = build(), lacking(Task.CLASSIFICATION)
    data = data.first(4)
    model.adapt(data)
    loss = model.loss(model.prepare(data))
    loss.backward()
    assert loss.isfinite()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("task", list(Task))
def test_modalities_that_are_all_there_train_as_without_a_word_on_it(task):
    losses = []
    for present in ({}, {m: torch.ones(9, dtype=torch.bool) for m in ("my.audio", "text")}):
        model, data = build(task, dropout=0.0), replace(batch(task=task), present=present)
        model.adapt(data)
        losses.append(model.loss(model.prepare(data)).item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
