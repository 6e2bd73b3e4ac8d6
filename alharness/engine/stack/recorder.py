"""Writes down the operations of torch that a computation carries out."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch.fx import Graph
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakIdKeyDictionary

from alharness.errors import described, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor
    from torch.fx import Node


CONSTANT = 10_000
"""Most numbers of a tensor that a recording keeps; a larger one is data that a member may have of its own."""

FEW, MORE = 2, 3
"""Members of the two recordings that are compared: numbers that differ between them follow the members'."""


class Unstackable(Exception):
    """Why a model cannot be computed as a stack, in words."""


FUNCTION = "it uses an autograd.Function, such as one of its own or that of a Beta distribution"
REASONS = {
    ".item()": "it reads a number out of a tensor, as by `.item()`, `float` or `int`, which a stack has many of",
    "data-dependent control flow": "what it does depends on the numbers in a tensor (`if`, `while`, `assert`)",
    "dynamic shape": "the size of a tensor depends on numbers (a mask as an index, `nonzero`, `unique`)",
    "masked_select": "the size of a tensor depends on numbers (`masked_select`)",
    "setup_context": FUNCTION,
    "custom_function_call": FUNCTION,
    "uninitialized parameter": "it has lazy layers, which know their sizes only after a first step",
    "unallocated storage": "it makes Python numbers of a tensor (`tolist`)",
    "`.data`": "it writes to the `.data` of a tensor",
}
"""What torch says if it cannot compute models together -> the same for those who wrote one."""


def reason_of(error: BaseException) -> str:
    """Why a model cannot be computed as a stack, in a line."""
    text = text_of(error)
    if isinstance(error, Unstackable):
        return text
    known = [reason for words, reason in REASONS.items() if words in text]
    return known[0] if known else described(error).partition("\n")[0]


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Writes down the operations that are carried out inside, below autograd and vmap.

    Args:
        given: the inputs.

    Attributes:
        graph: the operations; each node's `meta["val"]` is a `Value`.
    """

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # else torch imports its compiler to keep it from this mode, in every process

    def __init__(self, given: Sequence[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.graph = Graph()
        self._nodes = WeakIdKeyDictionary()
        for number, x in enumerate(given):
            self._know(x, self.graph.placeholder(f"given_{number}"))

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        named = self._named((args, kwargs))
        result = operation(*args, **kwargs)
        node = self.graph.call_function(operation, *named)
        held = [x.untyped_storage()._cdata for x in _tensors(args)]  # noqa: SLF001
        if isinstance(result, torch.Tensor):
            self._know(result, node, held)
        elif isinstance(result, (tuple, list)):
            for number, x in enumerate(result):
                if isinstance(x, torch.Tensor):
                    self._know(x, self.graph.call_function(operator.getitem, (node, number)), held)
        return result

    def finish(self, results: Sequence[Tensor | None]) -> None:
        """End the graph by what it gives."""
        self.graph.output([None if x is None else self._node(x) for x in results])

    def _named(self, x: Any) -> Any:
        """Arguments with nodes in place of tensors. torch's own way through them takes most of the time."""
        if isinstance(x, torch.Tensor):
            return self._node(x)
        if isinstance(x, (tuple, list)):
            return type(x)(map(self._named, x))
        return {name: self._named(value) for name, value in x.items()} if isinstance(x, dict) else x

    def _node(self, x: Tensor) -> Node:
        if x not in self._nodes:
            # Made before the recording, such as a tensor that a module keeps.
            if x.numel() > CONSTANT:
                shape = tuple(x.shape)
                raise Unstackable(f"it reads a tensor of shape {shape} that is neither a parameter nor a buffer")
            self._know(x, self.graph.call_function(Constant(x.clone()), ()))
        found: Node = self._nodes[x]
        return found

    def _know(self, x: Tensor, node: Node, held: Sequence[int] = ()) -> None:
        storage = x.untyped_storage()
        made = 0 if storage._cdata in held or node.op == "placeholder" else storage.nbytes()  # noqa: SLF001
        node.meta["val"] = Value(shape=x.shape, stride=x.stride(), dtype=x.dtype, bytes=made)
        self._nodes[x] = node


def _tensors(x: Any) -> Iterator[Tensor]:
    """The tensors among arguments."""
    if isinstance(x, torch.Tensor):
        yield x
    elif isinstance(x, (tuple, list)):
        for part in x:
            yield from _tensors(part)


@dataclass(frozen=True, kw_only=True)
class Value:
    """What is known of a tensor: its sizes and strides, and the memory that was taken for it."""

    shape: torch.Size
    stride: tuple[int, ...]
    dtype: torch.dtype
    bytes: int


@dataclass(frozen=True, eq=False)
class Constant:
    """Gives the same tensor at every replay."""

    value: Tensor
    __name__: ClassVar[str] = "constant"  # graphs ask functions for it

    def __call__(self) -> Tensor:
        """The tensor."""
        return self.value
