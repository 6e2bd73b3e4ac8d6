"""Training of models that fit themselves, all of a group at once if their class can."""

from __future__ import annotations

import warnings
from textwrap import shorten
from typing import TYPE_CHECKING, cast

from alharness.errors import text_of

from .contexts import rounding, seeded, threads
from .measure import Meter
from .recipe import Fitted, checksums, freeze, require_unwritten

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alharness.api.fitting import FittingModel
    from alharness.api.network import Batch

    from .recipe import Fit, Recipe

    Warn = Callable[[str, str], None]  # what it is about, and its words


LONGEST = 200
"""Characters of a warning that are shown."""


def fit_themselves(
    recipe: Recipe, requests: Sequence[Fit], *, together: bool, told: set[str]
) -> list[Fitted | BaseException]:
    """Have a model of each request fit itself.

    Args:
        recipe: of the models.
        requests: for as many labels each.
        together: their class fits several at once.
        told: what users know already, and is not said again.

    Returns:
        For each request its model, or what was raised: one that fails takes no other along.
    """
    why = ""

    def warn(about: str, text: str) -> None:
        if about not in told:
            told.add(about)
            recipe.border.warn(f"{recipe.border.culprit} {text}")

    if together and len(requests) > 1:
        try:
            return _fitted(recipe, requests, warn)
        except Exception as error:  # noqa: BLE001 - each by itself shows whose it is
            why = text_of(error)
    found = [_alone(recipe, request, warn) for request in requests]
    if why and all(isinstance(one, Fitted) for one in found):
        warn(why, f"cannot fit several at once, and is fitted one by one: {why}")
    return found


def _alone(recipe: Recipe, request: Fit, warn: Warn) -> Fitted | BaseException:
    try:
        return _fitted(recipe, [request], warn)[0]
    except BaseException as error:  # noqa: BLE001 - it belongs to the cell that asked
        return error


def _fitted(recipe: Recipe, requests: Sequence[Fit], warn: Warn) -> list[Fitted | BaseException]:
    """Models that were fitted together, or one that was fitted alone."""
    bought = [checksums(request.labeled) for request in requests]
    with (
        recipe.border.crossed("training"),
        Meter(recipe.device) as meter,
        threads(recipe.settings.threads),
        rounding(recipe.settings.precision),
    ):
        labeled = [recipe.samples(request).to(recipe.device) for request in requests]
        valid = [_valid(recipe, request) for request in requests]
        models: list[FittingModel] = []
        for request in requests:
            with seeded(request.seed, recipe.device):
                models.append(cast("FittingModel", recipe.made().to(recipe.device)))
        with warnings.catch_warnings(record=True) as said:
            if len(requests) == 1:
                with seeded(requests[0].seed, recipe.device):
                    models[0].fit(labeled[0], valid[0])
            else:
                type(models[0]).fit_all(models, labeled, valid)
        for model in models:
            freeze(model)
    for one in said:
        words = shorten(f"{one.category.__name__}: {one.message}", LONGEST, placeholder=" ...")
        warn(f"{one.filename}:{one.lineno}", f"warned as it was fitted: {words}")
    cost = {f"train_{name}": value for name, value in meter.cost.items()}
    if len(requests) > 1:
        cost = {name: x / len(requests) if name.endswith("seconds") else x for name, x in cost.items()}
        cost["train_stacked"] = float(len(requests))
    found: list[Fitted | BaseException] = []
    for model, request, before in zip(models, requests, bought, strict=True):
        with recipe.border.blamed("training"):
            require_unwritten(request, before)
        found.append(Fitted(model=model, device=recipe.device, epochs=0, cost=cost, border=recipe.border))
    return found


def _valid(recipe: Recipe, request: Fit) -> Batch | None:
    return None if request.valid is None else request.valid.batch.to(recipe.device)
