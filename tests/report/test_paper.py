import pytest
from rich.console import Console

from alharness.api.records import Paper
from alharness.report.tables import paper_table

VALUES = {
    "fast": {"f1": 0.75, "query_seconds": 5.0, "overall_seconds": 60.0},
    "full-data": {"f1": 0.9},
    "slow": {"f1": 0.6},
}


def rows(table):
    console = Console(width=200)
    with console.capture() as captured:
        console.print(table)
    lines = [line.split("│")[1:-1] for line in captured.get().splitlines() if line.startswith("│")]
    return {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in lines}


@pytest.mark.parametrize(
    ("labels", "fast", "slow"),
    [(None, "0.810 ± 0.025", "0.710 ± 0.025"), (20, "0.710 ± 0.025", "0.610 ± 0.025")],
)
def test_ours_stand_beside_the_papers_at_its_labels(make_run, labels, fast, slow):
    paper = Paper(source="Table 2", labels=labels, values=VALUES)
    assert rows(paper_table(make_run(references=True, paper=paper))) == {
        "fast": [fast, "0.750", "1 ± 0", "5", "8 ± 0", "60"],
        "full-data": ["0.960 ± 0.025", "0.900", "–", "–", "9 ± 0", "–"],
        "slow": [slow, "0.600", "3 ± 0", "–", "12 ± 0", "–"],
    }


def test_what_is_not_finished_is_left_out(make_run):
    paper = Paper(source="Table 2", labels=None, values=VALUES)
    results = make_run(n=1, failed=("slow-s0",), paper=paper)
    assert rows(paper_table(results)) == {"fast": ["0.800", "0.750", "1", "5", "8", "60"]}


def test_seconds_of_all_trainings_are_compared(make_run):
    paper = Paper(source="Table 2", labels=None, values={"fast": {"train_seconds": 7.0}})
    assert rows(paper_table(make_run(paper=paper))) == {"fast": ["6 ± 0", "7"]}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"paper": Paper(source="Table 2", labels=None, values=VALUES), "synthetic": True},
        {"paper": Paper(source="Table 2", labels=15, values=VALUES)},
        {"paper": Paper(source="Table 2", labels=None, values={"fast": {"mae": 0.3}})},
    ],
    ids=["no paper", "synthetic data", "other labels", "other metrics"],
)
def test_there_is_no_table_where_nothing_can_be_compared(make_run, changes):
    assert paper_table(make_run(**changes)) is None
