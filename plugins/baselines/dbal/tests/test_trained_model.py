import pytest
import torch

from alharness import SamplerError, Task
from alharness_dbal.plugin import DbalParams, alharness_samplers
from alharness_dbal.sampler import Dbal

FEATURES = alharness_samplers()[0].requires


def dbal(**params):
    return Dbal(DbalParams(**{"draws": 6, **params}))


@pytest.mark.parametrize("acquisition", ["entropy", "variation_ratio", "mean_std", "bald"])
def test_chooses_classes_from_a_model_with_dropout_by_scores_that_differ(ask_a_trained_model, acquisition):
    answer = ask_a_trained_model(dbal(acquisition=acquisition), FEATURES)
    assert len(set(answer.scores)) == 10
    assert min(answer.scores) > 0


def test_chooses_values_from_a_model_with_dropout_by_scores_that_differ(ask_a_trained_model):
    answer = ask_a_trained_model(dbal(), FEATURES, Task.REGRESSION)
    assert len(set(answer.scores)) == 10
    assert min(answer.scores) > 0


@pytest.mark.parametrize("task", list(Task))
def test_a_model_without_dropout_is_refused(ask_a_trained_model, task):
    with pytest.raises(SamplerError, match="no active dropout"):
        ask_a_trained_model(dbal(), FEATURES, task, dropout=0.0)


def test_the_same_seed_chooses_the_same(ask_a_trained_model):
    one, again = (ask_a_trained_model(dbal(), FEATURES, seed=3) for _ in range(2))
    assert (one.positions, one.scores) == (again.positions, again.scores)


def test_another_seed_draws_other_masks(ask_a_trained_model):
    one, other = (ask_a_trained_model(dbal(), FEATURES, seed=seed) for seed in (3, 4))
    assert one.scores != other.scores


def test_a_pool_of_exactly_the_budget_is_taken_whole(ask_a_trained_model):
    assert sorted(ask_a_trained_model(dbal(), FEATURES, size=40).positions) == list(range(20, 60))


def test_an_unknown_source_is_refused(ask_a_trained_model):
    with pytest.raises(SamplerError, match="asked for 'smell'"):
        ask_a_trained_model(dbal(source="smell"), FEATURES)


def test_the_acquisition_bald_chooses_what_bald_chooses(ask_a_trained_model):
    bald = pytest.importorskip("alharness_bald.sampler").Bald
    params = pytest.importorskip("alharness_bald.plugin").BaldParams(draws=6)
    ours, theirs = (ask_a_trained_model(s, FEATURES) for s in (dbal(acquisition="bald"), bald(params)))
    assert (ours.positions, ours.scores) == (theirs.positions, theirs.scores)


def test_regression_scores_are_those_of_all_draws_at_once(ask_a_trained_model):
    kept = []

    class Spy(Dbal):
        def score(self, query):
            kept.extend(query.unlabeled.mc_draws(6))
            return super().score(query)

    answer = ask_a_trained_model(Spy(DbalParams(draws=6)), FEATURES, Task.REGRESSION, size=40)
    expected = torch.stack(kept).double().var(0, correction=0)[:, 0].sort(descending=True).values
    assert answer.scores == pytest.approx(expected.tolist(), rel=1e-9)
