"""The global random generators, which a sampler must leave alone."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch


def global_state() -> tuple[Any, ...]:
    """Of Python's, numpy's and torch's generators, as something that can be compared."""
    name, key, *rest = np.random.get_state(legacy=True)  # noqa: NPY002 - a sampler may have used it
    return random.getstate(), (name, np.asarray(key).tobytes(), *rest), torch.get_rng_state().tolist()


def seed_all(seed: int) -> None:
    """Seed all of them."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    torch.manual_seed(seed)
