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

    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load_dataset))
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
