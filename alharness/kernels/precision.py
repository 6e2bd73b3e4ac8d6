"""Matrix products that keep the digits of their dtype, whatever the process has set globally."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator


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
