"""Random numbers of a recording: made by few functions, and then its inputs, which streams of the members give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from .draws import Draw
from .recorder import FEW, Unstackable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor
    from torch.fx import Graph, Node

ops = torch.ops.aten


class Replaced(TorchFunctionMode):
    """Calls of some functions inside are calls of others."""

    BY: ClassVar[Mapping[Any, Callable[..., Any]]]

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """See `TorchFunctionMode`."""
        return self.BY.get(function, function)(*args, **(kwargs or {}))


def _normal(mean: Any, std: Any = 1.0, size: Any = None, **options: Any) -> Tensor:
    noise = torch.randn_like(torch.as_tensor(mean + std)) if size is None else torch.randn(size, **options)
    found: Tensor = noise * std + mean
    return found


def _whole_numbers(uniform: Tensor, low: int, high: int) -> Tensor:
    """From [0, 1) to whole numbers from low to high - 1."""
    return (uniform * (high - low)).floor().clamp(max=high - low - 1) + low


def _randint(*given: Any, dtype: torch.dtype = torch.int64, **options: Any) -> Tensor:
    named = [options.pop(name) for name in ("low", "high", "size") if name in options]
    *bounds, size = (*given, *named)
    low, high = (0, *bounds)[-2:]
    return _whole_numbers(torch.rand(size, **options), low, high).to(dtype)


def _randint_like(x: Tensor, *bounds: int, dtype: torch.dtype | None = None, **options: Any) -> Tensor:
    low, high = (0, *bounds, *options.values())[-2:]
    return _whole_numbers(torch.rand_like(x, dtype=torch.float), low, high).to(dtype or x.dtype)


def _exponential(like: Tensor, rate: float = 1.0) -> Tensor:
    return torch.rand_like(like).neg().log1p().neg() / rate


def _bernoulli(x: Tensor, p: float | None = None) -> Tensor:
    return (torch.rand_like(x) < (x if p is None else p)).to(x.dtype)


def _dropout(x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """As torch's, without a division in place, for which functorch imports sympy."""
    if not training or not 0 < p < 1:
        return functional.dropout(x, p, training, inplace)
    kept = torch.empty_like(x).bernoulli_(1 - p) / (1 - p)
    return x.mul_(kept) if inplace else x * kept


def _multinomial(weights: Tensor, count: int, replacement: bool = False) -> Tensor:
    """The first of independent exponential times with these rates is a draw (Efraimidis & Spirakis, 2006)."""
    if not replacement:
        return (weights / _exponential(weights)).topk(count).indices
    rates = weights[..., None, :].expand(*weights.shape[:-1], count, -1)
    return (rates / _exponential(rates)).argmax(-1)


def _gumbel_softmax(logits: Tensor, *, tau: float = 1, hard: bool = False, dim: int = -1, **_: Any) -> Tensor:
    soft = ((logits - _exponential(logits).log()) / tau).softmax(dim)
    if not hard:
        return soft
    chosen = (soft == soft.amax(dim, keepdim=True)).to(soft.dtype)
    return chosen - soft.detach() + soft


def _rrelu(x: Tensor, *, lower: float, upper: float, training: bool, inplace: bool) -> Tensor:
    slope = torch.rand_like(x) * (upper - lower) + lower if training else (lower + upper) / 2
    found = torch.where(x < 0, x * slope, x)
    return x.copy_(found) if inplace else found


class Drawing(Replaced):
    """All random numbers inside come from `rand`, `randn`, `randperm` or `bernoulli`, which a stack replaces."""

    BY: ClassVar = {
        torch.normal: _normal,
        torch.randint: _randint,
        torch.randint_like: _randint_like,
        torch.bernoulli: _bernoulli,
        torch.Tensor.bernoulli: _bernoulli,
        torch.multinomial: _multinomial,
        torch.Tensor.multinomial: _multinomial,
        functional.gumbel_softmax: _gumbel_softmax,
        functional.dropout: _dropout,
        functional.rrelu: _rrelu,
        torch.Tensor.normal_: lambda x, mean=0, std=1: x.copy_(torch.randn_like(x) * std + mean),
        torch.Tensor.uniform_: lambda x, low=0, high=1: x.copy_(torch.rand_like(x) * (high - low) + low),
        torch.Tensor.exponential_: lambda x, lambd=1: x.copy_(_exponential(x, lambd)),
        torch.Tensor.random_: lambda x, *bounds: x.copy_(_randint_like(x, *bounds)),
    }

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """See `TorchFunctionMode`."""
        if kwargs and kwargs.pop("generator", None) is not None:
            raise Unstackable("it draws from a generator of its own")
        if function is torch.Tensor.bernoulli_ and isinstance(
            (args + tuple((kwargs or {}).values()))[-1], torch.Tensor
        ):
            return args[0].copy_(torch.rand_like(args[0]) < args[1])
        return super().__torch_function__(function, types, args, kwargs)


