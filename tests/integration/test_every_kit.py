"""The kits over what comes along and has none in tests of its own."""

import numpy as np
import pytest

from alharness import registry
from alharness.testing import DatasetConformance, ModelConformance, TrackerConformance, examine

FILES = {"arrays": ("folder", {}), "embeddings": ("table.csv", {"modalities": {"text": "text*"}})}
"""Data set -> the place of its files, and its other parameters."""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two classes of vectors, of which some samples have no label: a folder of arrays, and a table."""
    place = tmp_path_factory.mktemp("files")
    vectors = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    labels = [f"s{row:02},{'' if row % 6 == 0 else 'yes' if row % 2 else 'no'}" for row in range(60)]
    rows = [",".join([label, *map(str, vector)]) for label, vector in zip(labels, vectors, strict=True)]
    (place / "folder").mkdir()
    np.save(place / "folder" / "text.npy", vectors)
    (place / "folder" / "labels.csv").write_text("\n".join(["id,label", *labels]))
    (place / "table.csv").write_text("\n".join(["id,label,text0,text1,text2", *rows]))
    return place


def broken(kit):
    return [f"{verdict}: {verdict.reason}" for verdict in examine(kit) if verdict.status == "failed"]


@pytest.mark.parametrize("name", ["ames", "chicago", "digits", "openclipart", "worlds", *FILES])
def test_a_data_set_keeps_its_promises(name, files):
    path, about = FILES.get(name, ("", {}))
    params = {"path": files / path, **about} if path else {}
    assert broken(DatasetConformance.of(registry.load().dataset(name).plugin, params)) == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("linear", {}),
        ("linear", {"modalities": ("text", "audio")}),
        ("sklearn", {"estimator": "sklearn.linear_model:LogisticRegression"}),
        ("sklearn", {"estimator": "sklearn.linear_model:Ridge"}),
    ],
)
def test_a_model_keeps_its_promises(name, params):
    assert broken(ModelConformance.of(registry.load().model(name).plugin, params)) == []


def test_no_tracker_is_one_that_keeps_its_promises():
    assert broken(TrackerConformance.of(registry.load().trackers["none"].plugin, {})) == []
