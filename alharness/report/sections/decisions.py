"""What the looks at finished seeds have decided, of a run whose seeds stop when they have."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from alharness.report.cells import Column, Table, Value, bold, count, interval
from alharness.report.document import Section
from alharness.runs.finding import enough
from alharness.text.numbers import NOTHING, percent, significant

from .differences import areas

if TYPE_CHECKING:
    from alharness.report.pictures import Styles
    from alharness.results.run import RunResults
    from alharness.results.sequential import Replay

WORDS = {"better": "better", "worse": "worse", "equal": "no relevant difference", "": "undecided"}


UNTESTED = (
    "Nothing else is tested: a penalty matrix, p values and intervals of means need a number of seeds that was "
    "chosen beforehand."
)


def section(results: RunResults, styles: Styles) -> Section:
    """The rule in a sentence, every comparison with its interval, and what stayed undecided."""
    found = results.looks
    undecided = ", ".join(f"{one} and {other}" for one, other in found.open)
    used = enough(results.records)
    return Section(
        anchor="differences",
        title="Differences",
        paragraphs=[
            _rule(results, len(found.decisions)),
            f"{used}." if used else "",
            f"Undecided after {found.looked} seeds: {undecided}." if undecided and found.looked else "",
            "" if found.over else "The run is not finished: the next look needs more cells.",
            UNTESTED,
        ],
        pictures=[areas(results, styles)],
        tables=[_table(results, found)],
    )


def _rule(results: RunResults, comparisons: int) -> str:
    rule, most = results.run.stopping, len({cell.seed for cell in results.run.cells})
    assert rule is not None
    margin = f", or is within ± {significant(rule.margin)}" if rule.margin else ""
    each = f"each of {comparisons} comparisons" if comparisons > 1 else "the only comparison"
    return (
        f"Seeds ran until decided: after {rule.at_least} of them, and then after every {rule.block} more up to "
        f"{most}, {each} was looked at, until its interval excluded 0{margin}. With "
        f"{percent(rule.confidence, 0)} confidence all intervals of all looks hold together: they are those of "
        "paired t-tests with boundaries that make up for looking again and again, corrected for the number of "
        "comparisons (Bonferroni)."
    )


def _table(results: RunResults, found: Replay) -> Table:
    pairs, decisions = [*found.decisions], [*found.decisions.values()]
    largest = max((abs(area.value) for area in results.areas.values() if math.isfinite(area.value)), default=0)
    differences = [decision.difference for decision in decisions]
    return Table(
        name="decisions",
        title=f"Paired differences: area of {results.metric}, larger being better for the first",
        columns=[
            Column(
                "pair",
                [
                    Value(text=f"{one} − {other}", strong=d.significant, more={"first": one, "second": other})
                    for (one, other), d in zip(pairs, differences, strict=True)
                ],
            ),
            Column("n", [count(len(decision.seeds)) for decision in decisions]),
            Column(
                "difference ± interval",
                [interval(d.value, d.half, strong=d.significant) if d.n else NOTHING for d in differences],
                name="difference",
                of=largest,
            ),
            Column(
                "decided",
                [bold(WORDS[d.verdict]) if d.verdict else WORDS[d.verdict] for d in differences],
                name="verdict",
            ),
        ],
        note="n: seeds of the look that decided, or of the last one. What stops at a large difference has, on "
        "average, a mean that is a little too large; the interval makes up for that.",
    )
