"""A process that makes the data set, and says what a run must know of it."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import cloudpickle
import torch

from alharness import errors, registry
from alharness.api.dataset import Dataset
from alharness.api.executor import Begun, Done, Warned
from alharness.engine.initial import choose
from alharness.engine.seeds import derive
from alharness.engine.soundness import require_sound
from alharness.errors import (
    DataError,
    HarnessError,
    PluginError,
    SpecError,
    blaming,
    described,
    text_of,
    trace_of,
)
from alharness.guard.border import Border
from alharness.text.redaction import redact

from . import fits, pooltable
from .directory import OUTPUT
from .environment import describe
from .journal import with_format
from .messages import Loaded, SeedFacts, Wish
from .setup import Setup, count_validation, pool_if_needed
from .sharing import share

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from multiprocessing.connection import Connection

    from alharness.api.dataset import DatasetFacts
    from alharness.api.metrics import Metrics
    from alharness.registry import Registry

    from .messages import Blueprint
    from .setup import Chooser
    from .sharing import Shared


def load(connection: Connection, wish: Wish) -> None:
    """Answer with `Begun`, then `Loaded` or the error that keeps the data set from being made, and `Done`.

    A `Warned` may come at any time.
    """

    def warn(text: str) -> None:
        connection.send(Warned(text=text))

    try:
        installed = registry.load(extras=wish.blueprint.extras)
        connection.send(Begun())
        shown, loaded = _load(wish, installed, warn)
    except BaseException as error:  # noqa: BLE001 - whatever a plugin raises is reported
        connection.send(_refusal(wish, error))
        return
    connection.send(loaded)
    try:
        pooltable.save(wish.plan.folder, shown)
    except Exception as bug:  # noqa: BLE001 - a run is worth more than its pictures
        warn(f"what was chosen will not be shown in reports: {described(bug)}")
    connection.send(Done())


def draw(connection: Connection, wish: Wish, dataset: Shared | None, seeds: Collection[int]) -> None:
    """Answer with `Begun`, then the `SeedFacts` of seeds or the error that keeps them from being found, `Done`.

    The data set is not made again: it is that of the workers.
    """

    def warn(text: str) -> None:
        connection.send(Warned(text=text))

    blueprint = wish.blueprint.without_dataset()
    try:
        installed = registry.load(extras=blueprint.extras)
        connection.send(Begun())
        with blaming(wish.who, DataError):
            assert dataset is not None  # cells are going to run
            setup = _setup(dataset.open(), wish, installed, warn)
            drawn = {seed: _facts(setup, seed, wish) for seed in seeds}
    except BaseException as error:  # noqa: BLE001 - whatever a plugin raises is reported
        connection.send(_refusal(wish, error))
        return
    connection.send(drawn)
    connection.send(Done())


def _load(wish: Wish, installed: Registry, warn: Callable[[str], None]) -> tuple[Dataset, Loaded]:
    """The data set as the model wants it, and what a run must know of it."""
    blueprint, facts = wish.blueprint, wish.plan.facts
    assert facts is not None
    # What a data set says itself of its files, or of its parameters, is said well.
    with Border(wish.who, PluginError, warn, passing=(DataError, SpecError)).crossed():
        dataset = installed.dataset(wish.dataset).plugin.make(wish.params)
        _require_announced(facts, dataset)
        shown = pool_if_needed(dataset, installed.model(blueprint.model).plugin)
        with blaming(wish.who, DataError):
            require_sound(shown, lambda text: warn(f"{wish.who}: {text}"))
            _require_sendable(shown.measured_by)
    metrics, plan = dataset.measured_by, wish.plan
    setup = _setup(shown, wish, installed, warn)
    known = replace(
        plan,
        metric=metrics.primary,
        lower_is_better=tuple(sorted(metrics.lower_is_better)),
        headline=metrics.headline,
        params={**plan.params, "device": setup.device.type},
        environment={**describe(setup.device, wish.spec_folder), "data_sha256": str(dataset.digest)},
        valid=count_validation(blueprint.training.valid, facts.sizes[1]),
    )
    return shown, Loaded(
        plan=known,
        dataset=share(shown, wish.samples) if wish.samples else None,
        data=shown.digest,
        seeds={seed: _facts(setup, seed, wish) for seed in wish.seeds},
    )


def _setup(dataset: Dataset, wish: Wish, installed: Registry, warn: Callable[[str], None]) -> Setup:
    blueprint, device = wish.blueprint, torch.device(wish.device) if wish.device else None
    return Setup(
        dataset,
        installed.model(blueprint.model).plugin,
        blueprint.model_params,
        blueprint.training,
        blueprint.schedule,
        device=device,
        initial=_chooser(blueprint, installed, warn),
    )


def _chooser(blueprint: Blueprint, installed: Registry, warn: Callable[[str], None]) -> Chooser | None:
    """What chooses initial pools; None if they are drawn at random."""
    if blueprint.initial is None:
        return None
    name, params = blueprint.initial
    registered = installed.sampler(name)
    who = f"{name} ({registered.origin})"
    with Border(who, PluginError, warn, passing=(SpecError,)).crossed():
        sampler = registered.plugin.make(params)
        features = registered.plugin.features(params)
    return partial(choose, sampler, features=features, who=who, warn=warn)


def _facts(setup: Setup, seed: int, wish: Wish) -> SeedFacts:
    _, initial, context = setup.draw(seed)
    recipe, model_seed = with_format({**setup.context, **wish.recipe}), derive(seed, "model", 0)
    names = {False: fits.key(recipe, [initial.ids[i] for i in initial.known], model_seed)}
    if any(cell.reference for cell in wish.plan.cells):
        names[True] = fits.key(recipe, initial.ids, model_seed)
    chosen = tuple(initial.ids[i] for i in initial.labeled) if wish.blueprint.initial else ()
    return SeedFacts(context=context, initial=initial, fits=names, chosen=chosen)


def _require_announced(facts: DatasetFacts, dataset: object) -> None:
    if not isinstance(dataset, Dataset):
        raise PluginError(f"make returned {type(dataset).__name__}, not Dataset")
    if (dataset.task, set(dataset.modalities)) != (facts.task, set(facts.modalities)):
        raise PluginError(
            f"it is not what it says: it announced {facts.task} on {', '.join(facts.modalities)}, and is "
            f"{dataset.task} on {', '.join(dataset.modalities)}"
        )
    if (set(dataset.incomplete), set(dataset.truth)) != (set(facts.incomplete), set(facts.truth)):
        raise PluginError(
            "it is not what it says: it announced "
            f"{_known(facts.incomplete, facts.truth)}, and has {_known(dataset.incomplete, dataset.truth)}"
        )
    if dataset.synthetic != facts.synthetic:
        real, made_up = "real", "synthetic"
        said, found = (made_up, real) if facts.synthetic else (real, made_up)
        raise PluginError(
            f"it announced {said} data and is {found}: its facts and what it makes must agree, or the run "
            "would be kept under a wrong name"
        )


def _known(incomplete: Collection[str], truth: Collection[str]) -> str:
    """Which modalities samples may lack, and what is known of them, in words."""
    lacking, known = (", ".join(names) or "nothing" for names in (incomplete, truth))
    return f"samples that may lack {lacking}, with truth of {known}"


def _require_sendable(metrics: Metrics) -> None:
    try:
        cloudpickle.dumps(metrics)
    except Exception as error:
        raise DataError(
            f"its metrics {metrics.name!r} cannot be sent to the processes of a run ({described(error)}); let "
            "`compute` be a plain function"
        ) from error


def _refusal(wish: Wish, error: BaseException) -> HarnessError:
    """The error for the user, of a class that every process knows."""
    if isinstance(error, HarnessError) and not error.unexpected:
        kind: type[HarnessError] = next(kind for kind in type(error).__mro__ if kind.__module__ == errors.__name__)
        return kind(text_of(error))
    with suppress(Exception):  # a plugin may have put anything there, or the disk is full
        sys.stderr.write(redact(trace_of(error)))
        sys.stderr.flush()
    text = text_of(error) if isinstance(error, HarnessError) else f"{wish.who}: {described(error)}"
    return PluginError(f"{text}; see {wish.plan.folder / OUTPUT}")
