"""Models as other people write them: building blocks, optimizers, ways to draw and to remember."""

import functools
import random

import numpy as np
import pytest
import torch
from torch import nn, optim
from torch.nn import functional
from torch.optim import lr_scheduler

from alharness import FUSED, Inputs, ModelShape, MultimodalModel, Samples, Task
from alharness.engine.recipe import Fit, model_border
from alharness.engine.stack.drawing import Drawing
from alharness.engine.stack.functions import Stackable
from alharness.engine.training import Trainer
from alharness.spec.settings import TrainingSettings

WIDTH, STEPS = 8, 4
SHAPE = ModelShape(features={"text": 5, "vision": 3}, task=Task.CLASSIFICATION, outputs=3, steps={"vision": STEPS})


class Net(MultimodalModel):
    """Text is a vector, vision a sequence; `layer` is anything between the first layer of text and z."""

    def __init__(self, layer=None, sequence=None):
        super().__init__(SHAPE)
        self.first, self.steps = nn.Linear(5, WIDTH), nn.Linear(3, WIDTH)
        self.layer, self.sequence = layer or nn.Identity(), sequence or MeanOfSteps()
        self.hidden = nn.ModuleDict({"text": nn.Linear(WIDTH, WIDTH), "vision": nn.Linear(WIDTH, WIDTH)})
        self.hidden[FUSED] = nn.Linear(2 * WIDTH, WIDTH)
        self.heads = nn.ModuleDict({source: nn.Linear(WIDTH, 3) for source in self.hidden})

    def encode(self, batch):
        valid = torch.arange(STEPS) < batch.lengths["vision"][:, None]
        steps = self.steps(batch.inputs["vision"].where(valid[..., None], 0.0))
        return {"text": self.layer(self.first(batch.inputs["text"])), "vision": self.sequence(steps, valid)}

    def decode(self, z):
        inputs = {"text": z["text"], "vision": z["vision"], FUSED: torch.cat([z["text"], z["vision"]], 1)}
        return {source: self.heads[source](self.hidden[source](x).relu()) for source, x in inputs.items()}

    def last_layer(self, source):
        return self.heads[source]

    def loss(self, batch):
        return sum(functional.cross_entropy(o, batch.labels[s]) for s, o in self(batch).items())


class MeanOfSteps(nn.Module):
    def forward(self, x, valid):
        return (x * valid[..., None]).sum(1) / valid.sum(1, keepdim=True)


class Call(nn.Module):
    """A function as a layer, with a layer of its own."""

    def __init__(self, function, inner=None):
        super().__init__()
        self.function, self.inner = function, inner

    def forward(self, *given):
        return self.function(self.inner, *given)


class InTraining(Call):
    """The same in training mode alone."""

    def forward(self, x):
        return self.function(self.inner, x) if self.training else x


