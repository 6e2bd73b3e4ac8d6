import numpy as np
import pytest

from alharness.api.vocabulary import Task
from alharness_sentiment.stored.manifest import SPLITS, Repairs
from alharness_sentiment.stored.writer import Writer

SHAPES = {"text": (4, 6), "audio": (7, 3), "vision": (5, 2)}
"""Steps and features of each modality."""

SIZES = {"train": 8, "valid": 3, "test": 4}


class Made:
    """Arrays as they were given to the writer."""

    def __init__(self, seed=0):
        rng = np.random.default_rng(seed)
        self.ids = {split: [f"{split}-{i}" for i in range(n)] for split, n in SIZES.items()}
        self.sequences = {
            (split, m): rng.normal(size=(n, *shape)).astype(np.float32)
            for split, n in SIZES.items()
            for m, shape in SHAPES.items()
        }
        self.lengths = {
            (split, m): rng.integers(1, SHAPES[m][0] + 1, n)
            for split, n in SIZES.items()
            for m in ("audio", "vision")
        }
        self.labels = {split: rng.uniform(-1, 1, n).astype(np.float32) for split, n in SIZES.items()}

    def write(self, folder, *, sequences=True, **about):
        writer = Writer(folder)
        for split in SPLITS:
            writer.ids(split, self.ids[split])
            for m in SHAPES:
                x, how = self.sequences[split, m], "first" if m == "text" else "mean"
                lengths = self.lengths.get((split, m))
                if sequences:
                    blocks = [x[:2], x[2:]]
                    writer.sequence(split, m, blocks, shape=x.shape, lengths=lengths, pooling=how)
                else:
                    steps = lengths if lengths is not None else [x.shape[1]] * len(x)
                    mean = np.array([row[:n].mean(0, dtype=float) for row, n in zip(x, steps, strict=True)])
                    writer.vectors(split, m, x[:, 0] if how == "first" else mean, pooling=how)
            writer.labels(split, self.labels[split], unimodal={"audio": -self.labels[split]})
        given = {
            "dataset": "toy",
            "synthetic": False,
            "task": Task.REGRESSION,
            "repairs": {"train": {"audio": Repairs(nan=1200, empty=2), "text": Repairs()}},
            "remarks": ("train_mix was left out",),
        }
        return writer.finish(modalities=tuple(SHAPES), **(given | about))


@pytest.fixture
def made():
    return Made()


@pytest.fixture
def folder(made, tmp_path):
    """A stored data set."""
    path = tmp_path / "toy"
    path.mkdir()
    made.write(path)
    return path
