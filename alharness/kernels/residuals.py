"""What the gradient of the cross-entropy at the logits would be if a predicted class were the label."""

from __future__ import annotations

import torch


@torch.no_grad()
def pseudo_residuals(log_probabilities: torch.Tensor, classes: torch.Tensor | None = None) -> torch.Tensor:
    """p − e_ŷ, with ŷ the most probable class, the first of several, or a class that is given.

    Its entry at ŷ is minus the sum of the other probabilities: 1 − p_ŷ would be 0 for every sample whose p_ŷ
    rounds to 1.

    Args:
        log_probabilities: (n, C) float32 or float64.
        classes: (n,) int64 ŷ, such as what another head predicts; by default what these say.

    Returns:
        (n, C) float64.

    >>> import torch
    >>> from alharness.kernels import pseudo_residuals
    >>> pseudo_residuals(torch.tensor([[0.5, 0.25, 0.25]]).log()).round(decimals=3)
    tensor([[-0.5000,  0.2500,  0.2500]], dtype=torch.float64)
    """
    p = log_probabilities.double().exp()
    predicted = (log_probabilities.argmax(1) if classes is None else classes)[:, None]
    p.scatter_(1, predicted, 0)
    return p.scatter_(1, predicted, -p.sum(1, keepdim=True))
