"""From results to a document: the order of the sections."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from alharness.results.settings import settings
from alharness.text.words import NOTICE

from .answers import answers
from .document import PAGE, Document
from .overall import answers_over
from .pictures import styles
from .sections import (
    chosen,
    cost,
    curves,
    decisions,
    differences,
    efficiency,
    outcome,
    overall,
    project,
    run,
    utilisation,
)
from .sections import settings as by_setting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alharness.results.run import RunResults

    from .pictures import Styles

NAMED = 8
"""Settings that the subtitle names; of more, their number."""


def single(results: RunResults, targets: Sequence[float] = ()) -> Document:
    """The report of one run.

    Args:
        results: the run, read back.
        targets: values of the ranking metric to count labels to, in addition to those of every report.
    """
    plan, drawn = results.run, styles(results.run.labels, results.run.controls)
    if plan.project:
        return _of_project(results, drawn)
    sections = [outcome.section(results)] if results.basis.cells else []
    if results.labels:
        sections = [
            curves.section(results, drawn),
            *sections,
            efficiency.section(results, targets),
            (decisions if plan.stopping else differences).section(results, drawn),
            cost.section(results, drawn),
            chosen.section(results, drawn),
            *utilisation.sections(results, drawn),
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


def _of_project(results: RunResults, drawn: Styles) -> Document:
    """The report of a labeling project: nothing is compared."""
    plan, labels = results.run, f"{results.labeled[-1]:,} of {results.run.pool:,} samples labeled"
    return Document(
        title=plan.name,
        subtitle=f"{plan.params['dataset']}, {plan.params['model']}, {plan.labels[0]}, {labels}",
        notice=NOTICE if plan.synthetic else "",
        answers=answers(results),
        sections=[
            curves.section(results, drawn),
            project.section(results),
            cost.section(results, drawn),
            run.setting(results),
        ],
    )


def several(found: Sequence[RunResults], folder: Path | None = None) -> Document:
    """The report of several runs, each a setting of its own.

    Args:
        found: the runs, read back.
        folder: for the page, from which it links to the page of each run that has one.

    Raises:
        RunError: a run is named twice, or they have no sampler in common.
    """
    side_by_side = settings(found)
    drawn = styles(dict.fromkeys(label for results in found for label in results.run.labels))
    made_up = [name for name, one in side_by_side.runs.items() if one.run.synthetic]

    def link(results: RunResults) -> str:
        page = page_of(results.run.folder)
        if folder is None or not page.is_file():
            return ""
        return quote(Path(os.path.relpath(page.resolve(), folder.resolve())).as_posix())

    sections = [
        overall.samplers(side_by_side),
        by_setting.differences(side_by_side, link),
        by_setting.curves(side_by_side, drawn, link),
        by_setting.savings(side_by_side),
        *utilisation.across(side_by_side.runs),
        overall.scores(side_by_side, drawn),
        overall.ranks(side_by_side, drawn),
        by_setting.listing(side_by_side, link),
    ]
    names, more = [*side_by_side.runs], len(found) - NAMED
    return Document(
        title=f"{len(found)} settings",
        subtitle=f"{', '.join(names[:NAMED])} and {more} more" if more > 1 else ", ".join(names),
        notice=f"{NOTICE} Made up are: {', '.join(made_up)}." if made_up else "",
        answers=answers_over(side_by_side),
        sections=list(filter(None, sections)),
    )


def page_of(folder: Path) -> Path:
    """The file of a run's own page, in its run directory."""
    return folder / "report" / PAGE
