"""Statistics over seeds: means with intervals, the area under the budget curve, and paired differences."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from alharness.text.numbers import NOISE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

K = TypeVar("K")

ALPHA = 0.05
POWER = 0.8
ENOUGH = 3
"""Seeds from which on a difference is tested: with two, one value of chance decides."""
ENOUGH_FOR_RANKS = 6
"""Seeds from which on Wilcoxon's test can fall below 0.05 at all: its smallest p is 2 / 2^n."""


@dataclass(frozen=True)
class Mean:
    """A mean over seeds.

    Attributes:
        value: the mean; NaN if there is nothing to average.
        half: half the width of its 95 % confidence interval; NaN for fewer than two values.
        n: values averaged.
        undefined: values left out because they were NaN.
        sd: standard deviation, with n - 1; NaN for fewer than two values.
    """

    value: float
    half: float
    n: int
    undefined: int = 0
    sd: float = math.nan

    @property
    def low(self) -> float:
        """Lower bound of the interval."""
        return self.value - self.half

    @property
    def high(self) -> float:
        """Upper bound of the interval."""
        return self.value + self.half


def mean(values: ArrayLike) -> Mean:
    """Mean and 95 % confidence interval by Student's t with n - 1 degrees of freedom; NaN is left out."""
    found = np.asarray(values, float)
    defined = found[~np.isnan(found)]
    n, undefined = len(defined), len(found) - len(defined)
    if n == 0:
        return Mean(math.nan, math.nan, 0, undefined)
    with np.errstate(over="ignore", invalid="ignore"):  # a model that diverged: its interval is unbounded
        sd = float(defined.std(ddof=1)) if n > 1 else math.nan
        half = width(n - 1, 1 - ALPHA / 2) * sd / math.sqrt(n) if n > 1 else math.nan
        return Mean(float(defined.mean()), half, n, undefined, sd)


def alike(rows: Mapping[str, Array]) -> dict[str, Mean]:
    """Means of rows over the same seeds: one that is undefined for a row is left out of all.

    A row without any defined value has no say in this.
    """
    undefined = {label: np.isnan(row) for label, row in rows.items()}
    some = [mask for mask in undefined.values() if not mask.all()]
    kept = ~np.any(some, axis=0)
    return {label: mean(row[kept | undefined[label]]) for label, row in rows.items()}


def aubc(labeled: Sequence[int], values: ArrayLike) -> Array:
    """Area under the budget curve: trapezoids over the labeled count, divided by its range.

    A constant curve has its constant as area, whatever the spacing (Zhan et al., IJCAI 2021). One point alone is
    its own area.

    Args:
        labeled: number of labels at each cycle.
        values: (..., cycles) values of a metric.

    Returns:
        (...,) areas, NaN if a value is NaN.
    """
    curves = np.asarray(values, float)
    if len(labeled) == 1:
        return curves[..., 0]
    area: Array = np.trapezoid(curves, labeled) / (labeled[-1] - labeled[0])
    return area


@dataclass(frozen=True, kw_only=True)
class Difference(Mean):
    """Mean difference of two samplers over the seeds that both finished; larger is better for the first.

    Attributes:
        p: two-sided, of the t-test; NaN if n is too small or all differences are equal.
        adjusted: the same after the correction over its family; p itself if nothing was corrected.
        p_ranks: two-sided, of Wilcoxon's signed-rank test; NaN below six seeds, and if it was not asked for.
        error: standard error that the test takes for the mean difference.
        df: degrees of freedom of that error.
        pooled: whether other samplers had a say in the error if there are any, see `blocks`; if not, it is
            sd / √n.
        tests: how many tests there are in its family.
    """

    p: float
    adjusted: float
    p_ranks: float
    error: float
    df: float
    pooled: bool = False
    tests: int = 1

    @property
    def effect(self) -> float:
        """Mean difference in standard deviations of the differences; NaN if these are all equal."""
        return self.value / self.sd if self.sd > 0 else math.nan

    @property
    def significant(self) -> bool:
        """Whether the corrected p is below 0.05; never with fewer seeds than can show it."""
        return self.n >= ENOUGH and self.adjusted < ALPHA

    @property
    def better(self) -> bool:
        """Whether the first is shown to be better."""
        return self.significant and self.value > 0

    @property
    def worse(self) -> bool:
        """Whether the first is shown to be worse."""
        return self.significant and self.value < 0

    @property
    def detectable(self) -> float:
        """The difference that so many seeds show in four of five experiments; NaN below two seeds.

        (t_{1-α/2m, df} + t_{0.8, df}) · error, a usual approximation, where m is the number of tests.
        """
        if self.n < 2:
            return math.nan
        return width(self.df, 1 - ALPHA / (2 * self.tests), POWER) * self.error


