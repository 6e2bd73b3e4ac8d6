"""From a spec to the cells that it asks for, everything checked that can be known without training."""

from __future__ import annotations

import hashlib
import json
import math
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alharness import registry
from alharness.api.dataset import DatasetFacts
from alharness.api.make import Imported
from alharness.api.params import sources
from alharness.api.plan import FULL_DATA, RANDOM, Cell, Paper, Plan, Schedule, Skip
from alharness.api.sampler import SamplerPlugin, Setting
from alharness.api.vocabulary import PROVIDED, Feature
from alharness.errors import HarnessError, PluginError, SamplerError, SpecError, described
from alharness.text.words import SUFFIX, did_you_mean, name_experiment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alharness.api.model import ModelPlugin
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
    _require_makers(spec)
    known = {} if known is None else known
    asked_for = _digest({"dataset": _identity(spec.dataset), "folder": str(spec.folder)})
    facts = facts or known.get(asked_for) or _inspect(spec)
    known[asked_for] = facts
    _keep_apart(spec, facts)
    if facts.task not in spec.model.plugin.tasks:
        raise SpecError(
            f"{spec.where('model')}: {spec.model.name!r} cannot serve {facts.task}, the task of the data set "
            f"{spec.dataset.name!r}; choose another model"
        )
    if facts.incomplete and not spec.model.plugin.incomplete:
        raise SpecError(
            f"{spec.where('model')}: samples of {spec.dataset.name!r} may lack {' or '.join(facts.incomplete)}, "
            f"and {spec.model.name!r} does not understand that{_able(spec, lambda model: model.incomplete)}"
        )
    if facts.unlabeled and not facts.sizes[0]:
        raise SpecError(
            f"{spec.where('dataset')}: none of the {facts.unlabeled:,} samples of {spec.dataset.name!r} to train "
            "on has a label, so that samplers cannot be compared; `alharness query` chooses what to label first"
        )
    schedule, asked = _schedule(spec, facts.sizes[0])
    warnings = [*facts.warnings, *review_model(spec, facts), *asked]
    _require_validation(spec, facts.sizes[1])
    setting = _setting(facts, schedule)
    _require_sources(spec, setting)
    warnings += _review_initial(spec, facts, schedule)
    skips: list[Skip] = []
    runnable: list[Chosen[SamplerPlugin]] = []
    for index, sampler in enumerate(spec.samplers):
        try:
            warnings += [f"{sampler.label}: {warning}" for warning in _review(spec, sampler, setting)]
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
        tracking=tuple(_review_trackers(spec, facts)),
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


def _able(spec: Spec, can: Callable[[ModelPlugin], bool]) -> str:
    """Which models can do it: the end of a message."""
    able = []
    for name, found in registry.load(extras=spec.extras).models.items():
        with suppress(Exception):  # some have parameters that must be given
            if can(found.plugin):
                able.append(name)
    return f"; models that do: {', '.join(sorted(able))}" if able else "; no model that is installed does"


def _refusal(spec: Spec, skips: list[Skip]) -> str:
    labels = [sampler.label for sampler in spec.samplers]
    lines = [f"{spec.where('samplers', labels.index(skip.label))}: {skip.label}: {skip.reason}" for skip in skips]
    why = "strict: true allows no skips" if spec.strict else "no sampler is left to run"
    return "\n".join([*lines, f"{why}; choose other samplers, or another data set or model"])


