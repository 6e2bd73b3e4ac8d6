"""`count_val_in_budget` changes how labels are counted, and nothing else."""

import csv
import json

import pytest

from alharness.report.build import single
from alharness.report.page import write
from alharness.results.run import RunResults
from alharness.spec.settings import TrainingSettings

VALID = 17


@pytest.fixture
def count(write_spec, run_spec, tmp_path):
    """Run the same spec, counting validation samples or not; gives the run and its warnings."""

    def run(counting):
        path = write_spec(samplers="[random, first]")
        text = path.read_text()
        path.write_text(
            text.replace(
                "device: cpu}", f"device: cpu, valid: 'budgeted:{VALID}', count_val_in_budget: {counting}}}"
            )
        )
        found, record, _ = run_spec(path, tmp_path / "runs")
        return found, record

    return run


def columns(page, table):
    with (page / f"tables/{table}.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_it_is_seen_in_the_report_and_trains_nothing_again(count, tmp_path):
    run, _ = count("false")
    before = {path: path.read_bytes() for path in run.folder.rglob("*") if path.suffix in (".jsonl", ".pt")}
    without = single(RunResults.read(run.folder))
    again, record = count("true")
    assert again.folder == run.folder
    assert {cell.status for cell in record.cells} == {"ok"}
    after = {path: path.read_bytes() for path in run.folder.rglob("*") if path.suffix in (".jsonl", ".pt")}
    assert after == before
    counted = single(RunResults.read(run.folder))
    for document, name, first in ((without, "without", 10), (counted, "counted", 10 + VALID)):
        write(document, tmp_path / name)
        assert f"{first} to {first + 10} labels" in document.subtitle
        (section,) = (section for section in document.sections if section.anchor == "outcome")
        assert f"at {first + 10} labels" in section.title
    old, new = (columns(tmp_path / name, "labels_to_target_0") for name in ("without", "counted"))
    for a, b in zip(old, new, strict=True):
        if a["labels"]:
            assert float(b["labels"]) == pytest.approx(float(a["labels"]) + VALID)
    assert any(row["labels"] for row in old)


def test_a_run_of_before_is_read_without_it(count):
    run, _ = count("true")
    path = run.folder / "run.json"
    data = json.loads(path.read_text())
    del data["run"]["count_valid"]
    path.write_text(json.dumps(data))
    assert RunResults.read(run.folder).run.counted([10]) == (10,)


def test_a_fit_does_not_depend_on_it():
    """These are the keys of every run before there was this one: others would make all of them new."""
    assert list(TrainingSettings(count_val_in_budget=True).recipe) == [
        *("epochs", "batch_size", "learning_rate", "weight_decay", "patience", "stop_on", "valid", "device"),
        *("threads", "precision", "inference_batch"),
    ]