def difference(
    first: ArrayLike, second: ArrayLike, *, lower_is_better: bool, with_ranks: bool = False
) -> Difference:
    """The paired difference of values of the same seeds, in the same order; pairs with a NaN are left out.

    Args:
        first: (n,) values of one sampler.
        second: (n,) values of the other.
        lower_is_better: whether smaller values are better.
        with_ranks: do Wilcoxon's test, too, if there are enough seeds.
    """
    a, b = np.asarray(first, float), np.asarray(second, float)
    defined = ~np.isnan(a) & ~np.isnan(b)
    a, b = a[defined], b[defined]
    d = (b - a) if lower_is_better else (a - b)
    n = len(d)
    # Equal values, and equal differences, differ by rounding, and a test would call that certainty.
    noise = NOISE * max(np.abs(a).max(initial=0.0), np.abs(b).max(initial=0.0))
    d[np.abs(d) <= noise] = 0.0
    found = mean(d)
    if n > 1 and found.sd <= noise:
        found = replace(found, half=0.0, sd=0.0)
    p_ranks = math.nan
    if with_ranks and n >= ENOUGH_FOR_RANKS and found.sd > 0:
        from scipy.stats import wilcoxon

        p_ranks = float(wilcoxon(d).pvalue)
    error = found.sd / math.sqrt(n) if n else math.nan
    untested = Difference(
        **vars(found), p=math.nan, adjusted=math.nan, p_ranks=p_ranks, error=error, df=max(n - 1, 0)
    )
    return by_t(untested, error, n - 1) if n >= ENOUGH and found.sd > 0 else untested


def by_t(found: Difference, error: float, df: float, *, pooled: bool = False) -> Difference:
    """The same difference with a standard error of its mean, and p and interval by Student's t with it."""
    from scipy.special import stdtr

    # As scipy.stats.ttest_rel, which takes a hundred times as long to check its arguments.
    p = float(2 * stdtr(df, -abs(found.value) / error))
    half = width(df, 1 - ALPHA / 2) * error
    return replace(found, error=error, df=df, pooled=pooled, half=half, p=p, adjusted=p)


def corrected(family: Mapping[K, Difference]) -> dict[K, Difference]:
    """The differences after the correction over all of them that were tested.

    By Holm's for paired t-tests. Where tests share their noise, by Bonferroni's, and their intervals with them:
    these exclude 0 where p is below 0.05, and all of them hold at once in 95 of 100 experiments. Holm's is of no
    use then: it corrects the less, the more samplers are clearly better, and those that are left may be the noisy
    ones, whose variance the others make look too small.
    """
    tests = sum(not math.isnan(one.p) for one in family.values())
    if not any(one.pooled for one in family.values()):
        adjusted = holm([one.p for one in family.values()])
        pairs = zip(family.items(), adjusted, strict=True)
        return {key: replace(one, adjusted=p, tests=max(tests, 1)) for (key, one), p in pairs}
    found = {}
    for key, one in family.items():
        half = one.half if math.isnan(one.p) else width(one.df, 1 - ALPHA / (2 * tests)) * one.error
        found[key] = replace(one, adjusted=min(one.p * tests, 1.0), half=half, tests=max(tests, 1))
    return found


def width(df: float, *levels: float) -> float:
    """Quantiles of Student's t at these levels, added up."""
    from scipy.special import stdtrit  # scipy.stats has it too, and takes a second to import

    return float(sum(stdtrit(df, level) for level in levels))


def holm(p: Sequence[float]) -> list[float]:
    """Adjusted p of one family (Holm, 1979); NaN stays NaN and does not count as a test.

    Written out, since the import of statsmodels takes longer than the rest of a report; a test compares the two.
    """
    values = np.array(p, float)
    order = np.argsort(values)[: np.count_nonzero(~np.isnan(values))]  # NaN comes last
    factors = np.arange(len(order), 0, -1)
    values[order] = np.minimum(np.maximum.accumulate(values[order] * factors), 1)
    return [float(value) for value in values]
