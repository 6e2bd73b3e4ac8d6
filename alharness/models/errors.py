"""Errors of all heads at once, which a training step spends less on than on each by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from alharness.api.vocabulary import Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torch import Tensor


def stack(by_source: Mapping[str, Tensor], sources: Iterable[str]) -> Tensor:
    """Source -> (n, ...) as (sources, n, ...), in that order."""
    return torch.stack([by_source[source] for source in sources])


def errors(outputs: Tensor, labels: Tensor, task: Task) -> Tensor:
    """Cross-entropies, or absolute errors.

    Args:
        outputs: (sources, n, C) logits, or (sources, n, 1) values.
        labels: (sources, n) classes, or targets in the units of the values.
        task: which of the two.

    Returns:
        (sources, n).
    """
    if task == Task.CLASSIFICATION:
        return functional.cross_entropy(outputs.mT, labels, reduction="none")
    return (outputs.squeeze(-1) - labels).abs()
