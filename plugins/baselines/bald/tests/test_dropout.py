"""Draws that come from a model with dropout, by the harness."""

import pytest
import torch

from alharness import Feature, SamplerError, Task
from alharness.testing import Scenario
from alharness_bald.plugin import BaldParams
from alharness_bald.sampler import Bald

FEATURES = {Feature.MC_DRAWS}


@pytest.fixture(params=list(Task), ids=str)
def scenario(request):
    return Scenario(task=request.param, size=10)


@pytest.fixture
def bald():
    return Bald(BaldParams(draws=6))


def test_scores_are_positive_and_differ(scenario, bald):
    answer = scenario.ask(bald, FEATURES)
    assert len(set(answer.scores)) == 10
    assert list(answer.scores) == sorted(answer.scores, reverse=True)
    assert min(answer.scores) > 0


@pytest.mark.parametrize("task", list(Task))
def test_a_model_without_dropout_is_refused(bald, task):
    with pytest.raises(SamplerError, match="no active dropout"):
        Scenario(task=task, dropout=False).ask(bald, FEATURES)


def test_another_seed_draws_other_masks(bald):
    one, other = (Scenario(seed=seed).ask(bald, FEATURES) for seed in (3, 4))
    assert one.scores != other.scores


def test_an_unknown_source_is_refused():
    with pytest.raises(SamplerError, match="asked for 'smell'"):
        Scenario().ask(Bald(BaldParams(source="smell")), FEATURES)


def test_in_regression_it_chooses_what_dbal_chooses(bald):
    dbal = pytest.importorskip("alharness_dbal.sampler").Dbal
    params = pytest.importorskip("alharness_dbal.plugin").DbalParams(draws=6)
    ours, theirs = (Scenario(task=Task.REGRESSION, size=10).ask(s, FEATURES) for s in (bald, dbal(params)))
    assert ours.positions == theirs.positions
    assert ours.diagnostics == {"ranks_as_dbal": 1.0}


def test_scores_are_those_of_all_draws_at_once(bald):
    query = Scenario(size=40).query(FEATURES)
    p = torch.stack(list(query.unlabeled.mc_draws(6))).double().softmax(2)
    mean = p.mean(0)
    expected = -torch.xlogy(mean, mean).sum(1) + torch.xlogy(p, p).sum(2).mean(0)
    assert torch.allclose(bald.score(query), expected, rtol=1e-9, atol=0)
