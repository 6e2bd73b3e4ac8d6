"""Several runs, each a setting of its own: ranks over them, tests, penalties. Nothing is pooled across runs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from alharness.errors import RunError
from alharness.text.numbers import NOISE
from alharness.text.words import grouped

from .basis import seed_list
from .efficiency import saving
from .penalty import penalties
from .scores import scores
from .speedup import speed_ups
from .statistics import ALPHA, corrected, mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from alharness.api.records import Plan

    from .aggregate import Estimate
    from .efficiency import Saving
    from .penalty import Penalties
    from .run import RunResults
    from .scores import Scores
    from .statistics import Difference, Mean

ENOUGH_SETTINGS = 5
"""Settings from which on a critical difference is drawn: with fewer, ranks are hardly an average."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranking:
    """Ranks of k samplers over N settings.

    Attributes:
        labels: the samplers.
        settings: names of the settings.
        ranks: (N, k), 1 for the best; ties share.
        p: of Friedman's test; NaN below three samplers or five settings.
        agreement: Kendall's W: 0 if settings rank as by chance, 1 if all rank alike; NaN if p is.
        critical: Nemenyi's critical difference of average ranks at 0.05; NaN if Friedman's p is.
    """

    labels: tuple[str, ...]
    settings: tuple[str, ...]
    ranks: NDArray[np.float64]
    p: float
    agreement: float
    critical: float

    @property
    def average(self) -> NDArray[np.float64]:
        """(k,); NaN without settings."""
        if not self.settings:
            return np.full(len(self.labels), np.nan)
        mean: NDArray[np.float64] = self.ranks.mean(axis=0)
        return mean

    def of(self, label: str) -> float:
        """The average rank of a sampler."""
        return float(self.average[self.labels.index(label)])

    def better(self, one: str, other: str) -> bool:
        """Whether one is shown to be better than another: by Friedman's test and by more than chance may do."""
        return self.p < ALPHA and self.of(other) - self.of(one) > self.critical

    @property
    def refusal(self) -> str:
        """Why there is no critical-difference diagram; empty if there is one."""
        n, k = self.ranks.shape
        if n < ENOUGH_SETTINGS:
            return (
                f"A critical-difference diagram needs at least {ENOUGH_SETTINGS} settings (data sets x budgets), "
                f"and these are {n}: seeds of one setting are no independent settings."
            )
        if k < 3:
            return f"A critical-difference diagram needs at least three samplers, and these are {k}."
        return ""


