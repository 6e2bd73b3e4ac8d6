"""Exact kernels that samplers share, in blocks of bounded memory."""

from .centers import k_center
from .distances import sum_of_distances
from .finite import require_finite
from .precision import full_precision
from .ranking import top_k
from .scaling import min_max

__all__ = ["full_precision", "k_center", "min_max", "require_finite", "sum_of_distances", "top_k"]
