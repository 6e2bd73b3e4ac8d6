"""From numpy samples to tensors on a device."""

from __future__ import annotations

import math
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from alharness.api.network import Batch
from alharness.api.vocabulary import FUSED

from .measure import free_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import Tensor

    from alharness.api.rows import Rows
    from alharness.api.samples import Inputs, Samples


SHARE = 0.5
"""Of a device's free memory that samples may take; the rest is for the network and what it computes."""


def as_batch(samples: Samples, device: torch.device) -> Batch:
    """All samples with their labels; a modality without labels of its own gets the fused ones.

    On a CPU the tensors share the memory of arrays that may be written to.
    """
    labels = {m: samples.unimodal_labels.get(m, samples.labels) for m in samples.inputs.modalities}
    return Batch(
        inputs={m: _tensor(x, device) for m, x in samples.inputs.arrays.items()},
        lengths={m: _tensor(n, device) for m, n in samples.inputs.lengths.items()},
        labels={s: _tensor(y, device) for s, y in {**labels, FUSED: samples.labels}.items()},
        present={m: _tensor(x, device) for m, x in samples.inputs.present.items()},
    )


def batches(inputs: Inputs, positions: NDArray[np.int64], size: int, device: torch.device) -> Iterator[Batch]:
    """These rows, without labels, `size` at a time."""
    for start in range(0, len(positions), size):
        rows = positions[start : start + size]
        yield Batch(
            inputs={m: _rows(x, rows, device) for m, x in inputs.arrays.items()},
            lengths={m: _rows(n, rows, device) for m, n in inputs.lengths.items()},
            present={m: _rows(x, rows, device) for m, x in inputs.present.items()},
        )


def storage_device(samples: Samples, device: torch.device) -> torch.device:
    """The device for samples that are read again and again: `device`, if they fit there, or the CPU."""
    return device if fits(len(samples) * _bytes_per_row(samples.inputs), device) else torch.device("cpu")


def fits(size: int, device: torch.device) -> bool:
    """Whether samples of so many bytes may be on the device."""
    return device.type == "cpu" or size <= SHARE * free_memory(device)


class RepeatedBatches:
    """`batches` to go through many times: gathered once if that takes no more than `limit` bytes.

    Otherwise each batch is gathered when it is used, so that memory-mapped sequences are never copied as a whole.
    """

    def __init__(
        self, inputs: Inputs, positions: NDArray[np.int64], size: int, device: torch.device, limit: int
    ) -> None:
        self._gather = partial(batches, inputs, positions, size, device)
        self._keep = len(positions) * _bytes_per_row(inputs) <= limit
        self._kept: list[Batch] | None = None

    def __iter__(self) -> Iterator[Batch]:
        if not self._keep:
            return self._gather()
        if self._kept is None:
            self._kept = list(self._gather())
        return iter(self._kept)


def _bytes_per_row(inputs: Inputs) -> int:
    arrays = (*inputs.arrays.values(), *inputs.lengths.values(), *inputs.present.values())
    return sum(x.itemsize * math.prod(x.shape[1:]) for x in arrays)


def _tensor(array: NDArray[Any] | Rows, device: torch.device) -> Tensor:
    private = isinstance(array, np.memmap) and array.mode == "c"  # a write would stay in this process
    array = np.asarray(array)
    if not (private or array.flags.writeable):
        array = np.array(array)
    with warnings.catch_warnings():
        # torch warns of arrays that are read-only, since it could write to them: training looks whether it did.
        warnings.simplefilter("ignore", UserWarning)
        return torch.from_numpy(array).to(device)


def _rows(array: NDArray[Any] | Rows, rows: NDArray[np.int64], device: torch.device) -> Tensor:
    # Indexing by an array copies already, and a second copy takes longer than the first.
    tensor = torch.from_numpy(array[rows]).to(device)
    return tensor.float() if tensor.dtype == torch.float16 else tensor  # pools in parts may be stored so
