"""Pools of fused embeddings in memory, and GCNAL as the paper writes it: dense, and differentiated by torch."""

from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from alharness import FUSED, Query, Task
from alharness_gcnal.network import fresh_network
from alharness_gcnal.training import draw_kept


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
    """(unlabeled, labeled, size) -> Query; what it logs is in `query.log.__self__`."""

    def make(unlabeled, labeled, size, *, seed=0, task=Task.CLASSIFICATION):
        return Query(
            unlabeled=View(unlabeled),
            labeled=View(labeled),
            size=size,
            cycle=0,
            cycles=1,
            task=task,
            modalities=("audio",),
            device=torch.device("cpu"),
            rng=np.random.default_rng(seed),
            decode=lambda z: {},
            log={}.__setitem__,
            phase=lambda name: nullcontext(),
        )

    return make


def draw(n, d, *, signed=False, seed=0, dtype=torch.float64):
    points = torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (points if signed else points.abs()).to(dtype)


@pytest.fixture
def points():
    """(n, d, signed=False, seed=0, dtype=float64) -> random embeddings, none negative unless signed."""
    return draw


def dense_matrix(X, *, shifted=False):
    affinity = X @ X.T
    if shifted:
        affinity = (1 + affinity) / 2
    S = affinity - torch.eye(len(X)).to(X)
    return S @ torch.diag(1 / S.sum(0)) + torch.eye(len(X)).to(X)


class DenseGCN(nn.Module):
    """Both layers multiply by the N × N matrix; dropout masks are handed in."""

    def __init__(self, network):
        super().__init__()
        self.W1, self.b1 = nn.Parameter(network.W1.clone()), nn.Parameter(network.b1.clone())
        self.W2, self.b2 = nn.Parameter(network.W2[:, None].clone()), nn.Parameter(network.b2.clone())

    def forward(self, X, A, mask=1.0):
        hidden = torch.relu(A @ (X @ self.W1) + self.b1) * mask
        return hidden, (A @ (hidden @ self.W2) + self.b2)[:, 0]


def dense_loss(logits, unlabeled, loss_weight):
    s = torch.sigmoid(logits)
    on_labeled = -torch.log(s[unlabeled:]).mean() if unlabeled < len(s) else 0.0
    return on_labeled - loss_weight * torch.log(1 - s[:unlabeled]).mean()


def dense_training(X, A, unlabeled, params, rng):
    """The network after its last step; starts and masks are those that the same generator gives the sampler."""
    gcn = DenseGCN(fresh_network(X.shape[1], params.hidden, rng, X))
    adam = torch.optim.Adam(gcn.parameters(), lr=params.learning_rate, weight_decay=params.weight_decay)
    for _ in range(params.steps):
        kept, share = draw_kept(len(X), params.hidden, params.dropout, rng)
        adam.zero_grad()
        dense_loss(gcn(X, A, kept.to(X) / share)[1], unlabeled, params.loss_weight).backward()
        adam.step()
    return gcn


@pytest.fixture
def dense():
    return SimpleNamespace(matrix=dense_matrix, GCN=DenseGCN, loss=dense_loss, train=dense_training)
