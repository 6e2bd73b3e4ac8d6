"""Encoder outputs of some rows: kept, or computed in each pass if they take much and no sampler may read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .gathering import IN_MEMORY, Gathered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    Encoded = dict[str, Tensor]


class Encoding:
    """z of some rows, batch by batch, as often as it is gone through.

    Args:
        encode: computes the batches, the first rows first.
        rows: their number, in all batches.
        batch: rows of a batch.
        keep: keep all, however much they take.

    >>> import torch
    >>> from alharness.engine.encoding import Encoding
    >>> z = Encoding(lambda: iter([{"text": torch.ones(2, 1)}, {"text": torch.zeros(1, 1)}]), 3, 2, keep=True)
    >>> [len(part["text"]) for part in z], z.whole["text"].flatten()
    ([2, 1], tensor([1., 1., 0.]))
    """

    def __init__(self, encode: Callable[[], Iterator[Encoded]], rows: int, batch: int, *, keep: bool) -> None:
        self._encode, self._rows, self._batch, self._keep = encode, rows, batch, keep
        self._whole: Encoded | None = None

    def __len__(self) -> int:
        return self._rows

    def __iter__(self) -> Iterator[Encoded]:
        if self._whole is not None:
            for start in range(0, self._rows, self._batch):
                yield {name: value[start : start + self._batch] for name, value in self._whole.items()}
            return
        found: dict[str, Gathered] = {}
        for part in self._encode():
            if self._keep or self._rows * _bytes_per_row(part) <= IN_MEMORY:
                for name, value in part.items():
                    found.setdefault(name, Gathered(self._rows)).add(value)
            yield part
        if found:
            self._whole = {name: gathered.whole for name, gathered in found.items()}

    @property
    def whole(self) -> Encoded:
        """All rows, of what is kept."""
        if self._whole is None:
            for _ in self:
                pass
        assert self._whole is not None
        return self._whole


def _bytes_per_row(part: Encoded) -> float:
    return sum(value.nbytes / len(value) for value in part.values())
