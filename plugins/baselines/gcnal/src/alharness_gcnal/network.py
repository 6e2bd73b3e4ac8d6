"""The graph convolutional network of GCNAL: two layers, the first of which sees a constant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch  # noqa: TID253 - only sampler.py imports this module

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from .propagation import Propagation


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
        return torch.addmm(self.b1, AX, self.W1).relu_()

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
