import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from alharness import cli
from alharness.cli.check import time_of_all
from alharness.results import planning
from alharness.results.run import RunResults
from alharness.runs.prediction import Prediction
from alharness.text.words import command_line

SOURCE = """
from alharness import (DatasetFacts, DatasetPlugin, ModelPlugin, Params, SamplerPlugin, SpecError, Task,
                       hookimpl)

def inspect(params):
    return DatasetFacts(task=Task.REGRESSION, modalities=("audio", "text"), sizes=(1000, 100, 300))

@hookimpl
def alharness_samplers():
    return [
        SamplerPlugin(name="any", params=Params, make=Params),
        SamplerPlugin(name="random", params=Params, make=Params),
        SamplerPlugin(name="classes", params=Params, make=Params, tasks={Task.CLASSIFICATION}),
    ]

def review(params, facts):
    raise SpecError(f"model.params.lengths speaks of smell, but the modalities are {', '.join(facts.modalities)}")

@hookimpl
def alharness_models():
    return [ModelPlugin(name="picky", params=Params, make=Params, review=review)]

@hookimpl
def alharness_datasets():
    return [DatasetPlugin(name="calls", params=Params, inspect=inspect, make=Params)]
"""

SPEC = """name: my[red]calls
dataset: calls
active_learning: {initial_pool: 200, budget: 200, cycles: 3}
samplers: [any, classes, {name: any, label: again}]
""".replace("[red]", "_")


@pytest.fixture
def check(tmp_path, monkeypatch, capsys):
    (tmp_path / "checked_fakes.py").write_text(SOURCE)
    info = tmp_path / "fakes-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fakes\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[alharness]\nfakes = checked_fakes\n")
    (tmp_path / "x.yaml").write_text(SPEC)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ALHARNESS_PLUGINS", "fakes")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def check(*arguments):
        with pytest.raises(SystemExit) as caught:
            cli.main(["check", "x.yaml", *arguments])
        captured = capsys.readouterr()
        return caught.value.code, captured.out, captured.err

    yield check
    sys.modules.pop("checked_fakes", None)


def rows(out):
    """First word -> the rest of the line."""
    return dict(line.split(maxsplit=1) for line in out.splitlines() if len(line.split()) > 1)


def test_a_spec_that_is_fine(check):
    code, out, err = check()

    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == f"Nothing is wrong. Start it with: {command_line('run', 'x.yaml')}"


@pytest.mark.parametrize(
    "words",
    [
        "calls (fakes 1.0): regression",
        "audio, text; 1,000 train, 100 valid, 300 test",
        "late_fusion (alharness ",
        "200 -> 800 in 3 queries of 200",
        "10: 2 samplers x 5 seeds",
        "my_calls-",
    ],
)
def test_the_plan_is_shown(check, words):
    assert words in check()[1]


def test_one_of_a_kind_is_written_in_the_singular(check):
    shown = check("--set", "seeds=1", "--set", "active_learning.cycles=1", "--set", "samplers=[any]")[1]
    assert rows(shown)["cells"].strip() == "1: 1 sampler x 1 seed"
    assert rows(shown)["labels"].strip() == "200 -> 400 in 1 query of 200"


def test_the_first_cycle_is_trained_once_for_all_samplers(check):
    assert rows(check()[1])["trainings"].strip() == "35"


def test_samplers_and_skips_are_shown(check):
    shown = rows(check()[1])

    assert shown["any"].split() == ["fakes", "1.0"]
    assert shown["again"].split() == ["(any)", "fakes", "1.0"]
    assert "skipped: it serves classification, and 'calls' is regression" in shown["classes"]


def test_warnings_are_shown(check):
    assert "warning: fewer than 3 seeds" in check("--set", "seeds=2")[1]


def test_a_value_can_be_set(check):
    assert (
        "600 -> 800 in 1 query"
        in check("--set", "active_learning.initial_pool=600", "--set", "active_learning.cycles=1")[1]
    )


