"""What every kernel needs: finite input, products of full precision, and an origin near the points."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from alharness.errors import SamplerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor


def require_finite(values: Tensor, name: str) -> None:
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
    # A norm sees all of a row without a temporary of the size of `values`; half precision is looked at in blocks.
    precision = working_dtype(values)
    step = len(values) if precision == values.dtype else 2**16
    bad = 0
    for start in range(0, len(values), max(1, step)):
        rows = values[start : start + step].to(precision)
        sizes = torch.linalg.vector_norm(rows, dim=1) if rows.dim() == 2 else rows
        bad += int((~sizes.isfinite()).sum())
    if bad:
        raise SamplerError(
            f"{bad} of {len(values)} rows of {name} are not finite (NaN, infinite, or too large to square in "
            f"{precision}); look at the inputs of those samples and at whether training diverged"
        )


def working_dtype(values: Tensor) -> torch.dtype:
    """What products of these are computed in: float32 for numbers of half precision, else their own dtype.

    >>> import torch
    >>> working_dtype(torch.ones(2, dtype=torch.float16)), working_dtype(torch.ones(2, dtype=torch.float64))
    (torch.float32, torch.float64)
    """
    return torch.float32 if values.dtype in (torch.float16, torch.bfloat16) else values.dtype


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Inside, float32 products are neither TF32 nor bfloat16, and autocast is off; on leaving, all is as before.

    A distance is a small difference of large products: TF32 leaves errors of 1e-3 in it.

    Args:
        device: the device that computes the products.

    >>> import torch
    >>> from alharness.kernels import full_precision
    >>> with full_precision(torch.device("cpu")):
    ...     products = torch.ones(2, 3) @ torch.ones(3, 1)
    >>> products[:, 0]
    tensor([3., 3.])
    """
    # Per-backend switches: reading the older process-wide ones raises once a user has set these.
    backends: tuple[Any, ...] = (torch.backends.cuda.matmul, torch.backends.mkldnn.matmul)  # type: ignore[attr-defined]
    before = [backend.fp32_precision for backend in backends]
    try:
        for backend in backends:
            backend.fp32_precision = "ieee"
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        for backend, value in zip(backends, before, strict=True):
            backend.fp32_precision = value


def centroid(X: Tensor, block: int) -> Tensor:
    """(d,) mean of the rows of X (n, d), n >= 1, in its working dtype and with a temporary of `block` rows.

    Distances do not depend on the origin, but |x|² + |y|² − 2x·y loses all digits of a small distance between
    vectors far from it. The mean is taken of differences from the first row, so that equal rows are exactly
    at their centroid.
    """
    total = X.new_zeros(X.shape[1], dtype=torch.float64)
    first = X[0].to(working_dtype(X))
    scratch = first.new_empty(min(block, len(X)), X.shape[1])
    for start in range(0, len(X), block):
        rows = X[start : start + block]
        total += torch.sub(rows, first, out=scratch[: len(rows)]).sum(0)
    return first + (total / len(X)).to(first.dtype)
