from contextlib import nullcontext

import numpy as np
import pytest
import torch

from alharness import Query, Task


class View:
    """Predictions only: touching anything else is an error, as it is in the harness."""

    def __init__(self, log_p):
        self.log_p = log_p
        self.asked = []

    def __len__(self):
        return len(self.log_p)

    def predictions(self, source):
        self.asked.append(source)
        return self.log_p


@pytest.fixture
def make_query():
    def build(log_p, size=5, seed=0):
        return Query(
            unlabeled=View(log_p),
            labeled=None,
            size=size,
            cycle=0,
            cycles=1,
            task=Task.CLASSIFICATION,
            modalities=("audio", "text"),
            device=torch.device("cpu"),
            rng=np.random.default_rng(seed),
            decode=None,
            log={}.__setitem__,
            phase=lambda name: nullcontext(),
        )

    return build
