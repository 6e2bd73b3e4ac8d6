import numpy as np
import pytest
import torch

from alharness import FUSED, Task
from alharness.testing import SamplerConformance, TensorView
from alharness.testing import make_query as make_tensor_query
from alharness_bald.plugin import BaldParams, alharness_samplers
from alharness_bald.sampler import Bald


class TestConformance(SamplerConformance):
    plugin = alharness_samplers()[0]
    params = {"draws": 6}


def make_query(draws, size=5, task=Task.CLASSIFICATION):
    return make_tensor_query(TensorView(draws=draws), size=size, task=task)


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
def test_scores_are_the_direct_formula(draws, classes):
    log_p = stack(draws, classes=classes)
    scores = Bald(BaldParams(draws=draws)).score(make_query(log_p))
    assert torch.allclose(scores, direct(log_p), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("size", [0, 1, 20, 60])
def test_takes_the_largest_mutual_information_first(size):
    log_p = stack()
    assert picks(make_query(log_p, size)) == order(direct(log_p))[:size]


def test_disagreement_wins_over_doubt():
    half, sure = torch.tensor([0.5, 0.5]).log(), torch.tensor([[0.999, 0.001], [0.001, 0.999]]).log()
    log_p = torch.stack([torch.stack([half, sure[t % 2], sure[0]]) for t in range(10)])
    assert picks(make_query(log_p, 1), draws=10) == [1]


def test_the_scores_come_with_the_choice():
    log_p = stack()
    assert torch.allclose(choose(make_query(log_p, 5)).scores, direct(log_p).sort(descending=True).values[:5])


def test_regression_ranks_by_the_variance():
    draws = values()
    expected = order(draws.double().var(0, correction=0)[:, 0])
    assert picks(make_query(draws, 60, Task.REGRESSION)) == expected


def test_regression_bears_an_offset():
    draws = values() + 1000
    expected = order(draws.double().var(0, correction=0)[:, 0])
    assert picks(make_query(draws, 60, Task.REGRESSION)) == expected


def test_regression_says_that_it_ranks_as_dbal():
    query = make_query(values(), 5, Task.REGRESSION)
    choose(query)
    assert query.logged == {"ranks_as_dbal": 1.0}


def test_classification_does_not_say_so():
    query = make_query(stack())
    choose(query)
    assert query.logged == {}


def test_asks_for_the_draws_and_the_source_of_its_parameters():
    audio, fused = stack(seed=1), stack()
    query = make_query({"audio": audio, FUSED: fused}, 60)
    assert picks(query, draws=7, source="audio") == order(direct(audio[:7]))
    assert picks(query) == order(direct(fused))


def test_duplicates_tie_by_position():
    chosen = picks(make_query(stack(n=5).repeat(1, 4, 1), 20))
    firsts = order(direct(stack(n=5)))
    assert chosen == [first + 5 * copy for first in firsts for copy in range(4)]


def test_draws_that_agree_everywhere_leave_no_negative_score():
    assert Bald(BaldParams()).score(make_query(stack(1, n=500).repeat(25, 1, 1))).min() == 0


def test_logits_200_apart_underflow_nowhere():
    log_p = stack(n=50, scale=200)
    assert torch.allclose(Bald(BaldParams()).score(make_query(log_p)), direct(log_p), rtol=1e-10, atol=1e-14)


def test_agrees_with_baal():
    heuristics = pytest.importorskip("baal.active.heuristics")
    log_p = stack()
    theirs = heuristics.BALD().compute_score(log_p.double().softmax(2).permute(1, 2, 0).numpy())
    assert Bald(BaldParams()).score(make_query(log_p)).numpy() == pytest.approx(theirs, abs=1e-7)
    assert picks(make_query(log_p, 60)) == np.argsort(-theirs).tolist()
