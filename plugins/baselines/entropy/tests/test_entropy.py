import numpy as np
import pytest
import torch

from alharness import FUSED, Feature, Task
from alharness.testing import SamplerConformance, TensorView
from alharness.testing import make_query as make_tensor_query
from alharness_entropy.plugin import EntropyParams, alharness_samplers
from alharness_entropy.sampler import Entropy


class TestConformance(SamplerConformance):
    plugin = alharness_samplers()[0]


def make_query(log_p, size=5):
    return make_tensor_query(TensorView(predictions=log_p), size=size)


def predictions(n=60, classes=4, scale=2.0, seed=0):
    """(n, C) log-probabilities as a model gives them."""
    return (scale * torch.randn(n, classes, generator=torch.Generator().manual_seed(seed))).log_softmax(1)


def score(query):
    return Entropy(EntropyParams()).score(query)


def picks(query, **params):
    return Entropy(EntropyParams(**params)).select(query).positions.tolist()


def direct(log_p):
    from scipy.stats import entropy as scipy_entropy

    return torch.from_numpy(scipy_entropy(log_p.double().softmax(1).numpy(), axis=1))


def order(scores):
    return scores.sort(descending=True, stable=True).indices.tolist()


@pytest.mark.parametrize("classes", [2, 4, 10])
def test_scores_are_the_direct_formula(classes):
    log_p = predictions(classes=classes)
    assert torch.allclose(score(make_query(log_p)), direct(log_p), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("size", [0, 1, 20, 60])
def test_takes_the_largest_scores_first(size):
    log_p = predictions()
    assert picks(make_query(log_p, size)) == order(direct(log_p))[:size]


def test_an_even_prediction_wins_over_a_sure_one():
    log_p = torch.tensor([[0.98, 0.01, 0.01], [0.34, 0.33, 0.33], [0.5, 0.5, 1e-9]]).log()
    assert picks(make_query(log_p, 3)) == [1, 2, 0]


def test_an_even_prediction_has_the_entropy_log_c():
    assert score(make_query(torch.zeros(1, 5).log_softmax(1))).item() == pytest.approx(np.log(5))


def test_sure_float32_predictions_are_told_apart():
    log_p = torch.tensor([[25.0, 0.0, 0.0], [20.0, 0.0, 0.0], [30.0, 0.0, 0.0]]).log_softmax(1)
    assert picks(make_query(log_p, 3)) == [1, 0, 2]


def test_logits_200_apart_underflow_nowhere():
    log_p = predictions(scale=200)
    assert torch.allclose(score(make_query(log_p)), direct(log_p), rtol=1e-10, atol=1e-14)


def test_a_class_of_probability_zero_is_no_error():
    log_p = torch.tensor([[0.0, -torch.inf, -torch.inf], [0.5, 0.5, 0.0]])
    log_p[1] = log_p[1].log()
    assert picks(make_query(log_p, 2)) == [1, 0]


def test_looks_at_the_source_of_its_parameters():
    audio, fused = predictions(seed=1), predictions()
    query = make_query({"audio": audio, FUSED: fused}, 60)
    assert picks(query, source="audio") == order(direct(audio))
    assert picks(query) == order(direct(fused))


def test_duplicates_tie_by_position():
    firsts = order(direct(predictions(n=5)))
    chosen = picks(make_query(predictions(n=5).repeat(4, 1), 20))
    assert chosen == [first + 5 * copy for first in firsts for copy in range(4)]


def test_agrees_with_baal():
    heuristics = pytest.importorskip("baal.active.heuristics")
    log_p = predictions()
    theirs = heuristics.Entropy().compute_score(log_p.double().softmax(1).numpy())
    assert (score(make_query(log_p))).numpy() == pytest.approx(theirs, abs=1e-9)


@pytest.fixture
def plugin():
    (plugin,) = alharness_samplers()
    return plugin


def test_is_known_as_entropy_for_classes_and_reads_predictions(plugin):
    expected = ("entropy", {Feature.PREDICTIONS}, {Task.CLASSIFICATION})
    assert (plugin.name, plugin.requires, plugin.tasks) == expected


def test_the_fused_head_is_the_default():
    assert EntropyParams().source == "fused"
