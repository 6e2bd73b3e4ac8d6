"""What can be chosen about BMMAL."""

from __future__ import annotations

from typing import Literal

from alharness import Params


class BmmalParams(Params):
    """Parameters of BMMAL."""

    z_source: Literal["encoder", "fused"] = "encoder"
    """What represents a modality in the gradient: its encoder's output, for networks that fuse late, or the fused
    embedding with all other modalities set to zero, for networks that fuse in the middle."""
