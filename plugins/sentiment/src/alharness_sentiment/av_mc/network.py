"""The `av_mc` network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from alharness import FUSED, Batch, MultimodalModel, RunError, Task
from alharness.api.layers import errors, stack
from alharness.kernels.optimizers import Adam

from .layers import Branch, Fusion, Mix, SignalEncoder, TextEncoder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor
    from torch.optim import Optimizer

    from alharness import ModelShape

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

    weights: Tensor
    affected: Tensor

    def __init__(self, params: AvMcParams, shape: ModelShape) -> None:
        super().__init__(shape)
        self.params = params
        if mistake := params.mistake(shape.modalities):
            raise RunError(mistake)
        heads = {m: params.head_widths.get(m, 64 if m == VISION else 32) for m in shape.modalities}
        # A list in the shape's order: a modality's name may be no valid name of a submodule.
        self.branches = nn.ModuleList(
            _branch(m, d, heads[m], params, shape.outputs) for m, d in shape.features.items()
        )
        self.sources = (*shape.modalities, FUSED)
        # Of mixup: a plain one, and one for each modality whose inputs are mixed.
        self.passes = (None, *(m for m in shape.modalities if m != TEXT))
        weights = [self._weight(source) for source in self.sources]
        affected = [[float(source in (m, FUSED)) for m in self.passes] for source in self.sources]
        self.register_buffer("weights", torch.tensor(weights), persistent=False)
        self.register_buffer("affected", torch.tensor(affected), persistent=False)
        self.fusion = Fusion(sum(heads.values()), params.fusion, shape.outputs, params.head_dropout)

    def adapt(self, labeled: Batch) -> None:
        """Begin the running statistics of batch normalization at those of the labeled samples.

        Raises:
            RunError: a label is outside `output_range`.
        """
        if self.shape.task == Task.REGRESSION and self.params.output_range is not None:
            _require_within(labeled.labels[FUSED], self.params.output_range)
        for modality, branch in self._branches():
            if isinstance(branch.encoder, SignalEncoder):
                branch.encoder.norm.start(labeled.inputs[modality])

    def encode(self, batch: Batch) -> dict[str, Tensor]:
        """Modality -> z_u, (b, d_u)."""
        return self._cut({m: branch.encoder(batch.inputs[m]) for m, branch in self._branches()})

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
        labels = stack(batch.labels, self.sources)
        if self.training and self.params.mixup:
            return self._mixup(batch, labels)
        return self.weights @ errors(stack(self(batch), self.sources), labels, self.shape.task).mean(1)

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
        return Adam([*groups, {"params": rest}], lr=5e-4, weight_decay=5e-4, fused=True)

    def _mixup(self, batch: Batch, labels: Tensor) -> Tensor:
        """The loss of a plain pass, and of one more for each modality but text, with its inputs mixed.

        A mixed pass mixes the errors of that modality's head and of the fused one alike. The rows of all passes
        go through the network together, which leaves only batch normalization to do pass by pass.
        """
        any_input = batch.inputs[self.shape.modalities[0]]
        passes = {m: Mix.none(any_input) if m is None else Mix.draw(batch.inputs[m]) for m in self.passes}
        outputs = stack(self.decode(self._cut(self._encode_passes(batch, passes))), self.sources)
        share = torch.stack([mix.share for mix in passes.values()])
        partner = torch.cat([mix.partner for mix in passes.values()])
        own = errors(outputs, labels.repeat(1, len(passes)), self.shape.task)
        other = errors(outputs, labels[:, partner], self.shape.task)
        # share·own + (1 - share)·other for heads whose inputs are mixed, own for the rest.
        mixed = own.lerp(other, (self.affected * (1 - share)).repeat_interleave(len(batch), dim=1))
        return (self.weights @ mixed).sum() / len(batch)

    def _encode_passes(self, batch: Batch, passes: Mapping[str | None, Mix]) -> dict[str, Tensor]:
        """Modality -> (passes·b, width), pass below pass."""
        z = {}
        for modality, branch in self._branches():
            x = batch.inputs[modality]
            if modality in passes:
                z[modality] = branch.encoder(*(mix.apply(x) if m == modality else x for m, mix in passes.items()))
            else:
                # Text: neither its inputs nor its encoder differ from pass to pass.
                z[modality] = branch.encoder(x).repeat(len(passes), 1)
        return z

    def _branches(self) -> Iterator[tuple[str, Branch]]:
        for modality, branch in zip(self.shape.modalities, self.branches, strict=True):
            assert isinstance(branch, Branch)
            yield modality, branch

    def _cut(self, encoded: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """From the encoders' outputs to z_u."""
        return self._shared(encoded) if self.params.cut == "post_feature" else dict(encoded)

    def _shared(self, z: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {m: branch.shared(z[m]) for m, branch in self._branches()}

    def _squash(self, value: Tensor) -> Tensor:
        if self.shape.task == Task.CLASSIFICATION or self.params.output_range is None:
            return value
        low, high = self.params.output_range
        return (high - low) * value.sigmoid() + low

    def _weight(self, source: str) -> float:
        usual = 1.0 if self.shape.task == Task.CLASSIFICATION else LOSS_WEIGHTS.get(source, OTHER_LOSS_WEIGHT)
        return self.params.weights.get(source, usual)


def _branch(modality: str, inputs: int, width: int, params: AvMcParams, outputs: int) -> Branch:
    inner = params.encoder_widths.get(modality, 64 if modality == TEXT else 16)
    encoder = (
        TextEncoder(inputs, inner) if modality == TEXT else SignalEncoder(inputs, inner, params.encoder_dropout)
    )
    return Branch(encoder, inner, width, outputs, params.head_dropout)


def _require_within(labels: Tensor, bounds: tuple[float, float]) -> None:
    low, high = labels.min().item(), labels.max().item()
    if low < bounds[0] or high > bounds[1]:
        raise RunError(
            f"labels reach from {low:g} to {high:g}, but av_mc predicts within {bounds[0]:g} and {bounds[1]:g}; "
            "set model.params.output_range to bounds that hold them, or to null"
        )
