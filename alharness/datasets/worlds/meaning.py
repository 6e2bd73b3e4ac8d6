"""The law of `worlds`: which label a sample has, what each modality shows of it, and what its label is worth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness.worlds.features import SIGNAL, show_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from alharness.worlds.population import World

    from .params import WorldsParams

NOTHING, LABEL, PHASE = 0, 1, 2
"""What a modality may show of a sample: nothing, a label, or half of a label that two modalities show together."""
ARC = 0.75
"""Numbers from -1 to 1 take this share of the circle of phases, so that both ends are far apart."""


@dataclass(frozen=True, eq=False)
class Shown:
    """What one modality shows of n samples.

    Attributes:
        what: (n,) one of NOTHING, LABEL and PHASE.
        values: (n,) class or number, or phase: a class that is added to another one, or an angle.
    """

    what: NDArray[np.int64]
    values: NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Meaning:
    """What n samples mean.

    Attributes:
        labels: (n,) right labels, int64 classes or float64 numbers.
        shown: modality -> what it shows.
        told: modality -> (n,) 1 if it says something true about the label, alone or with another; -1 if it shows
            another label; 0 if it shows nothing, or has no signal.
        synergistic: (n,) whether it takes two modalities together.
        conflict: (n,) whether a modality shows another label.
    """

    labels: NDArray[Any]
    shown: Mapping[str, Shown]
    told: Mapping[str, NDArray[np.int64]]
    synergistic: NDArray[np.bool_]
    conflict: NDArray[np.bool_]

    def taught(self, present: Mapping[str, NDArray[np.bool_]], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """What right labels of these rows would teach, (n,) between 0 and 1.

        The share of all modalities about which they teach something true, less those about which something false.

        Args:
            present: modality -> which rows have it; all have one without an entry.
            rows: positions, (n,).
        """
        told = np.stack([told[rows] * present.get(modality, True) for modality, told in self.told.items()])
        # What only two modalities show together is lost with one of them.
        lost = self.synergistic[rows] & (told.sum(axis=0) < 2)
        return np.where(lost, 0, told.sum(axis=0).clip(0) / len(told))


def draw_meaning(params: WorldsParams, world: World, split: str) -> Meaning:
    """Labels of a part and what shows them."""
    draw, n = partial(world.draw, split), world.sizes[split]
    classes, modalities = params.kinds, params.modalities
    labels = draw_labels(params, draw("labels"), n)
    shares = params.shares
    place = draw("information").choice(
        len(shares), size=n, p=np.array(list(shares.values())) / sum(shares.values())
    )
    who = np.array(list(shares))[place]
    synergistic = who == "synergistic"
    alone = np.where(synergistic | (who == "redundant"), -1, place - 1)  # the modality that shows a unique label

    conflict = ~synergistic & (draw("conflict").random(n) * max(1 - params.synergistic, 1e-12) < params.conflict)
    contradicting = np.where(conflict, _contradicting(params, draw("contradicting"), alone), -1)
    others = _other(params, draw("others"), labels)
    first = draw("phases").integers(classes, size=n) if classes else draw("phases").uniform(-np.pi, np.pi, n)
    second = (labels - first) % classes if classes else np.pi * ARC * labels - first

    shown, told = {}, {}
    for position, modality in enumerate(modalities):
        says = ~synergistic & ((alone < 0) | (alone == position))
        wrong = contradicting == position
        half = synergistic & (modality in params.together)
        phase = first if modality == params.together[0] else second
        what = np.where(says | wrong, LABEL, np.where(half, PHASE, NOTHING))
        shown[modality] = Shown(what, np.where(half, phase, np.where(wrong, others, labels)))
        told[modality] = np.where(wrong, -1, (says | half).astype(np.int64)) * (
            world.channels[modality].signal > 0
        )
    return Meaning(labels=labels, shown=shown, told=told, synergistic=synergistic, conflict=conflict)


def show(
    classes: int,
    shown: Shown,
    directions: NDArray[np.float64],
    topics: NDArray[np.int64],
    strength: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(n, SIGNAL), zeros if nothing is shown: see `alharness.worlds.features.Signal`.

    There is a direction for each class and each phase; in regression, one for numbers and two for angles.

    Args:
        classes: how many there are; 0 in regression.
        shown: what a modality shows.
        directions: (topics, 2 * classes or 3, SIGNAL).
        topics: (n,).
        strength: (SIGNAL,).
    """
    signal = np.zeros((len(topics), SIGNAL))
    for what in (LABEL, PHASE):
        rows = np.flatnonzero(shown.what == what)
        values, at = shown.values[rows], topics[rows]
        if classes:
            signal[rows] = directions[at, values + classes * (what == PHASE)]
        elif what == LABEL:
            signal[rows] = show_numbers(values, directions, at, strength)
        else:
            cos, sin = np.cos(values)[:, None], np.sin(values)[:, None]
            signal[rows] = cos * directions[at, 1] + sin * directions[at, 2]
    return signal


