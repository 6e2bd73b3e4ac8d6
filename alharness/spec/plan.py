"""From a spec to the cells that it asks for, everything checked that can be known without training."""

from __future__ import annotations

import hashlib
import json
import math
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alharness.api.plan import FULL_DATA, RANDOM, Cell, Paper, Plan, Schedule, Skip
from alharness.api.vocabulary import Feature
from alharness.errors import SamplerError, SpecError
from alharness.text.words import did_you_mean, name_experiment

from .review import (
    inspect,
    keep_apart,
    require_makers,
    require_served,
    require_sources,
    require_validation,
    review_initial,
    review_model,
    review_sampler,
    review_trackers,
    setting_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alharness.api.dataset import DatasetFacts
    from alharness.api.sampler import SamplerPlugin
    from alharness.spec import Chosen, Spec

    from .settings import PaperSettings

FEW_SEEDS = 3
TOO_FEW = f"fewer than {FEW_SEEDS} seeds: a difference between samplers may be chance"


def make_plan(
    spec: Spec,
    workdir: Path = Path(),
    known: dict[str, DatasetFacts] | None = None,
    facts: DatasetFacts | None = None,
) -> Plan:
    """Plan the cells of a spec.

    Args:
        spec: what was asked for.
        workdir: the folder of run directories.
        known: facts of data sets that were inspected already; takes those of this one.
        facts: of this data set, in place of what it says itself.

    Raises:
        DataError: the data set is not there.
        SpecError: the spec asks for what cannot be done.
        PluginError: the plugin of the data set or of a sampler breaks its contract.
    """
    require_makers(spec)
    known = {} if known is None else known
    asked_for = _digest({"dataset": _identity(spec.dataset), "folder": str(spec.folder)})
    facts = facts or known.get(asked_for) or inspect(spec)
    known[asked_for] = facts
    keep_apart(spec, facts)
    require_served(spec, facts)
    schedule, asked = _schedule(spec, facts.sizes[0])
    warnings = [*facts.warnings, *review_model(spec, facts), *asked]
    require_validation(spec, facts.sizes[1])
    setting = setting_of(facts, schedule)
    require_sources(spec, setting)
    warnings += review_initial(spec, facts, schedule)
    skips: list[Skip] = []
    runnable: list[Chosen[SamplerPlugin]] = []
    for index, sampler in enumerate(spec.samplers):
        try:
            warnings += [f"{sampler.label}: {warning}" for warning in review_sampler(spec, sampler, setting)]
            runnable.append(sampler)
        except SamplerError as obstacle:
            skips.append(Skip(label=sampler.label, reason=str(obstacle)))
        except SpecError as mistake:
            raise SpecError(f"{spec.where('samplers', index)}: {sampler.label}: {mistake}") from mistake
    if skips and (spec.strict or not runnable):
        raise SpecError(_refusal(spec, skips))
    replicates = _replicates(spec, runnable)
    if (count := (len(runnable) + replicates - 1) * len(spec.seeds)) > spec.limits.max_cells:
        raise SpecError(
            f"{spec.where('seeds')}: {count:,} cells (samplers x seeds); at most {spec.limits.max_cells:,} can "
            "run: choose fewer, or raise limits.max_cells"
        )
    if spec.paper and not facts.synthetic:
        warnings += _paper_warnings(spec.paper, [sampler.label for sampler in spec.samplers], schedule)
    _require_comparisons(spec, runnable)
    if len(spec.seeds) < FEW_SEEDS:
        warnings.append(TOO_FEW)
    name = name_experiment(spec.name, stand_in=facts.stand_in)
    experiment = f"{name}-{_digest(_shared(spec))[:8]}"
    return Plan(
        name=name,
        experiment=experiment,
        folder=workdir / experiment,
        facts=facts,
        schedule=schedule,
        pool=facts.sizes[0],
        cells=tuple(cell for seed in spec.seeds for cell in _cells(spec, runnable, replicates, seed)),
        skips=tuple(skips),
        warnings=tuple(warnings),
        tracking=tuple(review_trackers(spec, facts)),
        params={
            "dataset": spec.dataset.name,
            "model": spec.model.name,
            "initial_pool": spec.active_learning.initial_pool,
            "budget": spec.active_learning.budget,
            "cycles": len(schedule.sizes),
            "max_labels": schedule.labeled[-1],
            **({"initial": spec.initial.label} if spec.initial else {}),
        },
        synthetic=facts.synthetic,
        count_valid=spec.training.count_val_in_budget,
        paper=Paper(**spec.paper.model_dump()) if spec.paper else None,
        statistics=spec.statistics,
        stopping=spec.stopping,
    )


def _refusal(spec: Spec, skips: list[Skip]) -> str:
    labels = [sampler.label for sampler in spec.samplers]
    lines = [f"{spec.where('samplers', labels.index(skip.label))}: {skip.label}: {skip.reason}" for skip in skips]
    why = "strict: true allows no skips" if spec.strict else "no sampler is left to run"
    return "\n".join([*lines, f"{why}; choose other samplers, or another data set or model"])


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


def _paper_warnings(paper: PaperSettings, labels: list[str], schedule: Schedule) -> Iterator[str]:
    if paper.labels is not None and paper.labels not in schedule.labeled:
        yield f"paper: its figures are at {paper.labels:,} labels, and no cycle has so many; they are not shown"
    # No error: a spec is often run with some of its samplers alone.
    for name in paper.values:
        if name not in (*labels, FULL_DATA):
            near = did_you_mean(name, labels)
            yield f"paper: its figures of {name!r} are not shown, since no sampler has that label{near}"


def _require_comparisons(spec: Spec, samplers: list[Chosen[SamplerPlugin]]) -> None:
    """Raise SpecError if seeds are to run until comparisons are decided, and there are none."""
    if spec.stopping is None:
        return
    place = spec.where("seeds", "until")
    if all(sampler.name != RANDOM for sampler in samplers):
        raise SpecError(
            f"{place}: samplers are compared with {RANDOM!r}, which is not in the spec; add it to the samplers, "
            "or write a number of seeds"
        )
    if len(samplers) == 1:
        raise SpecError(
            f"{place}: there is no sampler to compare with {RANDOM!r}; add one, or write a number of seeds"
        )


def _replicates(spec: Spec, samplers: list[Chosen[SamplerPlugin]]) -> int:
    """How often Random runs within a seed. Raises SpecError if it is to run several times, but is not there."""
    asked = spec.random.replicates
    if asked == 1:
        return 1
    if all(sampler.name != RANDOM for sampler in samplers):
        raise SpecError(
            f"{spec.where('random', 'replicates')}: the sampler {RANDOM!r} is not in the spec; add it to the "
            "samplers, or leave its replicates out"
        )
    # Dunnett's allocation for comparisons of k samplers with one: √k times as many measurements of that one.
    return max(round(math.sqrt(len(samplers) - 1)), 1) if asked == "auto" else asked


def _cells(spec: Spec, samplers: list[Chosen[SamplerPlugin]], replicates: int, seed: int) -> Iterator[Cell]:
    """Those of a seed; one that would repeat another to the bit has a stream of its own."""
    kinds: list[tuple[str, Any, str]] = []
    for sampler in samplers:
        kind = sampler.name, sampler.plain, sampler.registered.origin
        yield _cell(sampler, seed, stream=sampler.label if kind in kinds else "")
        kinds.append(kind)
    for replicate in range(2, replicates + 1):
        random = next(sampler for sampler in samplers if sampler.name == RANDOM)
        yield _cell(random, seed, stream=f"replicate {replicate}", replicate=replicate)
    if spec.reference.full_data:
        key = _digest({"reference": FULL_DATA, "seed": seed})
        yield Cell(
            label=FULL_DATA, sampler=FULL_DATA, params={}, distribution="", seed=seed, key=key, reference=True
        )


def _cell(sampler: Chosen[SamplerPlugin], seed: int, *, stream: str, replicate: int = 1) -> Cell:
    origin = sampler.registered.origin
    depends = {"sampler": sampler.name, "params": sampler.plain, "distribution": origin, "seed": seed}
    return Cell(
        label=sampler.label,
        sampler=sampler.name,
        params=sampler.plain,
        distribution=origin,
        seed=seed,
        key=_digest(depends | ({"stream": stream} if stream else {})),
        replicate=replicate,
        stream=stream,
        control=Feature.TRUTH in sampler.plugin.features(sampler.params),
    )


def _shared(spec: Spec) -> dict[str, Any]:
    """What every cell's result depends on, other than its sampler and its seed."""
    return {
        "alharness": version("alharness"),
        "dataset": _identity(spec.dataset),
        "model": _identity(spec.model),
        "training": spec.training.recipe,
        "active_learning": spec.active_learning.model_dump(),
        **({"initial": _identity(spec.initial)} if spec.initial else {}),
    }


def _identity(chosen: Chosen[Any]) -> dict[str, Any]:
    return {"name": chosen.name, "params": chosen.plain, "distribution": chosen.registered.identity}


def _digest(value: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
