"""bmdal_reg, batch-mode deep active learning for regression (Holzmüller et al., JMLR 2023)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchmarks.bench import Call, Kernel, Unavailable

if TYPE_CHECKING:
    from benchmarks.problems import Pool


def k_center(problem: Pool) -> Call:
    """`maxdist` with a linear kernel is k-center greedy."""
    data = problem.data()
    return _selection(problem.k, data.labeled, data.pool, selection_method="maxdist")


def k_means_plus_plus(problem: Pool) -> Call:
    """`kmeanspp` on the written-out gradients, its first pick uniform."""
    data = problem.data()
    # It takes written-out gradients, so to write them out is a part of its work.
    select = _selector()

    def call() -> object:
        q = data.log_probabilities.exp()
        q[torch.arange(len(q)), q.argmax(1)] -= 1
        g = torch.einsum("nc,nd->ncd", q, data.pool).flatten(1)
        return select(problem.k, g[:1], g, selection_method="kmeanspp", sel_with_train=False)

    return call


def _selection(k: int, labeled: torch.Tensor, pool: torch.Tensor, **options: Any) -> Call:
    select = _selector()
    return lambda: select(k, labeled, pool, **options)


def _selector() -> Any:
    # It was written for NumPy 1, which had this name.
    np.Inf = np.inf  # type: ignore[attr-defined]  # noqa: NPY201 - that is the point
    try:
        from bmdal_reg.bmdal.algorithms import select_batch
        from bmdal_reg.bmdal.feature_data import TensorFeatureData
    except ImportError as error:
        raise Unavailable("needs bmdal-reg") from error

    def select(k: int, labeled: torch.Tensor, pool: torch.Tensor, **options: Any) -> Any:
        positions, _ = select_batch(
            batch_size=k,
            models=[None],
            data={"train": TensorFeatureData(labeled), "pool": TensorFeatureData(pool)},
            y_train=None,
            base_kernel="linear",
            kernel_transforms=[],
            **options,
        )
        return positions

    return select


MAXDIST = Kernel(name="bmdal_reg maxdist", prepare=k_center, foreign=True)
KMEANSPP = Kernel(name="bmdal_reg kmeanspp", prepare=k_means_plus_plus, foreign=True)
