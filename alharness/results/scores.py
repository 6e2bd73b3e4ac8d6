"""Areas of several settings on one scale, and what they show together: see `aggregate` for the statistics."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from alharness.api.records import FULL_DATA

from .aggregate import (
    Estimate,
    bounds,
    interquartile_mean,
    plain_weights,
    probability_of_improvement,
    profile,
    resampled_weights,
    signed_rank,
)
from .efficiency import ENOUGH_FOR_INTERVAL
from .statistics import aubc, mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from .aggregate import Posterior
    from .run import RunResults

    Array = NDArray[np.float64]

ENOUGH = 2
"""Settings from which on scores are averaged over them: of one its own page says more."""
ENOUGH_FOR_POSTERIOR = 5
"""Settings from which on the signed-rank test says anything but what its prior does."""
EQUIVALENT = 0.05
"""Differences of scores within ± this make no difference in practice."""
FULL, GAIN = (
    "what a model trained with all labels is better than Random's area",
    "what Random gains from the first label count to the last",
)
"""What the unit of the scale is, in words."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Scores:
    """Areas under the curve on one scale: 0 is Random's mean area in a setting, and larger is better.

    Attributes:
        labels: the samplers.
        settings: names of the settings that are on the scale.
        counts: seeds of each, which all samplers have.
        random: label of Random; None if it is not in every setting.
        values: (samplers, runs): the scores, setting by setting; those of Random are means of its replicates.
        replicates: (replicates, runs): the scores of each replicate of Random that all seeds have. Each is a run,
            so that statistics of single runs are averaged over them.
        unit: what a score of 1 is more than Random's mean area; empty without a scale.
        left_out: sentences on settings that are not on the scale.
        stopping: settings whose seeds stop when they are decided.
    """

    labels: tuple[str, ...]
    settings: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    random: str | None = None
    values: Array
    replicates: Array
    unit: str = ""
    left_out: tuple[str, ...] = ()
    stopping: tuple[str, ...] = ()

    @property
    def refusal(self) -> str:
        """Why nothing is said over all settings; empty if something is."""
        if self.random is None:
            return "Without Random in each setting scores have no common scale: add `random` to the specs."
        if len(self.settings) < ENOUGH:
            return (
                f"Scores are averaged over {ENOUGH} settings or more, and on the scale are {len(self.settings)}."
            )
        return ""

    @property
    def without_intervals(self) -> str:
        """Why there are no intervals; empty if there are."""
        if self.refusal:
            return ""
        if self.stopping:
            return (
                "Intervals from resamples need a number of seeds that was chosen beforehand, and in "
                f"{_some(self.stopping)} seeds stop when they are decided."
            )
        few = [name for name, n in zip(self.settings, self.counts, strict=True) if n < ENOUGH_FOR_INTERVAL]
        if not few:
            return ""
        return (
            f"Intervals from resamples of the seeds need {ENOUGH_FOR_INTERVAL} seeds in each setting, and "
            f"{_some(few)} {'has' if len(few) == 1 else 'have'} fewer: with three, they miss too often."
        )

    @property
    def without_posterior(self) -> str:
        """Why there is no signed-rank test; empty if there is one."""
        n = len(self.settings)
        if self.refusal or n >= ENOUGH_FOR_POSTERIOR:
            return ""
        return f"The signed-rank test over settings needs {ENOUGH_FOR_POSTERIOR} of them, and these are {n}."

    @cached_property
    def _weights(self) -> tuple[Array, Array]:
        """Of the runs as they are, and of resamples of them, which are none if there are too few seeds."""
        drawn = np.empty((0, sum(self.counts))) if self.without_intervals else resampled_weights(self.counts)
        return plain_weights(self.counts), drawn

    @cached_property
    def _means(self) -> tuple[Array, Array]:
        """(samplers, 1) interquartile means, and (samplers, resamples)."""
        plain, drawn = (interquartile_mean(self.values, weights) for weights in self._weights)
        if len(self.replicates) > 1:
            base = self.labels.index(str(self.random))
            for found, weights in zip((plain, drawn), self._weights, strict=True):
                found[base] = interquartile_mean(self.replicates, weights).mean(axis=0)
        return plain, drawn

    def interquartile_mean(self, label: str) -> Estimate:
        """Of the scores of a sampler."""
        row = self.labels.index(label)
        plain, drawn = self._means
        return self._estimate(plain[row], drawn[row])

    def gain(self, label: str) -> Estimate:
        """By how much the interquartile mean of a sampler is above Random's, paired by seed."""
        row, base = self.labels.index(label), self.labels.index(str(self.random))
        plain, drawn = self._means
        return self._estimate(plain[row] - plain[base], drawn[row] - drawn[base])

    def improvement(self, label: str) -> Estimate:
        """Probability that a run of a sampler beats one of Random in the same setting."""
        one = self.values[self.labels.index(label)]
        plain, drawn = (
            np.mean([probability_of_improvement(one, other, self.counts, w) for other in self.replicates], axis=0)
            for w in self._weights
        )
        return self._estimate(plain, drawn)

    def profile(self, label: str, thresholds: Array) -> tuple[Array, Array, Array]:
        """Share of the runs of a sampler above each threshold, and the ends of its intervals, NaN without any."""
        rows = self.replicates if label == self.random else self.values[[self.labels.index(label)]]
        plain, drawn = (np.mean([profile(row, w, thresholds) for row in rows], axis=0) for w in self._weights)
        none = np.full(len(thresholds), np.nan)
        low, high = bounds(drawn.T, self.counts) if len(drawn) else (none, none)
        return plain[0], low, high

    @cached_property
    def differences(self) -> Mapping[str, Array]:
        """Sampler -> (settings,) mean scores less those of Random."""
        starts = np.cumsum((0, *self.counts[:-1]))
        means = np.add.reduceat(self.values, starts, axis=1) / np.array(self.counts)
        means -= means[self.labels.index(str(self.random))]
        return dict(zip(self.labels, means, strict=True))

    def posterior(self, label: str, equivalent: float = EQUIVALENT) -> Posterior:
        """Whether a sampler is better than Random in practice, by the Bayesian signed-rank test over settings."""
        return signed_rank(self.differences[label].tolist(), equivalent)

    def _estimate(self, plain: Array, drawn: Array) -> Estimate:
        if not len(drawn):
            return Estimate(value=float(plain[0]))
        low, high = bounds(drawn, self.counts)
        return Estimate(value=float(plain[0]), low=float(low), high=float(high))


