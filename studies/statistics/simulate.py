"""How often tests say that samplers differ if they do not, and if they do.

    python studies/statistics/simulate.py > table.md

prints the tables that `docs/explanation/statistics.md` shows in part. Each number comes from thousands of made-up
experiments: `n` seeds, `k` samplers and Random, which runs `R` times within a seed. An error is an experiment in
which any true null hypothesis is rejected, power is the share of real differences that are found. Seeds are fixed:
the same command gives the same numbers. One thread, about seven minutes.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from alharness.results.blocks import pooled

Array = NDArray[np.float64]
ALPHA = 0.05
DATA = Path(__file__).parents[2] / "tests" / "data"


# Worlds: standard deviations of the noise within a seed of k samplers, and that of Random.


def last(count: float, sd: float) -> Callable[[int], Array]:
    """The last samplers, a number or a share of them, are noisier than the others."""

    def scales(k: int) -> Array:
        noisy = count if count >= 1 else max(1, round(count * k))
        return np.where(np.arange(k) >= k - noisy, sd, 1.0)

    return scales


def ones(k: int) -> Array:
    """All are equally noisy."""
    return np.ones(k)


def normal(rng: np.random.Generator, shape: tuple[int, int, int], k: int) -> Array:
    """Normal noise."""
    return rng.standard_normal(shape)


def heavy(rng: np.random.Generator, shape: tuple[int, int, int], k: int) -> Array:
    """Student's t with 5 degrees of freedom, of variance 1."""
    return np.asarray(rng.standard_t(5, shape) / (5 / 3) ** 0.5)


def skewed(rng: np.random.Generator, shape: tuple[int, int, int], k: int) -> Array:
    """A gamma distribution of skewness 1, of variance 1."""
    return (rng.standard_gamma(4, shape) - 4) / 2


def unruly(rng: np.random.Generator, shape: tuple[int, int, int], k: int) -> Array:
    """Every third seed is three times as noisy for all samplers."""
    scale = np.where(rng.random((*shape[:2], 1)) < 1 / 3, 3, 1)
    return np.asarray(rng.standard_normal(shape) * scale / (11 / 3) ** 0.5)


