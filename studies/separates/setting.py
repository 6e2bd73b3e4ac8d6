"""One data set of the study, and what was shown on it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from alharness.api.records import FULL_DATA
from alharness.results.statistics import difference, mean
from alharness.text.numbers import NOTHING, typeset

if TYPE_CHECKING:
    from alharness.results.run import RunResults
    from alharness.results.statistics import Difference


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One data set, and what was shown on it.

    Attributes:
        name: as it is called in the tables.
        results: its run.
    """

    name: str
    results: RunResults

    @property
    def random(self) -> str:
        """The label of Random."""
        assert self.results.random is not None
        return self.results.random

    @property
    def made_up(self) -> bool:
        """Whether the data are."""
        return self.results.run.synthetic

    @property
    def rivals(self) -> list[str]:
        """The other samplers, the best area first; no controls."""
        others = {self.random, *self.results.run.controls}
        return [label for label in self.results.ranked if label not in others]

    @cached_property
    def seeds(self) -> list[int]:
        """Those that count for all samplers."""
        return self.results.basis.shared(*self.results.labels)

    @property
    def sign(self) -> int:
        """Of improvements of the metric."""
        return -1 if self.results.lower_is_better else 1

    def against(self, label: str) -> Difference:
        """The difference of a sampler's area to Random's, larger being better."""
        return self.results.pairs[label, self.random]

    @cached_property
    def ceiling(self) -> float:
        """The metric of models that are trained with all labels; NaN without them."""
        found = self.results.basis.shared(FULL_DATA)
        return mean(self.results.curves(FULL_DATA, found)[:, -1]).value if found else math.nan

    @cached_property
    def gap(self) -> float:
        """What is between Random's area and the ceiling, if that is surely above: the unit of differences."""
        seeds = self.results.basis.shared(self.random, FULL_DATA)
        if len(seeds) < 3:
            return math.nan
        above = difference(
            self.results.curves(FULL_DATA, seeds)[:, -1],
            self.results.areas_of(self.random, seeds),
            lower_is_better=self.results.lower_is_better,
        )
        return above.value if above.low > 0 else math.nan

    def closed(self, label: str) -> float:
        """Share of that gap which a sampler closes."""
        return self.against(label).value / self.gap

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """Pairs of samplers other than Random that differ, the better one first."""
        found, ranked = self.results.pairs, self.rivals
        both = [(a, b) for i, a in enumerate(ranked) for b in ranked[i + 1 :]]
        return [pair for pair in both if found[pair].significant]

    def number(self, value: float, sign: str = "") -> str:
        """A value of the metric, with two digits of the noise."""
        decimals = max(3, 1 - math.floor(math.log10(self.noise)))
        return typeset(f"{value:{sign}.{decimals}f}") if math.isfinite(value) else NOTHING

    @cached_property
    def noise(self) -> float:
        """The usual standard deviation, over seeds, of a difference to Random."""
        return math.sqrt(sum(self.against(x).sd ** 2 for x in self.rivals) / len(self.rivals))
