"""What is changed in a recording, so that it can be replayed for any number of members."""

from __future__ import annotations

import operator
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional
from torch.utils import _pytree as trees

from alharness.kernels import products

from .recorder import FEW, MORE, Constant, Unstackable

if TYPE_CHECKING:
    from torch.fx import Graph, Node

ops = torch.ops.aten

SEVERAL_ROUNDINGS = frozenset(
    getattr(ops, name).default
    for name in (
        *("sigmoid", "tanh", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "asin"),
        *("acos", "atan", "sinh", "cosh", "erf", "erfc", "erfinv", "lgamma", "digamma", "rsqrt", "gelu", "silu"),
        *("mish", "softplus", "elu", "celu", "log_sigmoid_forward", "hardswish", "addcmul", "addcdiv"),
        *("sigmoid_backward", "tanh_backward", "gelu_backward", "silu_backward", "mish_backward"),
        *("softplus_backward", "elu_backward", "log_sigmoid_backward", "logit_backward", "hardswish_backward"),
    )
    if hasattr(ops, name)
) | {ops.pow.Tensor_Scalar, ops.pow.Tensor_Tensor, ops.pow.Scalar, ops.lerp.Tensor, ops.lerp.Scalar}
"""Operations on numbers one by one whose result is rounded more than once."""

VIEWS = (ops.view.default, ops._unsafe_view.default, ops.expand.default)  # noqa: SLF001 - an operation's name

QUICK = {
    *("abs", "add", "addmm", "baddbmm", "bmm", "cat", "clone", "div", "gather", "index_select", "maximum", "mean"),
    *("minimum", "mm", "mul", "native_batch_norm", "ne", "neg", "permute", "relu", "select", "sgn", "sqrt"),
    *("squeeze", "stack", "sub", "sum", "transpose", "unsqueeze", "where"),
}
"""Operations that torch offers as functions with the same arguments, which read these in half the time."""

FALLBACK = {
    *("select", "stack", "select_backward", "expand", "view", "unsqueeze", "squeeze", "permute", "transpose", "t"),
    *("clone", "detach", "getitem", "constant", "scalar_tensor", "add", "sub", "mul", "div", "neg", "sum"),
}
"""Operations around those that vmap repeats for each member, which say little."""

REGISTERS = 64
"""Numbers in the registers that one step of a kernel fills."""


def join_permutations(graph: Graph, members: int) -> None:
    """Make one operation of the permutations of all members, which vmap draws one by one and stacks."""
    for stack in graph.find_nodes(op="call_function", target=ops.stack.default):
        parts: Any = stack.args[0]
        if len(parts) == members and all(x.target is ops.randperm.default and len(x.users) == 1 for x in parts):
            with graph.inserting_before(stack):
                joined = graph.call_function(ops.randperm.default, parts[0].args)
            joined.meta["val"] = stack.meta["val"]
            stack.replace_all_uses_with(joined)
            graph.erase_node(stack)
            for part in parts:
                graph.erase_node(part)


def generalize(few: Graph, more: Graph) -> None:
    """Make the numbers of `few` follow the number of members, which becomes the first input."""
    pairs = list(zip(few.nodes, more.nodes, strict=False))
    for a, b in pairs:
        if not _alike(a.target, b.target):
            raise Unstackable(_difference(few, more, a, b))
    if len(few.nodes) != len(more.nodes):
        raise Unstackable("it carries out more operations for more models")
    with few.inserting_before(next(iter(few.nodes))):
        members = few.placeholder("members")
    for node, other in pairs:
        if node.op != "call_function":
            continue
        with few.inserting_before(node):
            node.args = _followed(node.args, other.args, members, few)
            node.kwargs = _followed(node.kwargs, other.kwargs, members, few)


def _difference(few: Graph, more: Graph, one: Node, other: Node) -> str:
    """Why a recording of more models is another: most often by an operation that vmap repeats for each of them."""
    counts, others = (Counter(_name(node) for node in graph.nodes) for graph in (few, more))
    repeated = [name for name, count in others.items() if count > counts[name] > 0 and name not in FALLBACK]
    if repeated:
        return f"torch cannot compute {', '.join(repeated[:3])} of several models at once"
    return f"it carries out {_named(one.target)} with {FEW} models, but {_named(other.target)} with {MORE}"