def samples(n, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    center = np.random.default_rng(9).normal(size=(3, 8))[y]
    text = center[:, :5] + 0.5 * rng.normal(size=(n, 5))
    vision = center[:, None, 5:] + 0.5 * rng.normal(size=(n, STEPS, 3))
    inputs = {"text": text.astype(np.float32), "vision": vision.astype(np.float32)}
    ids = tuple(f"s{i}" for i in range(n))
    lengths = {"vision": rng.integers(1, STEPS + 1, n)}
    return Samples(inputs=Inputs(ids=ids, arrays=inputs, lengths=lengths), labels=y.astype(np.int64))


def trainer_of(build, kind=None, *, validated=True):
    """Trains such models on samples of these seeds; and the warnings that it gives."""
    heard = []
    settings = TrainingSettings(epochs=3, batch_size=8, device="cpu")
    trainer = Trainer(kind or (lambda: Net(**build())), settings, border=model_border("the model", heard.append))
    valid = trainer.validation(samples(15, 99)) if validated else None

    def train(*seeds):
        found = trainer.fit_many([Fit(labeled=samples(16, seed), seed=seed, valid=valid) for seed in seeds])
        for fitted in found:
            if isinstance(fitted, BaseException):
                raise fitted
        return found

    return train, heard


def require_stacked(build, kind=None):
    """Stacked without a warning, and the same alone and with companions in another order."""
    train, heard = trainer_of(build, kind)
    many, (alone,), (first, _) = train(0, 1, 2), train(2), train(2, 0)
    assert heard == []
    assert [fitted.cost["train_stacked"] for fitted in many] == [3, 3, 3]
    for name, value in many[2].model.state_dict().items():
        assert torch.equal(value, alone.model.state_dict()[name]), name
        assert torch.equal(value, first.model.state_dict()[name]), name


def require_alone(build, reason):
    """Trained one by one, for this reason, in one line."""
    train, heard = trainer_of(build)
    found, (line,) = train(0, 1), heard
    assert line.startswith(
        "the model cannot be trained as a stack and is trained one by one, which takes longer: "
    )
    assert reason in line
    assert all("train_stacked" not in fitted.cost for fitted in found)
    assert all(x.isfinite().all() for fitted in found for x in fitted.model.state_dict().values())
    assert not torch.equal(found[0].model.first.weight, found[1].model.first.weight)


def layer(function, inner=lambda: None):
    return lambda: {"layer": Call(function, inner())}


def drawing(function):
    return lambda: {"layer": InTraining(lambda _, x: function(x))}


def sequence(function, inner=lambda: None):
    return lambda: {"sequence": Call(function, inner())}


LAYERS = {
    "batch norm": lambda: {"layer": nn.Sequential(nn.BatchNorm1d(WIDTH), nn.ReLU())},
    "batch norm without statistics": lambda: {"layer": nn.BatchNorm1d(WIDTH, track_running_stats=False)},
    "group norm, GELU": lambda: {"layer": nn.Sequential(nn.GroupNorm(2, WIDTH), nn.GELU())},
    "layer norm, SiLU": lambda: {"layer": nn.Sequential(nn.LayerNorm(WIDTH), nn.SiLU())},
    "weight norm": lambda: {"layer": nn.utils.parametrizations.weight_norm(nn.Linear(WIDTH, WIDTH))},
    "spectral norm": lambda: {"layer": nn.utils.parametrizations.spectral_norm(nn.Linear(WIDTH, WIDTH))},
    "bilinear": layer(lambda inner, x: inner(x, x), lambda: nn.Bilinear(WIDTH, WIDTH, WIDTH)),
    "embedding": layer(lambda inner, x: x + inner((x.detach()[:, 0] > 0).long()), lambda: nn.Embedding(2, WIDTH)),
    "embedding with padding": layer(
        lambda inner, x: x + inner((x.detach()[:, 0] > 0).long()), lambda: nn.Embedding(2, WIDTH, padding_idx=0)
    ),
    "frozen": lambda: {"layer": nn.Linear(WIDTH, WIDTH).requires_grad_(requires_grad=False)},
    "softmax": layer(lambda _, x: x.softmax(1)),
    "where": layer(lambda _, x: torch.where(x > 0, x, 0.1 * x)),
    "index": layer(lambda _, x: x[:, [1, 0, 2, 3, 4, 5, 6, 7]]),
    "constant": layer(lambda _, x: x * torch.tensor([1.0, 2.0]).repeat(4)),
    "scatter": layer(lambda _, x: x.new_zeros(x.shape).scatter_add_(1, x.argsort(1), x)),
    "in place": layer(lambda _, x: functional.relu(x.mul_(2), inplace=True)),
    "slices are set": layer(lambda _, x: _with(torch.zeros(len(x), WIDTH), (slice(None), slice(0, 4)), x[:, :4])),
    "gelu by hand": layer(lambda _, x: 0.5 * x * (1 + torch.erf(x / 2**0.5))),
}
SEQUENCES = {
    "attention": sequence(
        lambda inner, x, valid: inner(x, x, x, key_padding_mask=~valid)[0].mean(1),
        lambda: nn.MultiheadAttention(WIDTH, 2, dropout=0.2, batch_first=True),
    ),
    "transformer": sequence(
        lambda inner, x, valid: inner(x, src_key_padding_mask=~valid)[:, 0],
        lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(WIDTH, 2, 16, batch_first=True), 2),
    ),
    "GRU": sequence(
        lambda inner, x, valid: inner(x)[0][torch.arange(len(x)), valid.sum(1) - 1],
        lambda: nn.GRU(WIDTH, WIDTH, batch_first=True),
    ),
    "LSTM": sequence(
        lambda inner, x, _: inner(x)[0].amax(1),
        lambda: nn.LSTM(WIDTH, WIDTH // 2, 2, batch_first=True, bidirectional=True, dropout=0.2),
    ),
    "cells": sequence(
        lambda inner, x, valid: functools.reduce(
            lambda h, step: torch.where(valid[:, step, None], inner(x[:, step], h), h),
            range(STEPS),
            x.new_zeros(len(x), WIDTH),
        ),
        lambda: nn.GRUCell(WIDTH, WIDTH),
    ),
    "convolution": sequence(
        lambda inner, x, _: inner(x.mT).relu().amax(2), lambda: nn.Conv1d(WIDTH, WIDTH, 3, padding=1, groups=2)
    ),
    "a mask sets padding": sequence(lambda _, x, valid: _with(x.clone(), ~valid, -1e9).amax(1)),
}
DRAWN = {
    "dropout": lambda: {"layer": nn.Dropout(0.3)},
    "functional dropout": drawing(lambda x: functional.dropout(x, 0.3)),
    "alpha dropout": lambda: {"layer": nn.AlphaDropout(0.3)},
    "RReLU": lambda: {"layer": nn.RReLU()},
    "stochastic depth": drawing(lambda x: x * x.new_empty(len(x), 1).bernoulli_(0.7).div_(0.7)),
    "a modality is left out": drawing(lambda x: x * (torch.rand(len(x), 1) < 0.7)),
    "noise": drawing(lambda x: x + 0.1 * torch.randn_like(x)),
    "noise in place": drawing(lambda x: x + torch.empty_like(x).normal_(0, 0.1)),
    "torch.normal": drawing(lambda x: x + torch.normal(torch.zeros_like(x), 0.1)),
    "uniform in place": drawing(lambda x: x + torch.zeros(len(x), WIDTH).uniform_(-0.1, 0.1)),
    "bernoulli of tensors": drawing(lambda x: x * torch.bernoulli(x.detach().sigmoid())),
    "randint": drawing(lambda x: x[torch.randint(len(x), (len(x),))]),
    "multinomial": drawing(lambda x: x[torch.multinomial(torch.ones(len(x)), len(x), replacement=True)]),
    "mixup": drawing(lambda x: x.lerp(x[torch.randperm(len(x))], torch.rand(()))),
    "Gumbel softmax": drawing(functional.gumbel_softmax),
    "a distribution": drawing(lambda x: torch.distributions.Normal(x, 0.1).rsample()),
}


def _with(x, index, value):
    x[index] = value
    return x


@pytest.mark.parametrize("name", [*LAYERS, *SEQUENCES, *DRAWN])
def test_building_blocks_stack(name):
    require_stacked({**LAYERS, **SEQUENCES, **DRAWN}[name])


class Remembers(nn.Module):
    """A buffer that is changed in place, in one of the ways in which people do that."""

    def __init__(self, change):
        super().__init__()
        self.change = change
        self.register_buffer("mean", torch.zeros(WIDTH))
        self.register_buffer("steps", torch.tensor(0))

    def forward(self, x):
        if self.training:
            self.change(self, x.detach().mean(0))
        return x + self.mean + 1e-3 * self.steps


CHANGES = {
    "mul_": lambda self, mean: self.mean.mul_(0.9).add_(mean, alpha=0.1),
    "copy_": lambda self, mean: self.mean.copy_(0.9 * self.mean + 0.1 * mean),
    "lerp_": lambda self, mean: self.mean.lerp_(mean, 0.1),
    "+=": lambda self, mean: self.steps.__iadd__(1),
    "[...]": lambda self, mean: self.mean.__setitem__(0, mean[1] + self.mean[0]),
    "a queue": lambda self, mean: self.mean.copy_(torch.cat([self.mean[1:], mean[:1]])),
}


@pytest.mark.parametrize("change", CHANGES)
def test_buffers_that_are_changed_in_place_stack(change):
    require_stacked(lambda: {"layer": Remembers(CHANGES[change])})


class Teacher(Net):
    """With weights that follow others in place, and learn nothing themselves."""

    def __init__(self):
        super().__init__()
        self.teacher = nn.Linear(5, WIDTH).requires_grad_(requires_grad=False)

    def loss(self, batch):
        if self.training:
            with torch.no_grad():
                for mine, other in zip(self.teacher.parameters(), self.first.parameters(), strict=True):
                    mine.mul_(0.9).add_(other, alpha=0.1)
        x = batch.inputs["text"]
        return super().loss(batch) + (self.first(x) - self.teacher(x)).square().mean()


def test_weights_that_follow_others_stack():
    require_stacked(None, kind=Teacher)


class Lion(optim.Optimizer):
    """An optimizer of one's own."""

    def __init__(self, parameters, lr=1e-3):
        super().__init__(parameters, {"lr": lr, "beta": 0.9})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    mean = self.state[p].setdefault("mean", torch.zeros_like(p))
                    mean.lerp_(p.grad, 1 - group["beta"])
                    p.add_(mean.sign(), alpha=-group["lr"])


class Moves(Lion):
    """One that puts weights elsewhere."""

    @torch.no_grad()
    def step(self, closure=None):
        for p in self.param_groups[0]["params"]:
            p.data = p.data - 0.01 * p.grad


class Clips(optim.SGD):
    """One that looks at all gradients of a model."""

    def step(self, closure=None):
        nn.utils.clip_grad_norm_([p for group in self.param_groups for p in group["params"]], 0.1)
        return super().step(closure)


OPTIMIZERS = {
    "groups": lambda m: optim.Adam(
        [{"params": m.first.parameters(), "lr": 1e-2}, {"params": m.hidden.parameters()}]
    ),
    "momentum": lambda m: optim.SGD(m.parameters(), lr=1e-2, momentum=0.9, nesterov=True),
    "Adafactor": lambda m: optim.Adafactor(m.parameters()),
    "Lion": lambda m: Lion(m.parameters()),
    "moves weights": lambda m: Moves(m.parameters()),
    "clips": lambda m: Clips(m.parameters(), lr=0.1),
}
SCHEDULES = {
    "cosine": lambda optimizer: lr_scheduler.CosineAnnealingLR(optimizer, 3),
    "steps": lambda optimizer: lr_scheduler.StepLR(optimizer, 1),
    "warm-up": lambda optimizer: lr_scheduler.LambdaLR(optimizer, lambda epoch: min(1, (epoch + 1) / 3)),
}


def recipe(optimizer=None, schedule=None):
    class Own(Net):
        def __init__(self):
            super().__init__(nn.Sequential(nn.BatchNorm1d(WIDTH), nn.Dropout(0.2)))

        def optimizer(self):
            return optimizer(self) if optimizer else super().optimizer()

        def schedule(self, optimizer):
            return schedule(optimizer) if schedule else None

    return Own


@pytest.mark.parametrize("name", [*OPTIMIZERS, *SCHEDULES])
def test_own_optimizers_and_schedules_stack(name):
    own = recipe(OPTIMIZERS.get(name), SCHEDULES.get(name))
    require_stacked(None, kind=own)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_own_optimizer_moves_weights_as_far_as_alone(name):
    class Plain(recipe(OPTIMIZERS[name])):
        def __init__(self):
            Net.__init__(self)

    moved = {}
    for stackable in (True, False):
        kind = type("Kind", (Plain,), {"stackable": stackable})
        train, _ = trainer_of(None, kind, validated=False)
        (fitted,) = train(0)
        torch.manual_seed(0)
        moved[stackable] = (fitted.model.hidden["text"].weight - kind().hidden["text"].weight).norm().item()
    # Only the order of the samples differs.
    assert moved[True] == pytest.approx(moved[False], rel=0.3)


class Counts(nn.Module):
    def __init__(self):
        super().__init__()
        self.calls, self.mean = 0, None
        self.register_buffer("kept", torch.zeros(WIDTH))


class CountsCalls(Counts):
    def forward(self, x):
        self.calls += 1
        return x * min(1, self.calls / 10)


class KeepsLast(Counts):
    def forward(self, x):
        self.mean = x.mean(0)
        return x


class AssignsBuffer(Counts):
    def forward(self, x):
        if self.training:
            self.kept = 0.9 * self.kept + 0.1 * x.detach().mean(0)
        return x + self.kept


REFUSED = {
    "branch": (layer(lambda _, x: x if x.sum() > 0 else -x), "what it does depends on the numbers in a tensor"),
    "item": (layer(lambda _, x: x * (1 / (1 + x.detach().norm().item()))), "it reads a number out of a tensor"),
    "mask as index": (layer(lambda _, x: x * x[x > -9].mean()), "the size of a tensor depends on numbers"),
    "numpy": (layer(lambda _, x: x + torch.from_numpy(x.detach().numpy() * 0.1)), "a tensor of its own"),
    "numpy's generator": (
        drawing(lambda x: x * float(np.random.beta(1, 1))),
        "it draws from Python's or numpy's global generator",
    ),
    "own generator": (
        drawing(lambda x: x + torch.randn(x.shape, generator=torch.Generator().manual_seed(3))),
        "it draws from a generator of its own",
    ),
    "Poisson": (drawing(lambda x: x + torch.poisson(torch.ones_like(x))), "it draws by aten.poisson.default"),
    "an attribute": (lambda: {"layer": CountsCalls()}, "its loss sets layer.calls; of each model, a stack keeps"),
    "a tensor as an attribute": (lambda: {"layer": KeepsLast()}, "its loss sets layer.mean"),
    "a buffer that is assigned": (lambda: {"layer": AssignsBuffer()}, "its loss sets layer.kept"),
    "packed sequences": (
        sequence(
            lambda inner, x, valid: inner(
                nn.utils.rnn.pack_padded_sequence(x, valid.sum(1), batch_first=True, enforce_sorted=False)
            )[1][0],
            lambda: nn.GRU(WIDTH, WIDTH, batch_first=True),
        ),
        "it reads a number out of a tensor",
    ),
    "an embedding bag": (
        layer(lambda inner, x: x + inner((x.detach()[:, :2] > 0).long()), lambda: nn.EmbeddingBag(2, WIDTH)),
        "torch cannot compute _embedding_bag",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.filterwarnings("ignore")
def test_what_cannot_be_stacked_is_trained_one_by_one_for_a_reason(name):
    require_alone(*REFUSED[name])


@pytest.mark.parametrize("draw", [lambda: np.random.beta(1, 1), random.random])
def test_models_that_draw_from_numpy_or_python_train_the_same_model_again(draw):
    train, _ = trainer_of(drawing(lambda x: x * draw()))
    (one,) = train(0)
    draw()
    (other,) = train(0)
    for name, value in one.model.state_dict().items():
        assert torch.equal(value, other.model.state_dict()[name]), name


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.GRU(3, 4, 2, bidirectional=True),
        lambda: nn.LSTM(3, 4, 2, batch_first=True, bias=False),
        lambda: nn.RNN(3, 4, nonlinearity="relu", batch_first=True),
    ],
)
def test_recurrent_layers_step_by_step_are_what_they_are(make):
    torch.manual_seed(0)
    inner, x = make(), torch.randn(2, 5, 3)
    expected, state = inner(x)
    with Stackable():
        found, ends = inner(x)
    assert torch.allclose(found, expected, atol=1e-6)
    for one, other in zip(
        torch.utils._pytree.tree_leaves(ends), torch.utils._pytree.tree_leaves(state), strict=True
    ):
        assert torch.allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum", "batchmean"])
@pytest.mark.filterwarnings("ignore:reduction")
def test_losses_made_of_others_are_what_they_are(reduction):
    torch.manual_seed(0)
    x, target = torch.randn(4, 3), torch.rand(4, 3).softmax(1) * torch.tensor([1.0, 1.0, 0.0])
    losses = [lambda: functional.kl_div(x.log_softmax(1), target, reduction=reduction)]
    if reduction != "batchmean":
        weights = {"weight": torch.rand(3), "pos_weight": torch.tensor([1.0, 2.0, 3.0])}
        losses += [
            lambda: functional.binary_cross_entropy_with_logits(x, target, reduction=reduction),
            lambda: functional.binary_cross_entropy_with_logits(x, target, reduction=reduction, **weights),
        ]
    for loss in losses:
        with Stackable():
            found = loss()
        assert torch.allclose(found, loss(), atol=1e-6)


MOMENTS = {
    "normal_": (lambda: torch.empty(20_000).normal_(2, 3), 2, 3),
    "torch.normal": (lambda: torch.normal(2.0, 3.0, (20_000,)), 2, 3),
    "torch.normal of tensors": (lambda: torch.normal(torch.full((20_000,), 2.0), torch.tensor(3.0)), 2, 3),
    "uniform_": (lambda: torch.empty(20_000).uniform_(2, 4), 3, 2 / 12**0.5),
    "exponential_": (lambda: torch.empty(20_000).exponential_(4), 1 / 4, 1 / 4),
    "bernoulli": (lambda: torch.bernoulli(torch.full((20_000,), 0.2)), 0.2, 0.4),
    "bernoulli_": (lambda: torch.empty(20_000).bernoulli_(torch.tensor(0.2)), 0.2, 0.4),
    "randint": (lambda: torch.randint(3, 8, (20_000,)), 5, 2**0.5),
    "randint below": (lambda: torch.randint(high=5, size=(20_000,)), 2, 2**0.5),
    "randint_like": (lambda: torch.randint_like(torch.empty(20_000), 3, 8), 5, 2**0.5),
    "random_": (lambda: torch.empty(20_000).random_(3, 8), 5, 2**0.5),
    "multinomial": (lambda: torch.multinomial(torch.tensor([1.0, 0, 1]), 20_000, replacement=True), 1, 1),
    "categorical": (lambda: torch.distributions.Categorical(torch.tensor([0.5, 0, 0.5])).sample((20_000,)), 1, 1),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_what_is_drawn_in_another_way_has_the_same_distribution(name):
    draw, mean, deviation = MOMENTS[name]
    torch.manual_seed(0)
    with Drawing():
        found = draw()
    assert found.dtype == draw().dtype
    assert found.double().mean().item() == pytest.approx(mean, abs=5 * deviation / 20_000**0.5)
    assert found.double().std().item() == pytest.approx(deviation, rel=0.05)


def test_drawing_without_replacement_gives_each_index_once():
    with Drawing():
        found = torch.multinomial(torch.rand(5, 9), 9)
    assert all(sorted(row) == [*range(9)] for row in found.tolist())
