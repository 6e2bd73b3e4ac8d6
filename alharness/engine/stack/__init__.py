"""Models of one kind trained together, as one stack of tensors."""

from __future__ import annotations

MOST = {"cpu": 32, "cuda": 256}
"""Most members of a stack, by device: from here on more of them are no faster."""
