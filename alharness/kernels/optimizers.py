"""torch's optimizers without what they import for torch.compile at their first use.

As they come, they import torch._dynamo to keep it from compiling them. That takes as long as the import of torch
itself, in every process, for a compiler that nothing here calls. And they announce every step to torch's profiler
and to hooks, a third of the time of a step on a small network. The classes here call the same code without these
wrappers. How torch wraps it is its own affair: for versions that were not tested, `Adam`, `AdamW` and `SGD` are
torch's own, which give the same numbers in more time.
"""

from __future__ import annotations

import re
from inspect import unwrap
from typing import TYPE_CHECKING, Any, NoReturn

import torch
from torch import optim

if TYPE_CHECKING:
    from collections.abc import Callable

TESTED = (2, 9), (2, 14)
"""The lowest and the highest version of torch with which the tests of this module have passed."""


def is_tested(version: str) -> bool:
    """Whether a version of torch is between those that were tested."""
    lowest, highest = TESTED
    found = re.match(r"(\d+)\.(\d+)", version)
    return found is not None and lowest <= (int(found[1]), int(found[2])) <= highest


if TYPE_CHECKING or not is_tested(torch.__version__):
    from torch.optim import SGD, Adam, AdamW
else:

    def _bare(step: Callable[..., Any]) -> Callable[..., Any]:
        step = torch.no_grad()(unwrap(step))
        step.hooked = True  # by this mark torch knows a step that it need not wrap
        return step

    class _Bare(optim.Optimizer):
        """Calls the functions inside torch's wrappers."""

        def register_step_pre_hook(self, hook: Any) -> NoReturn:  # noqa: ARG002 - as torch has it
            """Raises TypeError: nothing calls hooks here."""
            raise TypeError(
                f"{type(self).__name__} of alharness calls no hooks; torch.optim.{type(self).__name__} does"
            )

        register_step_post_hook = register_step_pre_hook

        def add_param_group(self, param_group: dict[str, Any]) -> None:
            """As torch's."""
            unwrap(optim.Optimizer.add_param_group)(self, param_group)

        def zero_grad(self, set_to_none: bool = True) -> None:
            """As torch's."""
            unwrap(optim.Optimizer.zero_grad)(self, set_to_none)

    class Adam(_Bare, optim.Adam):
        """Adam (Kingma & Ba, 2015), as torch.optim.Adam."""

        step = _bare(optim.Adam.step)

    class AdamW(_Bare, optim.AdamW):
        """Adam with decoupled weight decay (Loshchilov & Hutter, 2019), as torch.optim.AdamW."""

        step = _bare(optim.AdamW.step)

    class SGD(_Bare, optim.SGD):
        """Stochastic gradient descent, as torch.optim.SGD."""

        step = _bare(optim.SGD.step)


__all__ = ["SGD", "TESTED", "Adam", "AdamW", "is_tested"]
