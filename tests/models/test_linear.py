"""`linear` against scikit-learn, against itself in a stack, and with what labels may lack."""

import numpy as np
import pytest
import torch

from alharness import ModelShape, Task
from alharness.api.samples import Inputs, Samples
from alharness.engine.batches import as_batch
from alharness.models.linear import solver
from alharness.models.linear.network import Linear
from alharness.models.linear.params import LinearParams

SHAPE = {"my.audio": 5, "text": 3}
CPU = torch.device("cpu")


def build(task=Task.CLASSIFICATION, **params):
    outputs = 4 if task == Task.CLASSIFICATION else 1
    return Linear(LinearParams(**params), ModelShape(features=SHAPE, task=task, outputs=outputs))


def batch(n=60, task=Task.CLASSIFICATION, seed=0, present=None):
    rng = np.random.default_rng(seed)
    arrays = {m: (7 + 3 * rng.normal(size=(n, d))).astype(np.float32) for m, d in SHAPE.items()}
    signal = arrays["my.audio"][:, :4] + arrays["text"].mean(1, keepdims=True) + rng.normal(size=(n, 4))
    labels = signal.argmax(1) if task == Task.CLASSIFICATION else signal[:, 0].astype(np.float32)
    inputs = Inputs(ids=tuple(map(str, range(n))), arrays=arrays, present=present or {})
    return as_batch(Samples(inputs=inputs, labels=labels), CPU)


def standardized(samples, modalities=tuple(SHAPE)):
    x = np.hstack([samples.inputs[m].numpy().astype(float) for m in modalities])
    return (x - x.mean(0)) / x.std(0)


def fitted(samples, task=Task.CLASSIFICATION, **params):
    model = build(task, **params)
    model.fit(samples, None)
    return model.eval()


def weights(model):
    return {name: value.detach() for name, value in model.state_dict().items()}


@pytest.mark.parametrize("n", [60, 7])  # more samples than columns, and fewer
def test_ridge_is_that_of_scikit_learn(n):
    from sklearn.linear_model import Ridge

    samples = batch(n, Task.REGRESSION)
    model = fitted(samples, Task.REGRESSION, penalty=2.5)
    for source, modalities in {"text": ["text"], "fused": list(SHAPE)}.items():
        x, y = standardized(samples, modalities), samples.labels[source].numpy()
        expected = Ridge(alpha=2.5).fit(x, y).predict(x)
        np.testing.assert_allclose(model(samples)[source][:, 0].detach(), expected, atol=1e-4)


@pytest.mark.parametrize("n", [60, 7])
def test_the_logistic_regression_is_that_of_scikit_learn(n, monkeypatch):
    """With intercepts that are penalized, as a column of ones is."""
    from sklearn.linear_model import LogisticRegression

    monkeypatch.setattr(solver, "ACCURACY", 1e-6)
    samples = batch(n)
    y = samples.labels["fused"].numpy()
    x = np.hstack([standardized(samples), np.ones((n, 1))])
    expected = LogisticRegression(C=1 / 0.5, fit_intercept=False, tol=1e-9, max_iter=9999).fit(x, y)
    assert {*y} == {0, 1, 2, 3}
    found = fitted(samples, penalty=0.5)(samples)["fused"].softmax(1).detach()
    np.testing.assert_allclose(found, expected.predict_proba(x), atol=1e-4)


def test_it_stops_near_the_minimum():
    samples = batch(200)
    near = fitted(samples)(samples)["fused"].softmax(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solver, "ACCURACY", 1e-6)
        least = fitted(samples)(samples)["fused"].softmax(1)
    assert (near - least).abs().max() < 0.01


@pytest.mark.parametrize("task", list(Task))
def test_models_that_are_fitted_together_have_the_numbers_of_each_alone(task):
    samples = [batch(40, task, seed) for seed in range(3)]
    samples[1].inputs["text"].mul_(1e-3)  # arrives after another number of steps
    together = [build(task) for _ in samples]
    Linear.fit_all(together, samples, [None] * 3)
    for model, own in zip(together, samples, strict=True):
        alone = weights(fitted(own, task))
        assert all(torch.equal(value, alone[name]) for name, value in weights(model).items())


