import random

import numpy as np
import pytest
import torch

from alharness import SamplerError, Task
from alharness_bald.plugin import BaldParams
from alharness_bald.sampler import Bald


def stack(draws=25, n=60, classes=4, scale=2.0, seed=0):
    """(T, n, C) log-probabilities as a model gives them."""
    noise = torch.randn(draws, n, classes, generator=torch.Generator().manual_seed(seed))
    return (scale * noise).log_softmax(2)


def values(draws=25, n=60, seed=0):
    """(T, n, 1) values whose spread differs from sample to sample."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(draws, n, 1, generator=generator) * torch.rand(1, n, 1, generator=generator)


def choose(query, **params):
    return Bald(BaldParams(**params)).select(query)


def picks(query, **params):
    return choose(query, **params).positions.tolist()


def direct(log_p):
    """Mutual information from all draws at once."""
    p = log_p.double().softmax(2)
    mean = p.mean(0)
    return -torch.xlogy(mean, mean).sum(1) + torch.xlogy(p, p).sum(2).mean(0)


def order(scores):
    return scores.sort(descending=True, stable=True).indices.tolist()


@pytest.mark.parametrize(("draws", "classes"), [(2, 2), (10, 4), (25, 7)])
def test_scores_are_the_direct_formula(make_query, draws, classes):
    log_p = stack(draws, classes=classes)
    assert torch.allclose(Bald(BaldParams()).score(make_query(log_p)), direct(log_p), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("size", [0, 1, 20, 60])
def test_takes_the_largest_mutual_information_first(make_query, size):
    log_p = stack()
    assert picks(make_query(log_p, size)) == order(direct(log_p))[:size]


def test_disagreement_wins_over_doubt(make_query):
    half, sure = torch.tensor([0.5, 0.5]).log(), torch.tensor([[0.999, 0.001], [0.001, 0.999]]).log()
    log_p = torch.stack([torch.stack([half, sure[t % 2], sure[0]]) for t in range(10)])
    assert picks(make_query(log_p, 1)) == [1]


def test_the_scores_come_with_the_choice(make_query):
    log_p = stack()
    assert torch.allclose(choose(make_query(log_p, 5)).scores, direct(log_p).sort(descending=True).values[:5])


def test_regression_ranks_by_the_variance(make_query):
    draws = values()
    expected = order(draws.double().var(0, correction=0)[:, 0])
    assert picks(make_query(draws, 60, Task.REGRESSION)) == expected


def test_regression_bears_an_offset(make_query):
    draws = values() + 1000
    expected = order(draws.double().var(0, correction=0)[:, 0])
    assert picks(make_query(draws, 60, Task.REGRESSION)) == expected


def test_regression_says_that_it_ranks_as_dbal(make_query):
    query = make_query(values(), 5, Task.REGRESSION)
    choose(query)
    assert query.log.__self__ == {"ranks_as_dbal": 1.0}


def test_classification_does_not_say_so(make_query):
    query = make_query(stack())
    choose(query)
    assert query.log.__self__ == {}


def test_asks_for_the_draws_and_the_source_of_its_parameters(make_query):
    query = make_query(stack())
    choose(query, draws=7, source="audio")
    assert query.unlabeled.asked == [(7, "audio")]


def test_a_permuted_pool_gives_the_same_samples(make_query):
    log_p = stack()
    permutation = torch.randperm(60, generator=torch.Generator().manual_seed(3))
    permuted = picks(make_query(log_p[:, permutation], 20))
    assert permutation[permuted].tolist() == picks(make_query(log_p, 20))


def test_duplicates_tie_by_position(make_query):
    chosen = picks(make_query(stack(n=5).repeat(1, 4, 1), 20))
    firsts = order(direct(stack(n=5)))
    assert chosen == [first + 5 * copy for first in firsts for copy in range(4)]


def test_a_constant_pool_gives_a_full_batch_in_order(make_query):
    assert picks(make_query(stack(n=1).repeat(1, 9, 1), 5)) == [0, 1, 2, 3, 4]


def test_draws_that_agree_everywhere_leave_no_negative_score(make_query):
    assert Bald(BaldParams()).score(make_query(stack(1, n=500).repeat(25, 1, 1))).min() == 0


def test_logits_200_apart_underflow_nowhere(make_query):
    log_p = stack(n=50, scale=200)
    assert torch.allclose(Bald(BaldParams()).score(make_query(log_p)), direct(log_p), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("task", list(Task))
@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_refuses_draws_that_are_not_finite(make_query, task, bad):
    draws = stack() if task == Task.CLASSIFICATION else values()
    draws[3, [4, 9], 0] = bad
    with pytest.raises(SamplerError, match="2 of 60 scores"):
        picks(make_query(draws, 5, task))


def test_the_seed_does_not_matter(make_query):
    assert picks(make_query(stack(), seed=1)) == picks(make_query(stack(), seed=2))


def test_global_random_state_is_untouched(make_query):
    def state():
        numpy = np.random.get_state()
        return torch.get_rng_state().tolist(), numpy[1].tolist(), numpy[2], random.getstate()

    query, before = make_query(stack()), state()
    picks(query)
    assert state() == before


def test_agrees_with_baal(make_query):
    heuristics = pytest.importorskip("baal.active.heuristics")
    log_p = stack()
    theirs = heuristics.BALD().compute_score(log_p.double().softmax(2).permute(1, 2, 0).numpy())
    assert Bald(BaldParams()).score(make_query(log_p)).numpy() == pytest.approx(theirs, abs=1e-7)
    assert picks(make_query(log_p, 60)) == np.argsort(-theirs).tolist()
