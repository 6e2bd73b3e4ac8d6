"""Several runs, each a setting of its own: ranks over them, penalties, savings. Nothing is pooled across runs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from alharness.errors import RunError

from .basis import seed_list
from .penalty import penalties
from .ranking import rank
from .statistics import holm, mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .penalty import Penalties
    from .ranking import Ranking
    from .run import RunResults
    from .statistics import Difference, Mean


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Runs side by side.

    Attributes:
        runs: name of a setting -> its run; names are distinct.
        common: samplers with a cell that counts in every setting, which alone are ranked.
        seeds: name of a setting -> the seeds that all common samplers have there; absent if there is none.
        areas: name of such a setting -> common sampler -> mean area over these seeds.
        ranking: of the common samplers by these areas.
        random: label of Random, if it is the same in every setting; None otherwise.
        against_random: (setting, common sampler) -> difference to Random over the seeds that both have, with
            Holm's correction over all of them; empty without Random.
        best: of the common samplers shown to be better than Random, the one with the best average rank; Random if
            there is none; None without Random.
        left_out: sentences on what is not ranked, or over fewer seeds, and why.
    """

    runs: Mapping[str, RunResults]
    common: tuple[str, ...]
    seeds: Mapping[str, tuple[int, ...]]
    areas: Mapping[str, Mapping[str, Mean]]
    ranking: Ranking
    random: str | None
    against_random: Mapping[tuple[str, str], Difference]
    best: str | None
    left_out: tuple[str, ...]

    @property
    def tests(self) -> int:
        """How many differences to Random were tested."""
        return sum(not math.isnan(d.p) for d in self.against_random.values())


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


def settings(found: Sequence[RunResults]) -> Settings:
    """Put runs side by side.

    Raises:
        RunError: a run is named twice, or the runs have no sampler in common.
    """
    labels = dict.fromkeys(label for results in found for label in results.run.labels)
    runs = name_settings(found)
    common = tuple(label for label in labels if all(label in found.labels for found in runs.values()))
    if not common:
        raise RunError("these runs have no sampler in common that has finished a seed in each of them")
    shared = {
        name: tuple(sorted(set.intersection(*(set(found.basis.cells[label]) for label in common))))
        for name, found in runs.items()
    }
    seeds = {name: those for name, those in shared.items() if those}
    areas = {
        name: {x: mean(runs[name].at(runs[name].all_areas, x, those)) for x in common}
        for name, those in seeds.items()
    }
    values = [
        [(-1 if runs[name].lower_is_better else 1) * by[label].value for label in common]
        for name, by in areas.items()
    ]
    ranking = rank(common, list(seeds), np.array(values, float).reshape(len(seeds), len(common)))
    randoms = {found.random for found in runs.values()}
    random = randoms.pop() if len(randoms) == 1 else None
    against_random = _against_random(runs, common, random) if random else {}
    left_out = [_why(label, runs) for label in labels if label not in common]
    left_out += [
        f"{label} has other parameters in some settings: see the report of each"
        for label in common
        if _differs(label, runs)
    ]
    left_out += _gaps(runs, common, shared)
    return Settings(
        runs=runs,
        common=common,
        seeds=seeds,
        areas=areas,
        ranking=ranking,
        random=random,
        against_random=against_random,
        best=_best(ranking, random, against_random) if random else None,
        left_out=tuple(left_out),
    )


def summed_penalties(found: Settings) -> Penalties | None:
    """Matrices of the settings added up, the largest possible entry being their number; None without Random."""
    parts = [one for one in found.runs.values() if one.random]
    return penalties(parts, found.common) if len(parts) == len(found.runs) else None


def _against_random(
    runs: Mapping[str, RunResults], common: Sequence[str], random: str
) -> dict[tuple[str, str], Difference]:
    pairs = {
        (name, label): found.pairs[label, random]
        for name, found in runs.items()
        for label in common
        if label not in found.basis.randoms
    }
    adjusted = holm([pair.p for pair in pairs.values()])
    return {key: replace(pair, adjusted=p) for (key, pair), p in zip(pairs.items(), adjusted, strict=True)}


def _best(ranking: Ranking, random: str, pairs: Mapping[tuple[str, str], Difference]) -> str:
    """A sampler is shown to be better by its ranks, or within a setting while it is worse in none."""
    if not ranking.settings:
        return random

    def shown(label: str) -> bool:
        own = [pair for (_, other), pair in pairs.items() if other == label]
        within = any(pair.better for pair in own) and not any(pair.worse for pair in own)
        return ranking.of(label) < ranking.of(random) and (within or ranking.better(label, random))

    rivals = dict.fromkeys(label for _, label in pairs)
    return min((label for label in rivals if shown(label)), key=ranking.of, default=random)


def _why(label: str, runs: Mapping[str, RunResults]) -> str:
    absent = [name for name, found in runs.items() if label not in found.labels]
    return f"{label} is not ranked: it has no finished seed in {', '.join(absent)}"


def _gaps(
    runs: Mapping[str, RunResults], common: Sequence[str], shared: Mapping[str, Sequence[int]]
) -> Iterator[str]:
    """What is missing among the samplers that are ranked, once for all settings that lack the same."""
    alike: dict[tuple[str, tuple[int, ...]], list[str]] = {}
    for name, found in runs.items():
        lacking = {label: seeds for label, seeds in found.basis.lacking().items() if label in common}
        parts = ", ".join(f"{label} lacks {seed_list(seeds)}" for label, seeds in lacking.items())
        if parts:
            alike.setdefault((parts, tuple(shared[name])), []).append(name)
    for (parts, seeds), names in alike.items():
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
