"""Optimizers of a stack against one optimizer for each model."""

import copy

import pytest
import torch
from torch import nn, optim
from torch.optim.lr_scheduler import LambdaLR

from alharness.engine.stack.optimizing import (
    ELEMENTWISE,
    SMALL,
    Shared,
    Single,
    Storage,
    in_pieces,
    is_elementwise,
)

MEMBERS = 5


class Small(nn.Module):
    """Parameters of odd sizes, in two groups, one of them frozen."""

    def __init__(self, seed, kind=optim.Adam):
        super().__init__()
        torch.manual_seed(seed)
        self.first = nn.Linear(3, 7)
        self.second = nn.Linear(7, 1)
        self.frozen = nn.Linear(2, 2).requires_grad_(requires_grad=False)
        self.kind = kind

    def optimizer(self):
        rest = [*self.second.parameters(), *self.frozen.parameters()]
        return self.kind(
            [{"params": self.first.parameters(), "lr": 0.03}, {"params": rest, "weight_decay": 0.1}], lr=0.1
        )

    def schedule(self, optimizer):
        return LambdaLR(optimizer, lambda epoch: 1 / (epoch + 1))


def trained(model):
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def gradients(step, members):
    """Of these members: name -> (members, ...)."""
    found = {}
    for name, p in trained(Small(0)).items():
        generator = torch.Generator().manual_seed(step * 100 + len(name))
        found[name] = torch.randn(MEMBERS, *p.shape, generator=generator)[list(members)]
    return found


def one_by_one(kind, steps=6):
    """What plain optimizers make of the models."""
    results = []
    for member in range(MEMBERS):
        model = Small(member, kind)
        optimizer = model.optimizer()
        schedule = model.schedule(optimizer)
        for step in range(steps):
            for name, p in trained(model).items():
                p.grad = gradients(step, [member])[name][0]
            optimizer.step()
            if step % 2:
                schedule.step()
        results.append({name: p.detach() for name, p in trained(model).items()})
    return results


def stacked(kind, members, *, single=False, left=None, steps=6, order=None, joined=True):
    """What the optimizer of a stack makes of these members; from the third step on, only `left` are in it."""
    models = [Small(member, kind) for member in members]
    names = trained(models[0])
    values = {name: torch.stack([trained(m)[name].detach() for m in models]) for name in names}
    orders = {name: (order or range)(x.ndim - 1) for name, x in values.items()}
    pieces = in_pieces(models[0].optimizer(), trained(models[0]), names if joined and not single else ())
    storages = [Storage({name: values[name] for name in piece}, orders) for piece in pieces]
    if single:
        optimization = Single(models, Small.optimizer, storages)
    else:
        optimization = Shared(models[0], models[0].optimizer(), storages)
    for step in range(steps):
        if left and step == 2:
            optimization.keep(torch.tensor([members.index(member) for member in left]))
            members = left
        optimization.step(gradients(step, members))
        if step % 2:
            optimization.end_epoch()
    return [{name: x[row] for name, x in views(storages).items()} for row in range(len(members))]


def apart(model):
    """Two members as a model, each parameter in its own piece."""
    values = {name: torch.stack([p.detach()] * 2) for name, p in trained(model).items()}
    return [Storage({name: x}, {name: range(x.ndim - 1)}) for name, x in values.items()]


def views(storages):
    return {name: x for storage in storages for name, x in storage.stacked.items()}


def equal(a, b):
    return all(torch.equal(a[name], b[name]) for name in a)


def reverse(dimensions):
    return range(dimensions)[::-1]


@pytest.mark.parametrize("kind", ELEMENTWISE)
def test_a_stack_steps_as_the_optimizer_of_each_model(kind):
    expected, begun = one_by_one(kind), one_by_one(kind, steps=0)
    found = stacked(kind, range(MEMBERS))
    for mine, theirs, start in zip(found, expected, begun, strict=True):
        for name, value in theirs.items():
            torch.testing.assert_close(mine[name], value, rtol=1e-5, atol=1e-6)
            assert not torch.equal(value, start[name])


