"""Times of trainings that went together are shares, and are shown as such."""

from dataclasses import replace

import pytest
from rich.console import Console

from alharness.report.sections import cost
from alharness.report.tables import closing_table, summary_table
from alharness.results.results import Results

TIMES = ["train_seconds", "overall_seconds", "query_seconds"]


def stacked(results, **sizes):
    """The same results: label -> how many models were trained together in each cycle."""

    def changed(record):
        cycles = zip(record.cycles, sizes[record.cell.label], strict=False)
        own = tuple(replace(cycle, cost={**cycle.cost, "train_stacked": float(size)}) for cycle, size in cycles)
        return replace(record, cycles=own)

    return replace(results, records=tuple(map(changed, results.records)))


@pytest.fixture
def alike(make_run):
    return stacked(make_run(), slow=(3, 6, 6), fast=(3, 6, 6))


@pytest.fixture
def unlike(make_run):
    return stacked(make_run(), slow=(3, 3, 3), fast=(3, 6, 6))


def text(results):
    console = Console(width=200)
    with console.capture() as captured:
        console.print(closing_table(results))
    return " ".join(captured.get().split())


def strong(results):
    table = summary_table(results, "demo", TIMES)
    return [column.text for column in table.columns if any(cell.strong for cell in column.shown)]


def section(results):
    return cost.section(results, {})


def test_the_closing_table_says_that_times_of_trainings_are_shares(make_run, alike):
    assert "shares of stacks of up to 6" in text(alike)
    assert "stack" not in text(make_run())


def test_the_report_marks_times_of_trainings_as_stacked(make_run, alike):
    (table,) = section(alike).tables
    found = {column.text: [cell.text for cell in column.shown] for column in table.columns}
    assert found["stacked"] == ["3 to 6", "3 to 6"]
    assert any("in stacks" in paragraph for paragraph in section(alike).paragraphs)
    assert "stacked" not in [column.text for column in section(make_run()).tables[0].columns]


def test_no_sampler_is_quicker_because_its_models_were_trained_in_larger_stacks(make_run, alike, unlike):
    heads = [f"{name} ↓" for name in TIMES]
    assert set(heads) <= set(strong(make_run()))
    assert set(heads) <= set(strong(alike))
    assert set(heads) & set(strong(unlike)) == {"query_seconds ↓"}
    assert any("slow: 3; fast: 3 to 6" in p for p in section(unlike).paragraphs)


def test_tables_for_programs_say_how_many_models_were_trained_together(alike, make_run):
    summary = Results([alike]).summary()
    found = summary[summary["metric"] == "train_stacked"]
    assert found[["sampler", "statistic", "mean"]].values.tolist() == [
        ["slow", "cost", 5.0],
        ["fast", "cost", 5.0],
    ]
    assert Results([alike]).cycles["train_stacked"].unique().tolist() == [3.0, 6.0]
    assert "train_stacked" not in set(Results([make_run()]).summary()["metric"])
