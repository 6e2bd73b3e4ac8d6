"""Models that are trained together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from .draws import Streams
from .optimizing import Shared, Single, Storage, in_pieces, is_elementwise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torch import Tensor
    from torch.optim import Optimizer

    from alharness.api.network import Batch, MultimodalModel

    from .computations import Computations
    from .optimizing import Optimization
    from .program import Program
    from .shelf import Shelf


class Stack:
    """The members of a stack that are still in training: their weights, samples, and random streams.

    A single member is computed twice: kernels treat a dimension of one in another way, with other rounding, and a
    member's numbers must not depend on how many it is computed with.

    Args:
        models: with fresh weights, adapted to their samples; they lose their weights to the stack.
        samples: of each model.
        seeds: of their random streams.
        computations: of this kind of model.
        optimizer: makes the optimizer of a model.
        batch_size: samples per step.

    Attributes:
        steps: that were made.
    """

    def __init__(
        self,
        models: Sequence[MultimodalModel],
        samples: Shelf,
        seeds: Sequence[int],
        computations: Computations,
        optimizer: Callable[[MultimodalModel], Optimizer],
        batch_size: int,
    ) -> None:
        self.steps = 0
        self._members = len(models)
        if len(models) == 1:
            models, seeds = [*models, *models], [*seeds, *seeds]
            samples.keep([0, 0])
        self._computations = computations
        self._samples = samples
        self._size = min(batch_size, len(samples))
        self._device = next(models[0].parameters()).device
        self._streams = Streams(seeds, self._device)
        self._steps = {size: computations.step(samples.example(size)) for size in self._sizes()}
        named = [{**dict(model.named_parameters()), **dict(model.named_buffers())} for model in models]
        stacked = {name: torch.stack([own[name].detach() for own in named]) for name in named[0]}
        first = optimizer(models[0])
        self._storages = self._stored(stacked, first, named[0])
        self._rest = stacked  # parameters that are not trained, and buffers
        self._state = self._stacked()
        self._optimization: Optimization = (
            Shared(models[0], first, self._storages)
            if is_elementwise(first)
            else Single(models, optimizer, self._storages)
        )
        if is_elementwise(first):
            _release(models)

    def __len__(self) -> int:
        return self._members

    def epoch(self) -> Tensor:
        """Train each member on all of its samples once; the sums of their losses, (members,)."""
        sizes = self._sizes()
        keys = self._streams.keys(range(self.steps, self.steps + len(sizes) + 1))
        self.steps += len(keys)
        order = self._streams.orders(len(self._samples), keys[-1])
        total = torch.zeros(len(order), device=self._device)
        for size, batch, key in zip(sizes, self._samples.batches(order, sizes), keys, strict=False):
            total += self._step(size, batch, key)
        self._optimization.end_epoch()
        return total[: len(self)]

    def losses(self, batches: Sequence[Batch], rows: Sequence[int]) -> Tensor:
        """Losses in evaluation mode of these members, averaged over samples that they share, (rows,)."""
        found = [x * len(batch) for x, batch in self._computed(self._computations.loss, batches, rows)]
        return torch.stack(found).sum(0) / sum(map(len, batches))

    def predictions(self, batches: Sequence[Batch], rows: Sequence[int]) -> Tensor:
        """Predictions of the fused heads of these members for samples that they share, (rows, n, C)."""
        return torch.cat([x for x, _ in self._computed(self._computations.prediction, batches, rows)], dim=1)

    def _computed(
        self, program: Callable[[Batch], Program], batches: Sequence[Batch], rows: Sequence[int]
    ) -> Iterator[tuple[Tensor, Batch]]:
        """What a program gives for each batch, (rows, ...)."""
        wanted = [*rows, *rows] if len(rows) == 1 else [*rows]
        state = self._state
        if wanted != [*range(len(self))]:
            chosen = torch.tensor(wanted, device=state[0].device)
            state = [_some(x, chosen) for x in state]
        for batch in batches:
            expanded = [x.expand(len(wanted), *x.shape) for x in batch.tensors.values()]
            with torch.no_grad():
                (found,) = program(batch)(len(wanted), [*state, *expanded], [])
            yield found[: len(rows)], batch

    def keep(self, positions: Sequence[int]) -> None:
        """Keep only the members at these positions."""
        self._members = len(positions)
        positions = [*positions, *positions] if len(positions) == 1 else positions
        rows = torch.tensor(positions, device=self._device)
        self._optimization.keep(rows)
        self._rest = {name: x.index_select(0, rows) for name, x in self._rest.items()}
        self._samples.keep(positions)
        self._streams.keep(positions)
        self._state = self._stacked()

    def weights(self, position: int, into: Mapping[str, Tensor] | None = None) -> Mapping[str, Tensor]:
        """Parameters and buffers of a member, copied; into the memory of an earlier copy, if one is given."""
        names = (*self._computations.parameters, *self._computations.buffers)
        found = {name: x[position] for name, x in zip(names, self._state, strict=True)}
        if into is None:
            # In the layout of every other model: products of a transposed matrix are rounded in another way.
            return {name: x.clone(memory_format=torch.contiguous_format) for name, x in found.items()}
        torch._foreach_copy_([into[name] for name in found], [*found.values()])
        return into

    def _sizes(self) -> list[int]:
        """Samples of the steps of an epoch."""
        whole, rest = divmod(len(self._samples), self._size)
        return [self._size] * whole + [rest] * (rest > 0)

    def _step(self, size: int, batch: Sequence[Tensor], key: Tensor) -> Tensor:
        program = self._steps[size]
        with torch.no_grad():
            drawn = self._streams.draw(program.draws, key)
            losses, *gradients = program(len(self._streams), [*self._state, *batch], drawn)
        self._optimization.step(dict(zip(self._computations.trained, gradients, strict=True)))
        found: Tensor = losses
        return found

    def _stored(
        self, stacked: dict[str, Tensor], optimizer: Optimizer, parameters: Mapping[str, Tensor]
    ) -> list[Storage]:
        """The trained parameters, taken out of `stacked`, in their pieces."""
        names = self._computations.trained
        steps = [dict(zip(names, step.orders[1:], strict=True)) for step in self._steps.values()]
        given = [name for name in names if all(orders[name] is not None for orders in steps)]
        # Other optimizers may want to see a parameter as a vector.
        orders = {
            name: found if is_elementwise(optimizer) and found is not None else range(parameters[name].ndim)
            for name, found in steps[0].items()
        }
        pieces = in_pieces(optimizer, {name: parameters[name] for name in names}, given)
        return [Storage({name: stacked.pop(name) for name in piece}, orders) for piece in pieces]

    def _stacked(self) -> list[Tensor]:
        """All parameters and buffers, in the order of the computations."""
        known = {**self._rest}
        for storage in self._storages:
            known.update(storage.stacked)
        return [known[name] for name in (*self._computations.parameters, *self._computations.buffers)]


def _some(values: Tensor, rows: Tensor) -> Tensor:
    """Values of some members, lying in memory as those of all: else their products would be rounded otherwise."""
    size = len(rows), *values.shape[1:]
    found = torch.empty_strided(size, values.stride(), dtype=values.dtype, device=values.device)
    return torch.index_select(values, 0, rows, out=found)


def _release(models: Sequence[MultimodalModel]) -> None:
    """Free the memory of weights that a stack has copied."""
    for model in models:
        for parameter in model.parameters():
            parameter.data = parameter.data.new_empty(0)
