from contextlib import nullcontext

import numpy as np
import pytest
import torch

from alharness import FUSED, Query, Task


class View:
    """Fused embeddings only; a view without samples has none to give, as in the harness."""

    def __init__(self, points):
        self.points = points
        self.ids = tuple(f"{i:04d}" for i in range(len(points)))

    def __len__(self):
        return len(self.points)

    def embeddings(self, source=FUSED):
        assert source == FUSED
        assert len(self) > 0
        return self.points


@pytest.fixture
def make_query():
    def make(pool, centers, size, seed=0):
        return Query(
            unlabeled=View(pool),
            labeled=View(centers),
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