def draw_labels(params: WorldsParams, rng: np.random.Generator, n: int) -> NDArray[Any]:
    """(n,) classes, or numbers between -1 and 1."""
    if params.kinds:
        return rng.choice(params.kinds, size=n, p=params.class_shares)
    uniform, ratio = rng.random(n), params.imbalance
    # The density grows geometrically from -1 to 1.
    return 2 * (np.log1p(uniform * (ratio - 1)) / np.log(ratio) if ratio > 1 else uniform) - 1


def wrong_labels(params: WorldsParams, rng: np.random.Generator, labels: NDArray[Any]) -> NDArray[Any]:
    """(n,) labels that the samples do not have: of other classes, or any number."""
    return _other(params, rng, labels) if params.kinds else draw_labels(params, rng, len(labels))


def rank(params: WorldsParams, labels: NDArray[Any], turn: float) -> NDArray[np.float64]:
    """(n,) place of the labels between 0 and 1, so that all places are equally frequent: the middle of a class.

    Args:
        params: the knobs.
        labels: (n,).
        turn: share of the classes, or of the range, that goes from the end to the beginning first.
    """
    if not params.kinds:
        return (places(labels) + turn) % 1
    first = round(turn * params.kinds)
    shares = np.roll(params.class_shares, first)
    middles: NDArray[np.float64] = np.cumsum(shares) - shares / 2
    return np.asarray(middles[(labels + first) % params.kinds])


def places(values: NDArray[Any]) -> NDArray[np.float64]:
    """(n,) place of each value in their order, between 0 and 1.

    >>> import numpy as np
    >>> places(np.array([7.0, 3.0]))
    array([0.75, 0.25])
    """
    return (np.argsort(np.argsort(values, kind="stable"), kind="stable") + 0.5) / len(values)


def _contradicting(params: WorldsParams, rng: np.random.Generator, alone: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) the modality that would show another label: never the one that alone shows the right one."""
    weights = np.array(
        [1.0 if params.contradicting is None else params.contradicting.get(m, 0.0) for m in params.modalities]
    )
    chances = np.repeat(weights[None], len(alone), axis=0)
    unique = np.flatnonzero(alone >= 0)
    chances[unique, alone[unique]] = 0
    reached = np.cumsum(chances, axis=1)
    drawn = rng.random((len(alone), 1)) * reached[:, -1:]
    return np.asarray((drawn >= reached).sum(axis=1).clip(0, len(weights) - 1))


def _other(params: WorldsParams, rng: np.random.Generator, labels: NDArray[Any]) -> NDArray[Any]:
    """(n,) other classes, or numbers at least 0.5 away."""
    n = len(labels)
    if params.kinds:
        return (labels + 1 + rng.integers(params.kinds - 1, size=n)) % params.kinds
    return (labels + rng.uniform(0.5, 1.5, n) + 1) % 2 - 1
