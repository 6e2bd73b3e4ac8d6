import pytest

from alharness import Task
from alharness.testing import Scenario
from alharness_grace import parts
from alharness_grace.plugin import alharness_samplers

PLUGIN = alharness_samplers()[0]


def choose(scenario, *, pieces=3, **params):
    checked = PLUGIN.params(**params)
    features = PLUGIN.features(checked)
    return scenario.ask_in_parts(PLUGIN.make(checked), features, pieces), scenario.ask(
        PLUGIN.make(checked), features
    )


@pytest.mark.parametrize("task", list(Task))
def test_few_anchors_and_candidates_choose_nearly_as_exact_distances(task, monkeypatch):
    monkeypatch.setattr(parts, "ANCHORS", 50)
    found, exact = choose(Scenario(task=task, unlabeled=600, size=30))
    assert found.diagnostics["candidates"] < 300
    assert 0 < found.diagnostics["estimation_error"] < 0.2
    assert len({*found.positions} & {*exact.positions}) >= 27


def test_scores_of_the_chosen_are_exact(monkeypatch):
    monkeypatch.setattr(parts, "ANCHORS", 50)
    found, exact = choose(Scenario(unlabeled=600, size=30))
    scores = dict(zip(exact.positions, exact.scores, strict=True))
    both = [(score, scores[p]) for p, score in zip(found.positions, found.scores, strict=True) if p in scores]
    assert len(both) >= 27
    assert [score for score, _ in both] == pytest.approx([score for _, score in both], abs=1e-6)


@pytest.mark.parametrize(
    "params",
    [
        {"member_scaling": "pool_rms"},
        {"representativeness": "reciprocal"},
        {"representativeness": "far", "rep_space": "fusion_representation"},
        {"combine": {"additive": {"beta": 10, "gamma": 1}}},
    ],
    ids=str,
)
@pytest.mark.parametrize("task", list(Task))
def test_a_pool_whose_samples_are_all_candidates_is_chosen_from_as_the_whole(params, task):
    found, exact = choose(Scenario(task=task), **params)
    assert found.positions == exact.positions
    assert found.scores == pytest.approx(exact.scores, abs=1e-6)


def test_parts_as_small_as_a_sample_do():
    found, exact = choose(Scenario(unlabeled=9, size=4), pieces=9)
    assert found.positions == exact.positions
