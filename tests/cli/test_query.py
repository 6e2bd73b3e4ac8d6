"""`alharness query`: what it says, and what it refuses."""

import csv
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from alharness.cli import cli
from alharness.cli.query import _worth
from alharness.results.worth import Worth

PARTLY = str(Path(__file__).parents[1] / "labeling" / "partly.py")


@pytest.fixture
def query(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        return CliRunner().invoke(cli, ["query", "cats", *arguments])

    return call


def begin(query, *more):
    return query("--data", "partly", "--include", PARTLY, "-n", "5", "--set", "training.epochs=1", *more)


def test_from_data_to_the_second_batch(query):
    assert "Batch:   5 samples, to label: cats/next_batch.csv" in begin(query).output
    table = Path("cats/next_batch.csv")
    rows = list(csv.DictReader(table.open()))
    rows = [row | {"label": "abc"[number % 3]} for number, row in enumerate(rows)]
    with table.open("w") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    said = query().output
    assert "Labels:  5 new; 5 of 60 samples" in said
    assert "Model:   f1" in said
    assert "Report:" in said
    assert "of which 5 have no label yet" in query().output


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "is no labeling project; begin one with --data"),
        (("--sampler", "badge"), "--sampler is for a new project, which begins with --data"),
        (("--set", "training.epochs=1"), "--set is for a new project"),
        (("--data", "mine.npx"), "there is no such folder, file or data set; did you mean 'mine.npz'"),
        (("--data", "."), "there is no <modality>.npy"),
        (("--data", "digit"), "there is no such folder, file or data set; did you mean 'digits'"),
        (("--data", "digits"), "all samples of 'digits' have a label"),
        (("--labels", "x.csv"), "x.csv: not found"),
        (("--data", "digits", "--control", "1"), "0<=x<1"),
    ],
)
def test_a_wrong_call_says_what_to_do(query, arguments, why):
    Path("mine.npz").touch()
    result = query(*arguments)
    assert why in f"{result.output}{result.exception}"
    assert not Path("cats").exists()


def test_a_file_of_embeddings_begins_a_project_too(query):
    np.savez("mine.npz", x=np.random.default_rng(0).normal(size=(30, 4)))
    assert "Batch:   5 samples, to label" in query("--data", "mine.npz", "-n", "5").output
    assert "name: embeddings" in Path("cats/project.yaml").read_text()


def test_numbers_are_predicted_if_asked(query):
    np.savez("mine.npz", x=np.random.default_rng(0).normal(size=(30, 4)))
    arguments = "--data", "mine.npz", "-n", "5", "--task", "regression"
    assert "Report" not in query(*arguments).output  # there is nothing to report yet
    ids = [line.partition(",")[0] for line in Path("cats/next_batch.csv").read_text().splitlines()[1:]]
    Path("labels.csv").write_text(
        "id,label\n" + "".join(f"{name},{number}.5\n" for number, name in enumerate(ids))
    )
    said = query("--labels", "labels.csv").output
    assert "Model:   mae" in said
    assert "alharness report cats" in said


def test_the_help_lists_what_begins_a_project_by_itself(query):
    before, after = query("--help").output.split("Options that begin a project:")
    assert "--labels" in before
    assert "--data" in after


@pytest.mark.parametrize(
    ("gain", "saved", "said"),
    [
        ((0.08, 0.01, 0.2), (21, 4, 30), "better than random: +0.080 (+0.010 to +0.200) with 60 labels of each; "),
        ((0.08, 0.01, 0.2), (21, -math.inf, 30), "saves 21 labels (no bound to 30); 95 % intervals"),
        ((-0.08, -0.2, -0.01), (-math.inf, -math.inf, -4), "worse than random: -0.080 (-0.200 to -0.010)"),
        ((0.08, -0.1, 0.2), (21, -4, 30), "no sure difference from random yet: +0.080 (-0.100 to +0.200)"),
    ],
)
def test_what_the_sampler_is_worth_is_said_as_surely_as_it_is_known(gain, saved, said):
    names = "gain", "gain_low", "gain_high", "saved", "saved_low", "saved_high"
    found = Worth(samples=30, labels=60, **dict(zip(names, (*gain, *saved), strict=True)))
    assert said in _worth(SimpleNamespace(worth=found, drawn=30))
