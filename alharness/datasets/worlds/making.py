"""Makes a world: labels and features, then what goes wrong, and the truth about it."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness.api.dataset import Dataset
from alharness.api.samples import Inputs, Samples, Splits
from alharness.worlds.features import draw_features
from alharness.worlds.population import Channel, World

from .meaning import draw_labels, draw_meaning, places, rank, show, wrong_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from alharness.worlds.population import Population

    from .meaning import Meaning
    from .params import WorldsParams

NEAR = 0.1
"""Standard deviation of what distinguishes a near copy from its original, as a share of a feature's noise."""
REGIONS = 4
"""Parts of equal width into which the range of a regression's labels is cut, for the truth about regions."""


def make(params: WorldsParams) -> Dataset:
    """The world with these knobs; the same knobs give the same bytes."""
    world = build(params)
    roles = {split: _Roles(params, world, split) for split in world.sizes}
    populations = {
        split: replace(population, outliers=roles[split].outliers)
        for split, population in world.populate().items()
    }
    meanings = {split: draw_meaning(params, world, split) for split in populations}
    scales, signal, kinds = {}, partial(show, params.kinds), 2 * params.kinds or 3
    features: dict[str, dict[str, NDArray[np.float32]]] = {split: {} for split in populations}
    for modality in world.channels:
        shown = {split: meaning.shown[modality] for split, meaning in meanings.items()}
        drawn, scales[modality] = draw_features(world, modality, populations, shown, signal, kinds)
        for split, array in drawn.items():
            features[split][modality] = array
    parts = {
        split: _part(params, world, population, meanings[split], roles[split], features[split], scales)
        for split, population in populations.items()
    }
    return Dataset(
        task=params.task,
        content=Splits(**parts),
        classes=tuple(f"class {k}" for k in range(params.kinds)),
        synthetic=True,
    )


def build(params: WorldsParams) -> World:
    """Who is in it, and how they are seen."""
    knobs = {knob: params.by_modality(knob) for knob in ("features", "signal", "noise")}
    return World(
        name="worlds",
        seed=params.seed,
        sizes={"train": params.pool, "valid": params.valid, "test": params.test},
        channels={m: Channel(**{knob: value[m] for knob, value in knobs.items()}) for m in params.modalities},
        topics=params.topics,
        zipf=params.zipf,
    )


class _Roles:
    """Which samples of a part are outliers, have wrong labels, or are near copies; only those of the pool do.

    Attributes:
        outliers: (n,) bool.
        wrong: (n,) whether its label is that of another class; no outlier's is.
        originals: (n,) the sample that it is a near copy of, or itself.
    """

    def __init__(self, params: WorldsParams, world: World, split: str) -> None:
        n = world.sizes[split]
        self.outliers, self.wrong, self.originals = np.zeros(n, bool), np.zeros(n, bool), np.arange(n)
        if split != "train":
            return
        order = world.draw("roles").permutation(n)
        copies = round(params.duplicates * n)
        copied = math.ceil(copies / params.copies)
        originals = order[copies : copies + copied]  # one fewer if both numbers are rounded up and fill the pool
        self.originals[order[:copies]] = originals[np.arange(copies) % max(len(originals), 1)]
        self.outliers[order[copies + copied :][: round(params.outliers * n)]] = True
        usual = np.flatnonzero(~self.outliers)
        self.wrong[world.draw("wrong").permutation(usual)[: round(params.label_noise * n)]] = True


def _part(
    params: WorldsParams,
    world: World,
    population: Population,
    meaning: Meaning,
    roles: _Roles,
    features: Mapping[str, NDArray[np.float32]],
    scales: Mapping[str, NDArray[np.float64]],
) -> Samples:
    draw, origin = partial(world.draw, population.split), roles.originals
    present = _present(params, draw, meaning.labels, features, scales)
    copies = np.flatnonzero(origin != np.arange(len(origin)))
    arrays = {}
    for modality, array in features.items():
        near = draw("near", modality).standard_normal((len(copies), array.shape[1])) * scales[modality]
        array[copies] = array[origin[copies]] + NEAR * world.channels[modality].noise * near
        if modality in present:
            present[modality] = present[modality][origin]
            array[~present[modality]] = 0
        arrays[modality] = array
    right = meaning.labels[origin]
    labels = np.where(roles.wrong, wrong_labels(params, draw("wrong labels"), right), right)
    labels = np.where(roles.outliers, draw_labels(params, draw("labels of outliers"), len(right)), labels)
    taught = meaning.taught(present, origin)
    truth = {
        "value": np.where(roles.wrong | roles.outliers, 0, taught).astype(np.float32),
        "original": origin,
        "region": _regions(params, population.clusters[origin], right, meaning.synergistic[origin]),
        "duplicate": origin != np.arange(len(origin)),
        "outlier": roles.outliers,
        "noisy_label": roles.wrong,
        "conflict": meaning.conflict[origin],
    }
    return Samples(
        inputs=Inputs(ids=population.ids, arrays=arrays, present=present),
        labels=labels if params.kinds else labels.astype(np.float32),
        truth=truth,
    )


def _present(
    params: WorldsParams,
    draw: Callable[..., np.random.Generator],
    labels: NDArray[Any],
    features: Mapping[str, NDArray[np.float32]],
    scales: Mapping[str, NDArray[np.float64]],
) -> dict[str, NDArray[np.bool_]]:
    """Modality that may be missing -> which samples have it, (n,)."""
    rates, modalities, n = params.by_modality("missing"), params.modalities, len(labels)
    absent = np.zeros((n, len(modalities)), bool)
    for position, modality in enumerate(modalities):
        if params.mechanism == "by_class":
            place = rank(params, labels, position / len(modalities))
        elif params.mechanism == "at_random" and rates[modality]:
            witness = next(m for m in modalities if not rates[m])
            direction = draw("witness of", modality).standard_normal(len(scales[witness])) / scales[witness]
            place = places(features[witness] @ direction)
        else:
            place = np.full(n, 0.5)
        # Its mean over places that are equally frequent is the rate.
        rate = rates[modality]
        chance = 2 * rate * place if rate <= 0.5 else 1 - 2 * (1 - rate) * (1 - place)
        absent[:, position] = draw("missing", modality).random(n) < chance
    _keep_one(absent, draw("kept"))
    return {m: ~absent[:, position] for position, m in enumerate(modalities) if rates[m]}


def _keep_one(absent: NDArray[np.bool_], rng: np.random.Generator) -> None:
    """Give every sample without any modality one back, and take it from another sample, so that rates stay."""
    empty = rng.permutation(np.flatnonzero(absent.all(axis=1)))
    for position, rows in enumerate(np.array_split(empty, absent.shape[1])):
        spare = np.flatnonzero(~absent[:, position] & ((~absent).sum(axis=1) > 1))
        absent[rows, position] = False
        absent[rng.permutation(spare)[: len(rows)], position] = True


def _regions(
    params: WorldsParams, topics: NDArray[np.int64], labels: NDArray[Any], synergistic: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """(n,) number of the region: topic, class or part of the range, and whether it takes two modalities."""
    kinds = params.kinds or REGIONS
    place = labels if params.kinds else ((labels + 1) / 2 * REGIONS).astype(np.int64).clip(0, REGIONS - 1)
    regions: NDArray[np.int64] = (topics * kinds + place) * 2 + synergistic
    return regions
