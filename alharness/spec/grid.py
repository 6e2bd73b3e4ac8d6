"""Plans of settings that run one after the other: those of a matrix, or of several specs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from alharness.errors import HarnessError, SpecError
from alharness.text.words import grouped

from .plan import make_plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alharness.api.dataset import DatasetFacts
    from alharness.api.plan import Plan

    from .reader import Spec


def make_plans(specs: Sequence[Spec], workdir: Path = Path()) -> list[Plan]:
    """Plan settings that are to run one after the other; see `make_plan`. Each data set is inspected once.

    Raises:
        HarnessError: what is wrong with each of them, or two are the same.
    """
    known: dict[str, DatasetFacts] = {}
    plans: list[Plan] = []
    wrong: list[tuple[tuple[type[HarnessError], str], str]] = []
    for spec in specs:
        try:
            plans.append(make_plan(spec, workdir, known))
        except HarnessError as error:
            if len(specs) == 1:
                raise
            wrong.append(((type(error), str(error)), spec.name))
    if wrong:
        found = grouped(wrong)
        lines = [text + in_settings(names, len(specs)) for (_, text), names in found.items()]
        raise next(kind for kind, _ in found)("\n".join(lines))
    _require_distinct(specs, plans)
    _require_few(specs, plans)
    return plans


def select(specs: Sequence[Spec], only: Sequence[str]) -> tuple[list[Spec], tuple[str, ...]]:
    """The settings that are named, or all if none is, and what else is named: samplers and cells of theirs."""
    names = {spec.name for spec in specs} if len(specs) > 1 else set()
    chosen = [spec for spec in specs if spec.name in only and spec.name in names]
    return chosen or list(specs), tuple(name for name in only if name not in names)


def in_settings(settings: Sequence[str], of: int, most: int = 5) -> str:
    """A line that says in which settings something is; empty if in all."""
    more = f" and {len(settings) - most} more" if len(settings) > most else ""
    where = f"  in the setting{'s' if len(settings) > 1 else ''} {', '.join(settings[:most])}{more}"
    return f"\n{where}" if len(settings) < of else ""


def _require_few(specs: Sequence[Spec], plans: Sequence[Plan]) -> None:
    """Raise SpecError if a matrix has too many cells, replicates of Random among them."""
    counts = Counter[tuple[Path | None, str]]()
    for spec, plan in zip(specs, plans, strict=True):
        counts[spec.path, spec.grid] += sum(not cell.reference for cell in plan.cells)
    for spec in specs:
        cells, most = counts[spec.path, spec.grid], spec.limits.max_cells
        if spec.grid and cells > most:
            raise SpecError(
                f"{_matrix(spec)}: {cells:,} cells in all settings; at most {most:,} can run: vary less, or raise "
                "limits.max_cells"
            )


def _matrix(spec: Spec) -> str:
    return f"{spec.file.locate(('matrix',), key=True)}: matrix"


def _require_distinct(specs: Sequence[Spec], plans: Sequence[Plan]) -> None:
    """Raise SpecError if two settings of a matrix are equal, or two specs have one run directory."""
    first: dict[tuple[object, ...], Spec] = {}
    for spec, plan in zip(specs, plans, strict=True):
        if (twin := first.setdefault((plan.experiment,), spec)) is not spec:
            raise SpecError(f"{spec.where('name')}: {twin.name!r} is there twice; keep one of the two")
        setting = plan.experiment.rpartition("-")[2]
        if spec.grid and (twin := first.setdefault((spec.path, spec.grid, setting), spec)) is not spec:
            raise SpecError(
                f"{_matrix(spec)}: the settings {twin.name!r} and {spec.name!r} are equal: they have the same "
                "dataset, model, training, initial and active_learning; keep one of the two"
            )
