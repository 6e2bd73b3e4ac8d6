import gc
import math

import pytest
import torch

from alharness import SamplerError
from alharness.kernels.posterior import (
    log_mean,
    mutual_information,
    predictive_entropy,
    renormalize,
    shannon_entropy,
    variance,
)

SUMS = (log_mean, predictive_entropy, mutual_information, variance)


def logits(*shape, scale=2.0, seed=0):
    return scale * torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).double()


def stack(draws=25, n=40, classes=5, scale=2.0, seed=0):
    """(T, n, C) log-probabilities in float64."""

    from scipy.special import log_softmax

    return torch.from_numpy(log_softmax(logits(draws, n, classes, scale=scale, seed=seed).numpy(), axis=2))


def close(ours, expected, atol=1e-13):
    return torch.allclose(ours, torch.as_tensor(expected), rtol=1e-12, atol=atol)


def direct_entropy(p):
    return -torch.xlogy(p, p).sum(-1)


@pytest.mark.parametrize("draws", [1, 2, 25])
def test_the_mean_is_that_of_probabilities_not_of_logarithms(draws):
    log_p = stack(draws)
    assert close(log_mean(log_p), log_p.exp().mean(0).log())


@pytest.mark.parametrize("classes", [2, 5])
def test_entropy_is_that_of_scipy(classes):
    from scipy.stats import entropy as scipy_entropy

    log_p = stack(1, classes=classes)[0]
    assert close(shannon_entropy(log_p), scipy_entropy(log_p.exp().numpy(), axis=1))


@pytest.mark.parametrize("draws", [1, 2, 25])
def test_predictive_entropy_is_the_direct_formula(draws):
    log_p = stack(draws)
    assert close(predictive_entropy(log_p), direct_entropy(log_p.exp().mean(0)))


@pytest.mark.parametrize(("draws", "classes"), [(2, 2), (2, 5), (25, 2), (25, 5)])
def test_mutual_information_is_the_direct_formula(draws, classes):
    p = stack(draws, classes=classes).exp()
    assert close(mutual_information(p.log()), direct_entropy(p.mean(0)) - direct_entropy(p).mean(0))


def test_mutual_information_is_the_mean_divergence_from_the_mean():
    log_p = stack(30)
    divergence = (log_p.exp() * (log_p - log_p.exp().mean(0).log())).sum(2).mean(0)
    assert close(mutual_information(log_p), divergence)


@pytest.mark.parametrize(("draws", "outputs"), [(1, 1), (2, 1), (25, 1), (25, 4)])
def test_variance_is_the_biased_one(draws, outputs):
    values = logits(draws, 40, outputs)
    assert close(variance(values), values.var(0, correction=0))


def test_variance_bears_a_large_offset():
    values = logits(25, 40, 1, scale=1e-3)
    assert torch.allclose(variance(values + 1e6), values.var(0, correction=0), rtol=1e-5)


def test_variance_of_float32_values_is_taken_in_float64():
    values = (logits(25, 40, 1) + 1000).float()
    assert close(variance(values), values.double().var(0, correction=0))


def test_draws_that_agree_have_mutual_information_exactly_zero_or_rounding_above_it():
    information = mutual_information(stack(1, n=500).repeat(25, 1, 1))
    assert information.min() == 0
    assert information.max() < 1e-13


def test_one_bit_is_learned_where_two_sure_draws_contradict_each_other():
    sure = torch.tensor([[[0.0, -torch.inf]], [[-torch.inf, 0.0]]])
    assert mutual_information(sure).item() == pytest.approx(math.log(2), rel=1e-15)


def test_nothing_is_learned_where_all_draws_are_torn():
    torn = torch.full((4, 1, 2), math.log(0.5))
    assert mutual_information(torn).item() == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("function", [log_mean, predictive_entropy, mutual_information])
@pytest.mark.parametrize("scale", [200.0, 2000.0])
def test_logits_far_apart_underflow_nowhere(function, scale):
    log_p = logits(8, 50, 4, scale=scale).float().log_softmax(2)
    assert function(log_p).isfinite().all()


def test_the_mean_of_probabilities_too_small_for_a_float_is_right():
    from scipy.special import logsumexp

    log_p = torch.tensor([[[0.0, -900.0]], [[0.0, -901.0]]]).double()
    expected = logsumexp([-900.0, -901.0]) - math.log(2)
    assert log_mean(log_p)[0, 1].item() == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("gap", [20.0, 30.0])
def test_what_a_sure_float32_prediction_knows_is_restored(gap):
    from scipy.special import log_softmax

    log_p = torch.tensor([[gap, 0.0, -1.0]]).log_softmax(1)
    assert log_p[0, 0] > -1e-8  # float32 has lost it
    expected = log_softmax([gap, 0.0, -1.0])
    assert renormalize(log_p)[0].numpy() == pytest.approx(expected, rel=1e-3)


def test_a_class_of_probability_zero_adds_nothing_to_the_entropy():
    log_p = torch.tensor([[math.log(0.5), math.log(0.5), -torch.inf]])
    assert shannon_entropy(log_p).item() == pytest.approx(math.log(2))


@pytest.mark.parametrize("function", SUMS)
def test_sums_are_float64(function):
    assert function(stack(3).float()).dtype == torch.float64


@pytest.mark.parametrize("function", SUMS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_draws_themselves_are_left_alone(function, dtype):
    draws = stack(5).to(dtype)
    before = draws.clone()
    function(iter(draws))
    assert torch.equal(draws, before)


@pytest.mark.parametrize("function", SUMS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_neither_the_draws_nor_anything_made_of_each_is_kept(function, dtype):
    shape, alive = (37, 5), []

    def draws():
        for t in range(20):
            yield stack(1, *shape, seed=t)[0].to(dtype)
        alive.extend(o for o in gc.get_objects() if type(o) is torch.Tensor and o.shape == shape)

    function(draws())
    assert 0 < len(alive) <= 8


@pytest.mark.parametrize("function", SUMS)
def test_no_draw_at_all_is_refused(function):
    with pytest.raises(SamplerError, match="no draw"):
        function(iter([]))


@pytest.mark.parametrize("function", SUMS)
def test_nan_stays_visible_in_its_row_and_only_there(function):
    draws = stack(5)
    draws[3, 7, 0] = torch.nan
    rows = function(draws).reshape(40, -1).isnan().any(1)
    assert rows.nonzero().flatten().tolist() == [7]


@pytest.mark.parametrize("function", SUMS)
def test_rows_do_not_know_each_other(function):
    draws = stack(5)
    assert torch.equal(function(draws[:, 10:20]), function(draws)[10:20])