def test_a_spec_that_is_wrong(check):
    code, out, err = check("--set", "seeds=0")

    assert (code, out) == (2, "")
    assert err.startswith("error: --set seeds=0: seeds: ")
    assert err.endswith(" 1 (got 0)\n")


def test_a_missing_plugin(check):
    code, _, err = check("--set", "samplers=[ani]")

    assert code == 4
    assert "no sampler named 'ani' is installed; did you mean 'any'? installed: any, classes" in err


def test_a_device_that_is_not_here_is_what_run_says_it_is(check):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    code, _, err = check("--set", "training.device=cuda")
    assert code == 5
    assert err == "error: training.device: no CUDA device is available here; use `cpu` or `auto`\n"


@pytest.mark.parametrize("valid", ["budgeted:101", "full"])
def test_validation_samples_that_are_not_there(check, tmp_path, valid):
    if valid == "full":
        module = tmp_path / "checked_fakes.py"
        module.write_text(module.read_text().replace("(1000, 100, 300)", "(1000, 0, 300)"))
    code, _, err = check("--set", f"training.valid={valid}")
    assert code == 2
    assert "training.valid: " in err
    assert "more than the 100 validation" in err or "has no validation samples; set training.valid to none" in err


def test_as_many_validation_samples_as_there_are(check):
    assert check("--set", "training.valid=budgeted:100")[0] == 0


def test_case_12_a_workdir_that_cannot_be_made(check, tmp_path):
    (tmp_path / "notes").touch()
    code, _, err = check("--workdir", "notes/runs")
    assert code == 2
    assert re.search(r"my_calls-\w+: cannot be written to \(Not a directory\); choose another --workdir", err)


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("foo://bar", "MLflow knows no stores of the kind 'foo'"),
        ("nonsense", "is a folder, which MLflow no longer writes to"),
        ("http:///x", "names no host"),
        ("https://me:secret@[x", "https://***@[x: names no host"),
    ],
)
def test_a_store_that_mlflow_cannot_write_to_is_a_warning(check, uri, words):
    code, out, _ = check("--set", f"tracking.uri='{uri}'")
    assert code == 0
    assert words in out
    assert "secret" not in out


@pytest.mark.parametrize(
    "uri",
    ["sqlite:///x.db", "postgresql+psycopg2://u@h/d", "https://h:5000", "databricks", "databricks://profile"],
)
def test_stores_that_mlflow_may_know_are_none(check, uri, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "foo://bar")  # the spec's own goes first
    code, out, _ = check("--set", f"tracking.uri='{uri}'")
    assert code == 0
    assert "warning" not in out


def test_the_store_of_the_environment_is_looked_at_too(check, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "foo://bar")
    assert "MLFLOW_TRACKING_URI: foo://bar: MLflow knows no stores of the kind 'foo'" in check()[1]


def test_what_a_plugin_says_is_shown_without_secrets(check, tmp_path):
    module = tmp_path / "checked_fakes.py"
    said = 'name="any", params=Params, review=lambda params, setting: ["reads https://me:secret@host/x"]'
    module.write_text(module.read_text().replace('name="any", params=Params', said))
    assert "warning: any: reads https://***@host/x" in check()[1]


def test_a_model_that_names_a_modality_that_is_not_there(check):
    code, _, err = check("--set", "model=picky")
    assert code == 2
    assert "model: picky: model.params.lengths speaks of smell, but the modalities are audio, text" in err


def test_the_command_to_start_with_has_what_was_changed(check):
    out = check("--set", "seeds=3", "--workdir", "my runs")[1]
    assert out.splitlines()[-1].endswith(" run x.yaml --set seeds=3 --workdir 'my runs'")


GRID = ("--set", "matrix.active_learning.budget=[100, 200]", "--set", "matrix.training.epochs=[1, 2]")


