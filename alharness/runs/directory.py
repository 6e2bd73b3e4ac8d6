"""The layout of a run directory."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from alharness.errors import SpecError

from .files import TEMPORARY

if TYPE_CHECKING:
    from pathlib import Path

    from alharness.api.records import Cell

OUTPUT = "output.txt"
JOBS = "jobs"
"""Folder of what was submitted to a batch system."""


class RunDirectory:
    """`<workdir>/<spec name>-<hash>`: spec.yaml, run.json, fits/, cells/<label>-s<seed>-<key>/, and pictures.

    While processes work in it, there is processes/, too; see `alharness.runs.claims`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def fits(self) -> Path:
        """Stored fits."""
        return self.path / "fits"

    @property
    def processes(self) -> Path:
        """A folder for each process that works here."""
        return self.path / "processes"

    def cell(self, cell: Cell) -> Path:
        """The folder of a cell."""
        return self.path / "cells" / cell.folder

    def output(self, cell: Cell | None = None) -> Path:
        """What plugins print while a cell is computed, and what they print before any cell or for several."""
        return (self.cell(cell) if cell else self.path) / OUTPUT

    def require_inside(self, folder: Path) -> None:
        """Raise SpecError if a folder leads out of the directory by a link: what is there is not ours."""
        try:
            inside = folder.resolve() == self.path.resolve() / folder.relative_to(self.path)
        except (OSError, RuntimeError):  # links that lead in a circle
            inside = False
        if not inside:
            raise SpecError(
                f"{folder}: leads out of the run directory by a symbolic link, and nothing is written there; put "
                "the folder itself in the place of the link"
            )

    def remove_unfinished(self) -> None:
        """Remove files that killed processes did not finish, while no process works here."""
        for place in (self.path, self.fits, *self.path.glob("cells/*")):
            for path in place.glob(f"{TEMPORARY}*"):
                with suppress(OSError):
                    path.unlink()
