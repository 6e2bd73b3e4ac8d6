"""A whole grid of made-up runs, and the report over it."""

import csv

import pytest

from alharness.cli import main
from alharness.results.run import RunResults
from benchmarks.grid import write


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    return write(tmp_path_factory.mktemp("grid"), settings=3, samplers=3, seeds=5, full=True)


def test_its_runs_can_be_read_as_any_other(grid):
    found = RunResults.read(grid[0])
    assert len(found.complete) == 3 * 5 + 5
    assert found.labels == ("random", "margin", "entropy")
    assert found.basis.refused == ()


def test_the_report_over_it_links_to_a_page_of_each(grid, tmp_path, capsys):
    out = tmp_path / "over"
    with pytest.raises(SystemExit) as ended:
        main(["report", *map(str, grid), "--out", str(out), "--each"])
    assert ended.value.code == 0
    assert "How many labels does it save?" in capsys.readouterr().out
    page = (out / "index.html").read_text()
    for folder in grid:
        assert (folder / "report" / "index.html").is_file()
        assert f"{folder.name}/report/index.html" in page
    rows = list(csv.DictReader((out / "tables" / "samplers.csv").open()))
    assert rows[0]["sampler"] == "margin"
    assert float(rows[0]["above_random"]) > 0
