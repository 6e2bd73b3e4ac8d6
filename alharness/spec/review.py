"""What a spec asks of the data set, the model, samplers and trackers: whether they can do it, and what to know."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from alharness import registry
from alharness.api.dataset import DatasetFacts
from alharness.api.make import Imported
from alharness.api.params import sources
from alharness.api.plan import Schedule
from alharness.api.sampler import SamplerPlugin, Setting
from alharness.api.vocabulary import PROVIDED, Feature
from alharness.errors import HarnessError, PluginError, SamplerError, SpecError, described
from alharness.text.words import SUFFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alharness.api.model import ModelPlugin
    from alharness.spec import Chosen, Spec


def require_makers(spec: Spec) -> None:
    """Raise PluginError if a plugin names a module, a class or a function that is not there."""
    initial = [spec.initial] if spec.initial else []
    everything: list[Chosen[Any]] = [spec.dataset, spec.model, *initial, *spec.samplers, *spec.trackers]
    for chosen in everything:
        if isinstance(make := chosen.plugin.make, Imported):
            with _asking(f"{chosen.name!r} of {chosen.registered.origin} cannot be imported"):
                make.check()


def inspect(spec: Spec) -> DatasetFacts:
    """The facts of the data set, without opening it. Raises PluginError if it does not say them."""
    with _asking(f"the data set {spec.dataset.name!r} of {spec.dataset.registered.origin} cannot be inspected"):
        facts = spec.dataset.plugin.inspect(spec.dataset.params)
    if not isinstance(facts, DatasetFacts):
        raise PluginError(
            f"inspect of the data set {spec.dataset.name!r} of {spec.dataset.registered.origin} returned "
            f"{type(facts).__name__}, not DatasetFacts"
        )
    return facts


def keep_apart(spec: Spec, facts: DatasetFacts) -> None:
    """Raise SpecError if real results would get a name that is kept for synthetic ones."""
    if spec.name.endswith(SUFFIX) and not facts.synthetic:
        raise SpecError(
            f"{spec.where('name')}: {spec.name!r} ends in {SUFFIX!r}, as experiments on synthetic data do, but "
            f"the data set {spec.dataset.name!r} is real; choose another name"
        )


def require_served(spec: Spec, facts: DatasetFacts) -> None:
    """Raise SpecError if the model cannot serve the data set, or nothing of it has a label."""
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


def require_validation(spec: Spec, available: int) -> None:
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


def require_sources(spec: Spec, setting: Setting) -> None:
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


def setting_of(facts: DatasetFacts, schedule: Schedule) -> Setting:
    """What samplers are going to meet."""
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


def review_initial(spec: Spec, facts: DatasetFacts, schedule: Schedule) -> list[str]:
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
    first = setting_of(facts, Schedule(initial_pool=0, sizes=(schedule.initial_pool,)))
    try:
        return [f"initial: {warning}" for warning in review_sampler(spec, initial, first)]
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


def review_sampler(spec: Spec, sampler: Chosen[SamplerPlugin], setting: Setting) -> list[str]:
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


def review_trackers(spec: Spec, facts: DatasetFacts) -> Iterator[str]:
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


def _able(spec: Spec, can: Callable[[ModelPlugin], bool]) -> str:
    """Which models can do it: the end of a message."""
    able = []
    for name, found in registry.load(extras=spec.extras).models.items():
        with suppress(Exception):  # some have parameters that must be given
            if can(found.plugin):
                able.append(name)
    return f"; models that do: {', '.join(sorted(able))}" if able else "; no model that is installed does"


@contextmanager
def _asking(cannot: str) -> Iterator[None]:
    """Turn anything that a plugin's code raises into a PluginError, which begins with `cannot`."""
    try:
        yield
    except (HarnessError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise PluginError(f"{cannot}: {described(error)}") from error