@pytest.mark.parametrize(
    ("kind", "fused"),
    [
        *((kind, False) for kind in ELEMENTWISE),
        *((kind, True) for kind in (optim.Adam, optim.AdamW, optim.Adagrad, optim.SGD)),
    ],
)
@pytest.mark.parametrize("order", [range, reverse])
def test_a_members_bits_do_not_depend_on_its_companions(kind, fused, order):
    model = Small(0)
    pieces = in_pieces(model.optimizer(), trained(model), [*trained(model)])
    assert [len(piece) for piece in pieces] == [2, 2]
    made = lambda *given, **more: kind(*given, **more, fused=True) if fused else kind(*given, **more)
    whole = stacked(made, range(MEMBERS), order=order)
    for members in ([0, 0], [4, 2], [3, 1, 0]):
        for member, found in zip(members, stacked(made, members, order=order), strict=True):
            assert equal(found, whole[member])
    for row, member in enumerate([3, 1]):
        assert equal(stacked(made, [*range(MEMBERS)], left=[3, 1], order=order)[row], whole[member])


class Own(optim.Optimizer):
    """Looks at whole parameters: divides a gradient by its norm."""

    def __init__(self, params, lr, weight_decay=0.0):
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    state = self.state[p]
                    state["steps"] = state.get("steps", 0) + 1
                    p.view(-1).sub_(p.grad.view(-1) / p.grad.norm(), alpha=group["lr"] / state["steps"])


@pytest.mark.parametrize("kind", [Own, optim.Adafactor, optim.Adam])
def test_any_other_optimizer_steps_model_by_model(kind):
    expected = one_by_one(kind)
    found = stacked(kind, range(MEMBERS), single=True)
    assert all(map(equal, found, expected))
    left = stacked(kind, [*range(MEMBERS)], single=True, left=[4, 0])
    assert [equal(left[0], expected[4]), equal(left[1], expected[0])] == [True, True]


def test_the_twin_of_an_only_member_is_as_the_member():
    model = Small(2, Own)
    storages = apart(model)
    optimization = Single([model, model], Small.optimizer, storages)
    for step in range(6):
        optimization.step({name: x.expand(2, *x.shape[1:]) for name, x in gradients(step, [2]).items()})
        if step % 2:
            optimization.end_epoch()
        if step == 2:
            optimization.keep(torch.tensor([0, 0]))
    (expected,) = one_by_one(Own)[2:3]
    for row in (0, 1):
        assert equal({name: x[row] for name, x in views(storages).items()}, expected)


def test_what_may_look_at_whole_parameters_is_not_shared():
    class Derived(optim.Adam):
        """May do anything."""

    hooked, parameters = optim.Adam(Small(0).parameters()), [*Small(0).parameters()]
    hooked.register_step_pre_hook(lambda *_: None)
    plain, derived = optim.Adam(parameters), Derived(parameters)
    assert [is_elementwise(x) for x in (plain, derived, hooked)] == [True, False, False]


def test_a_parameter_without_a_gradient_is_left_as_it_is():
    model = Small(0)
    storages = apart(model)
    before = copy.deepcopy(views(storages))
    given = {name: torch.ones_like(x) for name, x in before.items()}
    Shared(model, model.optimizer(), storages).step({**given, "first.weight": None})
    changed = [name for name, x in views(storages).items() if not torch.equal(x, before[name])]
    assert changed == ["first.bias", "second.weight", "second.bias"]


def test_only_small_parameters_with_the_same_settings_and_a_gradient_are_kept_in_one_piece():
    model = nn.ModuleDict({"wide": nn.Linear(SMALL, 2), "a": nn.Linear(3, 2), "b": nn.Linear(3, 2).double()})
    parameters, optimizer = dict(model.named_parameters()), optim.Adam(model.parameters())
    given = [name for name in parameters if name != "a.bias"]
    assert in_pieces(optimizer, parameters, given) == [
        ["wide.weight"],
        ["wide.bias", "a.weight"],
        ["a.bias"],
        ["b.weight", "b.bias"],
    ]
