"""Checksums of models and tensors, so that a write to them is found."""

from __future__ import annotations

import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from .trait import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor, nn

    from alharness.errors import HarnessError

LIMIT = 2**26
"""Contents are compared up to this many bytes; of a larger tensor, only whether torch wrote to it."""

HOOKS = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
    "_state_dict_hooks",
    "_state_dict_pre_hooks",
    "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
)


def checksum(tensor: Tensor) -> int:
    """Of its bytes. Two that differ in one element, or in the order of rows, have different ones."""
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return zlib.crc32(flat.view(torch.uint8).numpy().data) if flat.numel() else 0


def of_model(model: nn.Module) -> dict[str, Any]:
    """All that a query must leave as it was, by the name it has in a message."""
    found: dict[str, Any] = {}
    weights = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    for name, value in weights.items():
        found[f"weights {name}"] = value.dtype, value.device, tuple(value.shape), checksum(value)
        found[f"requires_grad of {name}"] = value.requires_grad
        found[f"gradient of {name}"] = value.grad is not None
    for name, module in model.named_modules():
        where = f" of {name}" if name else ""
        found[f"training mode{where}"] = module.training
        found[f"hooks{where}"] = [tuple(map(id, getattr(module, hooks).values())) for hooks in HOOKS]
        # A method that an attribute of the instance hides.
        found[f"methods{where}"] = [name for name in vars(module) if callable(getattr(type(module), name, None))]
    for kind in {type(module) for module in model.modules()}:
        found[f"class {kind.__name__}"] = {name: id(value) for name, value in vars(kind).items()}
    return found


def of_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """How often torch wrote to each, and what it holds."""
    return {
        name: (tensor._version, checksum(tensor) if tensor.nbytes <= LIMIT else 0)  # noqa: SLF001
        for name, tensor in tensors.items()
    }


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The names under which they differ."""
    return [name for name in {**before, **after} if before.get(name) != after.get(name)]


class Kept:
    """Tensors that were handed out and are to stay as they were; a write by one of torch's functions is found."""

    def __init__(self) -> None:
        self._tensors: dict[str, tuple[Tensor, int]] = {}

    def add(self, name: str, tensor: Tensor) -> Tensor:
        """Note a tensor when it is first handed out."""
        self._tensors.setdefault(name, (tensor, tensor._version))  # noqa: SLF001
        return tensor

    def written(self) -> list[str]:
        """Names of those that were written to since."""
        return [name for name, (tensor, version) in self._tensors.items() if tensor._version != version]  # noqa: SLF001


@contextmanager
def unwritten(tensors: Mapping[str, Tensor], kind: type[HarnessError], what: str) -> Iterator[None]:
    """Inside, torch's functions may read these tensors, and not write to them; else an error of this kind."""
    kept = Kept()
    for name, tensor in tensors.items():
        kept.add(name, tensor)
    yield
    if names := kept.written():
        raise kind(f"it wrote to {what} ({listed(names)}), which others read: change a copy")
