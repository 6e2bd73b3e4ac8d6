"""Some rows of an array without a copy of them, and all rows of one that may be larger than memory."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    Array = np.ndarray[Any, Any]

PIECE = 2**22
"""Numbers that are looked at together; 16 MiB as float32."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows of an array, which are gathered when they are read, as `rows[positions]`.

    numpy copies what it selects by positions. The split of a seed is such a selection of the whole data set, and
    every process that works on a seed would hold its copy in memory.

    Attributes:
        base: (N, ...) array; may be memory-mapped.
        positions: (n,) int, the rows of `base` that are meant, in this order.

    Of a base in half precision, which only saves room, rows are float32.

    >>> import numpy as np
    >>> from alharness.api.rows import Rows
    >>> rows = Rows(np.arange(10.0).reshape(5, 2), np.array([4, 0]))
    >>> rows.shape, rows[0]
    ((2, 2), array([8., 9.]))
    """

    base: Array
    positions: Array

    @classmethod
    def of(cls, array: Array | Rows, positions: Array) -> Rows:
        """The rows at these positions."""
        if isinstance(array, Rows):
            return cls(array.base, array.positions[positions])
        return cls(array, positions)

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, ...)."""
        return (len(self.positions), *self.base.shape[1:])

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.base.ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers that are read."""
        import numpy as np

        kind: np.dtype[Any] = self.base.dtype
        return np.dtype(np.float32) if kind == np.float16 else kind

    @property
    def itemsize(self) -> int:
        """Bytes of a number."""
        return self.dtype.itemsize

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, index: Any) -> Any:
        """As of an array whose first axis has these rows: a copy."""
        rows, *rest = index if isinstance(index, tuple) else (index,)
        return self.base[(self.positions[rows], *rest)].astype(self.dtype, copy=False)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """All rows, copied: what numpy calls to make an array of this."""
        if copy is False:
            raise ValueError("rows of an array cannot be had without a copy")
        return self.base[self.positions].astype(self.dtype if dtype is None else dtype, copy=False)


def pieces(array: Array | Rows) -> Iterator[slice]:
    """Slices over all rows, of at most PIECE numbers, or of one row."""
    step = max(1, PIECE // max(1, math.prod(array.shape[1:])))
    return (slice(start, start + step) for start in range(0, len(array), step))
