import pytest
import torch

from alharness import SamplerError, Task
from alharness_bald.plugin import BaldParams, alharness_samplers
from alharness_bald.sampler import Bald

FEATURES = alharness_samplers()[0].requires


@pytest.fixture
def bald():
    return Bald(BaldParams(draws=6))


@pytest.mark.parametrize("task", list(Task))
def test_chooses_from_a_model_with_dropout_by_scores_that_differ(ask_a_trained_model, bald, task):
    answer = ask_a_trained_model(bald, FEATURES, task)
    assert len(set(answer.scores)) == 10
    assert list(answer.scores) == sorted(answer.scores, reverse=True)
    assert min(answer.scores) > 0


@pytest.mark.parametrize("task", list(Task))
def test_a_model_without_dropout_is_refused(ask_a_trained_model, bald, task):
    with pytest.raises(SamplerError, match="no active dropout"):
        ask_a_trained_model(bald, FEATURES, task, dropout=0.0)


def test_the_same_seed_chooses_the_same(ask_a_trained_model, bald):
    one, again = (ask_a_trained_model(bald, FEATURES, seed=3) for _ in range(2))
    assert (one.positions, one.scores) == (again.positions, again.scores)


def test_another_seed_draws_other_masks(ask_a_trained_model, bald):
    one, other = (ask_a_trained_model(bald, FEATURES, seed=seed) for seed in (3, 4))
    assert one.scores != other.scores


def test_a_pool_of_exactly_the_budget_is_taken_whole(ask_a_trained_model, bald):
    assert sorted(ask_a_trained_model(bald, FEATURES, size=40).positions) == list(range(20, 60))


@pytest.mark.parametrize("source", ["audio", "text"])
def test_a_modality_may_be_looked_at(ask_a_trained_model, bald, source):
    one = ask_a_trained_model(Bald(BaldParams(draws=6, source=source)), FEATURES)
    assert one.scores != ask_a_trained_model(bald, FEATURES).scores


def test_an_unknown_source_is_refused(ask_a_trained_model):
    with pytest.raises(SamplerError, match="asked for 'smell'"):
        ask_a_trained_model(Bald(BaldParams(source="smell")), FEATURES)


def test_in_regression_it_chooses_what_dbal_chooses(ask_a_trained_model, bald):
    dbal = pytest.importorskip("alharness_dbal.sampler").Dbal
    params = pytest.importorskip("alharness_dbal.plugin").DbalParams(draws=6)
    ours, theirs = (ask_a_trained_model(s, FEATURES, Task.REGRESSION) for s in (bald, dbal(params)))
    assert ours.positions == theirs.positions
    assert ours.diagnostics == {"ranks_as_dbal": 1.0}


def test_scores_are_those_of_all_draws_at_once(ask_a_trained_model, bald):
    kept = []

    class Spy(Bald):
        def score(self, query):
            kept.extend(query.unlabeled.mc_draws(6))
            return super().score(query)

    answer = ask_a_trained_model(Spy(BaldParams(draws=6)), FEATURES, size=40)
    p = torch.stack(kept).double().softmax(2)
    mean = p.mean(0)
    expected = -torch.xlogy(mean, mean).sum(1) + torch.xlogy(p, p).sum(2).mean(0)
    assert answer.scores == pytest.approx(expected.sort(descending=True).values.tolist(), rel=1e-9)
