"""Independent named random streams.

Every draw of a run comes from a stream named by (seed, purpose, cycle) that starts fresh: nothing is carried
from one cycle to the next, so a run can be continued exactly, and adding or removing a sampler changes no other
draws. Cells of one seed share its streams, so that they differ by their samplers alone; only a cell that would
repeat another to the bit has a name of its own for what it draws.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np

Purpose = Literal["split", "pool", "validation", "model", "sampler", "dropout"]


def stream(seed: int, purpose: Purpose, cycle: int = 0, own: str = "") -> np.random.Generator:
    """The generator of this purpose at this cycle; `own` names that of one cell, see `Cell.stream`."""
    import numpy as np

    return np.random.default_rng([seed, _number(purpose), cycle, *([_number(own)] if own else [])])


def derive(seed: int, purpose: Purpose, cycle: int = 0, own: str = "") -> int:
    """A 63-bit seed for a library with a generator of its own."""
    return int(stream(seed, purpose, cycle, own).integers(2**63))


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
