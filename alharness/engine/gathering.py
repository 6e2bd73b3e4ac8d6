"""Rows that come batch by batch, put together: in memory, or in a mapped file if they take much."""

from __future__ import annotations

import math
import os
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

import numpy as np
import torch

from alharness.errors import RunError

if TYPE_CHECKING:
    from torch import Tensor

IN_MEMORY = 256 * 2**20
"""Bytes up to which rows are in the memory of the process. Larger ones are in a file, of which the system keeps in
memory what is in use and what there is room for."""

ON_DISK = Path("/var/tmp")  # noqa: S108 - a file without a name
"""Folder of such files, unless TMPDIR names another: `/tmp` is in memory on many systems."""


class Gathered:
    """Rows of one tensor, (rows, ...), whose number is known before the first comes.

    Args:
        rows: their number.

    >>> import torch
    >>> from alharness.engine.gathering import Gathered
    >>> found = Gathered(3)
    >>> found.add(torch.ones(2, 1)), found.add(torch.zeros(1, 1))
    (None, None)
    >>> found.whole.flatten()
    tensor([1., 1., 0.])
    """

    def __init__(self, rows: int) -> None:
        self._rows, self._filled = rows, 0
        self._whole: Tensor | None = None

    @property
    def left(self) -> int:
        """Rows that have not come yet."""
        return self._rows - self._filled

    def add(self, part: Tensor) -> None:
        """The rows that come next (copied)."""
        if self._whole is None:
            self._whole = _room((self._rows, *part.shape[1:]), part)
        self._whole[self._filled : self._filled + len(part)] = part
        self._filled += len(part)

    @property
    def whole(self) -> Tensor:
        """All of them."""
        assert self._whole is not None
        assert not self.left
        return self._whole


def _room(shape: tuple[int, ...], like: Tensor) -> Tensor:
    size = math.prod(shape) * like.element_size()
    if like.device.type != "cpu" or size <= IN_MEMORY:
        return torch.empty(shape, dtype=like.dtype, device=like.device)
    folder = os.environ.get("TMPDIR") or (str(ON_DISK) if os.access(ON_DISK, os.W_OK) else None)
    try:
        with TemporaryFile(dir=folder) as file:  # it goes with the tensor
            if hasattr(os, "posix_fallocate"):  # a full disk would end the process when a row is written
                os.posix_fallocate(file.fileno(), 0, size)
            room = np.memmap(file, dtype=like.new_empty(0).numpy().dtype, mode="r+", shape=shape)
    except OSError as error:
        raise RunError(
            f"{folder}: there is no room for {size / 2**30:.1f} GiB of features ({error.strerror}); make room, or "
            "set TMPDIR to a folder of a larger disk"
        ) from None
    return torch.from_numpy(room)
