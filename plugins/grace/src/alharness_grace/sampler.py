"""GRACE (ACM MM 2024, doi 10.1145/3664647.3681617), Algorithm 1: a reconstruction, see the README."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness import ScoringSampler

from .criteria import cosines, easiness, informativeness, normalize, representativeness
from .curriculum import curriculum_alpha
from .diagnostics import diagnostics
from .members import members

if TYPE_CHECKING:
    from torch import Tensor

    from alharness import Query

    from .plugin import GraceParams


class Grace(ScoringSampler):
    """Ranks by the product of informativeness and representativeness, and by easiness, whose weight falls."""

    def __init__(self, params: GraceParams) -> None:
        self.params = params

    def score(self, query: Query) -> Tensor:
        """(n,) s = α·s_e + s_i·s_r (Eq. 7), float64."""
        G = members(query)
        agreement = cosines(G)
        s_i = normalize(informativeness(G), G)
        s_r = normalize(representativeness(G), G)
        s_e = normalize(easiness(agreement), G)
        alpha = curriculum_alpha(self.params, query.cycle, query.cycles)

        criteria = {"informativeness": s_i, "representativeness": s_r, "easiness": s_e}
        query.log("curriculum_alpha", alpha)
        for name, value in diagnostics(criteria, agreement):
            query.log(name, value)
        return alpha * s_e + s_i * s_r
