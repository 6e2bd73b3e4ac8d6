"""Pools of fused embeddings in memory, and GCNAL as the paper writes it: dense, and differentiated by torch."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from alharness.testing import TensorView
from alharness.testing import make_query as make_tensor_query
from alharness_gcnal.network import draw_kept, fresh_network


@pytest.fixture
def make_query():
    """(unlabeled, labeled, size) -> a query for these fused embeddings."""

    def make(unlabeled, labeled, size, *, seed=0):
        sides = TensorView(embeddings=unlabeled), TensorView(embeddings=labeled)
        return make_tensor_query(*sides, size=size, seed=seed)

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
        kept = X.new_empty(len(X), params.hidden)
        share = draw_kept(params.dropout, rng, kept)
        adam.zero_grad()
        dense_loss(gcn(X, A, kept.to(X) / share)[1], unlabeled, params.loss_weight).backward()
        adam.step()
    return gcn


@pytest.fixture
def dense():
    return SimpleNamespace(matrix=dense_matrix, GCN=DenseGCN, loss=dense_loss, train=dense_training)
