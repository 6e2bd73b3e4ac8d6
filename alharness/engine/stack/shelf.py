"""The samples of all members of a stack; what members have in common is there once."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import torch

from alharness.api.rows import Rows
from alharness.engine.batches import fits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from alharness.api.network import Batch
    from alharness.api.samples import Samples


class Shelf:
    """Samples of several members, as many of each.

    Args:
        members: that may be added, at most.
        device: of the batches.
    """

    def __init__(self, members: int, device: torch.device) -> None:
        self._members, self._device = members, device
        self._columns: dict[str, _Column] = {}
        self._example: Batch | None = None

    def __len__(self) -> int:
        """Samples of each member."""
        return len(next(iter(self._columns.values())).rows[0])

    def add(self, prepared: Batch, labeled: Samples) -> None:
        """Add a member's samples.

        Args:
            prepared: as the model is trained on them.
            labeled: as they were asked for.
        """
        sources = {f"inputs of {m}": x for m, x in labeled.inputs.arrays.items()}
        for name, x in prepared.tensors.items():
            self._columns.setdefault(name, _Column(self._members)).add(x, sources.get(name))
        if self._example is None:
            self._example = prepared

    def example(self, size: int) -> Batch:
        """So many samples of one member. To be asked for before `batches`."""
        assert self._example is not None
        return self._example.first(size).to(self._device)

    def batches(self, order: Tensor, sizes: Sequence[int]) -> Iterator[list[Tensor]]:
        """Batches of these sizes: for each, the tensors of `Batch.tensors`, (members, size, ...).

        Args:
            order: (members, samples), in which each member goes through its samples.
            sizes: of the batches; their sum is the number of samples.
        """
        self._example = None
        columns = [*self._columns.values()]
        chosen = [torch.split(column.chosen(order), list(sizes), dim=1) for column in columns]
        for parts in zip(*chosen, strict=True):
            yield [
                column.values.index_select(0, rows.flatten())
                .view(*rows.shape, *column.values.shape[1:])
                .to(self._device, non_blocking=True)
                for column, rows in zip(columns, parts, strict=True)
            ]

    def keep(self, positions: Sequence[int]) -> None:
        """Keep only the members at these positions; at one of them twice, if it is there twice."""
        for column in self._columns.values():
            column.rows = [column.rows[i] for i in positions]


class _Column:
    """One tensor of all members' samples.

    If the members chose rows of an array that they share, and use these as they are, it is that array, so that it
    need not be copied for each. Otherwise it has their rows below each other.

    Args:
        members: that may be added, at most.

    Attributes:
        values: the rows of all members, and perhaps others.
        rows: for each member, (n,) which are its own.
    """

    values: Tensor

    def __init__(self, members: int) -> None:
        self._members = members
        self._shared: object = None
        self.rows: list[Tensor] = []

    def add(self, x: Tensor, source: object) -> None:
        """Add a member's rows; they were taken from `source`."""
        if not self.rows:
            self._share(x, source)
        if self._shared is not None:
            if isinstance(source, Rows) and source.base is self._shared and self._holds(x, source):
                self.rows.append(torch.tensor(source.positions, device=x.device))
                return
            self._separate(x)
        elif not self.rows:
            self.values = self._room(x)
        self._append(x)

    def chosen(self, order: Tensor) -> Tensor:
        """The rows in the order of each member, (members, n)."""
        rows = torch.stack(self.rows)
        return rows.gather(1, order.to(rows.device))

    def _share(self, x: Tensor, source: object) -> None:
        if isinstance(source, Rows) and fits(source.base.nbytes, x.device):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # of an array that is read-only: nothing writes to it
                try:
                    self.values = torch.from_numpy(source.base).to(x.device)
                except (TypeError, ValueError):
                    return  # torch does not know such an array, such as one with its rows in reverse
            self._shared = source.base if self._holds(x, source) else None

    def _holds(self, x: Tensor, source: Rows) -> bool:
        """Whether these rows of the array are what the model takes, and not something that it made of them."""
        return torch.equal(self.values.index_select(0, torch.tensor(source.positions, device=x.device)), x)

    def _separate(self, x: Tensor) -> None:
        """Put the rows of all members below each other after all."""
        shared, rows = self.values, self.rows
        self.values, self.rows, self._shared = self._room(x), [], None
        for chosen in rows:
            self._append(shared.index_select(0, chosen))

    def _append(self, x: Tensor) -> None:
        start = len(self.rows) * len(x)
        self.values[start : start + len(x)] = x
        self.rows.append(torch.arange(start, start + len(x), device=x.device))

    def _room(self, x: Tensor) -> Tensor:
        return x.new_empty(self._members * len(x), *x.shape[1:])
