from contextlib import nullcontext

import numpy as np
import pytest
import torch

from alharness import Query, Task


class View:
    """Knows its size; random sampling asks for nothing else."""

    def __init__(self, n):
        self.ids = tuple(f"{i:04d}" for i in range(n))

    def __len__(self):
        return len(self.ids)


@pytest.fixture
def make_query():
    def make(n, size, seed=0):
        return Query(
            unlabeled=View(n),
            labeled=View(0),
            size=size,
            cycle=0,
            cycles=1,
            task=Task.REGRESSION,
            modalities=("audio",),
            device=torch.device("cpu"),
            rng=np.random.default_rng(seed),
            decode=lambda z: {},
            log={}.__setitem__,
            phase=lambda name: nullcontext(),
        )

    return make
