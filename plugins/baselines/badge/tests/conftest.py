from contextlib import nullcontext

import numpy as np
import pytest
import torch

from alharness import FUSED, Query, Task


class View:
    """Predictions and embeddings of some sources, and nothing else."""

    def __init__(self, features):
        self.features = features
        self.ids = tuple(f"{i:04d}" for i in range(len(self)))

    def __len__(self):
        return len(next(iter(self.features.values()))[0])

    def predictions(self, source=FUSED):
        return self.features[source][0]

    def embeddings(self, source=FUSED):
        return self.features[source][1]


@pytest.fixture
def make_query():
    def make(log_p, h, size, seed=0, source=FUSED):
        view = View({source: (log_p, h)})
        return Query(
            unlabeled=view,
            labeled=view,
            size=size,
            cycle=0,
            cycles=1,
            task=Task.CLASSIFICATION,
            modalities=("audio",),
            device=torch.device("cpu"),
            rng=np.random.default_rng(seed),
            decode=lambda z: {},
            log={}.__setitem__,
            phase=lambda name: nullcontext(),
        )

    return make
