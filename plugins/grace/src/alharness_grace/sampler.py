"""GRACE (ACM MM 2024, doi 10.1145/3664647.3681617), Algorithm 1: a reconstruction, see the README."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from alharness import ScoringSampler

from .criteria import (
    AGREEMENTS,
    NORM_REDUCTIONS,
    SCALES,
    cosines,
    easiness,
    informativeness,
    normalize,
    representativeness,
)
from .curriculum import curriculum_alpha
from .diagnostics import diagnostics
from .distances import SENSES, SPACES, summation
from .members import members
from .params import Additive

if TYPE_CHECKING:
    from torch import Tensor

    from alharness import Query

    from .params import GraceParams


class Grace(ScoringSampler):
    """Ranks by the product of informativeness and representativeness, and by easiness, whose weight falls."""

    def __init__(self, params: GraceParams) -> None:
        self.params = params

    def score(self, query: Query) -> Tensor:
        """(n,) s = α·s_e + s_i·s_r (Eq. 7), or α·s_e + β·s_i + γ·s_r; float64."""
        p = self.params
        G = members(query, p)
        scale = SCALES[p.normalize]
        s_i = normalize(informativeness(G, NORM_REDUCTIONS[p.norm_reduce]), G, scale)
        s_r = normalize(
            representativeness(
                G, partial(SPACES[p.rep_space], query), summation(query, p), SENSES[p.representativeness]
            ),
            G,
            scale,
        )
        s_e = normalize(easiness(AGREEMENTS[p.easiness](G)), G, scale)
        alpha = curriculum_alpha(p, query.cycle, query.cycles)

        criteria = {"informativeness": s_i, "representativeness": s_r, "easiness": s_e}
        query.log("curriculum_alpha", alpha)
        for name, value in diagnostics(criteria, cosines(G)):
            query.log(name, value)
        return alpha * s_e + self._worth(s_i, s_r)

    def _worth(self, s_i: Tensor, s_r: Tensor) -> Tensor:
        if isinstance(self.params.combine, Additive):
            weights = self.params.combine.additive
            return weights.beta * s_i + weights.gamma * s_r
        return s_i * s_r