def take_draws(graph: Graph) -> list[Draw]:
    """Make inputs of what is drawn; returns what that is.

    Raises:
        Unstackable: something is drawn in a way that no stream of a member replaces.
    """
    draws: list[Draw] = []
    last = graph.find_nodes(op="placeholder")[-1]
    for node in [*graph.nodes]:
        if torch.Tag.nondeterministic_seeded not in getattr(node.target, "tags", ()):
            continue
        if node.target is ops.bernoulli_.float:
            node = _out_of_place(graph, node)  # noqa: PLW2901 - what takes its place
        if node.target is ops.native_dropout.default:
            node = _plain_dropout(graph, node)  # noqa: PLW2901 - what takes its place
        value = node.meta["val"]
        shape = tuple(value.shape[1:])
        if node.target is ops.bernoulli.p:
            draw = _kept(graph, node, shape)
        elif node.target in (ops.rand.default, ops.rand_like.default):
            draw = Draw(kind="uniform", shape=shape)
        elif node.target in (ops.randn.default, ops.randn_like.default):
            draw = Draw(kind="normal", shape=shape)
        elif node.target is ops.randperm.default:
            draw = Draw(kind="permutation", shape=shape)
        else:
            raise Unstackable(f"it draws by {node.target}, which no stream of its own replaces")
        if not value.shape or value.shape[0] != FEW:
            raise Unstackable(f"it draws by {node.target} what all models of a stack would share")
        with graph.inserting_after(last):
            last = graph.placeholder(f"draw_{len(draws)}")
        last.meta["val"] = value
        node.replace_all_uses_with(_of_type(graph, last, node))
        graph.erase_node(node)
        draws.append(draw)
    return draws


def _of_type(graph: Graph, drawn: Node, node: Node) -> Node:
    """Numbers as streams give them, in the type of those that they replace."""
    value = node.meta["val"]
    if value.dtype == (torch.int64 if node.target is ops.randperm.default else torch.float32):
        return drawn
    with graph.inserting_before(node):
        converted = graph.call_function(ops._to_copy.default, (drawn,), {"dtype": value.dtype})  # noqa: SLF001
    converted.meta["val"] = value
    return converted


def _kept(graph: Graph, node: Node, shape: tuple[int, ...]) -> Draw:
    """What dropout keeps; if all that is done with it is to divide it by its share, it is drawn so."""
    share = node.args[1]
    assert isinstance(share, float)
    users = [*node.users]
    divided = ops.div.Scalar, ops.div_.Scalar, ops.div.Tensor
    if len(users) == 1 and users[0].target in divided and users[0].args[1] == share:
        users[0].replace_all_uses_with(node)
        graph.erase_node(users[0])
        return Draw(kind="kept", shape=shape, share=share, value=1 / share)
    return Draw(kind="kept", shape=shape, share=share)


def _out_of_place(graph: Graph, node: Node) -> Node:
    """A draw that is written into an empty tensor, as one that gives a tensor."""
    target, share = node.args
    assert isinstance(target, torch.fx.Node)
    if target.target not in (ops.empty_like.default, ops.empty.memory_format, ops.new_empty.default):
        raise Unstackable("it draws numbers into a tensor that is used before")
    with graph.inserting_before(node):
        found = graph.call_function(ops.bernoulli.p, (target, share))
    found.meta["val"] = target.meta["val"]
    node.replace_all_uses_with(found)
    graph.erase_node(node)
    target.replace_all_uses_with(found, lambda user: user is not found)
    return found


def _plain_dropout(graph: Graph, node: Node) -> Node:
    """The one operation that is dropout on a GPU, as several; returns the one that draws."""
    x, p, _ = node.args
    assert isinstance(x, torch.fx.Node)
    assert isinstance(p, float)
    with graph.inserting_before(node):
        mask = graph.call_function(ops.bernoulli.p, (x, 1 - p))
        scaled = graph.call_function(ops.div.Scalar, (mask, 1 - p))
        kept = graph.call_function(ops.mul.Tensor, (x, scaled))
        drawn = graph.call_function(ops.ne.Scalar, (scaled, 0))
    mask.meta["val"] = scaled.meta["val"] = x.meta["val"]
    for user in [*node.users]:  # operator.getitem: the result, or the mask
        instead = drawn if user.args[1] else kept
        instead.meta["val"] = user.meta["val"]
        user.replace_all_uses_with(instead)
        graph.erase_node(user)
    graph.erase_node(node)
    return mask
