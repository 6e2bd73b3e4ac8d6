"""The graph network of GCNAL, what it is trained for, and how.

Two layers, the first of which sees a constant. Every step of Adam sees the whole graph, in two matrix products and
little more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch  # noqa: TID253 - only sampler.py imports this module

from alharness.kernels import linear
from alharness.kernels.optimizers import Adam

if TYPE_CHECKING:
    from torch import Tensor

    from .graph import Propagation
    from .plugin import GcnalParams

LEVELS = 2**16
"""A unit is kept or dropped by 16 random bits."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """logit = A·ReLU(A X W₁ + b₁)·W₂ + b₂.

    A X never changes, so the first layer is a plain linear layer on it. (A H) W₂ = A (H W₂), so the second
    propagates one number per sample instead of all hidden units.

    Attributes:
        W1: (D, H).
        b1: (H,).
        W2: (H,).
        b2: (1,).
    """

    W1: Tensor
    b1: Tensor
    W2: Tensor
    b2: Tensor

    @property
    def parameters(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """W₁, b₁, W₂, b₂: changed in place by training."""
        return self.W1, self.b1, self.W2, self.b2

    def hidden(self, AX: Tensor) -> Tensor:
        """(N, H) hidden features of A X (N, D), without dropout."""
        return linear(AX, self.W1.T, self.b1).relu_()

    def logits(self, A: Propagation, hidden: Tensor) -> Tensor:
        """(N,) logits of being labeled."""
        return A @ (hidden @ self.W2) + self.b2


def fresh_network(inputs: int, hidden: int, rng: np.random.Generator, like: Tensor) -> Network:
    """A network whose weights and biases are uniform in ±1/√(outputs of the layer).

    Args:
        inputs: D.
        hidden: H.
        rng: draws W₁, b₁, W₂, b₂ in this order.
        like: a tensor of the dtype and device wanted.
    """

    def uniform(outputs: int, *shape: int) -> Tensor:
        bound = outputs**-0.5
        return torch.from_numpy(rng.uniform(-bound, bound, shape)).to(like)

    return Network(
        W1=uniform(hidden, inputs, hidden), b1=uniform(hidden, hidden), W2=uniform(1, hidden), b2=uniform(1, 1)
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Loss:
    """−mean_L log s − λ mean_U log(1 − s), with s = sigmoid(logit); a side without samples adds nothing.

    Attributes:
        target: (N,) 1 for labeled, 0 for unlabeled samples.
        weight: (N,) what a sample counts.
    """

    target: Tensor
    weight: Tensor

    def value(self, logits: Tensor) -> float:
        """The loss at these logits (N,)."""
        signed = torch.where(self.target > 0, logits, -logits)
        return -(self.weight * torch.nn.functional.logsigmoid(signed)).sum().item()

    def gradient(self, logits: Tensor) -> Tensor:
        """(N,): its gradient. The logarithm and the sigmoid cancel, so that nothing can overflow."""
        return (logits.sigmoid() - self.target).mul_(self.weight)


def labeled_from_unlabeled(unlabeled: int, labeled: int, loss_weight: float, like: Tensor) -> Loss:
    """The loss of a graph whose first nodes are unlabeled and whose last ones are labeled.

    Args:
        unlabeled: number of unlabeled nodes.
        labeled: number of labeled nodes.
        loss_weight: λ.
        like: a tensor of the dtype and device wanted.
    """
    zeros, ones = like.new_zeros(unlabeled), like.new_ones(labeled)
    return Loss(
        target=torch.cat([zeros, ones]),
        weight=torch.cat([(zeros + loss_weight) / max(unlabeled, 1), ones / max(labeled, 1)]),
    )


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
    adam = Adam(network.parameters, lr=params.learning_rate, weight_decay=params.weight_decay)
    kept = AX.new_empty(len(AX), params.hidden)
    for _ in range(params.steps):
        share = draw_kept(params.dropout, rng, kept)
        found = gradients(network, A, AX, loss, kept, share)
        for parameter, gradient in zip(network.parameters, found, strict=True):
            parameter.grad = gradient
        adam.step()
    return network


def draw_kept(dropout: float, rng: np.random.Generator, out: Tensor) -> float:
    """Write a dropout mask into `out` (rows, units), 1 if a unit is kept, and return the probability of that.

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
    network: Network, A: Propagation, AX: Tensor, loss: Loss, kept: Tensor, share: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gradients of the loss with respect to W₁, b₁, W₂, b₂.

    Written out, because here the gradient of a hidden unit is a product of three things, one per sample, one per
    unit, and a zero or one: (dv ⊗ W₂) ⊙ [h > 0]. The factor per unit can wait until after the matrix product,
    and the slopes take the memory of the hidden units.

    Args:
        network: where.
        A: the propagation matrix.
        AX: (N, D) propagated features.
        loss: of the logits.
        kept: (N, H) 1 or 0, the dropout mask.
        share: the probability that a unit is kept.
    """
    W1, b1, W2, b2 = network.parameters
    h = linear(AX, W1.T, b1).relu_().mul_(kept)
    W2 = W2 / share  # as if the kept units had been scaled up
    logits = A @ (h @ W2) + b2

    dlogits = loss.gradient(logits)
    dv = A.pull(dlogits)
    dW2 = dv @ h / share
    slopes = h.sign_().mul_(dv[:, None])  # h is positive exactly where ReLU and dropout let a gradient through
    return linear(AX.T, slopes.T) * W2, slopes.sum(0) * W2, dW2, dlogits.sum(0, keepdim=True)
