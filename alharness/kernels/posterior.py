"""Entropy, mutual information and variance from the draws of a posterior, in one pass that keeps no draw.

A draw is a prediction of all samples by one sample of the weights, such as one pass with dropout on
(`View.mc_draws`): (n, C) log-probabilities, or (n, 1) values in regression. Everything is added up in float64,
because entropies and variances are small differences of large sums.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from alharness.errors import SamplerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torch import Tensor


SURE = 1e-6
"""Below this sum of the other probabilities, log p of the most probable class is computed from that sum."""


def renormalize(log_p: Tensor) -> Tensor:
    """(n, C) log-probabilities in float64 that sum to 1 as exactly as float64 can represent.

    If the most probable class rounds to probability 1, its distance from 1 is still the sum of the others. Without
    this step, confident samples would look the same.

    Args:
        log_p: (n, C) log-probabilities of any precision; logits serve as well.

    >>> import torch
    >>> from alharness.kernels.posterior import renormalize
    >>> renormalize(torch.tensor([[0.0, 0.0]])).exp()
    tensor([[0.5000, 0.5000]], dtype=torch.float64)
    """
    return _sharpened(torch.log_softmax(log_p.double(), dim=1))


def complement(log_p: Tensor) -> Tensor:
    """1 − max_c p_c, (n,), as the sum of the other probabilities: exact also if p rounds to 1.

    Args:
        log_p: (n, C) log-probabilities that sum to 1.

    >>> import torch
    >>> from alharness.kernels.posterior import complement
    >>> complement(torch.tensor([[0.5, 0.25, 0.25]]).log())
    tensor([0.5000])
    """
    return log_p.exp().scatter(1, log_p.argmax(dim=1, keepdim=True), 0).sum(dim=1)


def _sharpened(log_p: Tensor) -> Tensor:
    """The same, with log p of a very sure class as log(1 − Σ of the others): exact down to 1e-308.

    From log_softmax it is a difference of rounded numbers: 0 as soon as the others sum to less than 1e-16.
    """
    others = complement(log_p)[:, None]
    largest = log_p.argmax(dim=1, keepdim=True)
    exact = torch.where(others < SURE, torch.log1p(-others), log_p.gather(1, largest))
    return log_p.scatter(1, largest, exact)


def shannon_entropy(log_p: Tensor) -> Tensor:
    """H = −Σ_c p_c log p_c, (n,) in nats; a class of probability 0 adds 0.

    Args:
        log_p: (n, C) log-probabilities.

    >>> import torch
    >>> from alharness.kernels.posterior import shannon_entropy
    >>> shannon_entropy(torch.tensor([[0.5, 0.5], [0.9, 0.1]]).log())
    tensor([0.6931, 0.3251])
    """
    # 0 · log 0 is NaN, 0 times the lowest finite number is 0.
    return -(log_p.exp() * log_p.clamp(min=torch.finfo(log_p.dtype).min)).sum(dim=1)


def log_mean(draws: Iterable[Tensor]) -> Tensor:
    """log p̄ = log (1/T) Σ_t p_t, (n, C) float64.

    Args:
        draws: T >= 1 draws of log-probabilities, (n, C).

    Raises:
        SamplerError: there is no draw.

    >>> import torch
    >>> from alharness.kernels.posterior import log_mean
    >>> draws = torch.tensor([[[0.9, 0.1]], [[0.1, 0.9]]]).log()
    >>> log_mean(iter(draws)).exp()
    tensor([[0.5000, 0.5000]], dtype=torch.float64)
    """
    total, rest = _opened(renormalize(draw) for draw in draws)
    count = 1
    for log_p in rest:
        count += 1
        total = torch.logaddexp(total, log_p)
    return _sharpened(total - math.log(count))


def predictive_entropy(draws: Iterable[Tensor]) -> Tensor:
    """H[p̄], the entropy of the mean prediction, (n,) float64 in nats (Gal et al. 2017, section 4, Max Entropy).

    Args:
        draws: T >= 1 draws of log-probabilities, (n, C).

    Raises:
        SamplerError: there is no draw.

    >>> import torch
    >>> from alharness.kernels.posterior import predictive_entropy
    >>> draws = torch.tensor([[[0.9, 0.1]], [[0.1, 0.9]]]).log()
    >>> predictive_entropy(iter(draws))
    tensor([0.6931], dtype=torch.float64)
    """
    return shannon_entropy(log_mean(draws))


def mutual_information(draws: Iterable[Tensor]) -> Tensor:
    """I = H[p̄] − (1/T) Σ_t H[p_t] of label and weights, (n,) float64 in nats, never negative.

    Houlsby et al. 2011, Eq. 2, with the sum over draws of Gal et al. 2017 (arXiv 1703.02910), section 4.

    Args:
        draws: T >= 1 draws of log-probabilities, (n, C).

    Raises:
        SamplerError: there is no draw.

    >>> import torch
    >>> from alharness.kernels.posterior import mutual_information
    >>> draws = torch.tensor([[[0.9, 0.1]], [[0.1, 0.9]]]).log()  # two draws that are sure and disagree
    >>> mutual_information(iter(draws))
    tensor([0.3681], dtype=torch.float64)
    """
    total, rest = _opened(renormalize(draw) for draw in draws)
    within = shannon_entropy(total)
    count = 1
    for log_p in rest:
        count += 1
        total = torch.logaddexp(total, log_p)
        within = within + shannon_entropy(log_p)
    # Draws that agree leave rounding errors of both signs: a mutual information is at least 0.
    return (shannon_entropy(_sharpened(total - math.log(count))) - within / count).clamp(min=0)


def variance(draws: Iterable[Tensor]) -> Tensor:
    """(1/T) Σ_t (f_t − f̄)², for each sample and output, (n, C) float64 (biased, by Welford's recurrence).

    Args:
        draws: T >= 1 draws, (n, C), of values or of probabilities.

    Raises:
        SamplerError: there is no draw.

    >>> import torch
    >>> from alharness.kernels.posterior import variance
    >>> variance(iter(torch.tensor([[[1.0]], [[3.0]]])))
    tensor([[1.]], dtype=torch.float64)
    """
    mean, rest = _opened(draw.double() for draw in draws)
    squares = torch.zeros_like(mean)
    count = 1
    for draw in rest:
        count += 1
        gap = draw - mean
        mean = mean + gap / count
        squares = squares + gap * (draw - mean)
    return squares / count


def _opened(draws: Iterator[Tensor]) -> tuple[Tensor, Iterator[Tensor]]:
    """The first draw, and those after it."""
    for draw in draws:
        return draw, draws
    raise SamplerError("there is no draw to add up; ask `mc_draws` for at least one")
