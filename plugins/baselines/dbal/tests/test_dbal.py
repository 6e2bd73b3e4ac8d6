import pytest
import torch

from alharness import FUSED, SamplerError, Task
from alharness.testing import SamplerConformance, TensorView
from alharness.testing import make_query as make_tensor_query
from alharness_dbal.plugin import DbalParams, alharness_samplers
from alharness_dbal.sampler import Dbal

ACQUISITIONS = ("entropy", "variation_ratio", "mean_std", "bald")


class TestConformance(SamplerConformance):
    plugin = alharness_samplers()[0]
    params = {"draws": 6}


class TestConformanceOfTheVariationRatio(TestConformance):
    params = {"acquisition": "variation_ratio", "draws": 6}
    tasks = {Task.CLASSIFICATION}


class TestConformanceOfTheMeanDeviation(TestConformance):
    params = {"acquisition": "mean_std", "draws": 6}
    tasks = {Task.CLASSIFICATION}


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


def score(query, **params):
    return Dbal(DbalParams(**params)).score(query)


def picks(query, **params):
    return Dbal(DbalParams(**params)).select(query).positions.tolist()


def direct(log_p, acquisition):
    """The scores from all draws at once."""
    p = log_p.double().softmax(2)
    mean = p.mean(0)
    spread = -torch.xlogy(mean, mean).sum(1)
    return {
        "entropy": spread,
        "variation_ratio": 1 - mean.max(1).values,
        "mean_std": (p - mean).square().mean(0).sqrt().mean(1),
        "bald": spread + torch.xlogy(p, p).sum(2).mean(0),
    }[acquisition]


def order(scores):
    return scores.sort(descending=True, stable=True).indices.tolist()


