import inspect
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from alharness import Feature, SamplerError, Task
from alharness.testing import SamplerConformance, Scenario, TensorView, make_query
from alharness_skactiveml import params as of
from alharness_skactiveml.plugin import LEFT_OUT, STRATEGIES, alharness_samplers

PLUGINS = {plugin.name: plugin for plugin in alharness_samplers()}
EACH = [(plugin, task) for plugin in PLUGINS.values() for task in sorted(plugin.tasks)]


def test_loading_the_plugin_imports_no_library_and_no_parameters():
    code = (
        "import sys; from alharness import registry; print(len(registry.load(only=['skactiveml']).samplers)); "
        "print([m for m in ('torch', 'skactiveml', 'sklearn', 'numpy', 'scipy', 'alharness_skactiveml.params') "
        "if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "20\n[]\n"


def test_features_follow_the_parameters():
    plugin = PLUGINS["skactiveml/badge"]
    assert plugin.features(of.Badge()) == {Feature.EMBEDDINGS, Feature.PREDICTIONS}
    assert plugin.features(of.Badge(space="inputs")) == {Feature.INPUTS, Feature.PREDICTIONS}
    assert PLUGINS["skactiveml/batchbald"].features(of.BatchBALD()) == {Feature.MC_DRAWS}
    assert PLUGINS["skactiveml/randomsampling"].features(of.RandomSampling()) == frozenset()


def test_every_strategy_is_a_sampler_or_is_listed_with_a_reason():
    pool = pytest.importorskip("skactiveml.pool")
    strategies = {name for name in pool.__all__ if inspect.isclass(getattr(pool, name))}
    assert {*STRATEGIES, *LEFT_OUT} == strategies
    assert not {*STRATEGIES} & {*LEFT_OUT}


def test_the_page_has_each_of_them():
    page = (Path(__file__).parents[4] / "docs" / "reference" / "skactiveml.md").read_text(encoding="utf-8")
    given, rest = (part.partition("\n## ")[0] for part in page.split("\n| --- | --- |", 2)[1:])
    named = [name for row in re.findall(r"(?m)^\| (`.*?) \|", given) for name in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == sorted(strategy.lower() for strategy in STRATEGIES)
    named = [name for row in re.findall(r"(?m)^\| (`.*?) \|", rest) for name in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == sorted(LEFT_OUT)


@pytest.mark.parametrize("params", [getattr(of, strategy) for strategy in STRATEGIES], ids=[*STRATEGIES])
def test_parameters_are_those_of_the_strategy(params):
    pool = pytest.importorskip("skactiveml.pool")
    theirs = inspect.signature(getattr(pool, params.strategy)).parameters
    own = {name: field.default for name, field in params.model_fields.items() if name not in of.OURS}
    assert {*theirs} == {*own} | {name for name in of.WITHHELD if name in theirs}
    changed = {"metric"} if params is of.ProbabilisticAL else set()
    assert {name: theirs[name].default for name in own if name not in changed} == {
        name: default for name, default in own.items() if name not in changed
    }


@pytest.mark.parametrize(("plugin", "task"), EACH, ids=lambda value: str(getattr(value, "name", value)))
def test_each_gives_a_full_batch_and_the_same_again(plugin, task):
    pytest.importorskip("skactiveml")
    params = plugin.params()
    scenario = Scenario(task=task, unlabeled=12, labeled=5, size=3)
    first, again = (scenario.ask(plugin.make(params), plugin.features(params)).positions for _ in range(2))
    assert len(first) == 3
    assert first == again


def test_the_model_of_the_run_is_what_the_strategy_asks():
    """Next to the strategy with a classifier of scikit-learn, which predicts the same."""
    pool = pytest.importorskip("skactiveml.pool")
    from skactiveml.classifier import SklearnClassifier
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3))
    y = np.where(np.arange(40) < 10, rng.integers(3, size=40), np.nan)
    model = SklearnClassifier(LogisticRegression(), classes=[0, 1, 2]).fit(x, y)
    p = torch.from_numpy(model.predict_proba(x)).log()
    rows = torch.from_numpy(x)
    query = make_query(
        TensorView(embeddings=rows[10:], predictions=p[10:]),
        TensorView(embeddings=rows[:10], predictions=p[:10], targets=torch.from_numpy(y[:10]).long()),
        size=5,
        classes=("a", "b", "c"),
        task=Task.CLASSIFICATION,
    )
    seed = make_query(TensorView(n=1)).seed()
    for name, strategy in (("badge", pool.Badge), ("contrastiveal", pool.ContrastiveAL)):
        plugin = PLUGINS[f"skactiveml/{name}"]
        expected = strategy(random_state=seed).query(x, y, model, fit_clf=False, batch_size=5)
        found = plugin.make(plugin.params()).select(query).positions
        query.rng.bit_generator.state = np.random.default_rng(0).bit_generator.state
        assert found == [i - 10 for i in expected]


@pytest.mark.parametrize("name", ["coreset", "uncertaintysampling"])
def test_features_that_are_not_finite_are_counted(name):
    pytest.importorskip("skactiveml")
    plugin = PLUGINS[f"skactiveml/{name}"]
    scenario = Scenario(spoiled=3)
    with pytest.raises(SamplerError, match=r"\b3 of \d+\b"):
        scenario.ask(plugin.make(plugin.params()), plugin.features(plugin.params()))


class TestConformance(SamplerConformance):
    """The whole kit for one of them; the matrix has the others."""

    plugin = PLUGINS["skactiveml/contrastiveal"]

    @pytest.fixture(autouse=True)
    def _library(self):
        pytest.importorskip("skactiveml")
