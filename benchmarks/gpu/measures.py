"""How long stacks, queries and Eq. 5 of GRACE take on a GPU, and how much of its memory."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch

from alharness.api.vocabulary import Feature, Task
from alharness.engine.alone import train_alone
from alharness.engine.measure import MIB, Meter, synchronize
from alharness.engine.pool import Pool
from alharness.engine.recipe import Fit, Fitted
from alharness.engine.selection import ask
from alharness.engine.stack.training import StackTrainer
from alharness.kernels import sum_of_distances
from benchmarks.rows import Bound

from .problems import BUDGET, INITIAL, MODELS, POOL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from alharness.api.sampler import SamplerPlugin
    from alharness.api.samples import Samples
    from alharness.engine.recipe import Recipe
    from alharness.engine.selection import CheckedSelection

    from .problems import Place

T = TypeVar("T")
CPU = torch.device("cpu")
SIZES = (1, 4, 16, 64, 256)
LARGE, AT_LEAST, AIM = 64, 20.0, 40.0
"""A stack of LARGE is AT_LEAST so many times quicker than one by one; AIM is the aim."""

TABLE_3 = {"bald": 211.92, "badge": 256.62, "bmmal": 301.96, "grace": 161.24}
"""Seconds of a query on CHERMA in the supplement of the GRACE paper, Table 3, on an RTX 3090."""

COMPARED = 2000
"""Samples of the pool from which a CPU and a GPU choose, to compare them."""

MEMBERS, D = 6, 128
"""Of G(x) in Eq. 5, and numbers in each."""

LONGEST = 60.0
"""Seconds that all members of Eq. 5 may take; else one is measured."""


@dataclass(frozen=True, kw_only=True)
class Stacks:
    """How long trainings of a model take, alone and in stacks.

    Attributes:
        model: its name.
        alone: milliseconds of a step, one by one.
        by_size: members of a stack -> milliseconds of a step for each member.
        memory: MB of the device for each member of the largest stack; None on a CPU.
    """

    model: str
    alone: float
    by_size: Mapping[int, float] = field(default_factory=dict)
    memory: float | None = None

    @property
    def bound(self) -> Bound:
        """What must hold of a stack of LARGE."""
        text = f"≥ {AT_LEAST:g}× at {LARGE}, aim {AIM:g}×"
        if LARGE not in self.by_size:
            return Bound(text=text)
        times = self.alone / self.by_size[LARGE]
        return Bound(text=text, found=f"{times:.3g}×", met=times >= AT_LEAST)


def stacks(place: Place) -> Iterator[Stacks]:
    """Each model, trained one by one and in stacks of every size."""
    for model in MODELS:
        sequences = place.registry.model(model).plugin.inputs != "pooled"
        # Samples of 256 members must fit in the memory, and sequences take more of it.
        n, epochs = (32, 1) if place.tiny else (64, 10) if sequences else (320, 4)
        samples = place.regression(model, n)
        recipe = place.recipe(model, samples, epochs=epochs)
        steps = epochs * -(-n // recipe.settings.batch_size)
        requests = [Fit(labeled=samples, seed=seed) for seed in range(SIZES[-1])]
        sizes, few = (SIZES[:2], requests[:1]) if place.tiny else (SIZES, requests[:3])
        trainer = StackTrainer(recipe, SIZES[-1])
        for warm_up in (partial(train_alone, recipe, requests[0]), partial(trainer.train, requests[:2])):
            timed(warm_up, place.device)
        alone, _ = timed(partial(one_by_one, recipe, few), place.device)
        by_size: dict[int, float] = {}
        fitted: Sequence[Fitted] = ()
        for size in sizes:
            taken, found = timed(partial(trainer.train, requests[:size]), place.device)
            fitted = whole(found, model)
            by_size[size] = 1000 * taken / steps / size
        together = max(x.cost["train_stacked"] for x in fitted)
        peak = max(x.cost.get("train_gpu_peak_alloc_mib", 0.0) for x in fitted)
        yield Stacks(
            model=model,
            alone=1000 * alone / steps / len(few),
            by_size=by_size,
            memory=peak * MIB / 1e6 / together if peak else None,
        )


def one_by_one(recipe: Recipe, requests: Sequence[Fit]) -> list[Fitted]:
    """Train them as models that cannot be stacked."""
    return [train_alone(recipe, request) for request in requests]


def whole(found: Sequence[Fitted | BaseException] | None, model: str) -> list[Fitted]:
    """All models of a stack. Raises what kept one from being trained."""
    if found is None:
        raise RuntimeError(f"{model} cannot be trained as a stack")
    if failed := [x for x in found if isinstance(x, BaseException)]:
        raise failed[0]
    return [x for x in found if isinstance(x, Fitted)]


def timed(call: Callable[[], T], device: torch.device) -> tuple[float, T]:
    """Seconds of a call, and what it gives."""
    synchronize(device)
    began = time.perf_counter()
    found = call()
    synchronize(device)
    return time.perf_counter() - began, found


@dataclass(frozen=True, kw_only=True)
class QueryCost:
    """What a query at the size of CHERMA took.

    Attributes:
        sampler: its name.
        seconds: of the query.
        parts: of these, by phase.
        memory: MB of the device at most; None on a CPU.
        same: of a smaller pool, as many samples were chosen on the CPU as well, of so many.
    """

    sampler: str
    seconds: float
    parts: Mapping[str, float]
    memory: float | None
    same: tuple[int, int]


def queries(place: Place) -> Iterator[QueryCost]:
    """Every installed sampler of classification: after one training on the first labels, it asks for more.

    Without those of a library that computes on the CPU, whatever the device.
    """
    pool, initial, budget = (400, 40, 20) if place.tiny else (POOL, INITIAL, BUDGET)
    samples = place.classification(pool)
    few = samples.take(np.arange(min(pool, COMPARED)))
    labeled = np.arange(initial)
    recipe = place.recipe("late_fusion", samples, epochs=2 if place.tiny else 30, batch_size=64)
    fitted = train_alone(recipe, Fit(labeled=samples.take(labeled), seed=0))
    for name, found in sorted(place.registry.samplers.items()):
        plugin = found.plugin
        if Task.CLASSIFICATION not in plugin.tasks or Feature.TRUTH in plugin.features(plugin.params()):
            continue
        if plugin.adapts:
            continue
        # The smaller pool first, which loads libraries and kernels.
        there = choice(plugin, fitted, few, initial, budget).positions
        measured = choice(plugin, fitted, samples, initial, budget)
        here = choice(plugin, moved(fitted, CPU), few, initial, budget).positions
        moved(fitted, place.device)
        peak = measured.cost.get("gpu_peak_alloc_mib")
        yield QueryCost(
            sampler=name,
            seconds=measured.cost["query_seconds"],
            parts={p: measured.cost[f"query_{p}_seconds"] for p in ("inference", "gradients", "selection")},
            memory=None if peak is None else peak * MIB / 1e6,
            same=(len({*here} & {*there}), budget),
        )


def choice(plugin: SamplerPlugin, fitted: Fitted, samples: Samples, initial: int, budget: int) -> CheckedSelection:
    """What a sampler chooses at its defaults in the first of nine queries."""
    params = plugin.params()
    ids = samples.inputs.ids
    return ask(
        plugin.make(params),
        fitted,
        samples.inputs,
        samples.take(np.arange(initial)),
        Pool(ids, tuple(range(initial))),
        size=budget,
        cycle=0,
        cycles=9,
        seed=0,
        batch=4096,
        features=plugin.features(params),
        classes=tuple(map(str, range(fitted.model.shape.outputs))),
    )


def moved(fitted: Fitted, device: torch.device) -> Fitted:
    """The same model on a device."""
    return replace(fitted, model=fitted.model.to(device), device=device)


@dataclass(frozen=True, kw_only=True)
class Eq5:
    """What exact representativeness took.

    Attributes:
        N: samples.
        members: of G(x) that were measured.
        seconds: for all of these.
        memory: MB of the device beyond the members themselves; None on a CPU.
    """

    N: int
    members: int
    seconds: float
    memory: float | None


def eq5(place: Place) -> Iterator[Eq5]:
    """Eq. 5 of GRACE, exact, on all members of G(x) if that does not take too long."""
    expected = 0.0
    for N in (300, 600) if place.tiny else (100_000, 1_000_000):
        members = MEMBERS if expected <= LONGEST else 1
        X = torch.randn(N, D, generator=torch.Generator().manual_seed(0)).to(place.device)
        sum_of_distances(X[:300])  # kernels are loaded
        held = 0 if place.device.type == "cpu" else torch.accelerator.memory_allocated(place.device)
        with Meter(place.device) as meter:
            for _ in range(members):
                sum_of_distances(X)
        peak = meter.cost.get("gpu_peak_alloc_mib")
        memory = None if peak is None else (peak * MIB - held) / 1e6
        yield Eq5(N=N, members=members, seconds=meter.cost["seconds"], memory=memory)
        expected = 100 * meter.cost["seconds"]
