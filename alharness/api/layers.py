"""What models are made of: standardization with statistics of the labeled samples, and the errors of all heads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from .vocabulary import Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torch import Tensor

    from .network import Batch
    from .vocabulary import ModelShape


class Standardize(nn.Module):
    """(x - mean) / deviation, column by column; a constant column is only centered.

    >>> import torch
    >>> layer = Standardize(1)
    >>> layer.adapt(torch.tensor([[1.0], [3.0]]))
    >>> layer(torch.tensor([[3.0]]))
    tensor([[1.]])
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(columns))
        self.register_buffer("deviation", torch.ones(columns))

    def adapt(self, x: Tensor) -> None:
        """Take mean and deviation from the rows of x, (n, columns)."""
        mean, deviation = spread(x)
        self.mean.copy_(mean)
        self.deviation.copy_(deviation)

    def forward(self, x: Tensor) -> Tensor:
        """(..., columns), standardized."""
        return (x - self.mean).div_(self.deviation)

    def restore(self, x: Tensor) -> Tensor:
        """The inverse."""
        return x * self.deviation + self.mean


CLIP = 8.0
"""Standardized inputs are clipped here: a column that was nearly constant among few labels may explode later."""


class Scales(nn.Module):
    """Inputs of all modalities, standardized with the labeled samples that have them, and clipped at ±8.

    Those of a sample that lacks a modality are zeros: the mean of the samples that have it.

    Args:
        shape: of the inputs.
        standardize: false leaves inputs as they are, apart from the zeros.

    >>> import torch
    >>> from alharness import Batch, ModelShape, Task
    >>> from alharness.api.layers import Scales
    >>> scales = Scales(ModelShape(features={"text": 1}, task=Task.REGRESSION, outputs=1))
    >>> scales.adapt(Batch(inputs={"text": torch.tensor([[1.0], [3.0]])}))
    >>> scales(Batch(inputs={"text": torch.tensor([[5.0]])}))
    {'text': tensor([[3.]])}
    """

    def __init__(self, shape: ModelShape, *, standardize: bool = True) -> None:
        super().__init__()
        self._modalities, self._standardize = shape.modalities, standardize
        # A list in the shape's order: a modality's name may be no valid name of a submodule.
        self._scales = nn.ModuleList(Standardize(d) for d in shape.features.values())

    def adapt(self, labeled: Batch) -> None:
        """Take means and deviations from the labeled samples that have the modality."""
        for modality, scale in zip(self._modalities, self._scales, strict=True):
            x = labeled.inputs[modality]
            known = x[labeled.present[modality]] if modality in labeled.present else x
            if len(known):
                scale.adapt(known)  # type: ignore[operator]

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Modality -> (b, d)."""
        pairs = zip(self._modalities, self._scales, strict=True)
        z: dict[str, Tensor] = {m: batch.inputs[m] for m in self._modalities}
        if self._standardize:
            z = {m: scale(z[m]).clamp_(-CLIP, CLIP) for m, scale in pairs}
        return z | {m: torch.where(known[:, None], z[m], 0) for m, known in batch.present.items()}


def spread(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each column of x, (n, columns), in float64; a constant column has deviation 1.

    >>> import torch
    >>> from alharness.api.layers import spread
    >>> spread(torch.tensor([[1.0, 0.1], [3.0, 0.1]]))[1]
    tensor([1., 1.], dtype=torch.float64)
    """
    wide = x.to(torch.float64, copy=True)
    mean = wide.mean(dim=0)
    wide -= mean
    # Not `std`, which takes ten times as long on a CPU.
    deviation = wide.square_().mean(dim=0).sqrt_()
    # Below float32 resolution of the column's size a deviation is rounding noise, not spread.
    constant = deviation <= 1e-6 * x.abs().amax(dim=0)
    return mean, torch.where(constant, 1.0, deviation)


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
