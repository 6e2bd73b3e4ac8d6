"""Compares two runs of a spec: did a sampler's selections, metrics or query time change?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Literal

from alharness.errors import SpecError
from alharness.text.words import did_you_mean

from .comparability import SLOWER, Time, about, both_sides, cost, judge, notes, other_machine, require_comparable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from alharness.api.records import CycleRecord, Outcome

    from .run import RunResults

Verdict = Literal["unchanged", "changed", "not compared"]


@dataclass(frozen=True, kw_only=True)
class FirstDifference:
    """The first query in which two cells choose differently; in everything later they are other experiments.

    Attributes:
        cycle: of the query.
        size: ids that OLD chose.
        common: ids that both chose, in whatever order.
    """

    cycle: int
    size: int
    common: int


@dataclass(frozen=True, kw_only=True)
class MetricChange:
    """A metric that differs although both models were trained on the same labels.

    Attributes:
        metric: its name.
        first: the first cycle in which it differs.
        cycle: the one in which it differs most.
        old: its value in OLD; None if there is none.
        new: its value in NEW.
    """

    metric: str
    first: int
    cycle: int
    old: float | None
    new: float | None


@dataclass(frozen=True, kw_only=True)
class CellPair:
    """The two cells of a sampler and a seed.

    Attributes:
        seed: which.
        replicate: of Random, which of its cells within the seed.
        lost: why NEW has not finished what OLD has; empty if it has.
        unpaired: why there was nothing to compare, which does not count as a change; empty if there was.
        parting: the first selection that differs; None if all are equal.
        differences: metrics that differ until then.
        query_seconds: of all queries, OLD and NEW; None if they were not measured.
    """

    seed: int
    replicate: int = 1
    lost: str = ""
    unpaired: str = ""
    parting: FirstDifference | None = None
    differences: tuple[MetricChange, ...] = ()
    query_seconds: tuple[float, float] | None = None

    @property
    def which(self) -> str:
        """Seed and replicate, in words."""
        return f"{self.seed} (replicate {self.replicate})" if self.replicate > 1 else str(self.seed)

    @property
    def compared(self) -> bool:
        """Whether both runs have finished it."""
        return not (self.lost or self.unpaired)

    @property
    def verdict(self) -> Verdict:
        """Of selections and metrics."""
        if self.unpaired:
            return "not compared"
        return "changed" if self.lost or self.parting or self.differences else "unchanged"


@dataclass(frozen=True, kw_only=True)
class SamplerComparison:
    """One sampler, or the references.

    Attributes:
        label: its label in the spec.
        pairs: by seed.
        time: of its queries.
        score: mean over the compared seeds of the metric that ranks, after the last cycle, OLD and NEW.
        memory: the largest increase of resident memory in a query, MiB, OLD and NEW; for information.
        about: what else differs: distribution and parameters; for information.
    """

    label: str
    pairs: tuple[CellPair, ...]
    time: Time
    score: tuple[float, float] | None = None
    memory: tuple[float, float] | None = None
    about: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Changed if a pair is, or if queries are slower."""
        return "changed" if self.time.slower else _verdict(pair.verdict for pair in self.pairs)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two run directories.

    Attributes:
        old: folder of the first.
        new: folder of the second.
        metric: the metric that ranks.
        samplers: in the order of OLD, then those that only NEW has.
        notes: what else differs between the runs, in sentences.
    """

    old: Path
    new: Path
    metric: str
    samplers: tuple[SamplerComparison, ...]
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Changed if a sampler is; not compared if none could be."""
        return _verdict(sampler.verdict for sampler in self.samplers)


def _verdict(parts: Iterable[Verdict]) -> Verdict:
    found = set(parts)
    return "changed" if "changed" in found else "unchanged" if "unchanged" in found else "not compared"


