"""Estimators of scikit-learn as task models: named in a spec, or given as objects."""

import numpy as np
import pytest
import torch

from alharness import Feature, ModelShape, SpecError, Task
from alharness.api.estimators import features_of, is_estimator, made, plugin_of, require_task
from alharness.api.samples import Inputs, Samples
from alharness.engine.batches import as_batch
from alharness.models.sklearn.network import Estimated
from alharness.models.sklearn.params import EstimatorParams, SklearnParams

SHAPE = {"my.audio": 5, "text": 3}
CPU = torch.device("cpu")


def sk(path, **params):
    return made(f"sklearn.{path}", params)


def batch(n=60, task=Task.CLASSIFICATION, seed=0, present=None, features=None, classes=4):
    rng = np.random.default_rng(seed)
    arrays = {m: (7 + 3 * rng.normal(size=(n, d))).astype(np.float32) for m, d in (features or SHAPE).items()}
    signal = arrays["text"][:, 0] - 7
    labels = np.digitize(signal, [-2, 0, 2]) % classes if task == Task.CLASSIFICATION else signal
    inputs = Inputs(ids=tuple(map(str, range(n))), arrays=arrays, present=present or {})
    return as_batch(Samples(inputs=inputs, labels=labels), CPU)


def fitted(estimator, samples, task=Task.CLASSIFICATION, seed=0, **params):
    torch.manual_seed(seed)
    features = {m: x.shape[1] for m, x in samples.inputs.items()}
    shape = ModelShape(features=features, task=task, outputs=4 if task == Task.CLASSIFICATION else 1)
    model = Estimated(estimator, EstimatorParams(**params), shape)
    model.fit(samples, None)
    return model.eval()


def test_each_source_is_predicted_by_an_estimator_of_its_own():
    samples = batch()
    model = fitted(sk("neighbors:KNeighborsClassifier", n_neighbors=3), samples, standardize=False)
    outputs = model(samples)
    for source, names in {"text": ["text"], "fused": list(SHAPE)}.items():
        x = np.hstack([samples.inputs[m] for m in names])
        expected = (
            sk("neighbors:KNeighborsClassifier", n_neighbors=3).fit(x, samples.labels["fused"]).predict_proba(x)
        )
        np.testing.assert_allclose(outputs[source].exp(), expected, atol=1e-6)


