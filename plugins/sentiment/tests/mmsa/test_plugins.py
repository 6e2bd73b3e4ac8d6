"""The registered data sets: what they say before they are loaded, and what they make."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from alharness import registry
from alharness.api.vocabulary import Task
from alharness.errors import DataError
from alharness_sentiment.mmsa.conversion import convert
from alharness_sentiment.mmsa.facts import CORPORA
from alharness_sentiment.stored.plugin import StoredParams

PLUGIN = registry.load().dataset("simsv2").plugin


@pytest.fixture
def folder(content, write, empty):
    """An imported data set."""
    convert(CORPORA["simsv2"], write(content), empty)
    return empty


@pytest.mark.parametrize("name", list(CORPORA))
def test_every_corpus_is_installed_under_its_name(name):
    registered = registry.load().dataset(name)
    assert (registered.distribution, registered.plugin.name) == ("alharness-sentiment", name)


def test_facts_are_those_of_the_loaded_data(folder):
    params = StoredParams(path=folder)
    facts, dataset = PLUGIN.inspect(params), PLUGIN.make(params)
    assert facts.task == dataset.task == Task.REGRESSION
    assert facts.modalities == dataset.modalities == ("text", "audio", "vision")
    assert facts.sizes == tuple(len(part) for part in dataset.parts.values()) == (9, 4, 5)
    assert (facts.synthetic, dataset.synthetic) == (False, False)


def test_facts_of_chosen_modalities(folder):
    params = StoredParams(path=folder, modalities=("vision", "audio"))
    assert PLUGIN.inspect(params).modalities == PLUGIN.make(params).modalities == ("vision", "audio")


def test_the_fused_label_can_serve_for_every_modality(folder):
    own, copy = (PLUGIN.make(StoredParams(path=folder, unimodal_labels=kind)) for kind in ("own", "copy"))
    assert set(own.parts["train"].unimodal_labels) == {"text", "audio", "vision"}
    assert copy.parts["train"].unimodal_labels == {}


@pytest.mark.parametrize("modalities", [(), ("audio", "audio"), ("sound",)])
def test_modalities_are_known_and_named_once(modalities):
    with pytest.raises(ValueError, match="modalities"):
        StoredParams(modalities=modalities)


def test_data_that_is_missing_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as caught:
        PLUGIN.inspect(StoredParams())
    lines = str(caught.value).splitlines()
    assert lines[0] == "data/simsv2: not found, and the data set 'simsv2' is not part of alharness"
    assert "github.com/thuiar/ch-sims-v2" in lines[1]
    assert "academic research only" in lines[2]
    assert "DOI 10.1145/3536221.3556630" in lines[3]
    assert lines[4] == "  convert: alharness data import simsv2 ch-simsv2s.pkl --out data/simsv2"
    assert "if_missing: stand_in" in lines[5]


def test_the_data_is_looked_for_where_the_import_puts_it(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    folder.rename("data/simsv2")
    assert PLUGIN.inspect(StoredParams()).sizes == (9, 4, 5)


@pytest.mark.parametrize("broken", ["folder", "file", "link"])
def test_a_stand_in_never_takes_the_place_of_what_is_there(tmp_path, broken):
    path = tmp_path / "mine"
    {"folder": path.mkdir, "file": path.touch, "link": lambda: path.symlink_to("nowhere")}[broken]()
    with pytest.raises(DataError, match="(mine|nowhere): is not a converted data set"):
        PLUGIN.inspect(StoredParams(path=path, if_missing="stand_in"))


def test_verifying_reads_everything(folder):
    params = StoredParams(path=folder)
    (line,) = PLUGIN.verify(params)
    assert "all 45 files" in line
    path = folder / "test" / "vision.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    PLUGIN.make(params).pooled().split(np.random.default_rng(0))  # not noticed: vectors are whole
    with pytest.raises(DataError, match=r"vision\.npy: damaged \(its sha256 is not the one in manifest\.json\)"):
        PLUGIN.verify(params)


def test_inspecting_imports_nothing_heavy(folder):
    code = (
        "import sys; from alharness_sentiment.mmsa.plugin import MMSA;"
        "from alharness_sentiment.stored.plugin import StoredParams;"
        "MMSA[0].inspect(StoredParams(path=sys.argv[1]));"
        "print(sorted({'torch', 'sklearn', 'scipy', 'numpy', 'rich'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