def compare(
    old: RunResults, new: RunResults, *, only: Iterable[str] = (), tolerance: float = 0.0, slower: float = SLOWER
) -> Comparison:
    """Compare the cells that have label and seed in common.

    Args:
        old: what counts as right.
        new: what is compared with it.
        only: labels of samplers; empty for all.
        tolerance: by how much a metric may differ, in its own unit.
        slower: how many times as long the queries of a cell must take to count as slower.

    Raises:
        RunError: the runs differ in data, split, initial pool or schedule.
        SpecError: a label that neither run has.
    """
    labels = _labels(old, new, tuple(only))
    before, after = (
        {(one.cell.label, one.cell.seed, one.cell.replicate): one for one in run.records if one.status != "spared"}
        for run in (old, new)
    )
    both = {place: (before[place], after[place]) for place in before if place in after and place[0] in labels}
    require_comparable(old, new, both.values())
    machine, metric = other_machine(old, new), old.run.metric
    samplers = []
    for label in labels:
        places = sorted(place for place in {*before, *after} if place[0] == label)
        pairs = [_pair(place, before.get(place), after.get(place), new, tolerance) for place in places]
        mine = [both[place] for place, pair in zip(places, pairs, strict=True) if pair.compared]
        samplers.append(
            SamplerComparison(
                label=label,
                pairs=tuple(pairs),
                time=judge(mine, machine, slower),
                score=both_sides(mine, lambda cell: [cell.cycles[-1].metrics.get(metric, math.nan)], fmean),
                memory=both_sides(mine, cost("cpu_peak_increase_mib"), max),
                about=about(pair for (name, *_), pair in both.items() if name == label),
            )
        )
    return Comparison(
        old=old.run.folder,
        new=new.run.folder,
        metric=metric,
        samplers=tuple(samplers),
        notes=notes(old, new, both.values()),
    )


def _labels(old: RunResults, new: RunResults, only: tuple[str, ...]) -> list[str]:
    cells = [*old.run.cells, *new.run.cells]
    known = list(dict.fromkeys([*old.run.labels, *new.run.labels, *(c.label for c in cells if c.reference)]))
    for name in only:
        if name not in known:
            raise SpecError(f"--only {name}: neither run has such a sampler{did_you_mean(name, known)}")
    return [label for label in known if not only or label in only]


def _pair(
    place: tuple[str, int, int], old: Outcome | None, new: Outcome | None, run: RunResults, tolerance: float
) -> CellPair:
    _, seed, replicate = place
    if old is None:
        return CellPair(seed=seed, replicate=replicate, unpaired="only in NEW")
    if old.status != "ok":
        return CellPair(seed=seed, replicate=replicate, unpaired=f"not finished in OLD ({_state(old)})")
    if new is None and any((one.cell.label, one.cell.seed) == (old.cell.label, seed) for one in run.spared):
        return CellPair(seed=seed, replicate=replicate, unpaired="not needed in NEW")
    if new is None:
        skipped = next((skip.reason for skip in run.run.skips if skip.label == old.cell.label), "")
        return CellPair(
            seed=seed,
            replicate=replicate,
            lost=f"skipped: {skipped}" if skipped else "not among the cells of the run",
        )
    if new.status != "ok":
        return CellPair(seed=seed, replicate=replicate, lost=_state(new))
    parting = _parting(old.cycles, new.cycles)
    shared = parting.cycle + 1 if parting else len(old.cycles)  # a model is measured before its query
    return CellPair(
        seed=seed,
        replicate=replicate,
        parting=parting,
        differences=_differences(old.cycles[:shared], new.cycles[:shared], tolerance),
        query_seconds=both_sides([(old, new)], cost("query_seconds"), sum),
    )


def _state(record: Outcome) -> str:
    n = len(record.cycles)
    if n == 0 and record.status == "pending":
        return "not begun"
    return f"{record.status} after {n} cycle{'' if n == 1 else 's'}{': ' if record.error else ''}{record.error}"


def _parting(old: Sequence[CycleRecord], new: Sequence[CycleRecord]) -> FirstDifference | None:
    for a, b in zip(old, new, strict=True):
        if a.chosen != b.chosen:
            return FirstDifference(cycle=a.cycle, size=len(a.chosen), common=len({*a.chosen} & {*b.chosen}))
    return None


def _differences(
    old: Sequence[CycleRecord], new: Sequence[CycleRecord], tolerance: float
) -> tuple[MetricChange, ...]:
    """Those of the metrics of OLD; one that only NEW has is no change."""
    found = []
    for metric in dict.fromkeys(name for cycle in old for name in cycle.metrics):
        values = [(a.cycle, a.metrics.get(metric), b.metrics.get(metric)) for a, b in zip(old, new, strict=True)]
        apart = [(cycle, a, b) for cycle, a, b in values if _distance(a, b) > tolerance]
        if apart:
            cycle, a, b = max(apart, key=lambda value: _distance(value[1], value[2]))
            found.append(MetricChange(metric=metric, first=apart[0][0], cycle=cycle, old=a, new=b))
    return tuple(found)


def _distance(a: float | None, b: float | None) -> float:
    """Of two values of a metric; undefined ones are equal to each other and to nothing else."""
    if a == b or (a is not None and b is not None and math.isnan(a) and math.isnan(b)):
        return 0.0
    if a is None:
        return 0.0
    distance = math.nan if b is None else abs(a - b)
    return math.inf if math.isnan(distance) else distance
