"""The measured part of the page: everything between two markers; the text around it is written by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from . import machine
from .rows import GROUPS, Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from .rows import Cost

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
HEADINGS = (
    "work", "reference", "we take", "it takes", "ratio", "our memory", "its memory", "must", "found", "limited by",
)  # fmt: skip


def read(results: Path) -> list[Row]:
    """The rows that suites recorded, in their order, from pytest-benchmark's file."""
    found = json.loads(results.read_text(encoding="utf-8"))["benchmarks"]
    return [Row.from_json(one["extra_info"]["row"]) for one in found if "row" in one["extra_info"]]


def write(page: Path, rows: Sequence[Row]) -> None:
    """Put the machine, the tables and their notes between the markers of a page."""
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page} has no place for a table: put the lines {BEGIN} and {END} into it")
    lines = [
        *(f"- {line}" for line in machine.describe()),
        *(line for group in GROUPS for line in _table(group, [row for row in rows if row.group == group])),
    ]
    measured = "\n".join(lines).strip()
    page.write_text(f"{before}{begin}\n\n{measured}\n\n{end}{after}", encoding="utf-8")


def verdict(rows: Sequence[Row]) -> Iterator[str]:
    """A line for each bound that was missed."""
    for row in rows:
        for bound in row.missed:
            yield f"FAIL: {row.work}, {row.reference or 'alone'}: {bound.text}, found {bound.found}"


def _table(heading: str, rows: Sequence[Row]) -> Iterator[str]:
    if rows:
        yield from ("", f"### {heading}", "", _line(HEADINGS), _line(["---"] * len(HEADINGS)))
        yield from (_line(_cells(row)) for row in rows)
        yield from ("", *(f"- {note}" for row in rows for note in row.notes))


def _cells(row: Row) -> Iterator[str]:
    yield row.work
    yield row.reference or "–"
    yield _seconds(row.ours)
    if row.missing:
        yield f"not measured here: {row.missing}"
    else:
        yield _seconds(row.theirs)
    yield "–" if row.ratio is None else f"{row.ratio:.3g}"
    yield _memory(row.ours)
    yield _memory(row.theirs)
    yield "<br>".join(bound.text for bound in row.bounds) or "–"
    yield "<br>".join(_found(bound.found, bound.verdict) for bound in row.bounds) or "–"
    yield row.limit or "–"


def _found(found: str, verdict: str) -> str:
    if verdict == "FAIL":
        verdict = "**FAIL**"
    return f"{found}: {verdict}" if found else verdict


def _seconds(cost: Cost | None) -> str:
    return "–" if cost is None else f"{cost.cpu:.3g} s ({cost.wall:.3g})"


def _memory(cost: Cost | None) -> str:
    if cost is None or cost.memory is None:
        return "–"
    return f"{cost.memory:,.0f} MB" if cost.memory >= 10 else f"{cost.memory:.1f} MB"


def _line(cells: Sequence[str] | Iterator[str]) -> str:
    return f"| {' | '.join(cells)} |"
