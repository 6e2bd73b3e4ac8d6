"""`alharness compare`: whether samplers do what they did in an earlier run."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from math import isfinite, isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alharness.results import comparison
from alharness.results.comparability import SLOWER
from alharness.runs.finding import pair_runs
from alharness.text.numbers import fixed, significant
from alharness.text.terminal import safe
from alharness.text.words import grouped

from .options import PATH, workdir_option
from .page import make_console, make_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alharness.results.comparison import CellPair, Comparison, MetricChange, SamplerComparison

    from .console import PageConsole

CHANGED = 1
STYLES = {"changed": "bold red", "unchanged": "bold green", "not compared": "bold yellow"}


@click.command
@click.argument("old", metavar="OLD", type=PATH)
@click.argument("new", metavar="NEW", type=PATH)
@click.option("--only", multiple=True, metavar="LABEL", help="Compare only the sampler of this label.")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="By how much a metric may differ, in its own unit.",
)
@click.option(
    "--slower",
    type=click.FloatRange(min=1),
    default=SLOWER,
    show_default=True,
    help="Queries count as changed if they take more than this many times as long, in every seed.",
)
@workdir_option()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")
def compare(
    old: Path, new: Path, only: tuple[str, ...], tolerance: float, slower: float, workdir: Path, *, as_json: bool
) -> int:
    """Compare two runs of a spec: did a sampler's selections, metrics or query time change from OLD to NEW?

    Run one spec with the old and the new version of a sampler, into two working directories, and compare.
    Cells are matched by label and seed. OLD and NEW may also be two folders of run directories: then runs of the
    same name are compared, such as all settings of a matrix. For example:

    \b
        alharness run spec.yaml --workdir before
        pip install --upgrade my-margin
        alharness run spec.yaml --workdir after
        alharness compare before/spec-1a2b3c4d after/spec-1a2b3c4d
        alharness compare before/spec-1a2b3c4d after/spec-1a2b3c4d --only my_margin --tolerance 1e-6
        alharness compare before after

    Selections are equal if the same ids were chosen in the same order. Cells of OLD that NEW has not
    finished are changes; cells of NEW alone are not. Times are compared if the machine is the same and no
    other cell was running.

    Exit codes: 0 nothing changed, 1 something changed or nothing could be compared, 2 usage.
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    if isnan(tolerance) or isnan(slower):
        raise click.UsageError("--tolerance and --slower are numbers: nan would let everything pass")
    from alharness.results.run import RunResults

    # Only ids are compared, so a damaged pool.npz does not matter.
    pairs = [[RunResults.read(run, with_pool=False) for run in pair] for pair in pair_runs(old, new, workdir)]
    found = [
        comparison.compare(before, after, only=only, tolerance=tolerance, slower=slower) for before, after in pairs
    ]
    if as_json:
        click.echo(json.dumps(_as_data(found[0] if len(found) == 1 else tuple(found)), indent=2))
    else:
        page = make_console()
        for one in found:
            _print(page, one, tolerance, slower)
    return 0 if all(one.verdict == "unchanged" for one in found) else CHANGED


def _as_data(value: Any) -> Any:
    """Records as objects with their verdicts; what is undefined or infinite as null."""
    if is_dataclass(value):
        found = {field.name: _as_data(getattr(value, field.name)) for field in fields(value)}
        verdict = getattr(value, "verdict", None)
        return {"verdict": verdict, **found} if verdict else found
    if isinstance(value, tuple):
        return [_as_data(item) for item in value]
    if isinstance(value, float) and not isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


def _print(page: PageConsole, found: Comparison, tolerance: float, slower: float) -> None:
    page.say(f"OLD {found.old}, NEW {found.new}", style="dim")
    headings = ("sampler", "verdict", "seeds", "selections", "metrics", "query time", "memory +MiB")
    page.print(make_table(headings, (_row(sampler) for sampler in found.samplers)))
    for note in found.notes:
        page.say(safe(f"note: {note}"), style="yellow")
    for sampler in found.samplers:
        for sentence in _sentences(sampler, found.metric, slower):
            page.say(safe(f"{sampler.label}{sentence}"))
    timed = [sampler for sampler in found.samplers if any(pair.query_seconds for pair in sampler.pairs)]
    unjudged = grouped((sampler.time.unjudged, sampler.label) for sampler in timed if sampler.time.unjudged)
    for reason, labels in unjudged.items():
        page.say(f"Query times of {', '.join(labels)} were not compared: {reason}")
    page.say(_summary(found, tolerance), style=STYLES[found.verdict])


