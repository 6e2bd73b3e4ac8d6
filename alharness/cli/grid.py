"""Several settings in the terminal: what `check` shows of them, and what `run` ends with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from alharness.errors import HarnessError
from alharness.text.terminal import safe
from alharness.text.words import command_line, grouped

from .page import make_list

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from alharness.api.records import Plan
    from alharness.spec import Spec

    from .console import PageConsole


def show_plans(specs: Sequence[Spec], plans: Sequence[Plan]) -> None:
    """A row for each setting, the totals, and the samplers, with what keeps one from a setting."""
    from .page import make_console, make_table

    page = make_console()
    page.print(make_table(("setting", "data set", "model", "labels", "cells", "trainings"), _rows(specs, plans)))
    click.echo(f"\n{make_list('samplers', _samplers(specs, plans))}")


def _samplers(specs: Sequence[Spec], plans: Sequence[Plan]) -> Iterator[tuple[str, str]]:
    """Label, and its distribution; or the settings that it is skipped in, and why."""
    origins = {s.label: s.registered.origin.replace("==", " ") for spec in specs for s in spec.samplers}
    skipped = grouped(((skip.label, skip.reason), plan.name) for plan in plans for skip in plan.skips)
    for label, origin in origins.items():
        reasons = [
            f"; skipped in {len(names)} of {len(plans)} settings: {safe(reason)}"
            for (skip, reason), names in skipped.items()
            if skip == label
        ]
        yield label, origin + "".join(reasons)


def trainings(plan: Plan) -> int:
    """How many models are trained: all samplers of a seed share that of cycle 0."""
    references = sum(cell.reference for cell in plan.cells)
    seeds = len({cell.seed for cell in plan.cells})
    return seeds + (len(plan.cells) - references) * len(plan.schedule.sizes) + references


def _rows(specs: Sequence[Spec], plans: Sequence[Plan]) -> Iterator[tuple[str, ...]]:
    for spec, plan in zip(specs, plans, strict=True):
        labeled, made_up = plan.schedule.labeled, ", SYNTHETIC" if plan.synthetic else ""
        labels = f"{labeled[0]:,} -> {labeled[-1]:,} by {spec.active_learning.budget:,}"
        most = "at most " if plan.stopping else ""  # seeds that stop may need fewer
        counts = f"{most}{len(plan.cells):,}", f"{most}{trainings(plan):,}"
        yield plan.name, f"{spec.dataset.name}{made_up}", spec.model.name, labels, *counts
    cells, models = sum(len(plan.cells) for plan in plans), sum(map(trainings, plans))
    most = "at most " if any(plan.stopping for plan in plans) else ""
    yield f"{len(plans):,} settings", "", "", "", f"{most}{cells:,}", f"{most}{models:,}"


def close_all(page: PageConsole, named: Sequence[Path], plans: Sequence[Plan]) -> None:
    """The table over all settings, and the report over them; what cannot be reported is a warning."""
    from alharness.report.tables import settings_table
    from alharness.results.run import RunResults
    from alharness.runs import saved
    from alharness.runs.finding import WORKDIR, report_folder

    from .report import publish

    begun = [plan for plan in plans if (plan.folder / saved.NAME).exists()]
    page.print()
    if missing := [plan.name for plan in plans if plan not in begun]:
        page.say(f"not run: {', '.join(missing)}", style="red")
    if not begun:
        return
    workdir = begun[0].folder.parent
    elsewhere = [] if workdir == WORKDIR else ["--workdir", workdir]
    try:
        found = [RunResults.read(plan.folder, with_pool=False) for plan in begun]
        page.print(settings_table(found))
        publish(page, found, report_folder(named, [plan.folder for plan in begun]))
        page.say(f"A page for each setting, too: {command_line('report', *named, '--each', *elsewhere)}")
    except Exception as error:  # noqa: BLE001 - what is complete stays complete
        why = str(error) if isinstance(error, HarnessError) else f"{type(error).__name__}: {error}"
        page.say(f"warning: there is no report over all settings: {safe(why)}", style="yellow")
