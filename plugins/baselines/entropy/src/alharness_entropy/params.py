"""What can be chosen about entropy sampling."""

from __future__ import annotations

from alharness import FUSED, Params, Source


class EntropyParams(Params):
    """Parameters of entropy sampling."""

    source: Source = FUSED
    """Whose predictions are looked at: a modality, or `fused`."""