@pytest.mark.parametrize("acquisition", ACQUISITIONS)
@pytest.mark.parametrize(("draws", "classes"), [(2, 2), (10, 4), (25, 7)])
def test_scores_are_the_direct_formula(acquisition, draws, classes):
    log_p = stack(draws, classes=classes)
    ours = score(make_query(log_p), acquisition=acquisition, draws=draws)
    assert torch.allclose(ours, direct(log_p, acquisition), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("acquisition", ACQUISITIONS)
@pytest.mark.parametrize("size", [0, 1, 20, 60])
def test_takes_the_largest_first(acquisition, size):
    log_p = stack()
    expected = order(direct(log_p, acquisition))[:size]
    assert picks(make_query(log_p, size), acquisition=acquisition) == expected


def test_the_acquisitions_differ():
    chosen = {tuple(picks(make_query(stack(), 20), acquisition=name)) for name in ACQUISITIONS}
    assert len(chosen) == len(ACQUISITIONS)


def test_predictive_entropy_is_the_default():
    log_p = stack()
    assert picks(make_query(log_p, 60)) == order(direct(log_p, "entropy"))


def test_regression_ranks_by_the_biased_variance():
    draws = values()
    expected = draws.double().var(0, correction=0)[:, 0]
    assert torch.allclose(score(make_query(draws, task=Task.REGRESSION)), expected, rtol=1e-12)


def test_regression_bears_an_offset():
    draws = values() + 1000
    expected = draws.double().var(0, correction=0)[:, 0]
    assert torch.allclose(score(make_query(draws, task=Task.REGRESSION)), expected, rtol=1e-10)


@pytest.mark.parametrize("acquisition", ["variation_ratio", "mean_std", "bald"])
def test_regression_refuses_an_acquisition_of_classes(acquisition):
    query = make_query(values(), task=Task.REGRESSION)
    with pytest.raises(SamplerError, match=f"'{acquisition}' ranks probabilities of classes.*leave"):
        picks(query, acquisition=acquisition)


@pytest.mark.parametrize("acquisition", ["entropy", "variation_ratio"])
def test_sure_float32_predictions_are_told_apart(acquisition):
    log_p = torch.tensor([[25.0, 0.0], [20.0, 0.0], [30.0, 0.0]]).log_softmax(1).repeat(3, 1, 1)
    assert picks(make_query(log_p, 3), acquisition=acquisition, draws=3) == [1, 0, 2]


@pytest.mark.parametrize("acquisition", ACQUISITIONS)
def test_logits_200_apart_underflow_nowhere(acquisition):
    log_p = stack(n=50, scale=200)
    ours = score(make_query(log_p), acquisition=acquisition)
    assert torch.allclose(ours, direct(log_p, acquisition), rtol=1e-10, atol=1e-14)


def test_asks_for_the_draws_and_the_source_of_its_parameters():
    audio, fused = stack(seed=1), stack()
    query = make_query({"audio": audio, FUSED: fused}, 60)
    assert picks(query, draws=7, source="audio") == order(direct(audio[:7], "entropy"))
    assert picks(query) == order(direct(fused, "entropy"))


def test_regression_asks_for_the_draws_and_the_source_of_its_parameters():
    audio, fused = values(seed=1), values()
    query = make_query({"audio": audio, FUSED: fused}, 60, Task.REGRESSION)
    expected = audio[:7].double().var(0, correction=0)[:, 0]
    assert picks(query, draws=7, source="audio") == order(expected)


@pytest.mark.parametrize("acquisition", ACQUISITIONS)
def test_duplicates_tie_by_position(acquisition):
    chosen = picks(make_query(stack(n=5).repeat(1, 4, 1), 20), acquisition=acquisition)
    firsts = order(direct(stack(n=5), acquisition))
    assert chosen == [first + 5 * copy for first in firsts for copy in range(4)]


@pytest.mark.parametrize(("acquisition", "heuristic"), [("entropy", "Entropy"), ("bald", "BALD")])
def test_agrees_with_baal(acquisition, heuristic):
    heuristics = pytest.importorskip("baal.active.heuristics")
    log_p = stack()
    p = log_p.double().softmax(2).permute(1, 2, 0).numpy()
    theirs = getattr(heuristics, heuristic)().compute_score(p)
    assert score(make_query(log_p), acquisition=acquisition).numpy() == pytest.approx(theirs, abs=1e-9)


def test_the_variation_ratio_is_one_minus_the_certainty_of_baal():
    heuristics = pytest.importorskip("baal.active.heuristics")
    log_p = stack()
    theirs = 1 - heuristics.Certainty().compute_score(log_p.double().softmax(2).permute(1, 2, 0).numpy())
    assert score(make_query(log_p), acquisition="variation_ratio").numpy() == pytest.approx(theirs, abs=1e-9)


def test_regression_agrees_with_baal():
    heuristics = pytest.importorskip("baal.active.heuristics")
    draws = values()
    theirs = heuristics.Variance().compute_score(draws.double().permute(1, 2, 0).numpy())[:, 0]
    assert score(make_query(draws, task=Task.REGRESSION)).numpy() == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize("acquisition", ACQUISITIONS)
def test_the_least_certain_of_nearly_certain_samples_is_chosen(acquisition):
    tops = torch.tensor([60.0, 50.0, 40.0, 70.0])
    draws = torch.zeros(3, 4, 3)
    draws[:, :, 0] = tops
    draws[1, :, 0] += 1.0  # draws must differ for deviations and information
    assert picks(make_query(draws.log_softmax(2), 4), acquisition=acquisition, draws=3) == [2, 1, 0, 3]


def test_deviations_of_nearly_certain_predictions_count_every_class():
    draws = torch.tensor([[[30.0, 0.0]], [[31.0, 0.0]]], dtype=torch.float64).log_softmax(2)
    small = draws[:, 0, 1].exp()
    expected = (small[0] - small[1]).abs().item() / 2  # of both classes alike
    assert score(make_query(draws, 1), acquisition="mean_std", draws=2).item() == pytest.approx(
        expected, rel=1e-9, abs=0
    )
