"""A stack draws other random numbers than training one by one does; over seeds its results are the same."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import alharness
from alharness import Inputs, Samples, Task, registry
from alharness.api.vocabulary import ModelShape
from alharness.engine.alone import train_alone
from alharness.engine.batches import as_batch
from alharness.engine.extraction import predict
from alharness.engine.recipe import Fit, Recipe, Validation, model_border
from alharness.engine.stack.training import StackTrainer
from alharness.guard import fingerprint
from alharness.models.late_fusion.network import LateFusion
from alharness.results.statistics import difference
from alharness.spec.settings import TrainingSettings

INSTALLED = registry.load()
CPU = torch.device("cpu")
SEEDS = 20
FEATURES = {"audio": 4, "text": 6, "vision": 6}
CENTERS = np.random.default_rng(0).normal(size=(3, 6))
SURELY = 3.9
"""Student's t, 19 degrees of freedom: of 1,000 equal pairs one is further apart."""
SMALL = {"hidden": 16}
CASES = {
    "late_fusion": ("late_fusion", SMALL, Task.CLASSIFICATION, {"patience": 2}),
    "av_mc": ("av_mc", {}, Task.REGRESSION, {"patience": 2, "stop_on": "loss"}),
    "late_fusion, every epoch": ("late_fusion", SMALL, Task.CLASSIFICATION, {}),
    "av_mc, every epoch": ("av_mc", {}, Task.REGRESSION, {}),
    "lfmim": ("lfmim", {"preset": "small", "width": 16, "heads": 2}, Task.REGRESSION, {}),
}
QUICK = ("late_fusion", "av_mc")


def samples(n, task, seed, pooled):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    arrays = {
        "text": CENTERS[y][:, None, :] + 2 * rng.normal(size=(n, 5, 6)),
        "audio": CENTERS[y][:, None, :4] + 2 * rng.normal(size=(n, 7, 4)),
        "vision": CENTERS[y] + rng.normal(size=(n, 6)),
    }
    found = Samples(
        inputs=Inputs(
            ids=tuple(f"{i:03}" for i in range(n)),
            arrays={m: x.astype(np.float32) for m, x in arrays.items()},
            lengths={"audio": rng.integers(1, 8, n)},
        ),
        labels=y if task == Task.CLASSIFICATION else np.tanh(CENTERS[y, 0]).astype(np.float32),
    )
    return found.pooled() if pooled else found


def error(fitted, test, task):
    """Of the fused head: mean of negative log-likelihoods, or of absolute errors."""
    found = torch.from_numpy(predict(fitted, test.inputs, 256))
    labels = torch.from_numpy(test.labels)
    if task == Task.CLASSIFICATION:
        return torch.nn.functional.cross_entropy(found, labels).item()
    return (found[:, 0] - labels).abs().mean().item()


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=() if case in QUICK else pytest.mark.slow) for case in CASES]
)
def test_models_of_a_stack_are_as_good_as_those_that_were_trained_one_by_one(case):
    name, params, task, settings = CASES[case]
    plugin = INSTALLED.models[name].plugin
    pooled = plugin.inputs == "pooled"
    shape = ModelShape(features=FEATURES, task=task, outputs=3 if task == Task.CLASSIFICATION else 1)
    recipe = Recipe(
        build=lambda: plugin.make(plugin.params(**params), shape),
        settings=TrainingSettings(epochs=6, batch_size=8, learning_rate=3e-3, device="cpu", **settings),
        device=CPU,
        border=model_border(name, pytest.fail),
    )
    held_out, test = (samples(n, task, seed, pooled) for n, seed in ((40, 1000), (200, 1001)))
    batch = as_batch(held_out, CPU)
    valid = Validation(batch=batch, contents=fingerprint.of_tensors(batch.tensors)) if settings else None
    fits = [Fit(labeled=samples(24, task, s, pooled), seed=s, valid=valid) for s in range(SEEDS)]
    together = [error(fitted, test, task) for fitted in StackTrainer(recipe).train(fits)]
    alone = [error(train_alone(recipe, fit), test, task) for fit in fits]
    apart = difference(together, alone, lower_is_better=True)
    assert 0 < abs(apart.value) < SURELY * apart.sd / SEEDS**0.5


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:the model 'alone'")
def test_samplers_reach_the_same_with_models_of_a_stack_and_with_those_that_were_trained_one_by_one(tmp_path):
    class Alone(LateFusion):
        stackable = False

    plugin = INSTALLED.models["late_fusion"].plugin
    plugins = {"together": replace(plugin, name="together"), "alone": replace(plugin, name="alone", make=Alone)}
    spec = {
        "dataset": "digits",
        "training": {"epochs": 10, "batch_size": 20},
        "active_learning": {"initial_pool": 20, "budget": 20, "cycles": 1},
        "samplers": ["coreset", "margin"],
        "seeds": SEEDS,
    }
    found = {}
    for name, model in plugins.items():
        asked = {**spec, "name": name, "model": name}
        results = alharness.run(asked, workdir=tmp_path, models=[model], tracking=False, progress=False)
        found[name] = results.runs[name]
    for sampler in spec["samplers"]:
        areas = [run.areas_of(sampler, range(SEEDS)) for run in found.values()]
        apart = difference(*areas, lower_is_better=False)
        assert 0 < abs(apart.value) < SURELY * apart.sd / SEEDS**0.5