@contextmanager
def _asking(cannot: str) -> Iterator[None]:
    """Turn anything that a plugin's code raises into a PluginError, which begins with `cannot`."""
    try:
        yield
    except (HarnessError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise PluginError(f"{cannot}: {described(error)}") from error


def _require_makers(spec: Spec) -> None:
    """Raise PluginError if a plugin names a module, a class or a function that is not there."""
    initial = [spec.initial] if spec.initial else []
    everything: list[Chosen[Any]] = [spec.dataset, spec.model, *initial, *spec.samplers, *spec.trackers]
    for chosen in everything:
        if isinstance(make := chosen.plugin.make, Imported):
            with _asking(f"{chosen.name!r} of {chosen.registered.origin} cannot be imported"):
                make.check()


def _require_sources(spec: Spec, setting: Setting) -> None:
    """Raise SpecError, with all of them, if parameters name sources that the data set does not have."""
    mistakes: list[str] = []
    places: list[tuple[tuple[str | int, ...], Chosen[Any]]] = [(("model",), spec.model)]
    places += [(("initial",), spec.initial)] if spec.initial else []
    places += [(("samplers", index), sampler) for index, sampler in enumerate(spec.samplers)]
    for place, chosen in places:
        for keys, source in sources(chosen.params):
            try:
                setting.require_source(source)
            except SpecError as mistake:
                mistakes.append(f"{spec.where(*place, 'params', *keys)}: {mistake}")
    if mistakes:
        raise SpecError("\n".join(mistakes))


def _inspect(spec: Spec) -> DatasetFacts:
    with _asking(f"the data set {spec.dataset.name!r} of {spec.dataset.registered.origin} cannot be inspected"):
        facts = spec.dataset.plugin.inspect(spec.dataset.params)
    if not isinstance(facts, DatasetFacts):
        raise PluginError(
            f"inspect of the data set {spec.dataset.name!r} of {spec.dataset.registered.origin} returned "
            f"{type(facts).__name__}, not DatasetFacts"
        )
    return facts


def _keep_apart(spec: Spec, facts: DatasetFacts) -> None:
    """Raise SpecError if real results would get a name that is kept for synthetic ones."""
    if spec.name.endswith(SUFFIX) and not facts.synthetic:
        raise SpecError(
            f"{spec.where('name')}: {spec.name!r} ends in {SUFFIX!r}, as experiments on synthetic data do, but "
            f"the data set {spec.dataset.name!r} is real; choose another name"
        )


def _review_trackers(spec: Spec, facts: DatasetFacts) -> Iterator[str]:
    """What the user should know of the trackers. Raises SpecError if one cannot be used with this data set."""
    for tracker in spec.trackers:
        if tracker.plugin.review is None:
            continue
        try:
            with _asking(f"the tracker {tracker.name!r} of {tracker.registered.origin} cannot be reviewed"):
                yield from [f"{tracker.name}: {said}" for said in tracker.plugin.review(tracker.params, facts)]
        except SpecError as mistake:
            keys = (*tracker.keys, mistake.key) if mistake.key else tracker.keys
            raise SpecError(f"{spec.where(*keys)}: {mistake}") from mistake


def _setting(facts: DatasetFacts, schedule: Schedule) -> Setting:
    return Setting(
        task=facts.task,
        modalities=facts.modalities,
        unlabeled=tuple(facts.sizes[0] - labeled for labeled in schedule.labeled[:-1]),
        sizes=schedule.sizes,
        incomplete=facts.incomplete,
        truth=facts.truth,
    )


def review_model(spec: Spec, facts: DatasetFacts) -> list[str]:
    """What the user should know of the model. Raises SpecError if it cannot serve this data set."""
    chosen = spec.model
    found = []
    if chosen.plugin.fits_itself and (idle := spec.training.of_epochs):
        keys = ", ".join(f"training.{name}" for name in idle)
        effect = "has no effect" if len(idle) == 1 else "have no effect"
        found.append(f"{chosen.name}: {keys} {effect}, since it fits itself, without epochs")
    if chosen.plugin.review is None:
        return found
    try:
        with _asking(f"the model {chosen.name!r} of {chosen.registered.origin} cannot be reviewed"):
            found += [f"{chosen.name}: {warning}" for warning in chosen.plugin.review(chosen.params, facts)]
    except SpecError as mistake:
        raise SpecError(f"{spec.where('model')}: {chosen.name}: {mistake}") from mistake
    return found


def _review_initial(spec: Spec, facts: DatasetFacts, schedule: Schedule) -> list[str]:
    """What the user should know of the sampler of the initial pool. Raises SpecError if it cannot choose one."""
    if (initial := spec.initial) is None:
        return []
    place, origin = spec.where("initial"), initial.registered.origin
    with _asking(f"the sampler {initial.name!r} of {origin} cannot be reviewed"):
        more = initial.plugin.features(initial.params) - {Feature.INPUTS}
    if Feature.TRUTH in more:
        raise SpecError(
            f"{place}: {initial.name!r} is a control, whose choice would help all samplers{_first_choosers(spec)}"
        )
    if more:
        raise SpecError(
            f"{place}: {initial.name!r} needs {', '.join(sorted(more))}, and nothing is trained before there are "
            f"labels{_first_choosers(spec)}"
        )
    # As a first query of as many labels: nothing is labeled before it.
    first = _setting(facts, Schedule(initial_pool=0, sizes=(schedule.initial_pool,)))
    try:
        return [f"initial: {warning}" for warning in _review(spec, initial, first)]
    except (SamplerError, SpecError) as obstacle:
        raise SpecError(f"{place}: {initial.name}: {obstacle}") from obstacle


def _first_choosers(spec: Spec) -> str:
    """What to choose: the installed samplers that need no model; not those of families, which are many."""
    able = []
    for name, found in registry.load(extras=spec.extras).samplers.items():
        with suppress(Exception):  # some have parameters that must be given
            if "/" not in name and found.plugin.features(found.plugin.params()) <= {Feature.INPUTS}:
                able.append(name)
    such = f", such as {', '.join(sorted(able))}" if able else ""
    return f"; choose a sampler that reads inputs alone{such}"


def _review(spec: Spec, sampler: Chosen[SamplerPlugin], setting: Setting) -> list[str]:
    """What the user should know of this sampler. Raises SamplerError if it cannot run here."""
    plugin, origin = sampler.plugin, sampler.registered.origin
    if setting.task not in plugin.tasks:
        raise SamplerError(
            f"it serves {' and '.join(sorted(plugin.tasks))}, and {spec.dataset.name!r} is {setting.task}"
        )
    with _asking(f"the sampler {sampler.name!r} of {origin} cannot be reviewed"):
        required = plugin.features(sampler.params)
        warnings = list(plugin.review(sampler.params, setting)) if plugin.review else []
    if Feature.TRUTH in required and not setting.truth:
        raise SamplerError(
            f"it is a control, which reads what is known of made-up data, and {spec.dataset.name!r} comes with "
            "no such truth"
        )
    model = spec.model
    with _asking(f"the model {model.name!r} of {model.registered.origin} does not say what it provides"):
        provided = model.plugin.features(model.params)
    if lacking := (required & PROVIDED) - provided:
        raise SamplerError(
            f"it needs {', '.join(sorted(lacking))}, which the model {spec.model.name!r} does not provide"
            f"{_able(spec, lambda model: lacking <= model.features(model.params()))}"
        )
    return warnings


def _require_validation(spec: Spec, available: int) -> None:
    """Raise SpecError if trainings are to be stopped by validation samples that are not there."""
    wish = spec.training.valid
    if wish == "none":
        return
    place = spec.where("training", "valid")
    if not available:
        raise SpecError(
            f"{place}: the data set {spec.dataset.name!r} has no validation samples; set training.valid to none"
        )
    if wish != "full" and int(wish.partition(":")[2]) > available:
        raise SpecError(
            f"{place}: {wish} asks for more than the {available:,} validation samples of {spec.dataset.name!r}; "
            "choose fewer"
        )


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
