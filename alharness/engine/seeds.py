"""Independent named random streams.

Every draw of a run comes from a stream named by (seed, purpose, cycle) that starts fresh: nothing is carried
from one cycle to the next, so a run can be continued exactly, and adding or removing a sampler changes no other
draws.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np

Purpose = Literal["split", "pool", "validation", "model", "sampler", "dropout"]


def stream(seed: int, purpose: Purpose, cycle: int = 0) -> np.random.Generator:
    """The generator of this purpose at this cycle."""
    import numpy as np

    name = int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:8], "big")
    return np.random.default_rng([seed, name, cycle])


def derive(seed: int, purpose: Purpose, cycle: int = 0) -> int:
    """A 63-bit seed for a library with a generator of its own."""
    return int(stream(seed, purpose, cycle).integers(2**63))
