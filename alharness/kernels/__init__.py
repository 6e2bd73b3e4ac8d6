"""Exact kernels that samplers share, in blocks of bounded memory."""

from .centers import CenterPart, k_center, k_center_in_parts
from .clustering import join_modalities, k_means
from .distances import (
    cross_sums_of_distances,
    estimate_mean_distances,
    sum_of_cosine_distances,
    sum_of_distances,
    sum_of_squared_distances,
)
from .gradients import head_gradients, pseudo_residuals, row_cosines, row_norms, row_outer
from .numerics import full_precision, require_finite
from .products import linear
from .scores import min_max, ranks, top_k
from .seeding import SeedingPart, k_means_plus_plus, k_means_plus_plus_in_parts

__all__ = [
    "CenterPart",
    "SeedingPart",
    "cross_sums_of_distances",
    "estimate_mean_distances",
    "full_precision",
    "head_gradients",
    "join_modalities",
    "k_center",
    "k_center_in_parts",
    "k_means",
    "k_means_plus_plus",
    "k_means_plus_plus_in_parts",
    "linear",
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