def scores(
    runs: Mapping[str, RunResults],
    seeds: Mapping[str, Sequence[int]],
    labels: Sequence[str],
    random: str | None,
    stopping: Sequence[str] = (),
) -> Scores:
    """Put the areas of all settings on one scale.

    Its unit is the difference of a model trained with all labels and Random's area, if every setting has such
    models over these seeds; otherwise what Random's curve gains from the first label count to the last. A setting
    in which that is not surely positive is left out.

    Args:
        runs: name of a setting -> its run.
        seeds: name of a setting -> the seeds that all samplers have there.
        labels: the samplers.
        random: label of Random.
        stopping: settings whose seeds stop when they are decided.
    """
    if random is None or not seeds:
        return Scores(labels=tuple(labels), values=np.empty((len(labels), 0)), replicates=np.empty((1, 0)))
    full = all(set(own) <= {*runs[name].basis.cells.get(FULL_DATA, ())} for name, own in seeds.items())
    kept, left_out, values, replicates = {}, [], [], []
    for name, own in seeds.items():
        run = runs[name]
        sign = -1.0 if run.lower_is_better else 1.0
        areas = sign * np.array([run.areas_of(label, own) for label in labels])
        zero = areas[list(labels).index(random)]
        curves = sign * run.curves(random, own)
        gains = sign * run.curves(FULL_DATA, own)[:, -1] - zero if full else curves[:, -1] - curves[:, 0]
        unit = mean(gains)
        if not (unit.low if unit.n > 1 else unit.value) > 0:
            left_out.append(
                f"{name} is not on the common scale: {FULL if full else GAIN} is not surely positive there"
            )
            continue
        kept[name] = len(own)
        values.append((areas - zero.mean()) / unit.value)
        single = aubc(run.labeled, run.replicates(random, own)).T
        single = single[~np.isnan(single).any(axis=1)]
        replicates.append((sign * single - zero.mean()) / unit.value)
    common = min(map(len, replicates), default=1)
    return Scores(
        labels=tuple(labels),
        settings=tuple(kept),
        counts=tuple(kept.values()),
        random=random,
        values=np.concatenate([np.empty((len(labels), 0)), *values], axis=1),
        replicates=np.concatenate([np.empty((common, 0)), *(rows[:common] for rows in replicates)], axis=1),
        unit=FULL if full else GAIN,
        left_out=tuple(left_out),
        stopping=tuple(name for name in stopping if name in kept),
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
