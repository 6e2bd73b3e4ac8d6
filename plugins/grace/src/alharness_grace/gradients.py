"""Gradients of heads at the representations, for a whole pool, without a loop over samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch  # noqa: TID253 - only sampler.py imports this module

from alharness import FUSED
from alharness.kernels import full_precision, require_finite

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    from alharness import Query

    Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class Gradients:
    """Row i belongs to sample i alone.

    Attributes:
        unimodal: modality -> (n, d_u), of the loss of its own head with respect to z_u.
        fused: modality -> (n, d_u), of the loss of the fused head with respect to z_u.
        outputs: source -> (n, C), what the heads give.
    """

    unimodal: dict[str, Tensor]
    fused: dict[str, Tensor]
    outputs: dict[str, Tensor]


def gradients(query: Query, z: Mapping[str, Tensor], loss: Loss, *, batch: int = 1024) -> Gradients:
    """Gradients of `loss` at z.

    The loss is summed over a batch; in evaluation mode no sample touches another one's output, so the gradient of
    the sum holds every sample's own.

    Args:
        query: whose heads; the time is charged to its phase `gradients`.
        z: modality -> (n, d_u). Entries that are no modality go to `query.decode` as constants.
        loss: the sum of the samples' losses, from the output of a head (b, C) and, as a constant, that of the
            fused head (b, C).
        batch: rows that are differentiated at once.

    Raises:
        SamplerError: predictions or gradients are NaN or infinite.
    """
    n = len(z[query.modalities[0]])
    unimodal = {u: torch.empty_like(z[u]) for u in query.modalities}
    fused = {u: torch.empty_like(z[u]) for u in query.modalities}
    outputs: dict[str, list[Tensor]] = {source: [] for source in (*query.modalities, FUSED)}
    with query.phase("gradients"), full_precision(query.device), torch.enable_grad():
        for start in range(0, n, batch):
            rows = slice(start, start + batch)
            leaves = {u: z[u][rows].clone().requires_grad_() for u in query.modalities}
            constants = {name: value[rows] for name, value in z.items() if name not in leaves}
            decoded = query.decode({**leaves, **constants})
            for source, parts in outputs.items():
                parts.append(decoded[source].detach())
            target = outputs[FUSED][-1]
            for u, leaf in leaves.items():
                (unimodal[u][rows],) = _gradient(loss(decoded[u], target), [leaf])
            from_fused = _gradient(loss(decoded[FUSED], target), list(leaves.values()))
            for u, gradient in zip(leaves, from_fused, strict=True):
                fused[u][rows] = gradient
    found = Gradients(
        unimodal=unimodal, fused=fused, outputs={s: torch.cat(parts) for s, parts in outputs.items()}
    )
    _refuse_non_finite(found)
    return found


@torch.no_grad()
def outputs(query: Query, z: Mapping[str, Tensor], *, batch: int = 1024) -> dict[str, Tensor]:
    """Source -> (n, C), what the heads give for z.

    Args:
        query: whose heads.
        z: modality -> (n, d_u).
        batch: rows that are decoded at once.

    Raises:
        SamplerError: predictions are NaN or infinite.
    """
    n = len(z[query.modalities[0]])
    parts = [
        query.decode({name: value[start : start + batch] for name, value in z.items()})
        for start in range(0, n, batch)
    ]
    found = {source: torch.cat([part[source] for part in parts]) for source in (*query.modalities, FUSED)}
    _refuse_predictions(found)
    return found


def _gradient(loss: Tensor, leaves: list[Tensor]) -> tuple[Tensor, ...]:
    if not loss.requires_grad:  # a head that looks at nothing
        return tuple(torch.zeros_like(leaf) for leaf in leaves)
    return torch.autograd.grad(loss, leaves, retain_graph=True, materialize_grads=True)


def _refuse_predictions(outputs: Mapping[str, Tensor]) -> None:
    for source, output in outputs.items():
        require_finite(output, f"the predictions of {source!r}")


def _refuse_non_finite(found: Gradients) -> None:
    _refuse_predictions(found.outputs)
    for u in found.unimodal:
        require_finite(found.unimodal[u], f"the gradients of the head of {u!r}")
        require_finite(found.fused[u], f"the gradients of the fused head at {u!r}")