def _row(sampler: SamplerComparison) -> tuple[str, ...]:
    compared = [pair for pair in sampler.pairs if pair.compared]
    n, total = len(compared), len(sampler.pairs)
    seeds = str(n) if n == total else f"{n} of {total}"
    if not compared:
        return sampler.label, sampler.verdict, seeds, "–", "–", "–", "–"
    parted = [pair.parting.cycle for pair in compared if pair.parting]
    metrics = dict.fromkeys(difference.metric for pair in compared for difference in pair.differences)
    time = "–" if sampler.time.ratio is None else f"×{significant(sampler.time.ratio)}"
    return (
        sampler.label,
        sampler.verdict,
        seeds,
        f"differ from cycle {min(parted)} in {len(parted)} of {n}" if parted else "same",
        f"differ: {', '.join(metrics)}" if metrics else "same until then" if parted else "same",
        f"{time}, slower" if sampler.time.slower else time,
        " → ".join(map(fixed, sampler.memory)) if sampler.memory else "–",
    )


def _sentences(sampler: SamplerComparison, metric: str, slower: float) -> Iterator[str]:
    """What follows the sampler's label: every change, and what may explain it."""
    for about in sampler.about:
        yield f": {about}"
    unpaired = grouped((pair.unpaired, pair.which) for pair in sampler.pairs if pair.unpaired)
    for reason, seeds in unpaired.items():
        yield f", seed{'' if len(seeds) == 1 else 's'} {', '.join(seeds)}: not compared: {reason}"
    for pair in sampler.pairs:
        for sentence in _changes(pair):
            yield f", seed {pair.which}: {sentence}"
    if sampler.score and any(pair.parting for pair in sampler.pairs):
        old, new = sampler.score
        n = sum(pair.compared for pair in sampler.pairs)
        over = f", mean of {n} seeds" if n > 1 else ""
        yield f": {metric} after the last cycle was {_metric(old, 4)} and is {_metric(new, 4)}{over}"
    if sampler.time.slower:
        ratios = ", ".join(f"×{significant(ratio)} in seed {seed}" for seed, ratio in sampler.time.seeds)
        yield f": queries are slower, by more than ×{slower:g} in every seed: {ratios}"


def _changes(pair: CellPair) -> Iterator[str]:
    if pair.lost:
        yield f"finished in OLD and not in NEW: {pair.lost}"
    if pair.differences:
        first = min(difference.first for difference in pair.differences)
        yield (
            f"metrics differ from cycle {first} on, though both models had the same labels there, so training or "
            f"evaluation changed; the most: {'; '.join(map(_difference, pair.differences))}"
        )
    if part := pair.parting:
        ids = f"{part.common} of {part.size} ids in common"
        what = "the same ids in another order" if part.common == part.size else ids
        why = (
            "which may follow from the metrics' change" if pair.differences else "metrics are the same until then"
        )
        yield (
            f"the query of cycle {part.cycle} chose otherwise ({what}), {why}; "
            f"all from cycle {part.cycle + 1} on follows from the selections"
        )


def _difference(found: MetricChange) -> str:
    if found.new is None or found.old is None:
        return f"{found.metric} is missing in NEW in cycle {found.cycle}"
    more = found.new - found.old
    by = "" if isnan(more) else f" ({'+' if more > 0 else ''}{significant(more)})"
    return f"{found.metric} {_metric(found.old, 6)} → {_metric(found.new, 6)}{by} in cycle {found.cycle}"


def _metric(value: float, digits: int) -> str:
    return "undefined" if isnan(value) else significant(value, digits)


def _summary(found: Comparison, tolerance: float) -> str:
    by_verdict = grouped((sampler.verdict, sampler.label) for sampler in found.samplers)
    left = by_verdict.get("not compared", [])
    more = f"; not compared: {', '.join(left)}" if left else ""
    changed = by_verdict.get("changed", [])
    if changed:
        return f"{len(changed)} of {len(found.samplers)} changed: {', '.join(changed)}{more}."
    if found.verdict == "not compared":
        return "Nothing could be compared: no cell is finished in both runs."
    cells = sum(pair.verdict == "unchanged" for sampler in found.samplers for pair in sampler.pairs)
    within = f" within {tolerance:g}" if tolerance else ""
    return f"Nothing changed: {cells} cells chose the same samples and have the same metrics{within}{more}."
