"""Our trainer and everything that it is compared with do the same work: none is quick by doing less."""

import math
from dataclasses import replace

import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.utils.flop_counter import FlopCounterMode

from alharness.engine.batches import as_batch
from alharness.kernels.optimizers import Adam
from benchmarks.peers import skorch
from benchmarks.problems import CPU, Training
from benchmarks.suites.training import BARE, PLAIN, STACKED

PROBLEM = Training(N=208, features={"text": 24, "audio": 5, "vision": 9}, epochs=6, members=3)
"""6.5 batches an epoch."""
LOOPS = [PLAIN, BARE, skorch.FIT]
"""Those that train one model, whatever the number of members."""
FIRST = 64 * (24 + 5 + 9)
"""Products of a sample in the first layers."""
REST = 3 * (64 * 32 + 32 * 32 + 32) + 96 * 32 + 32
"""Those in all others."""
TERMS = 1e-5
"""Share of the sum over four weighted terms of a loss, which is a product if there are several models."""


def product(_, a, b, out_shape=None, **kwargs):
    return 2 * math.prod(a) * b[-1]


IN_PLACE = {torch.ops.aten.addmm_: product, torch.ops.aten.baddbmm_: product}
"""Products that torch does not count by itself."""


@pytest.fixture(params=[STACKED, *LOOPS], ids=lambda side: side.name)
def side(request):
    if request.param is skorch.FIT:
        pytest.importorskip("skorch")
    with torch.random.fork_rng():
        yield request.param


@pytest.fixture
def call(side):
    return side.prepare(PROBLEM)


def test_as_many_steps_of_the_optimizer(call, monkeypatch):
    steps = []
    step = Adam.step
    monkeypatch.setattr(Adam, "step", lambda self: steps.append(1) or step(self))
    Adam.step.hooked = True
    hook = register_optimizer_step_post_hook(lambda *_: steps.append(1))
    try:
        call()
    finally:
        hook.remove()
    assert len(steps) == PROBLEM.steps == 6 * 7


@pytest.mark.parametrize("side", LOOPS, ids=lambda side: side.name, indirect=True)
def test_every_sample_once_an_epoch_in_an_order_of_its_own(call):
    rows = []

    def see(module, inputs):
        # The first layer that sees the text, whose first column identifies samples.
        if isinstance(module, torch.nn.Linear) and module.in_features == 24:
            rows.append(inputs[0][:, 0].clone())

    hook = torch.nn.modules.module.register_module_forward_pre_hook(see)
    try:
        call()
    finally:
        hook.remove()
    assert [len(one) for one in rows] == [*[32] * 6, 16] * 6
    epochs = torch.cat(rows).view(6, 208)
    assert torch.equal(epochs.sort(dim=1).values, epochs[:1].sort(dim=1).values.expand(6, -1))
    assert len(torch.unique(epochs[0])) == 208
    assert len(torch.unique(epochs, dim=0)) == 6


@pytest.mark.parametrize("side", [skorch.FIT], ids=lambda side: side.name, indirect=True)
def test_every_validation_sample_is_seen_after_every_epoch(side):
    rows = {True: [], False: []}

    def see(module, inputs):
        if isinstance(module, torch.nn.Linear) and module.in_features == 24:
            rows[module.training].append(inputs[0][:, 0].clone())

    call = side.prepare(replace(PROBLEM, valid=70))
    hook = torch.nn.modules.module.register_module_forward_pre_hook(see)
    try:
        call()
    finally:
        hook.remove()
    seen = torch.cat(rows[False]).view(6, 70)
    assert len(torch.unique(seen[0])) == 70
    assert torch.cat(rows[True]).numel() == 6 * 208


def test_as_many_multiplications(side):
    # Forth, and back into weights and, except for each first layer, into inputs.
    models = 3 if side is STACKED else 1
    found = flops(side, replace(PROBLEM, N=48, epochs=1))
    assert found == pytest.approx(models * 2 * 48 * (2 * FIRST + 3 * REST), rel=TERMS)


def test_our_stack_multiplies_all_validation_samples_after_every_epoch():
    problem = replace(PROBLEM, N=48, epochs=2)
    validated = flops(STACKED, replace(problem, valid=70)) - flops(STACKED, problem)
    assert validated == pytest.approx(3 * 2 * 2 * 70 * (FIRST + REST), rel=TERMS)


def flops(side, problem):
    call = side.prepare(problem)
    with FlopCounterMode(display=False, custom_mapping=IN_PLACE) as counted:
        call()
    return counted.get_total_flops()


def test_all_end_at_a_similar_loss(call, expected):
    with torch.random.fork_rng():
        untrained, everything = PROBLEM.start(PROBLEM.samples())
    trained = call()
    assert loss(trained, everything) == pytest.approx(expected, rel=0.1)
    assert loss(trained, everything) < 0.7 * loss(untrained, everything)


@pytest.fixture(scope="module")
def expected():
    """By a loop that shares nothing with the four: the sum of errors by hand, and Adam's arithmetic."""
    with torch.random.fork_rng():
        network, prepared = PROBLEM.start(PROBLEM.samples())
        everything = as_batch(PROBLEM.samples(), CPU)
        moments = {p: (torch.zeros_like(p), torch.zeros_like(p)) for p in network.parameters()}
        network.train()
        step = 0
        for _ in range(PROBLEM.epochs):
            for rows in torch.randperm(PROBLEM.N).split(PROBLEM.batch):
                step += 1
                batch = everything.take(rows)
                errors = {s: (o[:, 0] - batch.labels[s]).abs().mean() for s, o in network(batch).items()}
                # Of standardized targets.
                errors = {s: error / network.target.deviation for s, error in errors.items()}
                total = errors["fused"] + 0.4 * (errors["text"] + errors["audio"] + errors["vision"])
                for p, g in zip(moments, torch.autograd.grad(total, list(moments)), strict=True):
                    first, second = moments[p]
                    first.mul_(0.9).add_(0.1 * g)
                    second.mul_(0.999).add_(0.001 * g * g)
                    scale = (second / (1 - 0.999**step)).sqrt() + 1e-8
                    p.data -= 3e-3 * first / (1 - 0.9**step) / scale
        return loss(network, prepared)


def loss(network, batch):
    network.eval()
    with torch.no_grad():
        return network.loss(batch).item()


def test_samples_are_the_same_every_time_and_can_be_learned():
    first, second = (replace(PROBLEM, N=2000).samples() for _ in range(2))
    a, b = as_batch(first, CPU), as_batch(second, CPU)
    assert all(torch.equal(a.inputs[m], b.inputs[m]) for m in PROBLEM.features)
    assert all(torch.equal(a.labels[s], b.labels[s]) for s in [*PROBLEM.features, "fused"])
    line = torch.linalg.lstsq(a.inputs["text"], a.labels["text"][:, None]).solution
    noise = a.labels["text"] - (a.inputs["text"] @ line)[:, 0]
    assert noise.std().item() == pytest.approx(0.3, rel=0.15)
    torch.testing.assert_close(a.labels["fused"], torch.stack([a.labels[m] for m in PROBLEM.features]).mean(0))
