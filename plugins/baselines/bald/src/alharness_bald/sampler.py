"""BALD under MC dropout (Houlsby et al. 2011, arXiv 1112.5745; Gal et al. 2017, arXiv 1703.02910, section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness import ScoringSampler, Task
from alharness.kernels.posterior import mutual_information, variance

if TYPE_CHECKING:
    from torch import Tensor

    from alharness import Query

    from .plugin import BaldParams


class Bald(ScoringSampler):
    """Ranks by the mutual information of label and weights: the samples with the largest are taken, one by one.

    In regression, with y | f ~ N(f, σ²) and f Gaussian, the mutual information is ½ log(1 + Var[f] / σ²). It grows
    with the variance over the draws, so that with one output BALD *ranks exactly as dbal does*, whatever σ. It
    then ranks by the variance and logs `ranks_as_dbal`.
    """

    params: BaldParams

    def score(self, query: Query) -> Tensor:
        """(n,) mutual information in nats, or the variance in squared units of the labels; float64."""
        draws = query.unlabeled.mc_draws(self.params.draws, self.params.source)
        if query.task == Task.CLASSIFICATION:
            return mutual_information(draws)
        query.log("ranks_as_dbal", 1.0)
        return variance(draws)[:, 0]
