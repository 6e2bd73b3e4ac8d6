"""What was run, on what, and which choices of this report are ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness.report.document import Section, Table, Value
from alharness.text.numbers import significant

if TYPE_CHECKING:
    from alharness.results.run import RunResults


def section(results: RunResults) -> Section:
    """Setting, validation, samplers and environment."""
    run = results.run
    seeds = sorted({cell.seed for cell in run.cells})
    facts = {
        **{name: str(value) for name, value in run.params.items()},
        "pool": f"{run.pool:,}",
        "seeds": ", ".join(map(str, seeds)),
        "experiment": run.experiment,
        **{name: str(value) for name, value in run.environment.items()},
    }
    samplers = {cell.label: cell for cell in run.cells if not cell.reference}
    return Section(
        anchor="setting",
        title="Setting",
        paragraphs=[
            (
                "Within a seed all samplers share split, initial pool and first model; cells are paired only "
                "if the digests of these and of the data, and the versions of Python, torch and numpy agree."
            ),
            *_validation(results),
        ],
        tables=[
            Table(
                name="samplers",
                title="Samplers",
                headings=("label", "sampler", "distribution", "parameters"),
                rows=[
                    [
                        Value(text=label, strong=True),
                        cell.sampler,
                        cell.distribution,
                        ", ".join(f"{name}={value}" for name, value in cell.params.items()) or "–",
                    ]
                    for label, cell in samplers.items()
                ],
            ),
            Table(
                name="setting",
                title="Experiment and environment of the last run command",
                headings=("what", "value"),
                rows=[[Value(text=name, strong=True), value] for name, value in facts.items()],
            ),
        ],
    )


def _validation(results: RunResults) -> list[str]:
    run = results.run
    if run.valid is None:
        return []
    if run.valid == 0:
        return ["No validation samples were used."]
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
            " That is more than the labels themselves at first; without such samples expect worse "
            "results. `count_val_in_budget: true` counts them."
        )
    return [text]
