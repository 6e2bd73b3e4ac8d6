"""A data set of another distribution brings metrics that nothing here has heard of; its results need no plugin."""

import csv
import json
import os
import re
import sqlite3
import subprocess
import sys

import pytest

from alharness import cli

PLUGIN = '''
from alharness import Dataset, DatasetFacts, DatasetPlugin, Inputs, Metrics, Params, Samples, Task, hookimpl


class AgesParams(Params):
    forgets: bool = False
    """Whether the metrics lack the one that ranks."""


def compute(predictions, labels, classes):
    error = abs(predictions[:, 0] - labels)
    return {"worst": error.max(), "close": (error < 0.1).mean(), "half": error.mean()}


def forget(predictions, labels, classes):
    return {"close": 1.0}


def make(params):
    import numpy as np

    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 4)).astype(np.float32)
    inputs = Inputs(ids=tuple(f"s{i:02d}" for i in range(60)), arrays={"x": x})
    metrics = Metrics(
        name="ages",
        task=Task.REGRESSION,
        compute=forget if params.forgets else compute,
        primary="worst",
        lower_is_better={"worst"},
        headline=("close", "worst"),
    )
    return Dataset(task=Task.REGRESSION, content=Samples(inputs=inputs, labels=x.sum(axis=1)), metrics=metrics)


@hookimpl
def alharness_datasets():
    facts = DatasetFacts(task=Task.REGRESSION, modalities=("x",), sizes=(36, 6, 18))
    return [DatasetPlugin(name="ages", params=AgesParams, inspect=lambda params: facts, make=make)]
'''

SPEC = """\
name: trial
dataset: {{name: ages, params: {params}}}
training: {{epochs: 3, batch_size: 5, device: cpu}}
active_learning: {{initial_pool: 10, budget: 5, cycles: 2}}
seeds: 2
samplers: [random, {{name: first, params: {{start: {start}}}}}]
"""


@pytest.fixture(scope="module")
def run(toy_site, tmp_path_factory):
    """Run a spec of `ages` in a process that has it; gives exit code, output and folder."""
    site = tmp_path_factory.mktemp("site")
    info = site / "their_ages-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-ages\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text("[alharness]\nages = their_ages\n")
    (site / "their_ages.py").write_text(PLUGIN)

    def start(*arguments, start=0, params="{}"):
        folder = tmp_path_factory.mktemp("work")
        (folder / "trial.yaml").write_text(SPEC.format(start=start, params=params))
        path = os.pathsep.join(map(str, (site, toy_site)))
        environment = {**os.environ, "PYTHONPATH": path, "COLUMNS": "120", "MLFLOW_DISABLE_TELEMETRY": "true"}
        environment.pop("MLFLOW_TRACKING_URI", None)
        command = [sys.executable, "-m", "alharness", "run", "trial.yaml", *arguments]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        return done.returncode, done.stdout + done.stderr, folder

    return start


@pytest.fixture(scope="module")
def tracked(run):
    return run()


@pytest.fixture
def command(capsys):
    def start(*arguments):
        with pytest.raises(SystemExit) as caught:
            cli.main(list(map(str, arguments)))
        return caught.value.code, capsys.readouterr().out

    return start


def folder_of(work):
    (found,) = work.glob("runs/trial-*")
    return found


def test_the_closing_table_shows_them_with_their_directions(tracked):
    code, out, _ = tracked
    assert code == 0
    assert "area of worst ↓" in re.sub(r"\s+", " ", out)
    headings = next(line for line in out.splitlines() if "close ↑" in line)
    assert headings.index("close ↑") < headings.rindex("worst ↓")
    assert "half" not in headings


def test_mlflow_has_them_and_a_dashboard_of_them(tracked):
    _, _, work = tracked
    with sqlite3.connect(work / "mlflow.db") as store:
        keys = {key for (key,) in store.execute("select distinct key from metrics")}
        tags = dict(store.execute("select key, value from experiment_tags"))
    assert {"test/worst", "test/close", "test/half", "summary/aubc_worst"} <= keys
    assert any("alharness-curves" in key for key in tags)


def test_the_report_needs_no_plugin_to_rank_by_them(tracked, command, tmp_path):
    _, _, work = tracked
    code, _ = command("report", folder_of(work), "--out", tmp_path)
    assert code == 0
    page = (tmp_path / "index.html").read_text()
    assert "area of worst ↓" in page
    assert "close ↑" in page
    rows = {row["sampler"]: row for row in csv.DictReader((tmp_path / "tables/outcome.csv").open())}
    assert {"area", "worst", "close", "half"} <= rows["random"].keys()
    assert "worst (lower is better)" in page


def test_compare_needs_no_plugin_to_name_them(tracked, run, command):
    _, _, changed = run("--no-tracking", start=1)
    code, out = command("compare", folder_of(tracked[2]), folder_of(changed))
    assert code == 1
    assert "worst" in out
    assert "1 of 2 changed: first." in out


def test_a_run_directory_says_all_of_it(tracked):
    found = json.loads((folder_of(tracked[2]) / "run.json").read_text())["run"]
    assert found["metric"] == "worst"
    assert found["lower_is_better"] == ["worst"]
    assert found["headline"] == ["close", "worst"]


def test_metrics_without_the_one_that_ranks_start_nothing_and_name_their_distribution(run):
    code, out, work = run("--no-tracking", params="{forgets: true}")
    assert code not in (0, 1)
    assert "the data set 'ages' of their-ages==2.0" in out
    assert "compute of 'ages' gave close, but not worst, which `primary`" in out
    assert not list(work.glob("runs/*/cells/*"))
