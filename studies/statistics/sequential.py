"""Seeds until decided: which rule needs fewest seeds, whether it holds its level, and what it costs.

Usage: OMP_NUM_THREADS=1 python studies/statistics/sequential.py [REPEATS]

Prints markdown. Everything is drawn from fixed seeds: the same figures on every machine. Samplers are given as
their values in a seed after all that the samplers of a seed share, which drops out of paired differences. Effects
are in standard deviations of a paired difference.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from alharness.results import sequential

Array = NDArray[Any]
Boundaries = Callable[[float, tuple[int, ...]], Array]
"""Level and seeds of each look -> t-statistics that decide."""

MOST, LEVEL = 50, 0.05
SAMPLERS = (2, 5, 9)


def noise(world: str, rng: np.random.Generator, repeats: int, k: int) -> Array:
    """(repeats, seeds, k) values without any difference; Random is the first."""
    scale = np.ones(k)
    if world == "Random twice as noisy":
        scale[0] = 2
    elif world == "sd from .5 to 2":
        scale = np.geomspace(0.5, 2, k)
    elif world == "one three times as noisy":
        scale[-1] = 3
    values: Array = rng.standard_normal((repeats, MOST, k)) * scale
    if world == "heavy tails (t, 5 df)":
        values = rng.standard_t(5, (repeats, MOST, k)) / np.sqrt(5 / 3)
    if world == "heavier tails (t, 3 df)":
        values = rng.standard_t(3, (repeats, MOST, k)) / np.sqrt(3)
    if world.startswith("skewed"):
        values = np.exp(0.5 * values)
        values = (values - np.exp(0.125)) / values.std()
    if world == "skewed, Random not":
        values[:, :, 0] = 0.3 * rng.standard_normal((repeats, MOST))
    return values


WORLDS = (
    "equal",
    "Random twice as noisy",
    "sd from .5 to 2",
    "one three times as noisy",
    "heavy tails (t, 5 df)",
    "heavier tails (t, 3 df)",
    "skewed (log-normal)",
    "skewed, Random not",
)


def spending(share: Callable[[int], float]) -> Boundaries:
    """Exact boundaries for a function that says which share of the error is spent at n seeds."""

    def boundaries(level: float, sizes: tuple[int, ...]) -> Array:
        old = sequential.spent
        vars(sequential)["spent"] = share
        sequential._look.cache_clear()  # noqa: SLF001 - it does not know the function
        try:
            return np.array([sequential.critical(sizes[:last], level) for last in range(1, len(sizes) + 1)])
        finally:
            vars(sequential)["spent"] = old
            sequential._look.cache_clear()  # noqa: SLF001

    return boundaries


def mixture(g: float) -> Boundaries:
    """The confidence sequence of Wang and Ramdas (2023) with a Gaussian mixture over effects of variance 1 / g."""

    def boundaries(level: float, sizes: tuple[int, ...]) -> Array:
        n = np.array(sizes, float)
        ratio = ((n + g) / (g * level**2)) ** (1 / n)
        left = 1 - ratio * g / (n + g)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(left > 0, np.sqrt((n - 1) * (ratio - 1) / left), np.inf)

    return boundaries


def obrien_fleming(level: float, sizes: tuple[int, ...]) -> Array:
    """Lan and DeMets' spending that is like O'Brien and Fleming's."""
    return spending(lambda n: 2 * special.ndtr(special.ndtri(level / 2) / np.sqrt(n / MOST)) / level)(level, sizes)


RULES: dict[str, Boundaries] = {
    "chosen: n / (n + 10)": spending(sequential.spent),
    "n / (n + 5)": spending(lambda n: n / (n + 5)),
    "n / (n + 20)": spending(lambda n: n / (n + 20)),
    "√(n / 50)": spending(lambda n: np.sqrt(n / MOST)),
    "n / 50": spending(lambda n: n / MOST),
    "(n / 50)²": spending(lambda n: (n / MOST) ** 2),
    "O'Brien-Fleming": obrien_fleming,
    "mixture, g = 1": mixture(1),
    "mixture, g = 3": mixture(3),
}


@cache
def sizes(block: int, at_least: int = 5) -> tuple[int, ...]:
    """Seeds of all looks."""
    return (*range(at_least, MOST, block), MOST)


@cache
def boundaries(rule: str, level: float, block: int) -> Array:
    """T-statistics that decide, of all looks."""
    return RULES[rule](level, sizes(block))


