"""Lengths, cosines and outer products of the rows of matrices."""

from __future__ import annotations

import torch


def row_norms(X: torch.Tensor) -> torch.Tensor:
    """(n,) float64 Euclidean lengths of the rows of X (n, d).

    In float64 the squares of tiny numbers, such as the gradients of a confident head, do not vanish.

    >>> import torch
    >>> from alharness.kernels import row_norms
    >>> row_norms(torch.tensor([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [5.0, 0.0]
    """
    norms: torch.Tensor = torch.linalg.vector_norm(X, dim=1, dtype=torch.float64)
    return norms


def row_cosines(A: torch.Tensor, B: torch.Tensor) -> torch.Tensor:
    """(n,) float64 cosines of the rows of A and B; 0 with a zero vector.

    Args:
        A: (n, d).
        B: (n, d'), d' <= d; coordinates that B lacks are zeros.

    >>> import torch
    >>> from alharness.kernels import row_cosines
    >>> row_cosines(torch.tensor([[1.0, 0.0], [3.0, 4.0]]), torch.tensor([[2.0], [2.0]])).tolist()
    [1.0, 0.6]
    """
    cosines: torch.Tensor = torch.linalg.vecdot(_unit(A)[:, : B.shape[1]], _unit(B))
    return cosines


def row_outer(Q: torch.Tensor, X: torch.Tensor) -> torch.Tensor:
    """(n, r·d) outer products of the rows of Q (n, r) and X (n, d): q_1·x, q_2·x, ..., one after another.

    >>> import torch
    >>> from alharness.kernels import row_outer
    >>> row_outer(torch.tensor([[1.0, 10.0]]), torch.tensor([[2.0, 3.0]])).tolist()
    [[2.0, 3.0, 20.0, 30.0]]
    """
    return torch.einsum("nr,nd->nrd", Q, X).flatten(1)


def _unit(X: torch.Tensor) -> torch.Tensor:
    norms = row_norms(X)[:, None]
    return X / norms.where(norms > 0, 1.0)
