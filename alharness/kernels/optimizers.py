"""torch's optimizers without what they import for torch.compile at their first use.

As they come, they import torch._dynamo to keep it from compiling them. That takes as long as the import of torch
itself, in every process, for a compiler that nothing here calls. And they announce every step to torch's profiler
and to hooks, a third of the time of a step on a small network. These do the same sums by the same code, no more.
"""

from __future__ import annotations

from inspect import unwrap
from typing import TYPE_CHECKING, Any, NoReturn

import torch
from torch import optim
from torch.optim import Optimizer

if TYPE_CHECKING:
    from collections.abc import Callable


def _bare(step: Callable[..., Any]) -> Callable[..., Any]:
    step = torch.no_grad()(unwrap(step))
    step.hooked = True  # type: ignore[attr-defined] # by this mark torch knows a step that it need not wrap
    return step


class _Bare(Optimizer):
    """Calls the functions inside of torch's wrappers."""

    def register_step_pre_hook(self, hook: Any) -> NoReturn:  # noqa: ARG002 - as torch has it
        """Raises TypeError: nothing calls hooks here."""
        raise TypeError(
            f"{type(self).__name__} of alharness calls no hooks; torch.optim.{type(self).__name__} does"
        )

    register_step_post_hook = register_step_pre_hook

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """As torch's."""
        unwrap(Optimizer.add_param_group)(self, param_group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """As torch's."""
        unwrap(Optimizer.zero_grad)(self, set_to_none)


class Adam(_Bare, optim.Adam):
    """Adam (Kingma & Ba, 2015), as torch.optim.Adam."""

    step = _bare(optim.Adam.step)


class AdamW(_Bare, optim.AdamW):
    """Adam with decoupled weight decay (Loshchilov & Hutter, 2019), as torch.optim.AdamW."""

    step = _bare(optim.AdamW.step)


class SGD(_Bare, optim.SGD):
    """Stochastic gradient descent, as torch.optim.SGD."""

    step = _bare(optim.SGD.step)
