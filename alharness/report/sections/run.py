"""The run itself: what is missing, and what was run on what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness.report.cells import Column, Sheet, Table, bold
from alharness.report.document import Section
from alharness.results.run import COLUMNS
from alharness.runs.finding import enough
from alharness.text.numbers import NOTHING, significant

if TYPE_CHECKING:
    from alharness.results.run import RunResults

PAIRED = (
    "Within a seed all samplers share split, initial pool and first model; cells are paired only if the digests "
    "of these and of the data, and the versions of Python, torch and numpy agree."
)
WORDS = {"pending": "not finished", "timeout": "timed out", "oom": "out of memory"}


def cells(results: RunResults) -> Section:
    """Every cell that is not complete, every sampler that was skipped."""
    run = results.run
    asked = [record for record in results.records if record.status != "spared"]
    missing, total = [record for record in asked if record.status != "ok"], len(asked)
    paragraphs = [
        f"{total - len(missing)} of {total} cells are complete. No mean includes a cell that is not. Running the "
        "spec again continues with the others."
        if missing
        else f"All {total} cells (sampler x seed) are complete."
    ]
    if spared := len(results.records) - total:
        seeds = enough(results.records)
        paragraphs.append(f"{spared} more cells were not needed{f': {seeds}' if seeds else ''}.")
    paragraphs += [f"Skipped: {skip.label}: {skip.reason}." for skip in run.skips]
    if results.others:
        paragraphs.append(
            f"In the run directory, but no longer in the spec, and not shown: {', '.join(results.others)}."
        )
    table = Table(
        name="missing",
        title="Not complete",
        columns=[
            Column("cell", [bold(record.cell.name) for record in missing]),
            Column("status", [WORDS.get(record.status, record.status) for record in missing]),
            Column("cycles", [f"{len(record.cycles)} of {len(run.labeled(record.cell))}" for record in missing]),
            Column("what happened", [record.error or NOTHING for record in missing]),
        ],
    )
    return Section(
        anchor="cells",
        title="Cells",
        paragraphs=paragraphs,
        tables=[table] if missing else [],
        sheets=[sheet(results)],
    )


def sheet(results: RunResults, name: str = "cycles", about: str = "Every metric and cost of every cycle") -> Sheet:
    """Every number of every cell, complete or not, one a row, for programs; `name` is that of the file."""
    return Sheet(
        name=name,
        headings=COLUMNS,
        rows=results.numbers(),
        about=f"{about} (CSV)",
    )


def setting(results: RunResults) -> Section:
    """Setting, validation, samplers and environment."""
    run = results.run
    seeds = ", ".join(map(str, sorted({cell.seed for cell in run.cells})))
    facts = {
        **run.params,
        "pool": f"{run.pool:,}",
        "seeds": seeds,
        "experiment": run.experiment,
        **run.environment,
    }
    samplers = {cell.label: cell for cell in run.cells if not cell.reference}
    params = [", ".join(f"{name}={value}" for name, value in cell.params.items()) for cell in samplers.values()]
    return Section(
        anchor="setting",
        title="Setting",
        paragraphs=["" if run.project else PAIRED, _validation(results)],
        tables=[
            Table(
                name="samplers",
                title="Samplers",
                columns=[
                    Column("label", list(map(bold, samplers))),
                    Column("sampler", [cell.sampler for cell in samplers.values()]),
                    Column("distribution", [cell.distribution for cell in samplers.values()]),
                    Column("parameters", [text or NOTHING for text in params]),
                ],
            ),
            Table(
                name="setting",
                title="Experiment and environment of the last run command",
                columns=[Column("what", list(map(bold, facts))), Column("value", list(map(str, facts.values())))],
            ),
        ],
    )


def _validation(results: RunResults) -> str:
    run = results.run
    if not run.valid:
        return "" if run.valid is None else "No validation samples were used."
    first, last = run.schedule.labeled[0], run.schedule.labeled[-1]
    counted = "count as labels here" if run.count_valid else "are not counted as labels"
    text = (
        f"Trainings stop early on {run.valid:,} labeled validation samples, which {counted}: "
        f"{significant(run.valid / first, 2)} times the initial pool, {significant(run.valid / last, 2)} times "
        "the last one."
    )
    if run.count_valid:
        text += (
            " They are part of every number of labels on this page, of the axes of the curves and of labels to a "
            "target; budgets and queries are what they were."
        )
    elif run.valid > first:
        text += (
            " That is more than the labels themselves at first; without such samples expect worse results. "
            "`count_val_in_budget: true` counts them."
        )
    return text
