"""What the looks at a run have decided: its comparisons, the samplers' differences, and sentences on them."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from alharness.api.records import RANDOM
from alharness.text.numbers import form

from .sequential import Judged, replay
from .statistics import difference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alharness.api.records import Plan, Stopping

    from .run import RunResults
    from .sequential import Decision, Pair, Replay
    from .statistics import Difference


def look_at(results: RunResults) -> Replay:
    """All looks at the cells of a run that count, at the areas of its ranking metric."""
    run = results.run
    assert run.stopping is not None
    random = first_random(run)
    others = [label for label in run.labels if label != random]
    pairs = [(label, random) for label in others]
    if run.stopping.pairs == "all":
        pairs += combinations(others, 2)
    pending: dict[str, set[int]] = {}
    for record in results.records:
        if record.status in ("pending", "interrupted", "spared") and not record.cell.reference:
            pending.setdefault(record.cell.label, set()).add(record.cell.seed)
    values = {}
    for label in results.labels:
        seeds = sorted(results.basis.cells[label])
        values[label] = dict(zip(seeds, map(float, results.areas_of(label, seeds)), strict=True))
    seeds = list(dict.fromkeys(cell.seed for cell in run.cells))
    return replay(run.stopping, seeds, pairs, values, pending, lower_is_better=results.lower_is_better)


def differences(results: RunResults, metric: str) -> dict[Pair, Difference]:
    """(one, other) -> what the looks have shown of their difference, in both orders.

    Larger is better for the first. Of what no look is at, another metric or another pair, it is the mean alone.
    """
    found: dict[Pair, Difference] = {}
    decisions = results.looks.decisions if metric == results.metric else {}
    for one, other in combinations(results.labels, 2):
        pair = (one, other) if (one, other) in decisions else (other, one)
        if pair in decisions and decisions[pair].seeds:
            judged = decisions[pair].difference
        else:
            shared = results.basis.shared(*pair)
            a, b = (results.areas_of(label, shared, metric) for label in pair)
            judged = Judged.of(difference(a, b, lower_is_better=metric in results.run.lower_is_better))
        found |= {pair: judged, pair[::-1]: judged.turned}
    return found


def first_random(run: Plan) -> str:
    """Label of the sampler that the others are compared with: Random; of several the first."""
    return next(cell.label for cell in run.cells if cell.sampler == RANDOM)


def sentences(results: RunResults, found: Replay) -> Iterator[str]:
    """A sentence on each comparison that is decided; in the end on what is not."""
    rule = results.run.stopping
    assert rule is not None
    for pair, decision in sorted(found.decisions.items(), key=lambda item: len(item[1].seeds)):
        if decision.verdict:
            stops = "; it stops" if rule.pairs == "random" else ""
            yield f"{in_words(pair, decision, rule)}{stops}"
        elif found.over:
            yield in_words(pair, decision, rule)


def in_words(pair: Pair, decision: Decision, rule: Stopping) -> str:
    """`badge is better than random: +0.012 (0.004 to 0.020) after 10 seeds`."""
    one, other = pair
    what = {
        "better": f"{one} is better than {other}",
        "worse": f"{one} is worse than {other}",
        "equal": f"{one} and {other} differ by less than {rule.margin:g}" if rule.margin else "",
        "": f"undecided: {one} and {other}",
    }[decision.verdict]
    found = decision.difference
    if not decision.seeds:
        return f"{what}: fewer than {rule.at_least} seeds in which both are finished"
    shown = form([found.value, found.low, found.high])
    low, value, high = map(shown.number, (found.low, found.value, found.high))
    plus = "+" if found.value > 0 else ""
    return f"{what}: {plus}{value} ({low} to {high}) after {len(decision.seeds)} seeds"
