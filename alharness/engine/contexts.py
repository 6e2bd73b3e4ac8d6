"""The state of a process that a training needs: device, threads, rounding, seeds. Each is put back afterwards."""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from alharness.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator


def choose_device(wish: str) -> torch.device:
    """The device for `auto`, `cpu` or `cuda`. Raises DataError if there is no such device."""
    if wish == "auto":
        wish = "cuda" if torch.cuda.is_available() else "cpu"
    if wish == "cuda" and not torch.cuda.is_available():
        raise DataError("training.device: no CUDA device is available here; use `cpu` or `auto`")
    backends: Any = torch.backends
    backends.fp32_precision = "ieee"  # by itself torch takes TF32 in cuDNN
    # With its number, as tensors have it: without, it would be equal to the device of none.
    return torch.device(wish, torch.cuda.current_device()) if wish == "cuda" else torch.device(wish)


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Work of torch on the CPU spread over this many threads inside."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def rounding(precision: str) -> Iterator[None]:
    """Products of float32 numbers rounded to TF32 inside, if that is the precision and the device can."""
    backends: Any = torch.backends
    before = backends.fp32_precision
    if precision == "tf32":
        backends.fp32_precision = "tf32"
    try:
        yield
    finally:
        backends.fp32_precision = before


@contextmanager
def plain_kernels() -> Iterator[None]:
    """Inside, attention, batch norms and recurrent layers are computed in the same way on every device.

    Kernels for one device alone know no further dimension, such as that of a stack, or draw numbers themselves.
    """
    backends: Any = torch.backends
    before = backends.cudnn.enabled
    backends.cudnn.enabled = False
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        backends.cudnn.enabled = before


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """The global generators of torch, NumPy and Python seeded inside, and put back afterwards."""
    before = random.getstate(), np.random.get_state()  # noqa: NPY002 - models may draw from it
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        # For each device in turn, and not by torch.manual_seed: without a GPU that keeps, for later, a list of all
        # seeds with a traceback for each, which takes longer than all else here.
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            torch.cuda.manual_seed_all(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        random.seed(seed)
        try:
            yield
        finally:
            random.setstate(before[0])
            np.random.set_state(before[1])  # noqa: NPY002
