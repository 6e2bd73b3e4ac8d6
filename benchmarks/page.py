"""What was measured, kept in a file, and shown between two markers of a page whose text is written by hand."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import TYPE_CHECKING

import psutil
import torch
from pydantic import TypeAdapter

from alharness.runs import environment

from .rows import GROUPS, Bound, Cost, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
HEADINGS = (
    "work", "reference", "we take", "it takes", "ratio", "our memory", "its memory", "must", "found", "limited by",
    "measured",
)  # fmt: skip
DISTRIBUTIONS = ("alharness", "torch", "numpy", "scipy", "scikit-learn", "bmdal-reg", "scikit-activeml", "skorch")
FIGURES = TypeAdapter(dict[str, Row])


def read(figures: Path) -> dict[str, Row]:
    """What has been measured so far: the name of each row, and the row."""
    return FIGURES.validate_json(figures.read_bytes()) if figures.exists() else {}


def keep(rows: dict[str, Row], figures: Path, page: Path) -> None:
    """Write it into the file, and its tables between the markers of the page."""
    _around(page)  # a page without a place is refused before anything is kept
    figures.write_bytes(FIGURES.dump_json(rows, indent=1, exclude_defaults=True) + b"\n")
    put(tables(rows.values()), page)


def put(text: str, page: Path) -> None:
    """Write it between the markers of a page."""
    before, after = _around(page)
    page.write_text(f"{before}\n\n{text}\n\n{after}", encoding="utf-8")


def _around(page: Path) -> tuple[str, str]:
    """A page up to what was measured, and from there on, with the markers."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page} has no place for a table: put the lines {BEGIN} and {END} into it")
    return before + begin, end + after


def tables(rows: Iterable[Row]) -> str:
    """The machines, and the table of each group with its notes, in Markdown."""
    found = list(rows)
    machines = {text: chr(ord("A") + n) for n, text in enumerate(dict.fromkeys(row.machine for row in found))}
    lines = [f"- {letter}: {machine}" for machine, letter in machines.items()]
    for group in GROUPS:
        lines += _table(group, [row for row in found if row.group == group], machines)
    return "\n".join(lines)


def machine() -> str:
    """What figures are measured on and with; nothing that names a host or a place."""
    memory = f"{psutil.virtual_memory().total / 2**30:.0f} GiB of memory"
    versions = [f"{name} {version}" for name in DISTRIBUTIONS if (version := _version(name))]
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        system = f"{platform.system()} {platform.release()}"
    computer = environment.machine(torch.device("cpu"))
    return ", ".join([computer, memory, system, f"Python {platform.python_version()}", *versions])


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _table(heading: str, rows: Sequence[Row], machines: Mapping[str, str]) -> Iterator[str]:
    if rows:
        yield from ("", f"### {heading}", "", line(HEADINGS), line(["---"] * len(HEADINGS)))
        yield from (line([*_cells(row), f"{row.date} {machines[row.machine]}"]) for row in rows)
        yield from ("", *(f"- {note}" for row in rows for note in row.notes))


def _cells(row: Row) -> Iterator[str]:
    yield row.work
    yield row.reference or "–"
    yield _seconds(row.ours)
    yield f"not measured here: {row.missing}" if row.missing else _seconds(row.theirs)
    yield "–" if row.ratio is None else f"{row.ratio:.3g}"
    yield _memory(row.ours)
    yield _memory(row.theirs)
    yield "<br>".join(bound.text for bound in row.bounds) or "–"
    yield "<br>".join(map(shown, row.bounds)) or "–"
    yield row.limit or "–"


def shown(bound: Bound) -> str:
    """What was found, and whether the bound is met."""
    verdict = "**FAIL**" if bound.met is False else bound.verdict
    return f"{bound.found}: {verdict}" if bound.found else verdict


def _seconds(cost: Cost | None) -> str:
    return "–" if cost is None else f"{cost.cpu:.3g} s ({cost.wall:.3g})"


def _memory(cost: Cost | None) -> str:
    if cost is None or cost.memory is None:
        return "–"
    return f"{cost.memory:,.0f} MB" if cost.memory >= 10 else f"{cost.memory:.1f} MB"


def line(cells: Iterable[str]) -> str:
    """A line of a table."""
    return f"| {' | '.join(cells)} |"
