"""Every sampler on every built-in model, for every task that it serves, on sequences and a vector."""

import numpy as np
import pytest
import torch

from alharness import Dataset, Feature, Inputs, Samples, Splits, Task, registry
from alharness.api.records import Schedule
from alharness.engine.extraction import Extractor
from alharness.engine.measure import Clock
from alharness.engine.selection import ask
from alharness.engine.views import ModelView
from alharness.runs.setup import Setup, pool_if_needed
from alharness.spec.settings import TrainingSettings

INSTALLED = registry.load()
SAMPLERS = sorted(
    name
    for name, known in INSTALLED.samplers.items()
    if known.distribution.startswith("alharness")
    and Feature.TRUTH not in known.plugin.features(known.plugin.params())  # controls need made-up data
)
MODELS = {
    "late_fusion": ("late_fusion", {}),
    "linear": ("linear", {}),
    "sklearn": ("sklearn", {"params": {"n_estimators": 20}}),
    "av_mc": ("av_mc", {}),
    "av_mc cut early": ("av_mc", {"cut": "encoder"}),
    "lfmim": ("lfmim", {"preset": "small", "width": 16, "heads": 2}),
}

ESTIMATORS = {Task.CLASSIFICATION: "Classifier", Task.REGRESSION: "Regressor"}


def samples(n, task, prefix):
    rng = np.random.default_rng(len(prefix) + n)
    y = rng.integers(0, 3, n)
    centers = np.random.default_rng(0).normal(size=(3, 6))
    arrays = {
        "text": centers[y][:, None, :] + rng.normal(size=(n, 9, 6)),
        "audio": centers[y][:, None, :4] + rng.normal(size=(n, 40, 4)),
        "vision": centers[y] + rng.normal(size=(n, 6)),
    }
    return Samples(
        inputs=Inputs(
            ids=tuple(f"{prefix}{i:03}" for i in range(n)),
            arrays={m: x.astype(np.float32) for m, x in arrays.items()},
            lengths={"audio": rng.integers(0, 41, n)},
        ),
        labels=y if task == Task.CLASSIFICATION else np.tanh(centers[y, 0]).astype(np.float32),
    )


@pytest.fixture(scope="module")
def opened():
    """(model, task) -> the data of a seed, a model trained on it, and its labeled samples; trained once."""
    known = {}

    def build(model, task):
        if (model, task) not in known:
            splits = Splits(**{p: samples(n, task, p) for p, n in (("train", 150), ("valid", 20), ("test", 20))})
            classes = ("a", "b", "c") if task == Task.CLASSIFICATION else ()
            plugin, params = plugin_of(model, task)
            setup = Setup(
                pool_if_needed(Dataset(task=task, content=splits, classes=classes), plugin),
                plugin,
                params,
                TrainingSettings(epochs=3, device="cpu"),
                Schedule(initial_pool=20, sizes=(7,)),
            )
            data = setup.seed_data(0)
            labeled = data.oracle.reveal(data.initial)
            known[model, task] = data, setup.trainer.fit(labeled, 0, data.valid), labeled
        return known[model, task]

    return build


def plugin_of(model, task):
    name, params = MODELS[model]
    plugin = INSTALLED.models[name].plugin
    if name == "sklearn":
        params = params | {"estimator": f"sklearn.ensemble:RandomForest{ESTIMATORS[task]}"}
    return plugin, plugin.params(**params)


def provided(model, task=Task.CLASSIFICATION):
    plugin, params = plugin_of(model, task)
    return plugin.features(params)


def view_of(data, fitted, batch=1000):
    clock = Clock(fitted.device, rest="selection")
    extractor = Extractor(fitted, batch, frozenset(Feature), clock, 0)
    return extractor, ModelView(extractor, data.oracle.inputs, data.initial.unlabeled)


def query(plugin, params, data, fitted, labeled):
    return ask(
        plugin.make(params),
        fitted,
        data.oracle.inputs,
        labeled,
        data.initial,
        size=7,
        cycle=0,
        cycles=1,
        seed=0,
        batch=64,
        features=plugin.features(params),
        classes=data.classes,
    )


@pytest.mark.parametrize(
    ("task", "sampler"),
    [(task, name) for task in Task for name in SAMPLERS if task in INSTALLED.samplers[name].plugin.tasks],
)
@pytest.mark.parametrize("model", MODELS)
def test_a_sampler_chooses_on_every_model_it_can_serve(opened, model, task, sampler):
    plugin = INSTALLED.samplers[sampler].plugin
    params = plugin.params()
    if lacking := plugin.features(params) - provided(model) - {Feature.INPUTS}:
        pytest.skip(f"{model} has no {' and no '.join(lacking)}")
    data, fitted, labeled = opened(model, task)
    answer = query(plugin, params, data, fitted, labeled)
    assert len(set(answer.positions)) == 7
    assert not set(answer.positions) & set(data.initial.labeled)
    assert all(np.isfinite(value) for value in answer.diagnostics.values())


@pytest.mark.parametrize(
    ("sampler", "params"), [("bmmal", {"z_source": "fused"}), ("grace", {"gradient_point": "last_layer"})]
)
@pytest.mark.parametrize("model", MODELS)
def test_options_that_read_more_are_served_as_well(opened, model, sampler, params):
    plugin = INSTALLED.samplers[sampler].plugin
    chosen = plugin.params(**params)
    if lacking := plugin.features(chosen) - provided(model):
        pytest.skip(f"{model} has no {' and no '.join(lacking)}")
    data, fitted, labeled = opened(model, Task.CLASSIFICATION)
    assert len(query(plugin, chosen, data, fitted, labeled).positions) == 7


@pytest.mark.parametrize("task", list(Task))
@pytest.mark.parametrize("model", MODELS)
def test_the_features_of_a_model_belong_together(opened, model, task):
    if Feature.DECODE not in provided(model, task):
        pytest.skip(f"{model} has no decode")
    data, fitted, _ = opened(model, task)
    extractor, view = view_of(data, fitted)
    names = fitted.model.shape.modalities
    z = {m: view.representations(m) for m in names}
    decoded = extractor.decode({**z, **view.context()})
    for source in (*names, "fused"):
        torch.testing.assert_close(decoded[source], view.predictions(source))
        output = fitted.model.last_layer(source)(view.embeddings(source))
        if task == Task.CLASSIFICATION:
            torch.testing.assert_close(output.log_softmax(1), view.predictions(source))
        else:  # up to scale, offset or squashing, none of which changes the order
            ordered = view.predictions(source)[:, 0][output[:, 0].argsort()]
            assert ordered[0] < ordered[-1]
            assert ordered.diff().min() > -1e-5
        if Feature.MC_DRAWS in provided(model):
            drawn = next(view.mc_draws(1, source))
            assert drawn.shape == view.predictions(source).shape
            assert not torch.allclose(drawn, view.predictions(source))
    _, small = view_of(data, fitted, batch=7)
    torch.testing.assert_close(small.predictions(), view.predictions(), rtol=1e-4, atol=1e-5)
    for name, context in small.context().items():
        torch.testing.assert_close(context, view.context()[name], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("model", MODELS)
def test_a_model_gets_the_inputs_it_asks_for(opened, model):
    data, fitted, _ = opened(model, Task.CLASSIFICATION)
    sequences = {m for m, x in data.oracle.inputs.arrays.items() if x.ndim == 3}
    steps = {"text": 9, "audio": 40} if model == "lfmim" else {}
    assert sequences == set(steps)
    assert fitted.model.shape.steps == steps
