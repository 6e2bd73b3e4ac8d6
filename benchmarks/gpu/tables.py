"""The tables of what was checked and measured, in Markdown."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from alharness.errors import described
from benchmarks.page import line, shown

from .checks import checks
from .measures import LARGE, SIZES, TABLE_3, eq5, queries, stacks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks.rows import Bound

    from .problems import Place


class Tables:
    """Checks, measures, and shows it.

    Args:
        place: where.

    Attributes:
        missed: what does not hold, in words.
    """

    def __init__(self, place: Place) -> None:
        self.missed: list[str] = []
        self._place = place
        self._lines: list[str] = []

    @property
    def text(self) -> str:
        """All tables."""
        return "\n".join(self._lines).strip()

    def measure(self) -> Iterator[str]:
        """Make the tables one by one; the heading of each, before it is made."""
        for heading, names, rows in (
            ("Checks", ("model", "what must be", "found"), self._checks),
            (
                "Stacks",
                ("model", "one by one", *map(str, SIZES), "MB per member", f"stack of {LARGE}"),
                self._stacks,
            ),
            (
                "Queries",
                ("sampler", "takes", "inference, gradients, selection", "the paper's", "memory", "as on a CPU"),
                self._queries,
            ),
            ("GRACE Eq. 5, exact", ("samples", "members of G(x)", "takes", "memory"), self._eq5),
        ):
            yield heading
            self._lines += ["", f"### {heading}", "", line(names), line(["---"] * len(names))]
            try:
                self._lines += map(line, rows())
            except Exception as error:  # noqa: BLE001 - the other tables are made all the same
                traceback.print_exc()
                self.missed.append(f"{heading}: {described(error)}")
                self._lines += ["", f"Not all was measured: {described(error)}"]

    def _checks(self) -> Iterator[Iterable[str]]:
        for model, bound in checks(self._place):
            yield model, bound.text, self._verdict(model, bound)

    def _stacks(self) -> Iterator[Iterable[str]]:
        for row in stacks(self._place):
            sizes = (_number(row.by_size.get(size), "ms") for size in SIZES)
            verdict = f"{row.bound.text}: {self._verdict(row.model, row.bound)}"
            yield row.model, _number(row.alone, "ms"), *sizes, _number(row.memory, "MB"), verdict

    def _queries(self) -> Iterator[Iterable[str]]:
        for row in queries(self._place):
            parts = ", ".join(f"{seconds:.3g}" for seconds in row.parts.values())
            same, of = row.same
            paper = _number(TABLE_3.get(row.sampler), "s")
            yield (
                row.sampler,
                _number(row.seconds, "s"),
                parts,
                paper,
                _number(row.memory, "MB"),
                f"{same} of {of}",
            )

    def _eq5(self) -> Iterator[Iterable[str]]:
        for row in eq5(self._place):
            yield f"{row.N:,}", str(row.members), _number(row.seconds, "s"), _number(row.memory, "MB")

    def _verdict(self, where: str, bound: Bound) -> str:
        if bound.met is False:
            self.missed.append(f"{where}: {bound.text}, found {bound.found}")
        return shown(bound)


def _number(value: float | None, unit: str) -> str:
    return "–" if value is None else f"{value:.3g} {unit}" if value < 1000 else f"{value:,.0f} {unit}"
