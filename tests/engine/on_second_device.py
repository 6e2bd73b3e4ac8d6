"""Prints, as JSON, what the engine and the benchmark of GPUs do on a second device; see test_devices.py."""

import json
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path

import torch
from torch.func import functionalize, vmap
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).parents[2]))  # for the benchmarks

from second_device import CPU, device, waits

from alharness.engine.batches import as_batch
from alharness.engine.recipe import Fit, Fitted, Validation
from alharness.engine.stack.draws import Streams
from alharness.engine.stack.program import record
from alharness.engine.stack.training import StackTrainer
from alharness.guard import fingerprint
from alharness.registry import load
from benchmarks.gpu import checks, measures
from benchmarks.gpu.problems import Place

SEEDS = (3, 1, 2)
REGISTRY = load()

torch.set_num_threads(1)
warnings.simplefilter("error", UserWarning)  # among them that a model is trained one by one


def place_on(where):
    return Place(device=where, tiny=True, registry=REGISTRY)


def trained(where, *, validated=False):
    """The weights of three members, a vector each; those that are validated leave the stack one after another."""
    place = place_on(where)
    samples = place.regression("late_fusion", 40)
    settings = {"epochs": 20, "patience": 1, "stop_on": "loss"} if validated else {"epochs": 3}
    recipe = place.recipe("late_fusion", samples, where, learning_rate=0.1, **settings)
    batch = as_batch(samples, where)
    valid = Validation(batch=batch, contents=fingerprint.of_tensors(batch.tensors)) if validated else None
    fitted = StackTrainer(recipe).train([Fit(labeled=samples, seed=seed, valid=valid) for seed in SEEDS])
    assert all(isinstance(one, Fitted) for one in fitted), fitted
    assert all(x.device == where for one in fitted for x in one.model.parameters())
    assert not validated or len({one.epochs for one in fitted}) > 1
    return [torch.cat([x.flatten() for x in one.model.parameters()]).cpu() for one in fitted]


def dropout_and_more(where):
    """Losses and gradients of three members with dropout that is added to a product, and reshaped."""

    def one(x, w):
        return (functional.dropout(x, 0.25) + functional.dropout(x, 0.5) @ w).reshape(-1).sum()

    def function(*given):
        losses = vmap(functionalize(one), randomness="different")(*given)
        return [losses.detach(), *torch.autograd.grad(losses.sum(), given)]

    given = [x.to(where) for x in (torch.linspace(-1, 1, 12).view(3, 4), torch.eye(4))]
    program = record(function, [x.requires_grad_() for x in given])
    streams = Streams(SEEDS, where)
    drawn = streams.draw(program.draws, streams.keys(range(1))[0])
    with torch.no_grad():
        return [x.cpu() for x in program(3, [x.expand(3, *x.shape) for x in given], drawn)]


def distance(a, b):
    return max(float((x - y).norm() / x.norm()) for x, y in zip(a, b, strict=True))


@contextmanager
def forbidden_to_wait(where):
    waits.clear()
    yield
    if waits:
        raise RuntimeError(f"waited: {dict(waits)}")


checks.forbidden_to_wait = forbidden_to_wait
found = {}
plain, validated, dropped = trained(CPU), trained(CPU, validated=True), dropout_and_more(CPU)
with device() as gpu:
    found["training"] = distance(plain, trained(gpu))
    found["validated training"] = distance(validated, trained(gpu, validated=True))
    found["dropout"] = distance(dropped, dropout_and_more(gpu))
    place = place_on(gpu)
    found["checks"] = [[model, bound.text, bound.found, bound.met] for model, bound in checks.checks(place)]
    found["queries"] = {row.sampler: row.same for row in measures.queries(place)}
    found["Eq. 5"] = [row.N for row in measures.eq5(place)]
with device(free=0) as gpu, warnings.catch_warnings():
    warnings.filterwarnings("ignore", "the memory that is free holds stacks of 1 models")
    found["training from the CPU's memory"] = distance(plain, trained(gpu))
sys.stdout.write(json.dumps(found))
