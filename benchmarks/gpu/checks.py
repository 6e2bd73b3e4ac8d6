"""Whether a GPU is used as it should be, and computes what a CPU computes."""

from __future__ import annotations

from contextlib import contextmanager
from copy import deepcopy
from typing import TYPE_CHECKING, NamedTuple

import torch

from alharness.engine.batches import storage_device
from alharness.engine.contexts import seeded
from alharness.engine.measure import synchronize
from alharness.engine.recipe import Fit, Fitted
from alharness.engine.stack.computations import Computations
from alharness.engine.stack.draws import Streams
from alharness.engine.stack.shelf import Shelf
from alharness.engine.stack.stack import Stack
from alharness.engine.stack.training import StackTrainer
from benchmarks.rows import Bound

from .problems import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from alharness.api.network import Batch, MultimodalModel
    from alharness.engine.recipe import Recipe
    from alharness.engine.stack.draws import Draw

    from .problems import Place

CPU = torch.device("cpu")
SEEDS = (3, 1, 2)
SAMPLES, BATCH = 64, 32
ROUNDING = 1e-3
"""Most difference between two devices, by norms: rounding may decide whether a unit is cut off at 0."""


def checks(place: Place) -> Iterator[tuple[str, Bound]]:
    """What must hold, for each model, and whether it does."""
    for model in MODELS:
        samples = place.regression(model, SAMPLES)
        recipe = place.recipe(model, samples, batch_size=BATCH, epochs=2, device=place.device)
        requests = [Fit(labeled=samples, seed=seed) for seed in SEEDS]
        yield from ((model, bound) for bound in placement(recipe, requests))
        yield model, synchronizations(recipe, requests)
        on_cpu = place.recipe(model, samples, CPU, batch_size=BATCH)
        yield from ((model, bound) for bound in agreement(on_cpu, requests, place.device))


def placement(recipe: Recipe, requests: Sequence[Fit]) -> Iterator[Bound]:
    """Models and samples are on the device."""
    fitted = StackTrainer(recipe).train(requests)
    found = [x for x in fitted or () if isinstance(x, Fitted)]
    yield Bound(
        text="trained as a stack", found=f"{len(found)} of {len(requests)}", met=len(found) == len(requests)
    )
    tensors = [x for f in found for x in (*f.model.parameters(), *f.model.buffers())]
    there = sum(x.device == recipe.device for x in tensors)
    yield Bound(
        text="weights on the device",
        found=f"{there} of {len(tensors)}",
        met=there == len(tensors) and all(f.device == recipe.device for f in found),
    )
    lie = storage_device(requests[0].labeled, recipe.device)
    yield Bound(text="samples on the device", found=str(lie), met=lie == recipe.device)


def synchronizations(recipe: Recipe, requests: Sequence[Fit]) -> Bound:
    """Nothing waits for the device within an epoch."""
    text = "no synchronization within an epoch"
    stack = stacked(recipe, requests)
    stack.epoch()
    synchronize(recipe.device)
    try:
        with forbidden_to_wait(recipe.device):
            losses = stack.epoch()
    except RuntimeError as error:
        return Bound(text=text, found=str(error).partition("\n")[0], met=False)
    finite = bool(losses.isfinite().all())
    return Bound(text=text) if recipe.device.type == "cpu" else Bound(text=text, found="none", met=finite)


def begun(recipe: Recipe, requests: Sequence[Fit]) -> tuple[list[MultimodalModel], list[Batch]]:
    """Fresh models, and their samples."""
    models, batches = [], []
    for request in requests:
        with seeded(request.seed, recipe.device):
            model, batch = recipe.begun(recipe.samples(request))
        models.append(model)
        batches.append(batch)
    return models, batches


def stacked(recipe: Recipe, requests: Sequence[Fit]) -> Stack:
    """The stack of these trainings, with fresh weights."""
    models, batches = begun(recipe, requests)
    shelf = Shelf(len(requests), recipe.device)
    for batch, request in zip(batches, requests, strict=True):
        shelf.add(batch, request.labeled)
    computations = Computations(models[0], recipe.settings.precision)
    seeds = [request.seed for request in requests]
    return Stack(models, shelf, seeds, computations, recipe.optimizer, recipe.settings.batch_size)


@contextmanager
def forbidden_to_wait(device: torch.device) -> Iterator[None]:
    """Inside, what waits for a CUDA device raises RuntimeError."""
    if device.type != "cuda":
        yield
        return
    before = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode(before)


class Step(NamedTuple):
    """What one step of a stack gave, on the CPU.

    Attributes:
        draws: what was drawn.
        drawn: its numbers.
        orders: orders of samples.
        losses: (members,).
        gradients: of the parameters.
    """

    draws: Sequence[Draw]
    drawn: Sequence[Tensor]
    orders: Tensor
    losses: Tensor
    gradients: Sequence[Tensor]


def agreement(recipe: Recipe, requests: Sequence[Fit], device: torch.device) -> Iterator[Bound]:
    """One step from the same weights on the same samples, on the CPU and on a device."""
    models, batches = begun(recipe, requests)
    mine, other = (step(models, batches, recipe.settings.batch_size, place) for place in (CPU, device))
    same = [mine.draws == other.draws, torch.equal(mine.orders, other.orders)]
    # Those with a normal distribution take logarithms and cosines, which devices round in their own ways.
    same += [
        torch.equal(a, b) if draw.kind != "normal" else distance(a, b) < ROUNDING
        for draw, a, b in zip(mine.draws, mine.drawn, other.drawn, strict=True)
    ]
    yield Bound(text="draws as on a CPU, bit by bit", found=f"{sum(same)} of {len(same)}", met=all(same))
    for text, a, b in (("losses", [mine.losses], [other.losses]), ("gradients", mine.gradients, other.gradients)):
        found = distance(torch.cat([x.flatten() for x in a]), torch.cat([x.flatten() for x in b]))
        yield Bound(text=f"{text} as on a CPU, to {ROUNDING:g}", found=f"{found:.1e}", met=found <= ROUNDING)


def step(models: Sequence[MultimodalModel], batches: Sequence[Batch], size: int, device: torch.device) -> Step:
    """A first step of these models on a device."""
    own = [deepcopy(model).to(device).train() for model in models]
    given = [batch.first(size).to(device) for batch in batches]
    computations = Computations(own[0], "float32")
    program = computations.step(given[0])
    streams = Streams(SEEDS, device)
    keys = streams.keys(range(2))
    drawn = streams.draw(program.draws, keys[0])
    named = [{**dict(model.named_parameters()), **dict(model.named_buffers())} for model in own]
    names = (*computations.parameters, *computations.buffers)
    state = [torch.stack([one[name].detach() for one in named]) for name in names]
    tensors = [torch.stack([batch.tensors[name] for batch in given]) for name in given[0].tensors]
    with torch.no_grad():
        losses, *gradients = program(len(own), [*state, *tensors], drawn)
    return Step(
        program.draws,
        [x.cpu() for x in drawn],
        streams.orders(len(batches[0]), keys[1]).cpu(),
        losses.cpu(),
        [x.cpu() for x in gradients if x is not None],
    )


def distance(a: Tensor, b: Tensor) -> float:
    """The norm of the difference, in parts of that of the numbers."""
    if a.shape != b.shape:
        return float("inf")
    return float((a - b).norm() / a.norm().clamp(min=1e-30))
