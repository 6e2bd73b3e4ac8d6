"""What can be chosen about margin sampling."""

from __future__ import annotations

from alharness import FUSED, Params, Source


class MarginParams(Params):
    """Parameters of margin sampling."""

    source: Source = FUSED
    """Whose predictions are looked at: a modality, or `fused`."""