@pytest.mark.parametrize("task", list(Task))
def test_members_that_are_solved_in_lockstep_do_not_touch_each_other(task):
    """As on an accelerator, where products are of all members."""
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(3, 30, 6, generator=rng, dtype=torch.float64) * torch.tensor([1.0, 0.01, 5.0])[:, None, None]
    y = torch.randint(3, (3, 30), generator=rng)
    everything = torch.ones(3, 30, dtype=torch.float64)

    def solve(part):
        if task == Task.CLASSIFICATION:
            return solver.logistic(x[part], y[part], everything[part], 1.0, 3)
        return solver.ridge(x[part], y[part].double(), everything[part], 1.0)

    together = solve(slice(None))
    for number in range(3):
        assert torch.equal(solve(slice(number, number + 1))[0], together[number])


def test_the_order_of_the_samples_hardly_matters():
    samples = batch(80)
    turned = samples.take(torch.arange(80).flip(0))
    a, b = fitted(samples)(samples)["fused"], fitted(turned)(samples)["fused"]
    torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-3)


def test_a_class_without_a_label_keeps_a_probability():
    samples = batch(30)
    labels = {source: y.clamp(max=1) for source, y in samples.labels.items()}
    model = build()
    model.fit(type(samples)(inputs=samples.inputs, labels=labels), None)
    found = model(samples)["fused"].softmax(1)
    assert 0 < found[:, 2:].min() < found[:, 2:].max() < 0.25


@pytest.mark.parametrize("task", list(Task))
def test_one_label_is_enough(task):
    samples = batch(1, task)
    prediction = fitted(samples, task)(samples)["fused"][0]
    expected = samples.labels["fused"][0]
    if task == Task.CLASSIFICATION:
        assert prediction.argmax() == expected
    else:
        assert prediction.item() == pytest.approx(float(expected))


@pytest.mark.parametrize("task", list(Task))
def test_a_head_learns_from_the_samples_that_have_its_modality(task):
    there = np.arange(60) % 3 > 0
    samples = batch(60, task, present={"text": there})
    samples.inputs["text"][~torch.from_numpy(there)] = 0
    model = fitted(samples, task)
    alone = samples.take(torch.from_numpy(np.flatnonzero(there)))
    expected = fitted(alone, task)
    torch.testing.assert_close(model(alone)["text"], expected(alone)["text"], rtol=1e-4, atol=1e-4)
    assert model.encode(samples)["text"][~torch.from_numpy(there)].abs().max() == 0


@pytest.mark.parametrize("task", list(Task))
def test_a_modality_that_no_labeled_sample_has_predicts_the_same_for_all(task):
    samples = batch(20, task, present={"text": np.zeros(20, bool)})
    prediction = fitted(samples, task)(samples)["text"]
    assert torch.isfinite(prediction).all()
    assert (prediction == prediction[0]).all()


def test_the_fused_prediction_is_made_from_the_modalities_that_were_named():
    samples = batch()
    model = fitted(samples, modalities=["text"])
    outputs = model(samples)
    torch.testing.assert_close(outputs["fused"], outputs["text"])
    assert not torch.allclose(outputs["fused"], outputs["my.audio"])


@pytest.mark.parametrize("task", list(Task))
@pytest.mark.parametrize("penalty", [1e-6, 1e9])
def test_columns_that_repeat_each_other_do_no_harm(task, penalty):
    samples = batch(40, task)
    samples.inputs["my.audio"][:, 1:] = samples.inputs["my.audio"][:, :1]
    found = fitted(samples, task, penalty=penalty)(samples)
    assert all(torch.isfinite(x).all() for x in found.values())


def test_of_one_modality_alone_there_is_one_head():
    samples = batch()
    samples = type(samples)(inputs={"text": samples.inputs["text"]}, labels={"text": samples.labels["text"]})
    samples.labels["fused"] = samples.labels["text"]
    model = Linear(LinearParams(), ModelShape(features={"text": 3}, task=Task.CLASSIFICATION, outputs=4))
    model.fit(samples, None)
    assert len(model.heads) == 1
    outputs = model(samples)
    assert outputs.keys() == {"text", "fused"}
    assert torch.equal(outputs["text"], outputs["fused"])
