"""Labels: one for each modality, which may contradict the others, and a mix."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness_sentiment.modalities import MODALITIES

from .designs import EMOTIONS, LEVELS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from alharness.worlds.population import Population

    from .designs import Recipe, Sentiment

CONTRADICTING = (0.4, 0.35, 0.25)
"""Which modality it is that contradicts the others."""
WEIGHTS = (0.4, 0.25, 0.35)
CONCENTRATION = (1.2, 1.0, 1.4)
"""Half of the mix is fixed, half is drawn per topic from a Dirichlet distribution: which modality dominates has
to be learned topic by topic."""
SLIP = 0.15
"""Probability that a modality's emotion is drawn again, contradiction or not: in CHERMA any two modalities
disagree in more than three samples of ten."""
FIFTHS = ((-5, -4), (-3, -2, -1), (0,), (1, 2, 3), (4, 5))
"""The grid points of the five levels of sentiment. All is computed in whole fifths, so that labels are exactly on
their grid."""
EDGES = (-5.5, -3.5, -0.5, 0.5, 3.5, 5.5)
"""Bounds of the five levels, in fifths: halfway between grid points."""
FLIPPED = 0.6
"""Share of contradictions that change sides; the others are neutral."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Labels:
    """Labels of the n samples of one split.

    Attributes:
        fused: (n,) float32 targets or int64 class indices.
        own: modality -> (n,) labels of that modality alone; features are made from them. A sentiment is between
            -1 and 1, whatever the range of the fused one.
    """

    fused: NDArray[Any]
    own: Mapping[str, NDArray[Any]]


def draw_labels(recipe: Recipe, population: Population) -> Labels:
    """Labels of a split: sentiments, or indices into `EMOTIONS`."""
    sentiment = recipe.design.sentiment
    return draw_sentiments(recipe, sentiment, population) if sentiment else draw_emotions(recipe, population)


def draw_sentiments(recipe: Recipe, sentiment: Sentiment, population: Population) -> Labels:
    """Labels of a regression."""
    draw, n = partial(recipe.draw, population.split), len(population)
    base = _levels(draw("levels"), population.split, n)
    fifths = (base[:, None] + draw("jitter").choice([-1, 0, 0, 1], size=(n, len(MODALITIES)))).clip(-5, 5)
    conflicts, which = contradict(draw("conflict"), recipe.settings.conflict, n)
    fifths[conflicts, which] = _contradiction(draw("contradiction"), base)[conflicts]
    fused = mix(recipe, population, fifths[:, :, None] / 5)[:, 0]
    fused += recipe.settings.label_noise * draw("label noise").standard_normal(n)
    corrupt = population.outliers & (population.split == "train")
    fused[corrupt] = draw("corrupt label").uniform(-1, 1, size=n)[corrupt]
    units = _on_grid(fused, population.split, sentiment.extent * sentiment.per_unit)
    return Labels(
        fused=(units / sentiment.per_unit).astype(np.float32),
        own={m: (fifths[:, position] / 5).astype(np.float32) for position, m in enumerate(MODALITIES)},
    )


def draw_emotions(recipe: Recipe, population: Population) -> Labels:
    """Labels of a classification."""
    draw, n, count = partial(recipe.draw, population.split), len(population), len(MODALITIES)
    shares = np.array(tuple(EMOTIONS.values()))
    shares /= shares.sum()
    classes = len(shares)
    own = np.repeat(draw("emotion").choice(classes, size=(n, 1), p=shares), count, axis=1)
    slipped = draw("slip").random((n, count)) < SLIP
    own[slipped] = draw("slipped").choice(classes, size=(n, count), p=shares)[slipped]
    conflicts, which = contradict(draw("conflict"), recipe.settings.conflict, n)
    own[conflicts, which] = draw("contradiction").choice(classes, size=n, p=shares)[conflicts]
    votes = mix(recipe, population, np.eye(classes)[own])
    votes += recipe.settings.label_noise * draw("label noise").standard_normal((n, classes))
    fused = votes.argmax(axis=1)
    corrupt = population.outliers & (population.split == "train")
    fused[corrupt] = draw("corrupt label").integers(classes, size=n)[corrupt]
    return Labels(fused=fused, own={m: own[:, position] for position, m in enumerate(MODALITIES)})


def contradict(rng: np.random.Generator, probability: float, n: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Who contradicts whom.

    Returns:
        Which of n samples have a modality that contradicts the others, (n,) bool; and of those samples alone the
        position of that modality among `MODALITIES`.
    """
    conflicts = rng.random(n) < probability
    return conflicts, rng.choice(len(MODALITIES), size=n, p=CONTRADICTING)[conflicts]


def mix(recipe: Recipe, population: Population, values: NDArray[Any]) -> NDArray[np.float64]:
    """Convex mix of the modalities, with the weights of each sample's topic: (n, modalities, c) -> (n, c)."""
    drawn = recipe.draw("weights").dirichlet(CONCENTRATION, size=recipe.settings.n_clusters)
    weights = (0.5 * drawn + 0.5 * np.array(WEIGHTS))[population.clusters]
    mixed = np.zeros((len(population), values.shape[2]))
    for position in range(len(MODALITIES)):
        mixed += weights[:, position, None] * values[:, position]
    return mixed


def _on_grid(mixed: NDArray[np.float64], split: str, steps: int) -> NDArray[np.float64]:
    """The mix mapped onto the published levels by quantile: the k-th smallest of n has quantile (k − ½) / n.

    A mix of three sentiments is milder than each of them, so that rounding it would leave the extreme levels of
    the real data nearly empty.

    Args:
        mixed: (n,) finite numbers; only their order counts.
        split: whose levels.
        steps: grid points on each side of zero.

    Returns:
        (n,) whole steps between -steps and steps.
    """
    quantiles = np.empty(len(mixed))
    quantiles[np.argsort(mixed, kind="stable")] = (np.arange(len(mixed)) + 0.5) / len(mixed)
    reached = np.concatenate([[0], np.cumsum(LEVELS[split])]) / sum(LEVELS[split])
    fifths = np.interp(quantiles, reached, EDGES)
    # A grid of 2 · steps + 1 points has as many cells of width 1; that of fifths has 11.
    return np.rint(fifths * ((2 * steps + 1) / 11)) + 0.0  # no zero with a sign


def _levels(rng: np.random.Generator, split: str, n: int) -> NDArray[np.int64]:
    shares = np.concatenate(
        [np.full(len(points), count / len(points)) for points, count in zip(FIFTHS, LEVELS[split], strict=True)]
    )
    return rng.choice(np.concatenate(FIFTHS), size=n, p=shares / shares.sum())


def _contradiction(rng: np.random.Generator, base: NDArray[np.int64]) -> NDArray[np.int64]:
    n = len(base)
    sides = np.where(base == 0, rng.choice([-1, 1], size=n), -np.sign(base))
    return np.where(rng.random(n) < FLIPPED, sides * rng.integers(1, 6, size=n), 0)
