"""torch's optimizers without what they import for torch.compile at their first use.

As they come, they import torch._dynamo to keep it from compiling them. That takes as long as the import of torch
itself, in every process, for a compiler that nothing here calls. These do the same sums by the same code.
"""

from __future__ import annotations

from inspect import unwrap
from typing import Any

import torch
from torch import optim
from torch.optim import Optimizer


class _Bare(Optimizer):
    """Calls the functions inside of torch's wrappers."""

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """As torch's."""
        unwrap(Optimizer.add_param_group)(self, param_group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """As torch's."""
        unwrap(Optimizer.zero_grad)(self, set_to_none)


class Adam(_Bare, optim.Adam):
    """Adam (Kingma & Ba, 2015), as torch.optim.Adam."""

    step = torch.no_grad()(unwrap(optim.Adam.step))


class AdamW(_Bare, optim.AdamW):
    """Adam with decoupled weight decay (Loshchilov & Hutter, 2019), as torch.optim.AdamW."""

    step = torch.no_grad()(unwrap(optim.AdamW.step))


class SGD(_Bare, optim.SGD):
    """Stochastic gradient descent, as torch.optim.SGD."""

    step = torch.no_grad()(unwrap(optim.SGD.step))
