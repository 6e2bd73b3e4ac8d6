"""Recording of a computation on one member, and its replay for stacks of any number."""

import random
import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functionalize, vmap
from torch.nn import functional

from alharness.engine.stack.draws import Streams
from alharness.engine.stack.program import record
from alharness.engine.stack.recorder import CONSTANT, Unstackable
from alharness.kernels import products


def recorded(function, *tensors, shared=()):
    """A program of a function of one member."""
    of_all = lambda *given: [vmap(functionalize(function), randomness="different")(*given)]
    return record(of_all, tensors, shared)


def refused(function, *tensors):
    with pytest.raises(Unstackable) as found:
        recorded(function, *tensors)
    return str(found.value)


def attention(x, w):
    """Reshapes, products, a softmax, a change in place."""
    y = (x @ w).view(4, 3, 2).transpose(0, 1).reshape(3, 8)
    y *= torch.tensor([1.0, 2.0, 0.0, 1.0, 1.0, 3.0, 1.0, 1.0])
    return functional.layer_norm(y, (8,)).softmax(1).flatten().repeat(2)[1:] * len(x)


@pytest.mark.parametrize("members", [1, 2, 3, 4, 7, 25])
def test_a_program_is_good_for_any_number_of_members(members):
    torch.manual_seed(0)
    program = recorded(attention, torch.randn(4, 5), torch.randn(5, 6))
    x, w = torch.randn(members, 4, 5), torch.randn(members, 5, 6)
    (found,) = program(members, [x, w], [])
    for row in range(members):
        torch.testing.assert_close(found[row], attention(x[row], w[row]))


def test_gradients_are_recorded_as_well():
    def function(x, w):
        loss = vmap(lambda a, b: (a @ b).square().sum())(x, w)
        return [loss.detach(), *torch.autograd.grad(loss.sum(), [w])]

    program = record(function, [torch.randn(3, 4), torch.randn(4, requires_grad=True)])
    x, w = torch.randn(6, 3, 4), torch.randn(6, 4)
    _, gradient = program(6, [x, w], [])
    torch.testing.assert_close(gradient, 2 * torch.einsum("mij,mik,mk->mj", x, x, w))


def test_what_members_share_is_given_once_to_all():
    program = recorded(lambda w, x: x @ w, torch.randn(3), shared=[torch.randn(5, 3)])
    w, x = torch.randn(4, 3), torch.randn(5, 3)
    (found,) = program(4, [w, x.expand(4, 5, 3)], [])
    torch.testing.assert_close(found, w @ x.T)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shared", [True, False])
def test_a_large_product_gives_a_member_the_same_bits_in_every_stack(bias, shared):
    samples, inputs, outputs = 300, 200, 50
    assert samples * inputs * outputs > products.LARGE_OF_MANY
    generator = torch.Generator().manual_seed(0)
    shapes = (samples, inputs), (outputs, inputs), (outputs,)
    x, w, b = (torch.randn(7, *shape, generator=generator) for shape in shapes)
    if shared:
        x = x[:1].expand_as(x)
    function = functional.linear if bias else lambda x, w, b: functional.linear(x, w)
    program = recorded(function, x[0], w[0], b[0])
    (all_of_them,) = program(7, [x, w, b], [])
    for rows in ([3, 3], [6, 0, 3]):
        (found,) = program(len(rows), [x[rows], w[rows], b[rows]], [])
        assert torch.equal(found, all_of_them[rows])
    torch.testing.assert_close(all_of_them[3], function(x[3], w[3], b[3]), rtol=1e-4, atol=1e-4)


def test_gradients_of_a_layers_weights_lie_in_memory_as_the_weights_do():
    def function(x, w):
        loss = vmap(lambda a, b: functional.linear(a, b).square().sum())(x, w)
        return torch.autograd.grad(loss.sum(), [w])

    program = record(function, [torch.randn(5, 4), torch.randn(3, 4, requires_grad=True)])
    assert program.orders == ((0, 1),)
    x, w = torch.randn(6, 5, 4), torch.randn(6, 3, 4)
    (gradient,) = program(6, [x, w], [])
    assert gradient.is_contiguous()
    torch.testing.assert_close(gradient, 2 * torch.einsum("mni,moi,mnj->moj", x, w, x))


DRAWS = {
    "dropout": (lambda x: functional.dropout(x, 0.2), "kept", 0.8, 1.25),
    "dropout of a layer": (lambda x: nn.Dropout1d(0.5)(x[None])[0], "kept", 0.5, 2.0),
    "bernoulli": (lambda x: torch.bernoulli(torch.zeros_like(x), 0.3), "kept", 0.3, 1.0),
    "rand": (lambda x: torch.rand(x.shape), "uniform", 1.0, 1.0),
    "rand_like": (torch.rand_like, "uniform", 1.0, 1.0),
    "randn": (lambda x: torch.randn(4, 2), "normal", 1.0, 1.0),
    "randn_like": (torch.randn_like, "normal", 1.0, 1.0),
    "randperm": (lambda x: torch.randperm(9), "permutation", 1.0, 1.0),
}


