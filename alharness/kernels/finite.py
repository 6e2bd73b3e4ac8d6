"""One refusal for NaN and infinity: they would be chosen silently, because NaN wins every argmax."""

from __future__ import annotations

import torch

from alharness.errors import SamplerError


def require_finite(values: torch.Tensor, name: str) -> None:
    """Raise SamplerError with the number of rows that hold NaN, infinity, or numbers too large to square.

    Args:
        values: (n,) or (n, d).
        name: what they are, for the message.

    >>> import torch
    >>> from alharness.kernels import require_finite
    >>> require_finite(torch.tensor([1.0, 2.0]), "the scores")
    >>> require_finite(torch.tensor([1.0, float("nan")]), "the scores")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    alharness.errors.SamplerError: 1 of 2 rows of the scores are not finite ...
    """
    # A norm sees all of a row without a temporary of the size of `values`.
    sizes = torch.linalg.vector_norm(values, dim=1) if values.dim() == 2 else values
    if bad := int((~sizes.isfinite()).sum()):
        raise SamplerError(
            f"{bad} of {len(values)} rows of {name} are not finite (NaN, infinite, or too large to square in "
            f"{values.dtype}); look at the inputs of those samples and at whether training diverged"
        )