class Looks:
    """Means, standard deviations and t-statistics of differences (repeats, seeds, comparisons) at every look."""

    def __init__(self, d: Array, block: int) -> None:
        self.n = np.array(sizes(block))[:, None]
        self.mean = d.cumsum(1)[:, self.n[:, 0] - 1] / self.n
        squares = (d * d).cumsum(1)[:, self.n[:, 0] - 1]
        self.sd = np.sqrt(np.maximum(squares - self.n * self.mean**2, 0) / (self.n - 1))
        self.t = self.mean / self.sd * np.sqrt(self.n)

    def when(self, bounds: Array, margin: float | None = None) -> tuple[Array, ...]:
        """Seeds at the decision, (repeats, comparisons); whether a difference, and whether none was decided."""
        half = bounds[:, None] * self.sd / np.sqrt(self.n)
        apart = np.abs(self.mean) > half
        equal = np.abs(self.mean) + half <= margin if margin else np.zeros_like(apart)
        at = (apart | equal).argmax(1)
        pick = np.take_along_axis
        different = pick(apart & ~equal, at[:, None], 1)[:, 0]
        alike = pick(equal, at[:, None], 1)[:, 0]
        return np.where(different | alike, self.n[at, 0], MOST), different, alike


def with_random(values: Array) -> Array:
    """Differences of all samplers and Random."""
    return values[:, :, 1:] - values[:, :, :1]


def say(*lines: str) -> None:
    """Print a paragraph."""
    print(" ".join(lines), end="\n\n")


def table(head: list[str], rows: list[list[str]]) -> None:
    """Print a table."""
    print("| " + " | ".join(head) + " |")
    print("| " + " | ".join("---" for _ in head) + " |")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(flush=True)


def choose(repeats: int) -> None:
    """The rules against each other."""
    effects = (0.6, 0.8, 1.06, 1.5, 2.0, 3.0)
    for block in (5, 1):
        say(
            f"**Which rule?** 9 samplers, 3 of them better, looks every {block} from 5 to {MOST} seeds; mean",
            "seeds of the better ones (share decided). A Bonferroni correction over 8 comparisons.",
        )
        rng = np.random.default_rng(1)
        base = with_random(rng.standard_normal((repeats, MOST, 9)))
        looks = {e: Looks(base + e * np.sqrt(2) * (np.arange(8) < 3), block) for e in (0.0, *effects)}
        rows = []
        for rule in RULES:
            bounds = boundaries(rule, LEVEL / 8, block)
            row = [rule, f"{looks[0.0].when(bounds)[1].any(1).mean():.3f}"]
            for effect in effects:
                seeds, different, _ = looks[effect].when(bounds)
                row.append(f"{seeds[:, :3].mean():.1f} ({different[:, :3].mean():.2f})")
            rows.append(row)
        table(["spent by n seeds", "false positives, all equal", *(f"effect {e}" for e in effects)], rows)


def level(repeats: int) -> None:
    """False positives over the whole procedure."""
    rule = next(iter(RULES))
    say(
        f"**Does it hold its level?** All samplers equal; share of whole runs, 5 to {MOST} seeds in blocks of 5,",
        f"in which a comparison is called different ({repeats:,} runs each, level {LEVEL}). Last: one look at 10",
        "seeds.",
    )
    rows = []
    for world in WORLDS:
        row = [world]
        for k in SAMPLERS:
            rng = np.random.default_rng(k)
            values = noise(world, rng, repeats, k)
            found = Looks(with_random(values), 5).when(boundaries(rule, LEVEL / (k - 1), 5))[1]
            row.append(f"{found.any(1).mean():.3f}")
            if k > 2:
                pairs = list(combinations(range(k), 2))
                d = np.stack([values[:, :, a] - values[:, :, b] for a, b in pairs], -1)
                found = Looks(d, 5).when(boundaries(rule, LEVEL / len(pairs), 5))[1]
                row.append(f"{found.any(1).mean():.3f}")
        d = with_random(values)[:, :10]
        t = d.mean(1) / d.std(1, ddof=1) * np.sqrt(10)
        row.append(f"{(np.abs(t) >= stats.t.ppf(1 - LEVEL / 16, 9)).any(1).mean():.3f}")
        rows.append(row)
    samplers = ["2 samplers", "5, with Random", "5, all pairs", "9, with Random", "9, all pairs"]
    table(["noise", *samplers, "9, with Random, 10 seeds"], rows)


def price(repeats: int) -> None:
    """What looking costs, and what it saves."""
    rule = next(iter(RULES))
    say(
        "**What does it cost?** Seeds that a sampler needs until it is shown to be better than Random. Fixed: the",
        "smallest number of seeds, chosen beforehand, with which one paired t-test shows it in 90 of 100 runs, at",
        "the same correction. Until decided: mean (90th percentile) of the seeds, 5 to 50 in blocks of 5, and how",
        "many of 100 are decided by then.",
    )
    effects = (0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 4.0)
    rows = []
    for effect in effects:
        row = [str(effect)]
        for k in SAMPLERS:
            rng = np.random.default_rng(10 * k)
            d = rng.standard_normal((repeats * 2, MOST, 1)) + effect
            seeds, different, _ = Looks(d, 5).when(boundaries(rule, LEVEL / (k - 1), 5))
            row += [
                str(fixed(effect, LEVEL / (k - 1))),
                f"{seeds.mean():.1f} ({np.quantile(seeds, 0.9):.0f}), {100 * different.mean():.0f}",
            ]
        rows.append(row)
    head = ["effect"]
    for k in SAMPLERS:
        head += [f"{k} samplers: fixed", "until decided"]
    table(head, rows)