@pytest.mark.parametrize("what", DRAWS)
def test_what_is_drawn_comes_from_the_members_streams(what):
    function, kind, share, value = DRAWS[what]
    program = recorded(function, torch.ones(4, 2))
    (draw,) = program.draws
    assert (draw.kind, draw.share, draw.value) == (kind, pytest.approx(share), pytest.approx(value))
    streams = Streams([1, 2, 3, 4, 5], torch.device("cpu"))
    drawn = streams.draw(program.draws, streams.keys([0])[0])
    (found,) = program(5, [torch.ones(5, 4, 2)], drawn)
    (again,) = program(5, [torch.ones(5, 4, 2)], drawn)
    assert torch.equal(found, again)
    one = found.reshape(*drawn[0].shape, -1)[..., 0]  # what a layer drops as a whole has one number
    torch.testing.assert_close(one, drawn[0], check_dtype=False)


def test_numbers_are_drawn_in_the_type_that_was_asked_for():
    program = recorded(
        lambda x: functional.dropout(x.bfloat16(), 0.5) @ torch.ones(3).bfloat16(), torch.ones(2, 3)
    )
    (found,) = program(4, [torch.ones(4, 2, 3)], [torch.ones(4, 2, 3)])
    assert found.dtype == torch.bfloat16


@pytest.mark.parametrize("function", [torch.poisson, lambda x: torch.multinomial(x.abs() + 1, 1)])
def test_a_draw_that_no_stream_replaces_is_refused(function):
    assert re.match(r"it draws by aten\.\w+", refused(function, torch.ones(4)))


def test_a_draw_that_members_would_share_is_refused():
    with pytest.raises(Unstackable, match="what all models of a stack would share"):
        record(lambda x: [x + torch.rand(5)], [torch.ones(5)])


@pytest.mark.parametrize("draw", [random.random, np.random.rand])
def test_a_draw_from_python_or_numpy_is_refused(draw):
    assert refused(lambda x: x * draw(), torch.ones(3)) == "it draws from Python's or numpy's global generator"


def test_a_draw_from_python_that_changes_no_number_is_refused():
    def function(x):
        random.random()
        return x + 1

    assert refused(function, torch.ones(3)) == "it draws from Python's or numpy's global generator"


def test_a_small_constant_is_kept_and_a_large_tensor_of_somebody_is_refused():
    small, large = torch.arange(3.0), torch.zeros(CONSTANT + 1)
    (found,) = recorded(lambda x: x + small, torch.ones(3))(5, [torch.ones(5, 3)], [])
    assert torch.equal(found, (1 + small).expand(5, 3))
    assert "that is neither a parameter nor a buffer" in refused(lambda x: x + large, torch.ones(1))


def test_a_constant_is_what_it_was_when_it_was_recorded():
    kept = torch.ones(3)
    program = recorded(lambda x: x + kept, torch.ones(3))
    kept.fill_(7)
    (found,) = program(2, [torch.ones(2, 3)], [])
    assert (found == 2).all()


def test_what_follows_the_number_of_members_in_another_way_is_refused():
    with pytest.raises(Unstackable, match="it uses 5 in one call, but 10 in the next"):
        record(lambda x: [x.new_zeros(len(x) ** 2 + 1).sum() + x], [torch.ones(1)])


def test_other_operations_for_another_number_of_members_are_refused():
    with pytest.raises(Unstackable, match=r"out aten.exp.default with 2 models, but aten.sin.default with 3"):
        record(lambda x: [x.exp() if len(x) == 2 else x.sin()], [torch.ones(1)])


@pytest.mark.filterwarnings("ignore:There is a performance drop")
def test_an_operation_that_torch_carries_out_for_one_member_after_another_is_refused():
    def function(x):
        y = x + 1
        y[1] = 0
        return y

    assert refused(function, torch.ones(3)) == "torch cannot compute copy of several models at once"


def test_a_nan_among_the_numbers_is_the_same_number():
    (found,) = recorded(lambda x: x * float("nan"), torch.ones(3))(4, [torch.ones(4, 3)], [])
    assert found.isnan().all()


def test_operations_of_several_roundings_give_a_member_the_same_bits_at_every_place():
    """Without `in_full_registers` those differ that fall behind the last register."""
    torch.manual_seed(0)
    functions = {
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "exp": torch.exp,
        "log1p": lambda x: x.abs().log1p(),
        "pow": lambda x: x.abs() ** 1.7,
        "gelu": functional.gelu,
        "softplus": functional.softplus,
        "lerp": lambda x: x.lerp(x + 1, 0.3),
        "erf": torch.erf,
    }
    x = torch.randn(13)
    for name, function in functions.items():
        program = recorded(function, x)
        found = [program(members, [x.expand(members, 13).clone()], [])[0] for members in (2, 3, 5, 9, 25)]
        assert all(torch.equal(row, found[0][0]) for stack in found for row in stack), name


def test_memory_and_layout_of_results_are_known():
    program = record(lambda x: [x.square(), (x + 1).transpose(1, 2)], [torch.ones(4, 3)])
    assert program.bytes == 2 * 4 * 3 * 4
    assert program.orders == ((0, 1), (1, 0))
