"""What a model's code returns, checked at once: shapes, types, and heads that are missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from alharness.errors import ModelError

from .vocabulary import FUSED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .vocabulary import ModelShape


def require_encoded(z: Any, rows: int, shape: ModelShape) -> None:
    """Raise ModelError unless `encode` gave (rows, d) for every modality, and (rows, ...) for everything else."""
    _require_mapping("encode", z, shape.modalities)
    for name, value in z.items():
        _require_numbers(f"encode gave {name!r}", value)
        if len(value) != rows or (name in shape.modalities and value.ndim != 2):
            raise ModelError(
                f"encode gave {name!r} of shape {tuple(value.shape)}, expected ({rows}, d): one row per sample"
            )


def require_predictions(outputs: Any, rows: int, shape: ModelShape) -> None:
    """Raise ModelError unless `decode` gave (rows, outputs) for every modality and for the fused head."""
    sources = (*shape.modalities, FUSED)
    _require_mapping("decode", outputs, sources)
    for source in sources:
        value = outputs[source]
        _require_numbers(f"the prediction of {source!r}", value)
        if value.shape != (rows, shape.outputs):
            what = "classes" if shape.outputs > 1 else "value"
            raise ModelError(
                f"the prediction of {source!r} has shape {tuple(value.shape)}, expected "
                f"({rows}, {shape.outputs}): {rows} samples, {shape.outputs} {what}"
            )


def require_rows(embeddings: Sequence[Any], found: int, rows: int, source: str) -> None:
    """Raise ModelError unless the inputs of a last layer, caught batch by batch, are (rows, d) in all.

    Args:
        embeddings: one of each kind, of whatever length.
        found: rows of all of them.
        rows: of the view.
        source: of the head.
    """
    if not embeddings:
        raise ModelError(
            f"decode does not call the module that last_layer({source!r}) gives, so that there are no embeddings"
        )
    for value in embeddings:
        _require_numbers(f"the input of last_layer({source!r})", value)
    if found != rows or any(value.ndim != 2 for value in embeddings):
        raise ModelError(
            f"the input of last_layer({source!r}) has shape {tuple(embeddings[0].shape)} and {found} rows in all, "
            f"expected ({rows}, d): decode must call that module once, with one row per sample"
        )


def require_loss(loss: Any) -> None:
    """Raise ModelError unless it is one number that can be differentiated. Whether it is finite is seen later."""
    require_number("loss", loss)
    if not loss.requires_grad:
        raise ModelError("the loss does not depend on any parameter that is trained: it has no gradient")


def require_number(method: str, loss: Any) -> None:
    """Raise ModelError unless it is a tensor of one floating-point number."""
    if not isinstance(loss, torch.Tensor) or loss.ndim or not loss.is_floating_point():
        raise ModelError(
            f"{method} gave {_kind(loss)}, expected a tensor of one floating-point number: the mean over the batch"
        )


def _require_mapping(method: str, value: Any, names: Sequence[str]) -> None:
    if not isinstance(value, Mapping):
        raise ModelError(f"{method} gave {_kind(value)}, expected a dictionary with {', '.join(names)}")
    if missing := [name for name in names if name not in value]:
        raise ModelError(
            f"{method} gave nothing for {', '.join(missing)}: expected {', '.join(names)}, "
            f"got {', '.join(map(str, value))}"
        )


def _require_numbers(what: str, value: Any) -> None:
    if not isinstance(value, torch.Tensor) or not value.is_floating_point() or not value.ndim:
        raise ModelError(f"{what} is {_kind(value)}, expected floating-point numbers, one row per sample")


def _kind(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return f"a tensor of shape {tuple(value.shape)} and {value.dtype}"
    return type(value).__name__