def _name(node: Node) -> str:
    packet = getattr(node.target, "overloadpacket", node.target)
    return str(getattr(packet, "__name__", packet))


def _alike(a: Any, b: Any) -> bool:
    if isinstance(a, Constant) and isinstance(b, Constant):
        return torch.equal(a.value, b.value)
    return bool(a == b)


def _named(target: Any) -> str:
    return "a computation with a tensor of its own" if isinstance(target, Constant) else str(target)


def _followed(few: Any, more: Any, members: Node, graph: Graph) -> Any:
    """Arguments of `few`, with whole numbers that differ from those of `more` as multiples of the members."""
    if isinstance(few, torch.fx.Node) or few == more or (few != few and more != more):  # noqa: PLR0124 - NaN
        return few
    if isinstance(few, dict) and isinstance(more, dict) and few.keys() == more.keys():
        return {name: _followed(x, more[name], members, graph) for name, x in few.items()}
    if isinstance(few, (tuple, list)) and isinstance(more, (tuple, list)):
        if len(few) != len(more):
            raise Unstackable("it does something else for another number of models")
        found = [_followed(x, y, members, graph) for x, y in zip(few, more, strict=True)]
        return found if isinstance(few, list) else tuple(found)
    if type(few) is not int or type(more) is not int or few % FEW or few * MORE != more * FEW:
        raise Unstackable(f"it uses {few} in one call, but {more} in the next")
    factor = few // FEW
    return members if factor == 1 else graph.call_function(operator.mul, (members, factor))


def tidy(graph: Graph) -> None:
    """Drop what changes nothing, a third of what is recorded, and join what is one operation."""
    for node in [*graph.nodes]:
        if node.op == "call_function" and (unchanged := _unchanged(node)) is not None:
            node.replace_all_uses_with(unchanged)
            graph.erase_node(node)
        elif node.target is ops.view.default and _sums(node):
            source: Any = node.args[0]
            source.args = source.args[:2]
            source.meta["val"] = node.meta["val"]
            node.replace_all_uses_with(source)
            graph.erase_node(node)
        elif node.target is ops.view.default:
            node.target = torch.reshape  # weights of a stack may have another order in memory
    for node in [*graph.nodes]:
        if node.target is ops.bmm.default:
            _turn(graph, node)
        elif node.target is ops.add.Tensor:
            _join_bias(graph, node)
    for node in reversed([*graph.nodes]):
        changes = getattr(getattr(node.target, "_schema", None), "is_mutable", False)
        if node.op == "call_function" and not node.users and not changes:
            graph.erase_node(node)


def _unchanged(node: Node) -> Node | None:
    """What an operation gives, if it is what it was given, or a part of that."""
    source = node.args[0] if node.args else None
    if not isinstance(source, torch.fx.Node):
        return None
    given: Any = node.args[1] if len(node.args) > 1 else None
    if (
        node.target in (ops.detach.default, ops.alias.default)
        or (node.target is ops.mul.Scalar and given == 1)
        or (node.target is ops.permute.default and [*given] == [*range(len(given))])
        or (node.target in VIEWS and source.meta["val"].shape == node.meta["val"].shape)
    ):
        return source
    if (
        node.target is ops.transpose.int
        and source.target is ops.transpose.int
        and node.args[1:] == source.args[1:]
    ):
        assert isinstance(source.args[0], torch.fx.Node)
        return source.args[0]
    return None


def _sums(view: Node) -> bool:
    """Whether all that a view does is to drop the dimensions that a sum has kept."""
    source: Any = view.args[0]
    if (
        source.target is not ops.sum.dim_IntList
        or len(source.users) > 1
        or source.kwargs
        or source.args[2:] != (True,)
    ):
        return False
    before = source.args[0].meta["val"].shape
    summed = {dimension % len(before) for dimension in source.args[1]}
    return [x for i, x in enumerate(before) if i not in summed] == [*view.meta["val"].shape]


