"""Exact kernels that samplers share, in blocks of bounded memory."""

from .anchors import estimate_mean_distances
from .centers import k_center
from .cosine_distances import sum_of_cosine_distances
from .distances import sum_of_distances
from .finite import require_finite
from .gradients import head_gradients
from .precision import full_precision
from .ranking import top_k
from .residuals import pseudo_residuals
from .rows import row_cosines, row_norms, row_outer
from .scaling import min_max, ranks
from .seeding import k_means_plus_plus
from .squared_distances import sum_of_squared_distances

__all__ = [
    "estimate_mean_distances",
    "full_precision",
    "head_gradients",
    "k_center",
    "k_means_plus_plus",
    "min_max",
    "pseudo_residuals",
    "ranks",
    "require_finite",
    "row_cosines",
    "row_norms",
    "row_outer",
    "sum_of_cosine_distances",
    "sum_of_distances",
    "sum_of_squared_distances",
    "top_k",
]
