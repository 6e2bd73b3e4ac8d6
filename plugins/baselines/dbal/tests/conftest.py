"""Draws in memory for the formulas, and a real fitted model for the way there."""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from contextlib import nullcontext

import numpy as np
import pytest
import torch

from alharness import Inputs, ModelShape, Query, Samples, Task
from alharness.models.late_fusion.plugin import LateFusionParams, make
from alharness.pool import Pool
from alharness.selection import Chooser, Request, ask
from alharness.settings import TrainingSettings
from alharness.training import Trainer


class View:
    """Draws only: touching anything else is an error, as it is in the harness."""

    def __init__(self, stack):
        self.stack = stack
        self.asked = []

    def __len__(self):
        return self.stack.shape[1]

    def mc_draws(self, draws, source):
        self.asked.append((draws, source))
        yield from self.stack


@pytest.fixture
def make_query():
    """(draws (T, n, C), size) -> Query; what it logs is in `query.log.__self__`."""

    def build(stack, size=5, task=Task.CLASSIFICATION, seed=0):
        return Query(
            unlabeled=View(stack),
            labeled=None,
            size=size,
            cycle=0,
            cycles=1,
            task=task,
            modalities=("audio", "text"),
            device=torch.device("cpu"),
            rng=np.random.default_rng(seed),
            decode=None,
            log={}.__setitem__,
            phase=lambda name: nullcontext(),
        )

    return build


@pytest.fixture
def ask_a_trained_model():
    """(sampler, its features, ...) -> Answer of the harness, over `late_fusion` trained on 20 of 60 samples."""

    def answer(sampler, features, task=Task.CLASSIFICATION, *, dropout=0.3, seed=0, size=10):
        rng = np.random.default_rng(0)
        y = rng.integers(0, 3, 60)
        arrays = {
            "audio": (y[:, None] + rng.normal(size=(60, 4))).astype(np.float32),
            "text": (100 + 10 * y[:, None] + 8 * rng.normal(size=(60, 3))).astype(np.float32),
        }
        classifies = task == Task.CLASSIFICATION
        labels = y.astype(np.int64) if classifies else (10 * y + rng.normal(size=60)).astype(np.float32)
        inputs = Inputs(ids=tuple(f"s{i:04d}" for i in range(60)), arrays=arrays)
        labeled = Samples(inputs=inputs, labels=labels).take(np.arange(20))
        shape = ModelShape(features={"audio": 4, "text": 3}, task=task, outputs=3 if classifies else 1)
        params = LateFusionParams(hidden=16, representation=8, fusion=8, dropout=dropout)
        settings = TrainingSettings(epochs=5, device="cpu")
        fitted = Trainer(lambda: make(params, shape), settings, None).fit(labeled, 0)
        return ask(
            Chooser(sampler=sampler, name="test", features=frozenset(features)),
            fitted,
            inputs,
            labeled,
            Pool(inputs.ids, tuple(range(20))),
            Request(size=size, cycle=0, cycles=1, seed=seed, batch=16),
        )

    return answer
