"""Draws that come from a model with dropout, by the harness."""

import pytest
import torch

from alharness import Feature, SamplerError, Task
from alharness.testing import Scenario
from alharness_dbal.plugin import DbalParams
from alharness_dbal.sampler import Dbal

FEATURES = {Feature.MC_DRAWS}


def dbal(**params):
    return Dbal(DbalParams(**{"draws": 6, **params}))


@pytest.mark.parametrize("acquisition", ["entropy", "variation_ratio", "mean_std", "bald"])
def test_scores_of_classes_are_positive_and_differ(acquisition):
    answer = Scenario(size=10).ask(dbal(acquisition=acquisition), FEATURES)
    assert len(set(answer.scores)) == 10
    assert min(answer.scores) > 0


def test_scores_of_values_are_positive_and_differ():
    answer = Scenario(task=Task.REGRESSION, size=10).ask(dbal(), FEATURES)
    assert len(set(answer.scores)) == 10
    assert min(answer.scores) > 0


@pytest.mark.parametrize("task", list(Task))
def test_a_model_without_dropout_is_refused(task):
    with pytest.raises(SamplerError, match="no active dropout"):
        Scenario(task=task, dropout=False).ask(dbal(), FEATURES)


def test_another_seed_draws_other_masks():
    one, other = (Scenario(seed=seed).ask(dbal(), FEATURES) for seed in (3, 4))
    assert one.scores != other.scores


def test_an_unknown_source_is_refused():
    with pytest.raises(SamplerError, match="asked for 'smell'"):
        Scenario().ask(dbal(source="smell"), FEATURES)


def test_the_acquisition_bald_chooses_what_bald_chooses():
    bald = pytest.importorskip("alharness_bald.sampler").Bald
    params = pytest.importorskip("alharness_bald.plugin").BaldParams(draws=6)
    ours, theirs = (Scenario(size=10).ask(s, FEATURES) for s in (dbal(acquisition="bald"), bald(params)))
    assert (ours.positions, ours.scores) == (theirs.positions, theirs.scores)


def test_regression_scores_are_those_of_all_draws_at_once():
    query = Scenario(task=Task.REGRESSION).query(FEATURES)
    expected = torch.stack(list(query.unlabeled.mc_draws(6))).double().var(0, correction=0)[:, 0]
    assert torch.allclose(dbal().score(query), expected, rtol=1e-9, atol=0)