def test_it_gets_standardized_inputs():
    x = torch.cat([*fitted(sk("linear_model:LogisticRegression"), batch()).encode(batch()).values()], 1)
    np.testing.assert_allclose(x.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(x.std(0, correction=0), 1, atol=1e-5)


def test_regression():
    samples = batch(200, Task.REGRESSION)
    found = fitted(sk("ensemble:RandomForestRegressor", n_estimators=20), samples, Task.REGRESSION)(samples)
    assert found["fused"].shape == (200, 1)
    assert (found["fused"][:, 0] - samples.labels["fused"]).abs().mean() < 0.5


def test_random_states_come_from_the_seed():
    samples, forest = batch(), sk("ensemble:RandomForestClassifier", n_estimators=3)
    first, again, other = (fitted(forest, samples, seed=seed)(samples)["fused"] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert forest.random_state is None


def test_one_modality_has_one_estimator():
    samples = batch(features={"text": 3})
    model = fitted(sk("ensemble:RandomForestClassifier", n_estimators=3), samples)
    assert len(model.heads) == 1
    outputs = model(samples)
    assert torch.equal(outputs["text"], outputs["fused"])


@pytest.mark.parametrize(
    "estimator", ["linear_model:RidgeClassifier", "neighbors:NearestCentroid", "linear_model:LogisticRegression"]
)
@pytest.mark.parametrize("classes", [2, 4])
def test_predictions_are_numbers_whatever_the_estimator_can_say(estimator, classes):
    samples = batch(classes=classes)
    found = fitted(sk(estimator), samples)(samples)["fused"]
    assert torch.isfinite(found).all()
    assert (found.argmax(1) == samples.labels["fused"]).float().mean() > 0.5
    np.testing.assert_allclose(found.exp().sum(1), 1, atol=1e-4)


def test_one_label_alone_is_predicted_for_all():
    samples = batch(5)
    labels = {source: torch.full_like(y, 2) for source, y in samples.labels.items()}
    found = fitted(sk("linear_model:LogisticRegression"), type(samples)(inputs=samples.inputs, labels=labels))(
        samples
    )
    assert (found["fused"].argmax(1) == 2).all()
    assert torch.isfinite(found["fused"]).all()


@pytest.mark.parametrize("task", list(Task))
def test_a_modality_that_no_labeled_sample_has_predicts_the_same_for_all(task):
    samples = batch(20, task, present={"text": np.zeros(20, bool)})
    forest = (
        sk("ensemble:RandomForestClassifier", n_estimators=3)
        if task == Task.CLASSIFICATION
        else sk("ensemble:RandomForestRegressor", n_estimators=3)
    )
    found = fitted(forest, samples, task)(samples)["text"]
    assert torch.isfinite(found).all()
    assert (found == found[0]).all()


def test_what_it_cannot_offer_is_declared():
    forest = features_of(sk("ensemble:RandomForestClassifier"))
    assert forest == {Feature.EMBEDDINGS, Feature.REPRESENTATIONS, Feature.PREDICTIONS}

    from sklearn.base import BaseEstimator, ClassifierMixin

    class Silent(ClassifierMixin, BaseEstimator):
        def fit(self, x, y): ...

        def predict(self, x): ...

    assert Feature.PREDICTIONS not in features_of(Silent())
    assert is_estimator(Silent())
    assert Feature.PREDICTIONS in plugin_of(sk("ensemble:RandomForestRegressor"), "forest").features(
        EstimatorParams()
    )


@pytest.mark.parametrize(
    ("path", "params", "message"),
    [
        ("sklearn.ensemble:RandomForestClasifier", {}, "did you mean 'RandomForestClassifier'"),
        ("sklearn.ensembles:RandomForestClassifier", {}, "there is no module 'sklearn.ensembles'"),
        ("sklearn.ensemble:RandomForestClassifier", {"n_estimator": 3}, "did you mean 'n_estimators'"),
        ("sklearn.ensemble:RandomForestClassifier", {"n_estimators": -3}, "'n_estimators' parameter"),
        ("sklearn.utils:Bunch", {}, "has no estimator 'Bunch'"),
    ],
)
def test_what_is_no_estimator_is_refused(path, params, message):
    with pytest.raises(SpecError, match=message):
        made(path, params)


@pytest.mark.parametrize(
    "path", ["os:System", "sklearn:X", "sklearn._config:A", "sklearn.svm:svc", "mysklearn.svm:SVC"]
)
def test_only_estimators_of_scikit_learn_may_be_named(path):
    with pytest.raises(ValueError, match="an estimator of scikit-learn"):
        SklearnParams(estimator=path)


def test_a_path_may_be_written_with_a_point():
    assert SklearnParams(estimator="sklearn.svm.SVC").estimator == "sklearn.svm:SVC"


def test_an_object_that_derives_from_nothing_of_scikit_learn_may_say_what_it_is():
    class Plain:
        _estimator_type = "regressor"

    require_task(Plain(), Task.REGRESSION)
    with pytest.raises(SpecError, match="Plain is a regressor"):
        require_task(Plain(), Task.CLASSIFICATION)


def test_parameters_are_values_and_no_objects():
    params = {"estimator": sk("ensemble:RandomForestClassifier")}
    with pytest.raises(ValueError, match="params"):
        SklearnParams(estimator="sklearn.ensemble:BaggingClassifier", params=params)


def test_a_classifier_does_not_serve_regression():
    with pytest.raises(SpecError, match="choose a regressor, such as"):
        require_task(sk("ensemble:RandomForestClassifier"), Task.REGRESSION)


def test_libraries_use_as_many_threads_as_torch(monkeypatch):
    from sklearn.neighbors import KNeighborsClassifier
    from threadpoolctl import threadpool_info

    def numbers(self, *_):
        found.append({library["num_threads"] for library in threadpool_info()})
        return original(self, *_)

    original, found = KNeighborsClassifier.predict_proba, []
    monkeypatch.setattr(KNeighborsClassifier, "predict_proba", numbers)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        fitted(KNeighborsClassifier(3), batch())(batch())
    finally:
        torch.set_num_threads(before)
    assert found == [{1}] * 3