def fixed(effect: float, level: float, power: float = 0.9) -> int:
    """Seeds with which one paired t-test has this power."""
    n = 2
    while True:
        n += 1
        critical = stats.t.ppf(1 - level / 2, n - 1)
        if stats.nct.sf(critical, n - 1, effect * np.sqrt(n)) >= power:
            return n


def margins(repeats: int) -> None:
    """Claims of no relevant difference."""
    rule = next(iter(RULES))
    say(
        "**No relevant difference.** Margins in standard deviations of a paired difference. `equal`: the samplers",
        "do not differ at all, mean seeds (share called so). `at the margin`: all differ by just the margin, so",
        "that the claim is false: share of runs with any such claim.",
    )
    rows = []
    for margin in (0.4, 0.5, 0.7, 1.0):
        row = [str(margin)]
        for k in SAMPLERS:
            rng = np.random.default_rng(100 * k)
            d = with_random(rng.standard_normal((repeats, MOST, k))) / np.sqrt(2)
            bounds = boundaries(rule, LEVEL / (k - 1), 5)
            seeds, _, alike = Looks(d, 5).when(bounds, margin)
            _, _, false = Looks(d + margin, 5).when(bounds, margin)
            row += [f"{seeds.mean():.1f} ({alike.mean():.2f})", f"{false.any(1).mean():.3f}"]
        rows.append(row)
    head = ["margin"]
    for k in SAMPLERS:
        head += [f"{k} samplers: equal", "at the margin"]
    table(head, rows)


def coverage(repeats: int) -> None:
    """The interval of the look that decides."""
    rule = next(iter(RULES))
    rng = np.random.default_rng(7)
    say(
        "**Do the intervals hold?** Share of the intervals of the deciding look (or the last one) that hold the",
        "true difference, one comparison at 95 %, by its size in standard deviations.",
    )
    bounds, rows = boundaries(rule, LEVEL, 5), []
    for effect in (0.0, 0.5, 1.0, 2.0, 3.0):
        looks = Looks(rng.standard_normal((repeats * 4, MOST, 1)) + effect, 5)
        seeds, _, _ = looks.when(bounds)
        at = (seeds[:, None] == looks.n[None]).argmax(1)
        mean, sd = (np.take_along_axis(x, at[:, None], 1)[:, 0] for x in (looks.mean, looks.sd))
        half = bounds[at] * sd / np.sqrt(seeds)
        naive = stats.t.ppf(0.975, seeds - 1) * sd / np.sqrt(seeds)
        rows.append(
            [
                str(effect),
                f"{(np.abs(mean - effect) <= half).mean():.3f}",
                f"{(np.abs(mean - effect) <= naive).mean():.3f}",
                f"{mean.mean():.2f}",
            ]
        )
    table(["true difference", "this interval", "that of a fixed number of seeds", "mean estimate"], rows)


def cells(repeats: int) -> None:
    """A whole run."""
    rule = next(iter(RULES))
    rng = np.random.default_rng(3)
    d = with_random(rng.standard_normal((repeats, MOST, 9))) / np.sqrt(2)
    d += np.array([3, 2, 2, 1.5, 1, 0.3, 0, 0])
    say(
        "**A whole run.** Random and 8 samplers that are better by 3, 2, 2, 1.5, 1, .3, 0 and 0 standard",
        "deviations, 5 to 50 seeds, of 450 cells:",
    )
    rows = []
    for margin in (None, 0.5, 0.7):
        seeds, different, alike = Looks(d, 5).when(boundaries(rule, LEVEL / 8, 5), margin)
        total = seeds.sum(1) + seeds.max(1)
        rows.append(
            [
                str(margin or "none"),
                f"{total.mean():.0f}",
                f"{different[:, :5].mean() * 5:.1f} of 5",
                f"{alike[:, 5:].mean() * 3:.1f} of 3",
            ]
        )
    table(["margin", "cells", "shown to be better", "no relevant difference"], rows)


if __name__ == "__main__":
    repeats = int(sys.argv[1]) if sys.argv[1:] else 10_000
    for part in (choose, level, price, margins, coverage, cells):
        part(repeats)
