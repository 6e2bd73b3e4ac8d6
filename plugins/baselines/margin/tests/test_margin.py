import math

import mpmath
import pytest
import torch

from alharness import FUSED, Feature, Task
from alharness.testing import SamplerConformance, TensorView
from alharness.testing import make_query as make_tensor_query
from alharness_margin.plugin import MarginParams, alharness_samplers
from alharness_margin.sampler import Margin


class TestConformance(SamplerConformance):
    plugin = alharness_samplers()[0]


def make_query(log_p, size=5):
    return make_tensor_query(TensorView(predictions=log_p), size=size)


def predictions(n=60, classes=4, scale=2.0, seed=0):
    """(n, C) log-probabilities as a model gives them."""
    return (scale * torch.randn(n, classes, generator=torch.Generator().manual_seed(seed))).log_softmax(1)


def score(query):
    return Margin(MarginParams()).score(query)


def picks(query, **params):
    return Margin(MarginParams(**params)).select(query).positions.tolist()


def direct(log_p):
    """log((1 − gap) / gap) with a thousand digits."""
    with mpmath.workdps(1000):
        found = []
        for row in log_p.double().tolist():
            odds = sorted(mpmath.exp(x) for x in row)
            gap = (odds[-1] - odds[-2]) / sum(odds)
            found.append(float(mpmath.log((1 - gap) / gap)))
    return torch.tensor(found, dtype=torch.float64)


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


def test_the_closest_two_win_even_where_a_third_is_far():
    log_p = torch.tensor([[0.34, 0.33, 0.33], [0.5, 0.499999, 1e-6], [0.4, 0.3, 0.3]]).log()
    assert picks(make_query(log_p, 3)) == [1, 0, 2]


def test_two_classes_of_equal_probability_have_the_highest_score_that_there_is():
    log_p = torch.tensor([[0.0, 0.0], [1e-9, 0.0]], dtype=torch.float64).log_softmax(1)
    equal, nearly = score(make_query(log_p, size=1)).tolist()
    assert math.isfinite(equal)
    assert nearly == pytest.approx(math.log(2e9))  # a gap of 5e-10
    assert equal > 2 * nearly


@pytest.mark.parametrize("logits", [(60.0, 50.0, 40.0), (900.0, 800.0, 700.0), (38.0, 37.5, 37.0)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("others", [1, 4])
def test_the_least_certain_of_certain_predictions_is_chosen(logits, dtype, others):
    log_p = torch.tensor([[top] + [0.0] * others for top in logits], dtype=dtype).log_softmax(1)
    assert picks(make_query(log_p, 3)) == [2, 1, 0]
    assert torch.allclose(score(make_query(log_p, 3)), direct(log_p), rtol=1e-6)


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
    theirs = heuristics.Margin().compute_score(log_p.double().softmax(1).numpy())
    assert (1 / (1 + score(make_query(log_p)).exp())).numpy() == pytest.approx(theirs, abs=1e-9)


@pytest.fixture
def plugin():
    (plugin,) = alharness_samplers()
    return plugin


def test_is_known_as_margin_for_classes_and_reads_predictions(plugin):
    expected = ("margin", {Feature.PREDICTIONS}, {Task.CLASSIFICATION})
    assert (plugin.name, plugin.requires, plugin.tasks) == expected


def test_the_fused_head_is_the_default():
    assert MarginParams().source == "fused"
