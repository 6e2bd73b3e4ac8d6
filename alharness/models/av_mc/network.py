"""The `av_mc` network."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from alharness.errors import RunError
from alharness.features import FUSED, Task
from alharness.model import Batch, MultimodalModel

from .layers import Branch, Fusion, SignalEncoder, TextEncoder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor
    from torch.optim import Optimizer

    from alharness.plugin import ModelShape

    from .plugin import AvMcParams

TEXT, VISION = "text", "vision"
LOSS_WEIGHTS, OTHER_LOSS_WEIGHT = {FUSED: 1.0, TEXT: 0.2, "audio": 0.8, VISION: 0.4}, 0.4


class AvMc(MultimodalModel):
    """AV-MC (Liu et al., ICMI 2022), supervised, on one vector per modality.

    Text goes through one layer, every other modality through batch normalization and three. Two more layers lead
    to a vector per modality, from which its own last layer predicts, and whose concatenation is fused by three
    affine layers. In regression the fused value is squashed into `output_range`; the unimodal ones are not.

    Raises:
        RunError: the parameters speak of a modality that the data set does not have.
    """

    def __init__(self, params: AvMcParams, shape: ModelShape) -> None:
        super().__init__(shape)
        self.params = params
        _require_known(params, shape)
        heads = {m: params.head_widths.get(m, 64 if m == VISION else 32) for m in shape.modalities}
        # A list in the shape's order: a modality's name may be no valid name of a submodule.
        self.branches = nn.ModuleList(
            _branch(m, d, heads[m], params, shape.outputs) for m, d in shape.features.items()
        )
        self.fusion = Fusion(sum(heads.values()), params.fusion, shape.outputs, params.head_dropout)

    def adapt(self, labeled: Batch) -> None:
        """Begin the running statistics of batch normalization at those of the labeled samples.

        Raises:
            RunError: a label lies outside of `output_range`.
        """
        if self.shape.task == Task.REGRESSION and self.params.output_range is not None:
            _require_within(labeled.labels[FUSED], self.params.output_range)
        for modality, branch in self._branches():
            if isinstance(branch.encoder, SignalEncoder):
                branch.encoder.norm.start(labeled.inputs[modality])

    def encode(self, batch: Batch) -> dict[str, Tensor]:
        """Modality -> z_u, (b, d_u)."""
        z = {m: branch.encoder(batch.inputs[m]) for m, branch in self._branches()}
        return self._shared(z) if self.params.cut == "post_feature" else z

    def decode(self, z: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Source -> logits (b, C), or values (b, 1)."""
        features = z if self.params.cut == "post_feature" else self._shared(z)
        outputs: dict[str, Tensor] = {m: branch.head(features[m]) for m, branch in self._branches()}
        outputs[FUSED] = self._squash(self.fusion(torch.cat([features[m] for m in outputs], dim=1)))
        return outputs

    def last_layer(self, source: str) -> nn.Linear:
        """The last layer of that source's head."""
        return self.fusion.head if source == FUSED else dict(self._branches())[source].head

    def loss(self, batch: Batch) -> Tensor:
        """Weighted absolute errors, or cross-entropies, of all heads; in training those of mixup as well."""
        outputs = self(batch)
        loss = self._total({s: self._error(o, batch.labels[s]) for s, o in outputs.items()})
        if self.training and self.params.mixup:
            for modality in self.shape.modalities:
                if modality != TEXT:
                    loss = loss + self._mixed(batch, modality)
        return loss

    def optimizer(self) -> Optimizer:
        """Adam with the published rates and decays.

        Encoders of all modalities but text have no decay and rate 5e-4, that of vision 1e-3; the rest has rate
        5e-4 and decay 5e-4.
        """
        signals = {m: b.encoder for m, b in self._branches() if isinstance(b.encoder, SignalEncoder)}
        groups: list[dict[str, Any]] = [
            {"params": [*encoder.parameters()], "lr": 1e-3 if m == VISION else 5e-4, "weight_decay": 0.0}
            for m, encoder in signals.items()
        ]
        apart = {id(parameter) for group in groups for parameter in group["params"]}
        rest = [parameter for parameter in self.parameters() if id(parameter) not in apart]
        return torch.optim.Adam([*groups, {"params": rest}], lr=5e-4, weight_decay=5e-4, fused=True)

    def _mixed(self, batch: Batch, modality: str) -> Tensor:
        """The loss with the inputs of one modality mixed, and so the errors of its head and of the fused one."""
        x = batch.inputs[modality]
        share = torch.rand((), device=x.device)  # Beta(1, 1)
        partner = torch.randperm(len(x), device=x.device)
        mixed = share * x + (1 - share) * x[partner]
        errors = {}
        for source, output in self(replace(batch, inputs={**batch.inputs, modality: mixed})).items():
            labels = batch.labels[source]
            errors[source] = self._error(output, labels)
            if source in (modality, FUSED):
                errors[source] = share * errors[source] + (1 - share) * self._error(output, labels[partner])
        return self._total(errors)

    def _branches(self) -> Iterator[tuple[str, Branch]]:
        for modality, branch in zip(self.shape.modalities, self.branches, strict=True):
            assert isinstance(branch, Branch)
            yield modality, branch

    def _shared(self, z: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {m: branch.shared(z[m]) for m, branch in self._branches()}

    def _squash(self, value: Tensor) -> Tensor:
        if self.shape.task == Task.CLASSIFICATION or self.params.output_range is None:
            return value
        low, high = self.params.output_range
        return (high - low) * value.sigmoid() + low

    def _error(self, output: Tensor, labels: Tensor) -> Tensor:
        if self.shape.task == Task.CLASSIFICATION:
            return functional.cross_entropy(output, labels)
        return functional.l1_loss(output[:, 0], labels)

    def _total(self, errors: Mapping[str, Tensor]) -> Tensor:
        return torch.stack([self._weight(source) * error for source, error in errors.items()]).sum()

    def _weight(self, source: str) -> float:
        usual = 1.0 if self.shape.task == Task.CLASSIFICATION else LOSS_WEIGHTS.get(source, OTHER_LOSS_WEIGHT)
        return self.params.weights.get(source, usual)


def _branch(modality: str, inputs: int, width: int, params: AvMcParams, outputs: int) -> Branch:
    inner = params.encoder_widths.get(modality, 64 if modality == TEXT else 16)
    encoder = (
        TextEncoder(inputs, inner) if modality == TEXT else SignalEncoder(inputs, inner, params.encoder_dropout)
    )
    return Branch(encoder, inner, width, outputs, params.head_dropout)


def _require_known(params: AvMcParams, shape: ModelShape) -> None:
    named = {
        "weights": set(params.weights) - {FUSED},
        "encoder_widths": set(params.encoder_widths),
        "head_widths": set(params.head_widths),
    }
    for parameter, names in named.items():
        if unknown := sorted(names - set(shape.modalities)):
            raise RunError(
                f"model.params.{parameter} speaks of {', '.join(unknown)}, but the data set's modalities are "
                f"{', '.join(shape.modalities)}"
            )


def _require_within(labels: Tensor, bounds: tuple[float, float]) -> None:
    low, high = labels.min().item(), labels.max().item()
    if low < bounds[0] or high > bounds[1]:
        raise RunError(
            f"labels reach from {low:g} to {high:g}, but av_mc predicts within {bounds[0]:g} and {bounds[1]:g}; "
            "set model.params.output_range to bounds that hold them, or to null"
        )
