"""What GRACE logs of a query: whether its criteria spread, contradict each other, and mean what they should."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import torch  # noqa: TID253 - only sampler.py imports this module

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor


def diagnostics(criteria: Mapping[str, Tensor], cosines: Mapping[str, Tensor]) -> Iterator[tuple[str, float]]:
    """Pairs of name and value.

    `<criterion>_near_0` and `_near_1` are shares of the pool within 5 % of the ends of the scale: most of it near
    one end means that a few extreme samples set the scale. `correlation_<a>_<b>` is Pearson's, left out where one
    of the two is constant. `negative_cosine_<modality>` is the share of samples whose gradient from that
    modality's head points against the one from the fused head: near 1, its easiness is turned around.

    Args:
        criteria: name -> (n,) normalized.
        cosines: modality -> (n,) cos(g_u, g_{m_u}).
    """
    for name, values in criteria.items():
        yield f"{name}_near_0", _share(values <= 0.05)
        yield f"{name}_near_1", _share(values >= 0.95)
    for a, b in combinations(criteria, 2):
        both = torch.stack([criteria[a], criteria[b]])
        if bool((both.amin(1) < both.amax(1)).all()):
            yield f"correlation_{a}_{b}", torch.corrcoef(both)[0, 1].item()
    for modality, values in cosines.items():
        yield f"negative_cosine_{modality}", _share(values < 0)


def _share(hits: Tensor) -> float:
    return hits.double().mean().item()
