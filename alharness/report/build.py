"""From results to a document: the order of the sections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness.results.settings import settings
from alharness.text.words import NOTICE

from .answers import answers, answers_over
from .document import Document
from .pictures import styles
from .sections import chosen, cost, curves, differences, efficiency, outcome, ranks, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alharness.results.run import RunResults


def single(results: RunResults, targets: Sequence[float] = ()) -> Document:
    """The report of one run.

    Args:
        results: the run, read back.
        targets: values of the ranking metric to count labels to, in addition to those of every report.
    """
    plan, drawn = results.run, styles(results.run.labels)
    sections = [outcome.section(results)] if results.basis.cells else []
    if results.labels:
        sections = [
            curves.section(results, drawn),
            *sections,
            efficiency.section(results, targets),
            differences.section(results, drawn),
            cost.section(results, drawn),
            chosen.section(results, drawn),
        ]
    first, last = results.labeled[0], results.labeled[-1]
    counting = " with validation" if plan.count_valid and plan.valid else ""
    budget = f"{first:,} to {last:,} labels{counting}"
    seeds = len({cell.seed for cell in plan.cells})
    counts = f"{len(plan.labels)} samplers, {seeds} seed{'s' if seeds != 1 else ''}"
    return Document(
        title=plan.name,
        subtitle=f"{plan.params.get('dataset', '')}, {plan.params.get('model', '')}, {budget}, {counts}",
        notice=NOTICE if plan.synthetic else "",
        answers=answers(results),
        sections=[*sections, run.cells(results), run.setting(results)],
    )


def several(found: Sequence[RunResults]) -> Document:
    """The report of several runs, each a setting of its own.

    Raises:
        RunError: a run is named twice, or they have no sampler in common.
    """
    side_by_side = settings(found)
    drawn = styles(dict.fromkeys(label for results in found for label in results.run.labels))
    made_up = [name for name, one in side_by_side.runs.items() if one.run.synthetic]
    sections = [
        ranks.section(side_by_side, drawn),
        ranks.savings(side_by_side),
        *(ranks.setting(name, one, drawn) for name, one in side_by_side.runs.items()),
    ]
    return Document(
        title=f"{len(found)} settings",
        subtitle=", ".join(side_by_side.runs),
        notice=f"{NOTICE} Made up are: {', '.join(made_up)}." if made_up else "",
        answers=answers_over(side_by_side),
        sections=list(filter(None, sections)),
    )