def rank(labels: Sequence[str], settings: Sequence[str], values: NDArray[np.float64]) -> Ranking:
    """Ranks from values (N, k), larger being better."""
    from scipy import stats

    n, k = values.shape
    ranks = stats.rankdata(-values, axis=1) if n else np.zeros((0, k))
    p = agreement = critical = math.nan
    if n >= ENOUGH_SETTINGS and k >= 3:
        p, agreement = 1.0, 0.0  # if all are equal in every setting, for which the test's formula divides 0 by 0
        if np.ptp(values, axis=1).any():
            friedman = stats.friedmanchisquare(*values.T)
            p, agreement = float(friedman.pvalue), float(friedman.statistic / (n * (k - 1)))
        # The studentized range of infinitely many degrees of freedom, divided by √2 (Demšar, JMLR 2006).
        q = stats.studentized_range.ppf(0.95, k, np.inf) / math.sqrt(2)
        critical = float(q * math.sqrt(k * (k + 1) / (6 * n)))
    return Ranking(
        labels=tuple(labels), settings=tuple(settings), ranks=ranks, p=p, agreement=agreement, critical=critical
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Settings:
    """Runs side by side.

    Attributes:
        runs: name of a setting -> its run; names are distinct.
        common: samplers with a cell that counts in every setting, which alone are ranked; no controls.
    """

    runs: Mapping[str, RunResults]
    common: tuple[str, ...]

    @cached_property
    def _shared(self) -> Mapping[str, Sequence[int]]:
        return {name: found.basis.shared(*self.common) for name, found in self.runs.items()}

    @property
    def seeds(self) -> Mapping[str, Sequence[int]]:
        """Name of a setting -> the seeds that all common samplers have there; absent if there is none."""
        return {name: seeds for name, seeds in self._shared.items() if seeds}

    @cached_property
    def areas(self) -> Mapping[str, Mapping[str, Mean]]:
        """Name of a setting with such seeds -> common sampler -> mean area over them."""
        return {
            name: {
                label: self.runs[name].shown(mean(self.runs[name].areas_of(label, seeds))) for label in self.common
            }
            for name, seeds in self.seeds.items()
        }

    @cached_property
    def ranking(self) -> Ranking:
        """Of the common samplers by these areas."""
        values = [
            [(-1 if self.runs[name].lower_is_better else 1) * area.value for area in areas.values()]
            for name, areas in self.areas.items()
        ]
        return rank(self.common, list(self.areas), np.array(values, float).reshape(-1, len(self.common)))

    @property
    def stopping(self) -> tuple[str, ...]:
        """Settings whose seeds stop when comparisons are decided, each with a confidence of its own."""
        return tuple(name for name, one in self.runs.items() if one.run.stopping)

    @property
    def enough(self) -> int:
        """In so many settings whose seeds stop a sampler must be decided to be better, to be shown to be.

        Each of them decides wrongly at times. In so many at once chance does so in one of twenty grids at most.
        """
        rules = [one.run.stopping for one in self.runs.values() if one.run.stopping]
        wrong = max((1 - rule.confidence for rule in rules), default=0.0)
        n = len(rules)
        chances = [math.comb(n, m) * wrong**m * (1 - wrong) ** (n - m) for m in range(n + 1)]
        return next((m for m in range(1, n + 1) if sum(chances[m:]) <= ALPHA * (1 + NOISE)), n + 1)

    @property
    def plans(self) -> list[Plan]:
        """What was asked for in each setting."""
        return [one.run for one in self.runs.values()]

    @property
    def random(self) -> str | None:
        """Label of Random, if it is the same in every setting; None otherwise."""
        randoms = {found.random for found in self.runs.values()}
        return randoms.pop() if len(randoms) == 1 else None

    @cached_property
    def against_random(self) -> Mapping[tuple[str, str], Difference]:
        """(setting, common sampler) -> difference to Random over the seeds that both have.

        The correction is over all of them. Empty without Random.
        """
        if self.random is None:
            return {}
        return corrected(
            {
                (name, label): found.pairs[label, self.random]
                for name, found in self.runs.items()
                for label in self.common
                if label not in found.basis.randoms
            }
        )

    @cached_property
    def scores(self) -> Scores:
        """Areas of the common samplers on one scale, see `scores.scores`."""
        return scores(self.runs, self.seeds, self.common, self._common_random, self.stopping)

    @cached_property
    def savings(self) -> Mapping[tuple[str, str], Saving]:
        """(setting, common sampler other than its Random) -> labels saved until Random's final value."""
        return {
            (name, label): saving(self.runs[name], label, random, seeds=seeds)
            for name, seeds in self.seeds.items()
            if (random := self.runs[name].random) is not None
            for label in self.common
            if label != random
        }

    @cached_property
    def speed_ups(self) -> Mapping[str, tuple[Mapping[str, Estimate], Estimate]]:
        """Common sampler -> how much quicker than Random it is in each setting, and in the mean. Empty without."""
        random = self._common_random
        if random is None or not self.seeds:
            return {}
        rivals = [label for label in self.common if label != random]
        return {label: speed_ups(self.runs, self.seeds, label, random) for label in rivals}

    @property
    def _common_random(self) -> str | None:
        """Random, if it is ranked."""
        return self.random if self.random in self.common else None

    @property
    def tests(self) -> int:
        """How many differences to Random were tested."""
        return sum(not math.isnan(d.p) for d in self.against_random.values())

    @cached_property
    def best(self) -> str | None:
        """Of the common samplers shown to be better than Random, the one with the best average rank.

        A sampler is shown to be better by its ranks, or within a setting while it is worse in none; within several
        if their seeds stop, see `enough`. Random if none is; None without Random.
        """
        random, ranking = self.random, self.ranking
        if random is None or not ranking.settings:
            return random
        shown = []
        for label in dict.fromkeys(label for _, label in self.against_random):
            own = {name: pair for (name, other), pair in self.against_random.items() if other == label}
            better = [name for name, pair in own.items() if pair.better]
            decided = sum(name in self.stopping for name in better)
            within = decided < len(better) or decided >= self.enough
            within = within and not any(pair.worse for pair in own.values())
            if ranking.of(label) < ranking.of(random) and (within or ranking.better(label, random)):
                shown.append(label)
        return min(shown, key=ranking.of, default=random)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Sentences on what is not ranked, or over fewer seeds, and why."""
        found = []
        for label in dict.fromkeys(label for one in self.runs.values() for label in one.run.labels):
            if any(label in one.run.controls for one in self.runs.values()):
                found.append(f"{label} is not ranked: it is a control, which reads what is known of made-up data")
            elif label not in self.common:
                absent = [name for name, one in self.runs.items() if label not in one.labels]
                found.append(f"{label} is not ranked: it has no finished seed in {', '.join(absent)}")
        found += [
            f"{label} has other parameters in some settings: see the report of each"
            for label in self.common
            if _differs(label, self.runs)
        ]
        return (*found, *_gaps(self.runs, self.common, self._shared))


def name_settings(found: Iterable[RunResults]) -> dict[str, RunResults]:
    """Runs by distinct names: that of the spec, or of the experiment if another run has that.

    Raises:
        RunError: a run is named twice.
    """
    named: dict[str, RunResults] = {}
    seen: dict[str, str] = {}
    for results in found:
        run = results.run
        if run.experiment in seen:
            raise RunError(
                f"{run.folder} and {seen[run.experiment]} are the same experiment, {run.experiment}: counted "
                "twice, its ranks would look surer than they are. Name each setting once"
            )
        seen[run.experiment] = str(run.folder)
        named[run.name if run.name not in named else run.experiment] = results
    return named


def settings(found: Iterable[RunResults]) -> Settings:
    """Put runs side by side.

    Raises:
        RunError: a run is named twice, or the runs have no sampler in common.
    """
    runs = name_settings(found)
    labels = dict.fromkeys(label for one in runs.values() for label in one.run.labels)
    controls = {label for one in runs.values() for label in one.run.controls}
    common = tuple(x for x in labels if x not in controls and all(x in one.labels for one in runs.values()))
    if not common:
        raise RunError("these runs have no sampler in common that has finished a seed in each of them")
    return Settings(runs=runs, common=common)


def summed_penalties(found: Settings) -> Penalties | None:
    """Matrices of the settings added up, the largest possible entry being their number.

    None without Random, and if seeds stop.
    """
    runs = [*found.runs.values()]
    possible = not found.stopping and all(one.random for one in runs)
    return penalties(runs, found.common) if possible else None


def _gaps(
    runs: Mapping[str, RunResults], common: Sequence[str], shared: Mapping[str, Sequence[int]]
) -> Iterator[str]:
    """What is missing among the samplers that are ranked, once for all settings that lack the same."""
    found = []
    for name, one in runs.items():
        lacking = {label: seeds for label, seeds in one.basis.lacking().items() if label in common}
        parts = ", ".join(f"{label} lacks {seed_list(seeds)}" for label, seeds in lacking.items())
        found.append(((parts, tuple(shared[name])), name))
    for (parts, seeds), names in grouped(item for item in found if item[0][0]).items():
        are = f"{', '.join(names)} {'is' if len(names) == 1 else 'are'}"
        if seeds:
            yield f"{are} ranked over {seed_list(seeds)}, which all samplers have ({parts})"
        else:
            yield f"{are} left out of the ranks: the samplers have no seed in common ({parts})"


def _differs(label: str, runs: Mapping[str, RunResults]) -> bool:
    kinds = {
        (cell.sampler, repr(sorted(cell.params.items())))
        for found in runs.values()
        for cell in found.run.cells
        if cell.label == label
    }
    return len(kinds) > 1
