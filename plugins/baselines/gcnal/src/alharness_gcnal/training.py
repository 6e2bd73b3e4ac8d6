"""Training the graph network: every step of Adam sees the whole graph, in two matrix products and little more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch  # noqa: TID253 - only sampler.py imports this module

from .network import Network, fresh_network

if TYPE_CHECKING:
    from torch import Tensor

    from .loss import Loss
    from .plugin import GcnalParams
    from .propagation import Propagation

LEVELS = 2**16
"""A unit is kept or dropped by 16 random bits."""


def train(A: Propagation, AX: Tensor, loss: Loss, params: GcnalParams, rng: np.random.Generator) -> Network:
    """A new network, trained.

    Args:
        A: the propagation matrix.
        AX: (N, D) propagated features.
        loss: what is minimized.
        params: size, dropout, and Adam's settings.
        rng: draws the first weights, then the dropout masks.
    """
    network = fresh_network(AX.shape[1], params.hidden, rng, AX)
    adam = torch.optim.Adam(network.parameters, lr=params.learning_rate, weight_decay=params.weight_decay)
    kept, scratch = AX.new_empty(2, len(AX), params.hidden)
    for _ in range(params.steps):
        share = draw_kept(params.dropout, rng, kept)
        found = gradients(network, A, AX, loss, kept, share, scratch)
        for parameter, gradient in zip(network.parameters, found, strict=True):
            parameter.grad = gradient
        adam.step()
    return network


def draw_kept(dropout: float, rng: np.random.Generator, out: Tensor) -> float:
    """Write a dropout mask into `out` (rows, units), 1 where a unit is kept, and return the probability of that.

    Drawn as 64-bit words from numpy: the same on every device, and twenty times faster than torch's Bernoulli
    numbers, which would take longer than the matrix products. The probability is 1 − dropout, rounded to 16 bits.
    The mask has the dtype of what it multiplies: turning booleans into numbers takes longer than the product.
    """
    dropped = round(dropout * LEVELS)
    words = rng.integers(-(2**63), 2**63 - 1, -(-out.numel() // 4), dtype=np.int64, endpoint=True)
    bits = torch.from_numpy(words.view(np.int16)[: out.numel()]).view(out.shape)
    torch.ge(bits.to(out.device), dropped - LEVELS // 2, out=out)
    return 1 - dropped / LEVELS


def gradients(
    network: Network, A: Propagation, AX: Tensor, loss: Loss, kept: Tensor, share: float, scratch: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gradients of the loss with respect to W₁, b₁, W₂, b₂.

    Written out, because here the gradient of a hidden unit is a product of three things, one per sample, one per
    unit, and a zero or one: (dv ⊗ W₂) ⊙ [h > 0]. The factor per unit can wait until after the matrix product,
    and one buffer serves for the hidden units on the way forth and for their slopes on the way back.

    Args:
        network: where.
        A: the propagation matrix.
        AX: (N, D) propagated features.
        loss: of the logits.
        kept: (N, H) 1 or 0, the dropout mask.
        share: the probability that a unit is kept.
        scratch: (N, H), overwritten.
    """
    W1, b1, W2, b2 = network.parameters
    h = torch.addmm(b1, AX, W1, out=scratch).relu_().mul_(kept)
    W2 = W2 / share  # as if the kept units had been scaled up
    logits = A @ (h @ W2) + b2

    dlogits = loss.gradient(logits)
    dv = A.pull(dlogits)
    dW2 = dv @ h / share
    slopes = h.sign_().mul_(dv[:, None])  # h is positive exactly where ReLU and dropout let a gradient through
    return AX.T @ slopes * W2, slopes.sum(0) * W2, dW2, dlogits.sum(0, keepdim=True)
