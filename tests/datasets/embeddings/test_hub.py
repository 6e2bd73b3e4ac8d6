"""Data sets of the Hugging Face Hub, with a stand-in for the library `datasets`."""

import sys
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from alharness import DataError
from alharness.datasets.embeddings.params import EmbeddingsParams
from alharness.datasets.embeddings.reader import load

X = np.arange(12, dtype=np.float32).reshape(4, 3)


class Found:
    def __init__(self, table):
        self._table, self._fingerprint = table, "f1"
        self.features = Features({"label": SimpleNamespace(names=["neg", "pos"]), "vec": SimpleNamespace()})
        self.features.arrow_schema = table.schema

    def __len__(self):
        return len(self._table)

    def select_columns(self, columns):
        return Found(self._table.select(columns))

    def with_format(self, kind):
        assert kind == "arrow"
        return self

    def iter(self, batch_size):
        yield self._table.slice(0, 3)
        yield self._table.slice(3)


class Features(dict):
    pass


@pytest.fixture
def library(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    asked = []

    def load_dataset(path, configuration, split):
        asked.append((path, configuration, split))
        if split == "nothing":
            raise ValueError("Unknown split")
        return Found(pa.table({"label": pa.array([1, 0, -1, None], pa.int64()), "vec": X.tolist()}))

    quiet = SimpleNamespace(load_dataset=load_dataset, disable_progress_bars=lambda: None)
    monkeypatch.setitem(sys.modules, "datasets", quiet)
    return asked


def test_names_of_classes_and_what_has_none(library, tmp_path):
    dataset = load(EmbeddingsParams(hub="owner/name:small"))
    assert set(library) == {("owner/name", "small", "train")}
    assert dataset.classes == ("neg", "pos")
    assert dataset.content.labels.tolist() == [1, 0]
    assert np.asarray(dataset.unlabeled.arrays["vec"]).tolist() == X[2:].tolist()
    assert list(tmp_path.glob("alharness/vec-*.npy"))


def test_a_part_that_is_not_there(library):
    with pytest.raises(DataError, match="hub: 'owner/name', part 'nothing', cannot be had: .*Unknown split"):
        load(EmbeddingsParams(hub="owner/name", part="nothing"))


def test_the_library_is_an_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DataError, match=r"pip install 'alharness\[hf\]'"):
        load(EmbeddingsParams(hub="owner/name"))


def test_the_library_is_an_extra_for_what_it_has_saved(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "datasets", None)
    (tmp_path / "state.json").touch()
    with pytest.raises(DataError, match=r"was saved by `datasets`, and is read by the library .*alharness\[hf\]"):
        load(EmbeddingsParams(path=tmp_path))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder that the real library has made; it is an extra, which need not be there."""
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        {
            "label": datasets.ClassLabel(names=["neg", "pos"]),
            "vec": datasets.Sequence(datasets.Value("float32"), length=3),
            "image": datasets.Array2D((1, 3), "float32"),
        }
    )
    rows = {"label": [1, 0, -1, 1], "vec": X, "image": X[:, None]}
    one = datasets.Dataset.from_dict(rows, features=features)
    folder = tmp_path_factory.mktemp("saved")
    one.save_to_disk(folder / "one")
    datasets.DatasetDict({"train": one, "test": one.select([3, 1])}).save_to_disk(folder / "several")
    (folder / "files").mkdir()
    one.to_parquet(folder / "files" / "train.parquet")
    return folder


@pytest.mark.parametrize(("name", "part"), [("one", "train"), ("several", "test"), ("files", "train")])
def test_the_real_library(saved, name, part, monkeypatch, tmp_path):
    for variable in ("XDG_CACHE_HOME", "HF_HOME", "HF_DATASETS_CACHE"):
        monkeypatch.setenv(variable, str(tmp_path))
    where = {"hub": str(saved / name)} if name == "files" else {"path": saved / name}
    dataset = load(EmbeddingsParams(part=part, **where))
    assert dataset.modalities == ("vec",)
    assert dataset.classes == ("neg", "pos")
    assert dataset.content.labels.tolist() == ([1, 0] if part == "test" else [1, 0, 1])
    assert np.asarray(dataset.content.inputs.arrays["vec"])[0].tolist() == X[3 if part == "test" else 0].tolist()


def test_a_saved_part_that_is_not_there(saved):
    with pytest.raises(DataError, match="has no part 'tset'; did you mean 'test'?"):
        load(EmbeddingsParams(path=saved / "several", part="tset"))
