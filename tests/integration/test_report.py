"""From a run to its report, by the files between them."""

import csv

import pytest

from alharness.report.build import single
from alharness.report.page import write
from alharness.results.run import RunResults


def test_a_report_says_what_the_run_said(write_spec, run_spec, tmp_path):
    spec = write_spec(samplers="[random, first, {name: narrow, label: other}]", seeds="3", dataset="digits")
    run, record, _ = run_spec(spec, tmp_path / "runs")
    found = write(single(RunResults.read(run.folder)), tmp_path / "report")
    rows = list(csv.DictReader((tmp_path / "report/tables/outcome.csv").open()))
    for row, expected in zip(rows, RunResults(run=run, records=record.cells).summary, strict=True):
        assert row["sampler"] == expected.label
        assert float(row["area"]) == pytest.approx(expected.area.value)
        assert float(row["f1"]) == pytest.approx(expected.final["f1"].value)
    names = {path.stem for path in (tmp_path / "report/pictures").glob("*.png")}
    assert {"curve_f1", "areas", "cost", "balance", "map", "overlap"} <= names
    assert "All 9 cells" in found.page.read_text()
    shares = list(csv.reader((tmp_path / "report/tables/chosen.csv").open()))
    assert [row[0] for row in shares[1:]] == ["random", "first", "other", "pool"]
    assert all(sum(map(float, row[-10:])) == pytest.approx(100) for row in shares[1:])
