"""How a model predicts: quickly, and with dropout for samplers that ask what it is uncertain of."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch.nn import functional

from alharness.kernels import linear

from .stack.drawing import Replaced
from .stack.draws import Draw, Streams

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from alharness.api.network import MultimodalModel


class Quick(Replaced):
    """Layers inside compute large products by `alharness.kernels.linear`."""

    BY: ClassVar = {functional.linear: linear}


@contextmanager
def dropout_on(model: MultimodalModel, seed: int) -> Iterator[None]:
    """The whole model in training mode, functional dropout included, but normalization layers in evaluation.

    A batch norm in training mode would mix samples and change its running statistics.

    Args:
        model: a fitted one.
        seed: of what dropout keeps: the same on every device.
    """
    modes = {module: module.training for module in model.modules()}
    # Spectral norms, for one, change theirs in every pass in training mode.
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    model.train()
    for module in model.modules():
        if hasattr(module, "running_mean"):  # what makes it one, whatever its class
            module.eval()
    try:
        with _Streamed(seed):
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode
        with torch.no_grad():
            for buffer, value in buffers:
                buffer.copy_(value)


class _Streamed(Quick):
    """Dropout inside takes what it keeps from a stream, in a seventh of the time of torch's generator."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed, self._calls = seed, 0
        self._streams: Streams | None = None

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """See `TorchFunctionMode`."""
        if function is functional.dropout:
            return self._dropout(*args, **(kwargs or {}))
        return super().__torch_function__(function, types, args, kwargs)

    def _dropout(self, x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
        if not training or not 0 < p < 1:
            return functional.dropout(x, p, training, inplace)
        if self._streams is None:
            self._streams = Streams([self._seed], x.device)
        (key,) = self._streams.keys([self._calls])
        self._calls += 1
        kept = Draw(kind="kept", shape=tuple(x.shape), share=1 - p, value=1 / (1 - p))
        (mask,) = self._streams.draw([kept], key)
        return x.mul_(mask[0]) if inplace else x * mask[0].to(x.dtype)
