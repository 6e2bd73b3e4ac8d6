"""A file in the MMSA format, made up with numpy alone."""

import pickle

import numpy as np
import pytest

from alharness_sentiment.mmsa.facts import CORPORA
from alharness_sentiment.stored import writer

STEPS = {"text": 5, "audio": 7, "vision": 6}
SIZES = {"train": 9, "valid": 4, "test": 5}


def make_split(rng, name, n, corpus):
    """One split of the form that upstream writes: float64 features, ids as objects, lengths as a list."""
    content = {
        "raw_text": [f"你好 {i}" for i in range(n)],
        "id": np.array([f"video_{name}$_${i:04}" for i in rng.permutation(n)], dtype=object),
        "annotations": np.array(["Positive"] * n),
        "text_bert": np.stack([np.ones((n, STEPS["text"]))] * 3, axis=1),
        "audio_lengths": rng.integers(1, STEPS["audio"] + 1, n).tolist(),
        "vision_lengths": rng.integers(1, STEPS["vision"] + 1, n),
    }
    content["text_bert"][:, 1, 3:] = 0  # three valid tokens
    for modality, d in corpus.features.items():
        content[modality] = rng.normal(size=(n, STEPS[modality], d))
    keys = ["regression_labels"]
    if corpus.largest == 1:
        keys += [f"regression_labels_{suffix}" for suffix in "TAV"]
    for key in keys:
        content[key] = (rng.integers(-5, 6, n) / 5 * corpus.largest).astype(np.float32)
    content["classification_labels"] = np.sign(content["regression_labels"])
    return content


def make_content(name="simsv2", seed=0):
    rng = np.random.default_rng(seed)
    return {split: make_split(rng, split, n, CORPORA[name]) for split, n in SIZES.items()}


@pytest.fixture
def content():
    """What a small `simsv2` file holds."""
    return make_content()


class Call:
    """Pickles as a call of this function."""

    def __init__(self, function, *arguments, state=None):
        self.call = (function, arguments, state)

    def __reduce__(self):
        return self.call


def make_own(split):
    x = np.arange(24.0).reshape(4, 3, 2)
    return {
        "id": np.array([f"{split}{i}" for i in range(4)]),
        "audio": x,
        "vision": x.astype("f4"),
        "audio_lengths": [1, 2, 3, 3],
        "regression_labels": np.array([0.5, 1, -1, 0]),
        "raw_text": ["a", "b", "c", "d"],
    }


@pytest.fixture
def own(monkeypatch):
    """What a small file of one's own features holds: audio and vision; nothing waits for the disk."""
    monkeypatch.setattr(writer, "settle", lambda _: None)
    return {split: make_own(split) for split in ("train", "valid", "test")}


@pytest.fixture
def write(tmp_path):
    """Writes an object as a pickle and returns the path."""

    def dump(content, protocol=4, name="file.pkl"):
        path = tmp_path / name
        path.write_bytes(pickle.dumps(content, protocol))
        return path

    return dump


@pytest.fixture
def empty(tmp_path):
    """The folder that the import fills."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder
