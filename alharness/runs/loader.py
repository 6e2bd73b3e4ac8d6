"""A process that makes the data set, and says what a run must know of it."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import cloudpickle

from alharness import errors, registry
from alharness.api.dataset import Dataset
from alharness.api.executor import Warned
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
from .messages import Begun, Loaded, Made, Refused, SeedFacts, Wish
from .setup import Setup, pool_if_needed, seed_context
from .sharing import share

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from alharness.api.metrics import Metrics
    from alharness.registry import Registry


def load(connection: Connection, wish: Wish) -> None:
    """Answer with `Begun`, `Made`, `Warned`, and at last with `Loaded` or `Refused`."""
    try:
        installed = registry.load(extras=wish.work.extras)
        connection.send(Begun())
        connection.send(_load(connection, wish, installed))
    except BaseException as error:  # noqa: BLE001 - whatever a plugin raises is reported
        connection.send(_refused(wish, error))


def _load(connection: Connection, wish: Wish, installed: Registry) -> Loaded:
    work = wish.work

    def warn(text: str) -> None:
        connection.send(Warned(text=text))

    model = installed.model(work.model).plugin
    # What a data set says itself of its files, or of its parameters, is said well.
    with Border(wish.who, PluginError, warn, passing=(DataError, SpecError)).crossed():
        dataset = installed.dataset(wish.dataset).plugin.make(wish.params)
        _require_announced(wish, dataset)
        shown = pool_if_needed(dataset, model)
        with blaming(wish.who, DataError):
            require_sound(shown, lambda text: warn(f"{wish.who}: {text}"))
            _require_sendable(shown.measured_by)
    metrics = dataset.measured_by
    setup = Setup(shown, model, work.model_params, work.training, work.schedule)
    loaded = Loaded(
        dataset=share(shown, wish.samples) if wish.samples else b"",
        digest=str(dataset.digest),
        synthetic=bool(dataset.synthetic),
        metric=metrics.primary,
        lower_is_better=tuple(sorted(metrics.lower_is_better)),
        headline=metrics.headline,
        valid=setup.validating(wish.facts.sizes[1]),
        context=dict(setup.context),
        seeds={seed: _facts(setup, seed, wish) for seed in wish.seeds},
        environment=describe(setup.device, wish.spec_folder),
    )
    connection.send(Made())
    try:
        pooltable.save(wish.folder, shown)
    except Exception as bug:  # noqa: BLE001 - a run is worth more than its pictures
        connection.send(Warned(text=f"what was chosen will not be shown in reports: {described(bug)}"))
    return loaded


def _facts(setup: Setup, seed: int, wish: Wish) -> SeedFacts:
    splits, initial = setup.draw(seed)
    context, model_seed = {**setup.context, **wish.recipe}, derive(seed, "model", 0)
    names = {False: fits.key(context, [initial.ids[i] for i in initial.known], model_seed)}
    if wish.references:
        names[True] = fits.key(context, initial.ids, model_seed)
    return SeedFacts(context=seed_context(splits, initial), fits=names)


def _require_announced(wish: Wish, dataset: object) -> None:
    facts = wish.facts
    if not isinstance(dataset, Dataset):
        raise PluginError(f"make returned {type(dataset).__name__}, not Dataset")
    if (dataset.task, set(dataset.modalities)) != (facts.task, set(facts.modalities)):
        raise PluginError(
            f"it is not what it says: it announced {facts.task} on {', '.join(facts.modalities)}, and is "
            f"{dataset.task} on {', '.join(dataset.modalities)}"
        )
    if dataset.synthetic != facts.synthetic:
        real, made_up = "real", "synthetic"
        said, found = (made_up, real) if facts.synthetic else (real, made_up)
        raise PluginError(
            f"it announced {said} data and is {found}: its facts and what it makes must agree, or the run "
            "would be kept under a wrong name"
        )


def _require_sendable(metrics: Metrics) -> None:
    try:
        cloudpickle.dumps(metrics)
    except Exception as error:
        raise DataError(
            f"its metrics {metrics.name!r} cannot be sent to the processes of a run ({described(error)}); let "
            "`compute` be a plain function"
        ) from error


def _refused(wish: Wish, error: BaseException) -> Refused:
    if isinstance(error, HarnessError) and not error.unexpected:
        kind = next(base for base in type(error).__mro__ if base.__module__ == errors.__name__)
        return Refused(kind=kind.__name__, text=text_of(error))
    with suppress(Exception):  # a plugin may have put anything there, or the disk is full
        sys.stderr.write(redact(trace_of(error)))
        sys.stderr.flush()
    text = text_of(error) if isinstance(error, HarnessError) else f"{wish.who}: {described(error)}"
    return Refused(kind=PluginError.__name__, text=f"{text}; see {wish.folder / OUTPUT}")
