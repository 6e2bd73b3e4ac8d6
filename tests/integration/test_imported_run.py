"""A file like SIMSv2's, imported, gives the same run as the same arrays in memory."""

import pickle
import sys

import numpy as np
import pytest

from alharness import Dataset, Inputs, Samples, Splits, Task
from alharness import registry as registries
from alharness import spec as specs
from alharness.cli import main
from alharness.runs import run as runs
from alharness_sentiment.metrics import SIMS

SIZES = {"train": 60, "valid": 15, "test": 20}
SHAPES = {"text": (6, 768), "audio": (9, 25), "vision": (8, 177)}
SUFFIXES = {"text": "_T", "audio": "_A", "vision": "_V"}
SPEC = """
name: trial
dataset: {{name: {name}, params: {params}}}
model: {model}
training: {{epochs: 3, device: cpu}}
active_learning: {{initial_pool: 20, budget: 10, cycles: 1}}
seeds: [0]
samplers: [coreset, grace]
"""


def upstream(split, n, rng):
    """As numpy and pickle alone write it: float64, lengths of zero, numbers that are none, strings as objects."""
    content = {"id": np.array([f"video_{split}$_${i:04}" for i in rng.permutation(n)], dtype=object)}
    content["raw_text"] = ["text"] * n
    content["regression_labels"] = rng.integers(-5, 6, n) / 5
    for modality, (steps, d) in SHAPES.items():
        content[modality] = rng.normal(size=(n, steps, d)) + content["regression_labels"][:, None, None]
        content[f"regression_labels{SUFFIXES[modality]}"] = rng.integers(-5, 6, n) / 5
    for modality in ("audio", "vision"):
        content[f"{modality}_lengths"] = rng.integers(0, SHAPES[modality][0] + 1, n).tolist()
        content[f"{modality}_lengths"][0] = 0
        content[modality][rng.random(content[modality].shape) < 0.01] = -np.inf
        content[modality][rng.random(content[modality].shape) < 0.01] = np.nan
    return content


def samples(content):
    """The same, corrected by hand."""
    finite = {m: np.where(np.isfinite(content[m]), content[m], 0).astype(np.float32) for m in SHAPES}
    return Samples(
        inputs=Inputs(
            ids=tuple(content["id"]),
            arrays=finite,
            lengths={m: np.maximum(np.array(content[f"{m}_lengths"]), 1) for m in ("audio", "vision")},
            pooling={"text": "first"},
        ),
        labels=content["regression_labels"].astype(np.float32),
        unimodal_labels={m: content[f"regression_labels{s}"].astype(np.float32) for m, s in SUFFIXES.items()},
    )


@pytest.fixture
def content():
    rng = np.random.default_rng(0)
    return {split: upstream(split, n, rng) for split, n in SIZES.items()}


PLUGIN = """
import pickle
import sys
from pathlib import Path

from alharness import DatasetFacts, DatasetPlugin, Params, Task, hookimpl


def make(params):
    return pickle.loads((Path(__file__).parent / "memory.pkl").read_bytes())


@hookimpl
def alharness_datasets():
    facts = DatasetFacts(task=Task.REGRESSION, modalities={modalities}, sizes={sizes})
    return [DatasetPlugin(name="memory", params=Params, inspect=lambda _: facts, make=make)]
"""


@pytest.fixture
def installed(content, tmp_path, monkeypatch):
    """The installed plugins, and a data set `memory` that was never imported."""
    parts = {split: samples(part) for split, part in content.items()}
    dataset = Dataset(task=Task.REGRESSION, content=Splits(**parts), metrics=SIMS)
    site = tmp_path / "site"
    info = site / "memory-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: memory\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[alharness]\nmemory = memory_plugin\n")
    text = PLUGIN.format(modalities=tuple(SHAPES), sizes=tuple(SIZES.values()))
    (site / "memory_plugin.py").write_text(text)
    (site / "memory.pkl").write_bytes(pickle.dumps(dataset))
    monkeypatch.syspath_prepend(site)
    monkeypatch.delitem(sys.modules, "memory_plugin", raising=False)
    return registries.load()


@pytest.mark.parametrize("model", ["late_fusion", "{name: lfmim, params: {preset: small, layers: 1}}"])
def test_an_import_gives_the_run_of_the_arrays_in_memory(content, installed, model, tmp_path, capsys):
    (tmp_path / "ch-simsv2s.pkl").write_bytes(pickle.dumps(content))
    with pytest.raises(SystemExit) as end:
        main(["data", "import", "simsv2", str(tmp_path / "ch-simsv2s.pkl"), "--out", str(tmp_path / "stored")])
    assert end.value.code == 0, capsys.readouterr().err

    def run(name, params):
        path = tmp_path / f"{name}.yaml"
        path.write_text(SPEC.format(name=name, params=params, model=model))
        _, record = runs.run(
            specs.load(path, installed), installed, runs.Options(workdir=tmp_path), lambda _: None
        )
        return [(c.status, [(y.metrics, y.chosen, y.scores) for y in c.cycles]) for c in record.cells]

    stored, memory = run("simsv2", "{path: stored}"), run("memory", "{}")
    assert [status for status, _ in stored] == ["ok", "ok"]
    assert stored == memory
