"""A computation on one member, recorded once and replayed for a stack of any number of members."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from .drawing import take_draws
from .recorder import FEW, MORE, Recorder, Unstackable
from .rewriting import call_quickly, fill_registers, generalize, join_permutations, multiply_quickly, tidy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor
    from torch.fx import Graph, GraphModule

    from .draws import Draw
    from .recorder import Value

    Function = Callable[..., Sequence[Tensor | None]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """A recorded computation.

    Attributes:
        draws: what it draws, in the order in which it takes the numbers.
        bytes: that it computes for a member, over all of its operations: a bound of what it holds at once.
        orders: of each result, its dimensions but the first, in their order in memory; None for one not given.
    """

    draws: tuple[Draw, ...]
    bytes: int
    orders: tuple[tuple[int, ...] | None, ...]
    _graph: GraphModule

    def __call__(self, members: int, tensors: Sequence[Tensor], drawn: Sequence[Tensor]) -> list[Any]:
        """What the computation gives.

        Args:
            members: of the stack.
            tensors: what the computation reads, (members, ...) each.
            drawn: what it draws, (members, ...) each, as `draws` says.
        """
        found: list[Any] = self._graph(members, *tensors, *drawn)
        return found


def record(function: Function, tensors: Sequence[Tensor], shared: Sequence[Tensor] = ()) -> Program:
    """Record what a function does with the tensors of a stack.

    It is recorded twice, for stacks of two sizes. What differs between the recordings must be the number of
    members, or a multiple of it: then the record is good for every number.

    Args:
        function: of tensors with the members in their first dimension; gives a list of such tensors.
        tensors: an example, of one member, without that dimension.
        shared: more of them, which all members have in common.

    Raises:
        Unstackable: the function draws in a way that no stream replaces, or does something else for another number
            of members.
    """
    before = random.getstate(), np.random.get_state()  # noqa: NPY002 - whether anything draws from it
    few, more = (_traced(function, tensors, shared, members) for members in (FEW, MORE))
    after = random.getstate(), np.random.get_state()  # noqa: NPY002
    if repr(before) != repr(after):
        raise Unstackable("it draws from Python's or numpy's global generator")
    generalize(few, more)
    draws = take_draws(few)
    tidy(few)
    fill_registers(few)
    orders = _orders(few)
    multiply_quickly(few)
    call_quickly(few)
    module = torch.fx.GraphModule(torch.nn.Module(), few)
    return Program(draws=tuple(draws), bytes=_bytes(few), orders=orders, _graph=module)


def _traced(function: Function, tensors: Sequence[Tensor], shared: Sequence[Tensor], members: int) -> Graph:
    # A copy for each member, so that none is a view of another.
    stacked = [x.detach().expand(members, *x.shape).clone().requires_grad_(x.requires_grad) for x in tensors]
    given = [*stacked, *(x.expand(members, *x.shape) for x in shared)]
    recorder = Recorder(given)
    with recorder:
        results = function(*given)
    recorder.finish(results)
    join_permutations(recorder.graph, members)
    return recorder.graph


def _bytes(graph: Graph) -> int:
    total: int = sum(node.meta["val"].bytes for node in graph.nodes if "val" in node.meta)
    return total // FEW


def _orders(graph: Graph) -> tuple[tuple[int, ...] | None, ...]:
    (output,) = graph.find_nodes(op="output")
    results: Any = output.args[0]
    # `as_strided` needs tensors in the order of the recording.
    plain = bool(graph.find_nodes(op="call_function", target=torch.ops.aten.as_strided.default))
    return tuple(None if node is None else _order(node.meta["val"], plain=plain) for node in results)


def _order(value: Value, *, plain: bool) -> tuple[int, ...]:
    dimensions = range(len(value.shape) - 1)
    return tuple(dimensions if plain else sorted(dimensions, key=lambda i: -value.stride[i + 1]))
