"""A project whose labels come from an oracle chooses what a cell of a run chooses."""

import csv
import importlib.util
from pathlib import Path

import pytest
from click.testing import CliRunner

import alharness
from alharness.cli import cli
from alharness.runs.journal import read

PARTLY = Path(__file__).parents[1] / "labeling" / "partly.py"


@pytest.fixture
def partly():
    spec = importlib.util.spec_from_file_location("partly", PARTLY)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def answer(partly):
    """Write true labels into the table; the ids that it asked for."""
    table, truth = Path("cats/next_batch.csv"), partly.truth()
    with table.open(newline="") as file:
        rows = [row | {"label": truth[row["id"]]} for row in csv.DictReader(file)]
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return tuple(row["id"] for row in rows)


@pytest.mark.slow
def test_the_command_replays_a_cell_of_a_run(partly, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spec = {
        "name": "whole",
        "dataset": "whole",
        "training": {"epochs": 2},
        "active_learning": {"initial_pool": 5, "budget": 5, "cycles": 3},
        "samplers": ["grace"],
        "seeds": [3],
    }
    alharness.run(spec, datasets={"whole": partly.whole()}, tracking=False, progress=False)
    (journal,) = tmp_path.glob("runs/*/cells/*/journal.jsonl")
    _, cycles = read(journal)

    begin = ["--data", "partly", "--include", str(PARTLY), "--sampler", "grace", "--seed", "3", "--cycles", "3"]
    begin += ["--model", "late_fusion"]
    more, asked = [*begin, "-n", "5", "--set", "training.epochs=2"], []
    for _ in cycles:
        result = CliRunner().invoke(cli, ["query", "cats", *more], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        asked.append(answer(partly))
        more = []

    assert asked[1:] == [cycle.chosen for cycle in cycles[:-1]]
