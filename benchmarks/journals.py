"""What the journals of a run show: what its time was spent on, and whether another run found the same."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .rows import Bound

if TYPE_CHECKING:
    from pathlib import Path

Journals = Mapping[str, Sequence[Mapping[str, Any]]]
"""Name of a cell's folder -> the lines of its journal, the header first."""


def read(workdir: Path) -> Journals:
    """The journals of all runs in a folder."""
    return {
        path.parent.name: [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for path in sorted(workdir.glob("*/cells/*/journal.jsonl"))
    }


def began(journals: Journals) -> int:
    """When the first cell began, milliseconds since the epoch."""
    return min(_at(lines[0]) for lines in journals.values())


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Seconds of all processes of a run, by the clock.

    Attributes:
        total: from the beginning of the first cell to the end of the last cycle of all.
        fit: training, if a fit was not taken from the store; each cell has its part of a stack.
        evaluate: scoring the test samples.
        query: choosing.
    """

    total: float
    fit: float
    evaluate: float
    query: float

    @property
    def outside(self) -> float:
        """What is left: journals, observers, splits, stored fits, and a process that waits for another."""
        return self.total - self.fit - self.evaluate - self.query

    @property
    def text(self) -> str:
        """For example `fit 61 %, evaluate 2 %, query 36 %, outside 0.9 %`."""
        parts = {"fit": self.fit, "evaluate": self.evaluate, "query": self.query}
        known = ", ".join(f"{name} {100 * seconds / self.total:.0f} %" for name, seconds in parts.items())
        return f"{known}, outside {100 * self.outside / self.total:.2g} %"


def shares(journals: Journals, processes: int = 1) -> Shares:
    """Of all cells together. A cost that a cycle does not have, such as a query in the last one, is none."""
    cycles = [line["measured"]["cost"] for lines in journals.values() for line in lines[1:]]
    return Shares(
        total=processes * (max(_at(lines[-1]) for lines in journals.values()) - began(journals)) / 1000,
        fit=sum(cost["train_seconds"] for cost in cycles if not cost.get("train_reused")),
        evaluate=sum(cost.get("evaluate_seconds", 0) for cost in cycles),
        query=sum(cost.get("query_seconds", 0) for cost in cycles),
    )


def little_outside(found: Shares, percent: float) -> Bound:
    """All but so much of the cells' time goes into fits, evaluation and queries.

    Parts that are longer than the whole miss it too: something was counted twice.
    """
    share = 100 * found.outside / found.total
    return Bound(
        text=f"outside fit, evaluate and query < {percent:g} %",
        found=f"{share:.2g} %",
        met=abs(share) < percent,
    )


def same(ours: Journals, theirs: Journals) -> Bound:
    """Two runs wrote the same, apart from what they measured."""
    told = [difference for cell in sorted({*ours, *theirs}) if (difference := _difference(ours, theirs, cell))]
    cells = len({*ours, *theirs})
    found = "; ".join([f"{cells - len(told)} of {cells} cells", *told[:1]])
    return Bound(text="same journals, apart from times", found=found, met=cells > 0 and not told)


def _difference(ours: Journals, theirs: Journals, cell: str) -> str:
    """The first one of a cell; empty if there is none."""
    if cell not in ours or cell not in theirs:
        return f"{cell} is in one run only"
    if len(ours[cell]) != len(theirs[cell]):
        return f"{cell} has {len(ours[cell])} lines and {len(theirs[cell])}"
    for number, lines in enumerate(zip(ours[cell], theirs[cell], strict=True), 1):
        mine, other = ({k: v for k, v in line.items() if k != "measured"} for line in lines)
        if differing := sorted(key for key in {*mine, *other} if mine.get(key) != other.get(key)):
            return f"{cell}, line {number}: {', '.join(differing)} differ"
    return ""


def _at(line: Mapping[str, Any]) -> int:
    at: int = line["measured"]["at"]
    return at
