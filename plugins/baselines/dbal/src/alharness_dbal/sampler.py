"""DBAL: uncertainty under MC dropout (Gal et al. 2017, arXiv 1703.02910, section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness import ScoringSampler, Task
from alharness.kernels.posterior import (
    complement,
    log_mean,
    mutual_information,
    predictive_entropy,
    renormalize,
    variance,
)

from .plugin import refuse_acquisition_of_classes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torch import Tensor

    from alharness import Query

    from .plugin import DbalParams


class Dbal(ScoringSampler):
    """Ranks by what the draws say of a sample's uncertainty; the samples with the largest are taken, one by one.

    In regression it is the variance over the draws, which differs from the predictive variance by a constant.
    """

    params: DbalParams

    def score(self, query: Query) -> Tensor:
        """(n,) scores, float64.

        Raises:
            SamplerError: an acquisition of classes is asked for in regression.
        """
        draws = query.unlabeled.mc_draws(self.params.draws, self.params.source)
        if query.task == Task.REGRESSION:
            refuse_acquisition_of_classes(self.params)
            return variance(draws)[:, 0]
        match self.params.acquisition:
            case "entropy":
                return predictive_entropy(draws)
            case "variation_ratio":
                return variation_ratio(draws)
            case "mean_std":
                return mean_std(draws)
            case "bald":
                return mutual_information(draws)


def variation_ratio(draws: Iterable[Tensor]) -> Tensor:
    """1 − max_c p̄_c, (n,) float64. The form that counts votes of the draws would tie most samples."""
    return complement(log_mean(draws))


def mean_std(draws: Iterable[Tensor]) -> Tensor:
    """(1/C) Σ_c √Var_t[p_tc], (n,) float64."""
    return variance(_shifted(draws)).sqrt().mean(dim=1)


def _shifted(draws: Iterable[Tensor]) -> Iterator[Tensor]:
    """p_tc, but p_tc − 1 for the class that leads in the first draw: same variance, with the digits of 1 − p."""
    leader = None
    for draw in draws:
        log_p = renormalize(draw)
        leader = log_p.argmax(dim=1, keepdim=True) if leader is None else leader
        yield log_p.exp().scatter(1, leader, log_p.gather(1, leader).expm1())
