"""What the publishers say about a data set, and how to get it. No heavy imports."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Published:
    """A data set as its publishers offer it.

    Attributes:
        name: the name in a spec.
        summary: one line.
        source: the file or folder that is imported, as its publishers call it.
        where: a place to get it from.
        terms: the license, or what there is in its place.
        citation: the paper to cite.
        metrics: name of those that its papers report, in `metrics.METRICS`.
    """

    name: str
    summary: str
    source: str
    where: str
    terms: str
    citation: str
    metrics: str

    def how_to_get(self, folder: Path) -> str:
        """What to do if the folder is missing."""
        return (
            f"{folder}: not found, and the data set {self.name!r} is not part of alharness\n"
            f"  get it:  {self.source}, {self.where}\n"
            f"  terms:   {self.terms}\n"
            f"  cite:    {self.citation}\n"
            f"  convert: alharness data import {self.name} {self.source} --out {shlex.quote(str(folder))}\n"
            "  without: if_missing: stand_in in the data set's params takes synthetic data of the same shape; "
            "its results are not comparable with any paper's"
        )
