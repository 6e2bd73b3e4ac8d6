"""A data set of which the pool has no label; to be included."""

import numpy as np

from alharness import Dataset, DatasetFacts, DatasetPlugin, Inputs, Params, Samples, Splits, Task

N, TEST, CLASSES = 60, 20, ("a", "b", "c")


class PartlyParams(Params):
    tested: bool = True
    known: int = 0


def draw(n, seed, prefix):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    x = (np.eye(3)[y] + 0.6 * rng.normal(size=(n, 3))).astype(np.float32)
    inputs = Inputs(ids=tuple(f"{prefix}{i:02}" for i in range(n)), arrays={"x": x})
    return Samples(inputs=inputs, labels=y)


def whole():
    """With all labels, as a benchmark has them."""
    splits = Splits(train=draw(N, 0, "s"), valid=draw(8, 2, "v"), test=draw(TEST, 1, "t"))
    return Dataset(task=Task.CLASSIFICATION, classes=CLASSES, content=splits)


def truth():
    train = whole().content.train
    return {name: CLASSES[y] for name, y in zip(train.ids, train.labels, strict=True)}


def make(params):
    splits, rows = whole().content, np.arange(N)
    known, unknown = splits.train.take(rows[: params.known]), splits.train.take(rows[params.known :])
    content = Splits(train=known, valid=splits.valid, test=splits.test) if params.tested else known
    return Dataset(task=Task.CLASSIFICATION, classes=CLASSES, content=content, unlabeled=unknown.inputs)


def inspect(params):
    sizes = (params.known, 8, TEST) if params.tested else (params.known, 0, 0)
    return DatasetFacts(task=Task.CLASSIFICATION, modalities=("x",), sizes=sizes, unlabeled=N - params.known)


partly = DatasetPlugin(name="partly", params=PartlyParams, inspect=inspect, make=make)
