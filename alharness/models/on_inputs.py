"""What models have in common that fit a head to the standardized inputs of each source."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
from torch import nn

from alharness.api.fitting import FittingModel
from alharness.api.layers import Scales
from alharness.api.vocabulary import FUSED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    from alharness.api.network import Batch
    from alharness.api.vocabulary import ModelShape


class OnInputs(FittingModel):
    """A head for each modality, and one for several of them together.

    z_u is the standardized input itself, and so is the embedding of a modality; that of the fused head is the
    concatenation. z_u of a sample that lacks the modality is zero, the mean of those that have it.

    Args:
        shape: what it is built for.
        head: makes a head from the number of its inputs.
        fused: the modalities that the fused head gets; empty for all.
        standardize: whether inputs are; otherwise they stay as they are.

    Attributes:
        sources: that have a head of their own. Of one modality alone, the fused head is the only one.
    """

    validates: ClassVar[bool] = False

    def __init__(
        self,
        shape: ModelShape,
        head: Callable[[int], nn.Module],
        *,
        fused: tuple[str, ...] = (),
        standardize: bool = True,
    ) -> None:
        super().__init__(shape)
        self.fused = fused or shape.modalities
        self.scales = Scales(shape, standardize=standardize)
        self.sources = (*shape.modalities, FUSED) if len(shape.modalities) > 1 else (FUSED,)
        # A list in the order of sources: a modality's name may be no valid name of a submodule.
        self.heads = nn.ModuleList(head(sum(shape.features[m] for m in self._parts(s))) for s in self.sources)

    def encode(self, batch: Batch) -> dict[str, Tensor]:
        """Modality -> standardized inputs, (b, d_u)."""
        z: dict[str, Tensor] = self.scales(batch)
        return z

    def decode(self, z: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Source -> what its head makes of its inputs."""
        found = {source: self.last_layer(source)(self.joined(z, source)) for source in self.sources}
        return dict.fromkeys(self.shape.modalities, found[FUSED]) | found

    def last_layer(self, source: str) -> nn.Module:  # type: ignore[override]
        """The head of that source."""
        return self.heads[self.sources.index(source if source in self.sources else FUSED)]

    def joined(self, z: Mapping[str, Tensor], source: str) -> Tensor:
        """The inputs of the head of a source."""
        parts = [z[m] for m in self._parts(source)]
        return torch.cat(parts, dim=1) if len(parts) > 1 else parts[0]

    def _parts(self, source: str) -> tuple[str, ...]:
        return self.fused if source == FUSED else (source,)


def known(samples: Batch, source: str) -> Tensor:
    """(b,) bool, the samples that a head learns from: all but those that lack its modality."""
    return samples.present.get(source, torch.ones(len(samples), dtype=torch.bool, device=samples.device))