def variants(rng: np.random.Generator, shape: tuple[int, int, int], k: int) -> Array:
    """Half of the samplers are variants of one: their noise has a correlation of 0.8."""
    noise, mine = rng.standard_normal(shape), max(1, k // 2)
    noise[..., :mine] = np.sqrt(0.8) * rng.standard_normal((*shape[:2], 1)) + np.sqrt(0.2) * noise[..., :mine]
    return noise


Noise = Callable[[np.random.Generator, tuple[int, int, int], int], Array]
WORLDS: dict[str, tuple[Callable[[int], Array], float, Noise]] = {
    "equal": (ones, 1, normal),
    "Random twice as noisy": (ones, 2, normal),
    "samplers' sd from .5 to 2": (lambda k: np.geomspace(0.5, 2, k) if k > 1 else np.ones(1), 1, normal),
    "one sampler three times as noisy": (last(1, 3), 1, normal),
    "heavy tails (t, 5 df)": (ones, 1, heavy),
    "Random half as noisy": (ones, 0.5, normal),
    "samplers' sd from .25 to 4": (lambda k: np.geomspace(0.25, 4, k) if k > 1 else np.ones(1), 1, normal),
    "one sampler six times as noisy": (last(1, 6), 1, normal),
    "two samplers six times as noisy": (last(2, 6), 1, normal),
    "a third three times as noisy": (last(1 / 3, 3), 1, normal),
    "half twice as noisy": (last(0.5, 2), 1, normal),
    "half three times as noisy": (last(0.5, 3), 1, normal),
    "half six times as noisy": (last(0.5, 6), 1, normal),
    "all but one six times as noisy": (lambda k: np.where(np.arange(k) > 0, 6.0, 1.0), 1, normal),
    "skewed": (ones, 1, skewed),
    "every third seed three times as noisy": (ones, 1, unruly),
    "half are variants of one": (ones, 1, variants),
}


def effects(world: str, k: int, which: str) -> Array:
    """Differences to Random: none; every third by 1.5; or the quieter half by so much that it is always found."""
    scales = WORLDS[world][0](k)
    if which == "some":
        return np.where(np.arange(k) % 3 == 0, 1.5, 0.0)
    quiet = scales <= np.sqrt(scales.min() * scales.max())
    return np.where(quiet & (np.arange(k) < k - 1), 50.0, 0.0) if which == "quiet" else np.zeros(k)


def experiments(world: str, n: int, k: int, r: int, which: str, count: int, *, growing: bool = False) -> Array:
    """(count, n, k + r) values; the replicates of Random come last."""
    scales, random, noise = WORLDS[world]
    rng = np.random.default_rng(zlib.crc32(f"{world}, {n}, {k}, {r}, {which}".encode()))
    found = noise(rng, (count, n, k + r), k)
    better = effects(world, k, which)
    samplers = found[..., :k] * scales(k) * (1 + better / 1.5 if growing else 1.0) + better
    return np.concatenate([samplers, random * found[..., k:]], axis=-1)


# Methods: adjusted p of all differences of a family, (count, m), from values (count, n, k + r).


def t_test(means: Array, errors: Array, df: Array | float) -> Array:
    """Two-sided p."""
    p: Array = 2 * stdtr(df, -np.abs(means) / errors)
    return p


def holm(p: Array) -> Array:
    """Holm's correction along the last axis."""
    order, m = np.argsort(p, axis=-1), p.shape[-1]
    steps = np.maximum.accumulate(np.take_along_axis(p, order, -1) * np.arange(m, 0, -1), axis=-1)
    out = np.empty_like(p)
    np.put_along_axis(out, order, np.minimum(steps, 1), axis=-1)
    return out


def positions(k: int, pairs: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of the first and the second of each pair: samplers and Random, or all pairs of samplers."""
    one, other = np.array([*combinations(range(k), 2)] if pairs else [(i, k) for i in range(k)]).T
    return one, other


def differences(values: Array, k: int, pairs: bool) -> Array:
    """(count, n, m) differences of a family."""
    means = np.concatenate([values[..., :k], values[..., k:].mean(-1, keepdims=True)], axis=-1)
    one, other = positions(k, pairs)
    found: Array = means[..., one] - means[..., other]
    return found


def paired(values: Array, k: int, pairs: bool = False) -> Array:
    """Each by its own paired t-test; Holm."""
    d, n = differences(values, k, pairs), values.shape[-2]
    return holm(t_test(d.mean(-2), d.std(-2, ddof=1) / np.sqrt(n), n - 1))


def residuals(values: Array, k: int, pairs: bool = False) -> Array:
    """One variance for all: that of the residuals of seeds and rows, as in an analysis of variance; Holm."""
    rows = values[..., :k] if pairs else values
    n, m = rows.shape[-2:]
    rest = rows - rows.mean(-2, keepdims=True)
    rest -= rest.mean(-1, keepdims=True)
    df, random = (n - 1) * (m - 1), 1 if pairs else m - k
    errors = np.sqrt((rest**2).sum((-1, -2)) / df * (1 + 1 / random) / n)[..., None]
    return holm(t_test(differences(values, k, pairs).mean(-2), errors, df))


def drawn(values: Array, k: int, pairs: bool) -> Array:
    """Each variance drawn toward the mean; not corrected."""
    d, n = differences(values, k, pairs), values.shape[-2]
    if d.shape[-1] < 2:
        return paired(values, k, pairs)
    variances, df = pooled(d, k - 1 if pairs else k)
    return t_test(d.mean(-2), np.sqrt(variances / n), df)


def blocks(values: Array, k: int, pairs: bool = False) -> Array:
    """What alharness does: with Bonferroni's correction."""
    p = drawn(values, k, pairs)
    return np.asarray(np.minimum(p * p.shape[-1], 1))


def drawn_holm(values: Array, k: int, pairs: bool = False) -> Array:
    """The same with Holm's, to show why not."""
    return holm(drawn(values, k, pairs))


METHODS = {"paired t, Holm": paired, "one variance, Holm": residuals, "drawn, Holm": drawn_holm, "blocks": blocks}


# Tables.


def errors_and_power(p: Array, better: Array, pairs: bool = False) -> tuple[float, float]:
    """Share of experiments with any false rejection, and share of real differences that are found."""
    one, other = positions(len(better), pairs)
    level = np.append(better, 0.0)
    null, shown = level[one] == level[other], p < ALPHA
    wrong = float(shown[:, null].any(-1).mean()) if null.any() else np.nan
    return wrong, float(shown[:, ~null].mean()) if (~null).any() else np.nan


def entry(world: str, n: int, k: int, r: int, count: int, pairs: bool) -> Iterator[tuple[float, float, float]]:
    """Of each method: error if nothing differs, the largest error if something does, and power."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in METHODS}
    for which in ("none", "some", "quiet"):
        values, better = experiments(world, n, k, r, which, count), effects(world, k, which)
        for name, method in METHODS.items():
            found[name].append(errors_and_power(method(values, k, pairs), better, pairs))
    for (nothing, _), (some, power), (quiet, _) in found.values():
        yield nothing, float(np.nanmax([some, quiet, 0.0])), power


def table(title: str, k: int, seeds: tuple[int, ...], count: int, *, pairs: bool = False) -> Iterator[str]:
    """One row for each world, n and R; the largest errors in the last row."""
    yield f"\n## {title}\n"
    yield (
        f"{count:,} experiments each. Error if nothing differs / the larger error of two worlds in which some do "
        "/ power if every third sampler is better by 1.5.\n"
    )
    yield f"| noise | n | R | {' | '.join(METHODS)} |"
    yield "| --- | --- | --- | " + " | ".join("---" for _ in METHODS) + " |"
    worst = dict.fromkeys(METHODS, (0.0, 0.0))
    for world in WORLDS:
        for n in seeds:
            for r in (1,) if pairs else (1, 3):
                cells = [*entry(world, n, k, r, count, pairs)]
                for name, (nothing, some, _) in zip(METHODS, cells, strict=True):
                    worst[name] = max(worst[name][0], nothing), max(worst[name][1], some)
                shown = " | ".join(f"{a:.3f} / {b:.3f} / {c:.2f}" for a, b, c in cells)
                yield f"| {world} | {n} | {r} | {shown} |"
    yield "| largest | | | " + " | ".join(f"**{a:.3f} / {b:.3f}**" for a, b in worst.values()) + " |"


def growing(count: int) -> Iterator[str]:
    """Samplers that are better are noisier, too."""
    yield "\n## Noise that grows with the effect: a sampler that is better by 1.5 is twice as noisy\n"
    yield "| n | R | " + " | ".join(METHODS) + " |"
    yield "| --- | --- | " + " | ".join("---" for _ in METHODS) + " |"
    for n in (3, 5, 10):
        for r in (1, 3):
            values, better = (
                experiments("equal", n, 9, r, "some", count, growing=True),
                effects("equal", 9, "some"),
            )
            found = [errors_and_power(method(values, 9), better) for method in METHODS.values()]
            yield f"| {n} | {r} | " + " | ".join(f"{a:.3f} / {b:.2f}" for a, b in found) + " |"


def lacking(count: int) -> Iterator[str]:
    """Some samplers lack seeds, and nothing differs."""
    yield "\n## Nine samplers against Random, some of which lack seeds; nothing differs\n"
    yield "| noise | n | which lack seeds, and have | paired t, Bonferroni | blocks |"
    yield "| --- | --- | --- | --- | --- |"
    for world in WORLDS:
        for n, few in ((5, 3), (6, 4), (10, 4), (20, 3)):
            for which, place in (
                ("the first three", slice(3)),
                ("the last three", slice(6, 9)),
                ("eight", slice(8)),
            ):
                d = differences(experiments(world, n, 9, 1, "none", count), 9, pairs=False)
                d[:, few:, place] = np.nan
                counts, means = (~np.isnan(d)).sum(1), np.nanmean(d, axis=1)
                own = t_test(means, np.sqrt(np.nanvar(d, axis=1, ddof=1) / counts), counts - 1)
                variances, df = pooled(d, 9)
                ours = t_test(means, np.sqrt(variances / counts), df)
                errors = " | ".join(f"{(9 * p < ALPHA).any(-1).mean():.3f}" for p in (own, ours))
                yield f"| {world} | {n} | {which}: {few} | {errors} |"


def real(count: int) -> Iterator[str]:
    """Real areas without their differences, drawn again."""
    yield "\n## Real runs in which nothing differs\n"
    yield (
        "Areas of F1 of two runs on clip art (Random and 11 samplers over 3 seeds; Random and 9 over 6). Every "
        "sampler is moved to one mean, so that nothing differs, and what a seed does to all is removed. "
        "*Shuffled*: in each new seed, the residuals of a real one in a random order and with one random sign; "
        "replicates of Random are further draws. *Whole seeds*: real seeds as they are, with a random sign, so "
        "that each sampler keeps its noise and its likeness to others; three or six seeds are few to draw from, "
        "so that a paired t-test errs as well. *Normal*: normal noise with each sampler's own standard deviation "
        "in the run. Error:\n"
    )
    yield "| run | drawn | n | R | " + " | ".join(METHODS) + " |"
    yield "| --- | --- | --- | --- | " + " | ".join("---" for _ in METHODS) + " |"
    for run, rows in json.loads((DATA / "clipart_areas.json").read_text()).items():
        if run == "about":
            continue
        areas = np.array([rows[label] for label in sorted(rows, key=lambda label: label == "random")]).T
        rest = areas - areas.mean(0)
        rest -= rest.mean(1, keepdims=True)
        for how in ("shuffled", "whole seeds", "normal"):
            for n in (3, 5, 10):
                for r in (1, 3):
                    if how == "whole seeds" and r > 1:
                        continue
                    rng = np.random.default_rng(zlib.crc32(f"{run}, {how}, {n}, {r}".encode()))
                    values = redrawn(rest, how, (count, n), r, rng)
                    k = rest.shape[-1] - 1
                    found = [errors_and_power(m(values, k), np.zeros(k))[0] for m in METHODS.values()]
                    yield (
                        f"| {run.replace('_', ' ')} | {how} | {n} | {r} | "
                        + " | ".join(f"{a:.3f}" for a in found)
                        + " |"
                    )


def randoms(count: int) -> Iterator[str]:
    """Random against Random."""
    yield "\n## Random against Random\n"
    yield (
        "Areas of F1 of 600 real cells on digits: Random ten times in each of 60 seeds, with other draws. For an "
        "experiment n of the seeds and a random order of the ten are drawn; the last R are the replicates of "
        "Random, and the others nine or seven samplers that are equal to it. Error:\n"
    )
    yield f"| n | R | {' | '.join(METHODS)} |"
    yield "| --- | --- | " + " | ".join("---" for _ in METHODS) + " |"
    areas = np.array(json.loads((DATA / "digits_randoms.json").read_text())["areas"])
    for n in (3, 5, 10, 20):
        for r in (1, 3):
            rng, k = np.random.default_rng(zlib.crc32(f"randoms, {n}, {r}".encode())), areas.shape[1] - r
            seeds = np.argsort(rng.random((count, len(areas))), axis=1)[:, :n]
            order = np.argsort(rng.random((count, areas.shape[1])), axis=1)
            values = areas[seeds[:, :, None], order[:, None, :]]
            found = [errors_and_power(m(values, k), np.zeros(k))[0] for m in METHODS.values()]
            yield f"| {n} | {r} | " + " | ".join(f"{a:.3f}" for a in found) + " |"


def redrawn(rest: Array, how: str, shape: tuple[int, int], r: int, rng: np.random.Generator) -> Array:
    """(count, n, k + r) new values from residuals (seeds, k + 1)."""
    seeds, rows = rest.shape
    if how == "normal":
        scales = np.append(rest.std(0, ddof=1), [rest[:, -1].std(ddof=1)] * (r - 1))
        return np.asarray(rng.standard_normal((*shape, rows - 1 + r)) * scales)
    signs = rng.choice([-1.0, 1.0], (*shape, 1))
    found = rest[rng.integers(0, seeds, shape)] * signs
    if how == "whole seeds":
        return np.asarray(found)
    more = rest[rng.integers(0, seeds, (*shape, r - 1)), rng.integers(0, rows, (*shape, r - 1))] * signs
    return np.concatenate([rng.permuted(found, axis=-1), more], axis=-1)


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", type=int, default=20_000, metavar="N", help="of each kind")
    parser.add_argument("--quick", action="store_true", help="nine samplers, and the comparisons with Random only")
    asked = parser.parse_args()
    count = asked.experiments

    def show(lines: Iterator[str]) -> None:
        for line in lines:
            print(line, flush=True)

    show(table("Nine samplers against Random", 9, (3, 5, 10, 20), count))
    show(growing(count))
    show(lacking(count))
    show(real(count))
    show(randoms(count))
    if asked.quick:
        return
    for k in (1, 2, 5, 15):
        show(table(f"{k} sampler{'s' if k > 1 else ''} against Random", k, (3, 5, 10), count))
    for k in (3, 5, 9):
        show(table(f"All pairs of {k} samplers", k, (3, 5, 10), count, pairs=True))


if __name__ == "__main__":
    main()