def test_a_grid_is_shown_with_its_totals(check):
    code, out, err = check(*GRID)

    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines() if line.strip()]
    (first, *_, last) = [line for line in lines if line[0].startswith("my_calls") or line[1:2] == ["settings"]]
    assert first == [
        "my_calls-budget100-epochs1",
        "calls",
        "late_fusion",
        "200",
        "->",
        "500",
        "by",
        "100",
        "10",
        "35",
    ]
    assert last == ["4", "settings", "40", "140"]


def test_what_keeps_a_sampler_from_settings_is_shown_once(check):
    out = " ".join(check(*GRID)[1].split())

    assert out.count("it serves classification") == 1
    assert "skipped in 4 of 4 settings: it serves classification, and 'calls' is regression" in out


def test_a_warning_names_the_settings_that_it_is_about(check):
    out = check("--set", "matrix.active_learning.budget=[100, 300]", "--set", "active_learning.cycles=3")[1]

    assert "instead of 300: the pool has no more\n  in the setting my_calls-budget300\n" in out


def test_the_command_that_runs_a_grid_is_the_same(check):
    assert check(*GRID)[1].splitlines()[-1] == (
        f"Nothing is wrong. Start it with: {command_line('run', 'x.yaml', *GRID)}"
    )


def test_the_time_is_not_known_before_anything_ran(check):
    assert "not known: no earlier run here is like it; --trial measures" in " ".join(check()[1].split())
    assert "not known of 4 settings" in " ".join(check(*GRID)[1].split())


@pytest.mark.parametrize(
    ("times", "jobs", "text"),
    [
        ([Prediction(seconds=100.0, source="as in x")], 1, "about 2 min, as in x"),
        ([Prediction(seconds=100.0, source="as in x")] * 2, 2, "about 3 min with --jobs 2, as in x"),
        (
            [
                Prediction(seconds=60.0, source="as in x"),
                Prediction(seconds=0.0, source="a trial", at_most=True),
            ],
            1,
            "at most about 60 s, as in x and 1 more, in which no training stops early",
        ),
        ([Prediction(seconds=0.0, source="as in x")], 1, "none: all is finished"),
        ([Prediction(seconds=9.0, source="as in x"), None], 1, "not known of 1 settings"),
    ],
)
def test_the_time_of_all_settings(times, jobs, text):
    assert time_of_all(times, jobs).startswith(text)


def test_a_trial_measures_what_no_run_says(check, monkeypatch):
    class Tried:
        def predict(self, plan, *, jobs):
            return Prediction(seconds=60.0 * jobs, source="from a trial")

    monkeypatch.setattr("alharness.runs.prediction.try_out", lambda spec, plugins: Tried())
    assert "about 2 min with --jobs 2, from a trial" in " ".join(check("--trial", "--jobs", "2")[1].split())


def test_what_the_seeds_can_show(check):
    def row(*arguments):
        lines = check(*arguments)[1].splitlines()
        return next(line for line in lines if line.strip().startswith("can show")).split(maxsplit=2)[2]

    assert row() == "nothing: no sampler is compared with Random"
    shown = "--set", "samplers=[{name: any, label: a}, random]"
    assert row(*shown, "--set", "seeds=2") == "nothing: a test needs 3 seeds"
    assert row(*shown).startswith("not known before some seeds are there")


def test_an_earlier_run_says_how_large_these_differences_are(check, monkeypatch):
    folder = check()[1].split("run directory")[1].split()[0]
    Path("runs", folder).mkdir(parents=True)
    Path("runs", folder, "run.json").write_text("{}")
    asked = []
    monkeypatch.setattr(RunResults, "read", lambda folder, with_pool: SimpleNamespace(metric="mae"))
    monkeypatch.setattr(planning, "can_show", lambda results, n: asked.append(n) or (0.0101, 0.02))
    out = " ".join(check("--set", "samplers=[any, random]", "--set", "seeds=12")[1].split())
    assert "areas of mae that differ from Random's by 0.01 to 0.02, if the noise stays as it is" in out
    assert asked == [12]
