"""Runs on a stand-in: said to be synthetic wherever they are shown, and never mixed with runs on real data."""

import json
import shutil
import sqlite3

import pytest

from alharness import registry
from alharness import spec as specs
from alharness.errors import DataError, PluginError
from alharness.runs.run import Options, run
from alharness.spec.plan import make_plan
from alharness_sentiment.standin.cache import locate
from alharness_sentiment.standin.settings import StandInSettings

SPEC = """\
name: trial
dataset:
  name: simsv2
  params: {path: data/simsv2, if_missing: stand_in, stand_in: {share: 0.02}}
training: {epochs: 2, device: cpu}
active_learning: {initial_pool: 10, budget: 5, cycles: 2}
seeds: 1
samplers: [first]
"""
NOTICE = "SYNTHETIC DATA: the data set is made up."


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setenv("ALHARNESS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "trial.yaml").write_text(SPEC)
    return tmp_path / "trial.yaml"


def make_real(folder):
    """A stand-in passed off as imported data."""
    made = locate("simsv2", StandInSettings(share=0.02))
    shutil.copytree(made, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"synthetic": False, "remarks": []}))


@pytest.mark.slow
def test_a_run_on_a_stand_in_says_so_from_the_beginning_to_the_end(command, path, tmp_path):
    process = command("run", path)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    before, after = out.split("[1/1] first-s0")
    assert NOTICE in before
    assert NOTICE in after
    assert "trial-standin: simsv2, 10 → 20 labels, SYNTHETIC DATA" in after
    assert [folder.name[:14] for folder in (tmp_path / "runs").iterdir()] == ["trial-standin-"]
    with sqlite3.connect(tmp_path / "mlflow.db") as store:
        names = [name for (name,) in store.execute("select name from experiments")]
        tags = store.execute("select value from tags where key = 'synthetic'").fetchall()
    assert sorted(names) == ["Default", "trial-standin"]
    assert tags == [("true",)]


def test_check_says_so_and_makes_nothing(command, path, tmp_path):
    out, _ = command("check", path).communicate(timeout=60)
    assert NOTICE in out
    assert "regression, SYNTHETIC" in out
    assert "55 train, 13 valid, 21 test" in out
    assert "trial-standin-" in out
    assert not (tmp_path / "cache").exists()


def test_real_data_that_appear_later_begin_a_run_of_their_own(path, run_spec, tmp_path):
    synthetic, _, _ = run_spec(path, tmp_path / "runs")
    before = {file: file.read_bytes() for file in synthetic.folder.rglob("journal.jsonl")}
    make_real(tmp_path / "data" / "simsv2")
    real, record, _ = run_spec(path, tmp_path / "runs")
    assert (synthetic.synthetic, real.synthetic) == (True, False)
    assert synthetic.folder != real.folder
    assert (synthetic.name, real.name) == ("trial-standin", "trial")
    assert not real.finished["first-s0"]
    assert all(cell.status == "ok" for cell in record.cells)
    assert len(before) == 1
    assert {file: file.read_bytes() for file in before} == before
    shutil.rmtree(tmp_path / "data")
    again, _, _ = run_spec(path, tmp_path / "runs")
    assert again.folder == synthetic.folder
    assert again.finished["first-s0"] == 3


def test_missing_data_are_an_error_where_no_stand_in_is_asked_for(path, run_spec, tmp_path):
    path.write_text(SPEC.replace("if_missing: stand_in, ", ""))
    with pytest.raises(DataError, match="if_missing: stand_in"):
        run_spec(path, tmp_path / "runs")
    assert not (tmp_path / "cache").exists()


def test_damaged_data_are_never_replaced_by_a_stand_in(path, run_spec, tmp_path):
    (tmp_path / "data" / "simsv2").mkdir(parents=True)
    with pytest.raises(DataError, match=r"has no manifest\.json"):
        run_spec(path, tmp_path / "runs")


def test_settings_of_a_stand_in_are_part_of_the_experiment(path, toy_site, monkeypatch):
    monkeypatch.syspath_prepend(toy_site)

    def experiment(*assignments):
        return make_plan(specs.load(path, registry.load(), assignments)).experiment

    assert experiment() == experiment("dataset.params.stand_in.seed=0")
    assert experiment() != experiment("dataset.params.stand_in.seed=1")
    assert experiment() != experiment("dataset.params.stand_in.snr.audio=0.4")


def test_data_that_turn_out_synthetic_unannounced_are_refused(path, toy_site, tmp_path, monkeypatch):
    """The data vanish between the look at them and their opening."""
    monkeypatch.syspath_prepend(toy_site)
    installed = registry.load()
    specs.load(path, installed).dataset.plugin.make(specs.load(path, installed).dataset.params)
    make_real(tmp_path / "data" / "simsv2")
    spec = specs.load(path, installed)
    inspect = spec.dataset.plugin.inspect

    def vanishing(params):
        facts = inspect(params)
        shutil.rmtree(tmp_path / "data")
        return facts

    object.__setattr__(spec.dataset.plugin, "inspect", vanishing)
    with pytest.raises(PluginError, match="announced real data and is synthetic"):
        run(spec, installed, Options(workdir=tmp_path / "runs"), print)


def test_modalities_and_copied_labels_can_be_asked_for(path, toy_site, monkeypatch):
    monkeypatch.syspath_prepend(toy_site)
    assignments = ["dataset.params.modalities=[vision, text]", "dataset.params.unimodal_labels=copy"]
    spec = specs.load(path, registry.load(), assignments)
    assert make_plan(spec).facts.modalities == ("vision", "text")
    train = spec.dataset.plugin.make(spec.dataset.params).pooled().parts["train"]
    assert train.inputs.modalities == ("vision", "text")
    assert train.unimodal_labels == {}


def test_describe_says_so_and_makes_no_sequences(command, path, tmp_path):
    choices = ("--set", "if_missing=stand_in", "--set", "stand_in.share=0.02")
    out, err = command("data", "describe", "cherma", "--verify", *choices).communicate(timeout=60)
    assert err == ""
    assert NOTICE in out
    assert "anger" in out
    assert [folder.name[-8:] for folder in (tmp_path / "cache" / "stand-ins").glob("*s")] == ["-vectors"]
