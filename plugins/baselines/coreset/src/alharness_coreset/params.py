"""What can be chosen about CoreSet."""

from __future__ import annotations

from typing import Literal

from alharness import Params


class CoreSetParams(Params):
    """Parameters of CoreSet."""

    dtype: Literal["float32", "float64"] = "float32"
    """Precision of the distances. float64 resolves clusters a thousand times smaller than the gaps between them,
    and takes about twice the time."""