def _turn(graph: Graph, product: Node) -> None:
    """A product of which only the transpose is used, such as a gradient of weights, as that: (xᵀy)ᵀ = yᵀx.

    So a gradient has the order in memory that weights of a layer usually have, and that of a layer with one output
    takes a third of the time.
    """
    if not product.users or not all(_transposes(user) for user in product.users):
        return
    with graph.inserting_before(product):
        factors = [_transposed(graph, x) for x in reversed(product.args)]
        turned = graph.call_function(ops.bmm.default, tuple(factors))
    x = product.meta["val"]
    shape = torch.Size([x.shape[0], x.shape[2], x.shape[1]])
    turned.meta["val"] = replace(x, shape=shape, stride=(shape[1:].numel(), shape[2], 1))
    for user in [*product.users]:
        user.replace_all_uses_with(turned)
        graph.erase_node(user)
    graph.erase_node(product)


def _transposes(x: Node) -> bool:
    return x.target is ops.transpose.int and {*x.args[1:]} == {1, 2}


def _transposed(graph: Graph, x: Any) -> Node:
    if _transposes(x):
        source: Node = x.args[0]
        return source
    found = graph.call_function(ops.transpose.int, (x, 1, 2))
    val, swapped = x.meta["val"], [0, 2, 1]
    found.meta["val"] = replace(
        val, shape=torch.Size([val.shape[i] for i in swapped]), stride=tuple(val.stride[i] for i in swapped)
    )
    return found


def _join_bias(graph: Graph, node: Node) -> None:
    """A bias added to a product: one operation."""
    bias, product = node.args[:2]
    if not (isinstance(bias, torch.fx.Node) and isinstance(product, torch.fx.Node)) or node.kwargs:
        return
    if product.target is not ops.bmm.default or len(product.users) > 1:
        return
    added, multiplied = bias.meta["val"], product.meta["val"]
    if len(added.shape) != len(multiplied.shape) or node.meta["val"].shape != multiplied.shape:
        return
    if added.dtype != multiplied.dtype:
        return
    with graph.inserting_before(node):
        joined = graph.call_function(ops.baddbmm.default, (bias, *product.args))
    joined.meta["val"] = node.meta["val"]
    node.replace_all_uses_with(joined)
    graph.erase_node(node)


def multiply_quickly(graph: Graph) -> None:
    """Have large products computed by the quicker library."""
    for node in graph.nodes:
        if node.target not in (ops.bmm.default, ops.baddbmm.default) or node.kwargs:
            continue
        *bias, x, y = (given.meta["val"] for given in node.args)
        large = x.shape[1:].numel() * y.shape[-1] >= products.LARGE_OF_MANY
        if large and x.dtype == torch.float32 and all(b.shape[1] == 1 for b in bias):
            node.args, node.target = (*node.args[-2:], *node.args[:-2]), products.batched


def call_quickly(graph: Graph) -> None:
    """Call the functions of torch instead of its operations."""
    for node in graph.nodes:
        if isinstance(node.target, torch._ops.OpOverload) and (name := _name(node)) in QUICK:  # noqa: SLF001
            node.target = getattr(torch, name)


def fill_registers(graph: Graph) -> None:
    """Have operations of several roundings computed `in_full_registers`."""
    for node in graph.nodes:
        if node.target in SEVERAL_ROUNDINGS:
            node.args, node.target = (node.target, *node.args), in_full_registers


def in_full_registers(operation: Any, *args: Any, **kwargs: Any) -> Any:
    """An operation on numbers one by one, with all of them in registers.

    Kernels compute the last few numbers of a tensor, which fill no register, by other instructions with other
    rounding. Which these are depends on the number of members; so the tensor is filled up. A GPU has no such rest.
    """
    given = [x for x in args if isinstance(x, torch.Tensor)]
    if given[0].device.type != "cpu":
        return operation(*args, **kwargs)
    wide: Any = torch.broadcast_tensors(*given)  # type: ignore[no-untyped-call]
    shape, size = wide[0].shape, wide[0].numel()
    # Ones, since nothing is undefined there.
    flat = iter([functional.pad(x.reshape(-1), (0, -size % REGISTERS), value=1.0) for x in wide])
    found = operation(*(next(flat) if isinstance(x, torch.Tensor) else x for x in args), **kwargs)
    return trees.tree_map(lambda x: x[:size].view(shape), found)
