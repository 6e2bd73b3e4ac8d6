"""From a spec to the cells that it asks for, everything checked that can be known without training."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.metadata import version
from itertools import product
from typing import TYPE_CHECKING, Any

from .errors import HarnessError, PluginError, SpecError
from .plugin import DatasetFacts, SamplerPlugin
from .records import Cell, Schedule, Skip
from .synthetic import SUFFIX, name_experiment

if TYPE_CHECKING:
    from .spec import Chosen, Spec

MAX_CELLS = 10_000
FEW_SEEDS = 3


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run will do.

    Attributes:
        name: the spec's name, with a suffix where the data are synthetic.
        experiment: that name and a hash of everything that all cells share; the run directory's name.
        facts: the data set.
        schedule: labels per cycle.
        cells: in the order in which they run: seed by seed, so that samplers can be compared early.
        skips: samplers that cannot run here, and why.
        warnings: what is allowed, but perhaps not meant.
    """

    name: str
    experiment: str
    facts: DatasetFacts
    schedule: Schedule
    cells: tuple[Cell, ...]
    skips: tuple[Skip, ...]
    warnings: tuple[str, ...]


def make_plan(spec: Spec) -> Plan:
    """Plan the cells of a spec.

    Raises:
        DataError: the data set is not there.
        SpecError: the spec asks for what cannot be done.
        PluginError: the data set's plugin breaks its contract.
    """
    facts = _inspect(spec)
    _keep_apart(spec, facts)
    if facts.task not in spec.model.plugin.tasks:
        raise SpecError(
            f"{spec.where('model')}: {spec.model.name!r} cannot serve {facts.task}, the task of the data set "
            f"{spec.dataset.name!r}; choose another model"
        )
    reasons = {sampler.label: _obstacle(spec, sampler, facts) for sampler in spec.samplers}
    skips = tuple(Skip(label=label, reason=reason) for label, reason in reasons.items() if reason)
    runnable = [sampler for sampler in spec.samplers if not reasons[sampler.label]]
    if skips and (spec.strict or not runnable):
        raise SpecError(_refusal(spec, skips))
    if (count := len(runnable) * len(spec.seeds)) > MAX_CELLS:
        raise SpecError(
            f"{spec.where('seeds')}: {count:,} cells (samplers x seeds); at most {MAX_CELLS:,} can run"
        )
    schedule, warnings = _schedule(spec, facts.sizes[0])
    if len(spec.seeds) < FEW_SEEDS:
        warnings.append(f"fewer than {FEW_SEEDS} seeds: a difference between samplers may be chance")
    name = name_experiment(spec.name, synthetic=facts.synthetic)
    return Plan(
        name=name,
        experiment=f"{name}-{_digest(_shared(spec))[:8]}",
        facts=facts,
        schedule=schedule,
        cells=tuple(_cell(sampler, seed) for seed, sampler in product(spec.seeds, runnable)),
        skips=skips,
        warnings=tuple(warnings),
    )


def _refusal(spec: Spec, skips: tuple[Skip, ...]) -> str:
    labels = [sampler.label for sampler in spec.samplers]
    lines = [f"{spec.where('samplers', labels.index(skip.label))}: {skip.label}: {skip.reason}" for skip in skips]
    why = "strict: true allows no skips" if spec.strict else "no sampler is left to run"
    return "\n".join([*lines, f"{why}; choose other samplers, or another data set or model"])


def _inspect(spec: Spec) -> DatasetFacts:
    try:
        facts = spec.dataset.plugin.inspect(spec.dataset.params)
    except HarnessError:
        raise
    except Exception as error:
        raise PluginError(
            f"the data set {spec.dataset.name!r} of {spec.dataset.registered.origin} cannot be inspected: "
            f"{type(error).__name__}: {error}"
        ) from error
    if not isinstance(facts, DatasetFacts):
        raise PluginError(
            f"inspect of the data set {spec.dataset.name!r} of {spec.dataset.registered.origin} returned "
            f"{type(facts).__name__}, not DatasetFacts"
        )
    return facts


def _keep_apart(spec: Spec, facts: DatasetFacts) -> None:
    """Raise SpecError where real results would get a name that is kept for synthetic ones."""
    names = {("name",): spec.name, ("tracking", "experiment"): spec.tracking.experiment or ""}
    for place, name in names.items():
        if name.endswith(SUFFIX) and not facts.synthetic:
            raise SpecError(
                f"{spec.where(*place)}: {name!r} ends in {SUFFIX!r}, as experiments on synthetic data do, but the "
                f"data set {spec.dataset.name!r} is real; choose another name"
            )


def _obstacle(spec: Spec, sampler: Chosen[SamplerPlugin], facts: DatasetFacts) -> str:
    """Why this sampler cannot run here; empty where it can."""
    if facts.task not in sampler.plugin.tasks:
        return f"it serves {' and '.join(sorted(sampler.plugin.tasks))}, and {spec.dataset.name!r} is {facts.task}"
    if lacking := set(sampler.plugin.requires) - set(spec.model.plugin.provides):
        return f"it needs {', '.join(sorted(lacking))}, which the model {spec.model.name!r} does not provide"
    return ""


def _schedule(spec: Spec, pool: int) -> tuple[Schedule, list[str]]:
    asked = spec.active_learning
    if asked.initial_pool > pool:
        raise SpecError(
            f"{spec.where('active_learning', 'initial_pool')}: {asked.initial_pool:,} labels to begin with, but "
            f"the train split of {spec.dataset.name!r} has {pool:,} samples; choose fewer"
        )
    left = pool - asked.initial_pool
    queries = min(asked.cycles, -(-left // asked.budget))
    sizes = tuple(min(asked.budget, left - query * asked.budget) for query in range(queries))
    warnings = []
    if queries < asked.cycles:
        warnings.append(f"all {pool:,} samples of the pool are labeled after {queries} of {asked.cycles} queries")
    if sizes and sizes[-1] < asked.budget:
        warnings.append(
            f"the last query buys {sizes[-1]:,} labels instead of {asked.budget:,}: the pool has no more"
        )
    return Schedule(initial_pool=asked.initial_pool, sizes=sizes), warnings


def _cell(sampler: Chosen[SamplerPlugin], seed: int) -> Cell:
    origin = sampler.registered.origin
    return Cell(
        label=sampler.label,
        sampler=sampler.name,
        params=sampler.plain,
        distribution=origin,
        seed=seed,
        key=_digest({"sampler": sampler.name, "params": sampler.plain, "distribution": origin, "seed": seed}),
    )


def _shared(spec: Spec) -> dict[str, Any]:
    """What every cell's result depends on, beside its sampler and its seed."""

    def identity(chosen: Chosen[Any]) -> dict[str, Any]:
        return {"name": chosen.name, "params": chosen.plain, "distribution": chosen.registered.origin}

    return {
        "alharness": version("alharness"),
        "dataset": identity(spec.dataset),
        "model": identity(spec.model),
        "training": spec.training.model_dump(),
        "active_learning": spec.active_learning.model_dump(),
    }


def _digest(value: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
