"""The contract of a task model: encoders per modality, a head per modality, a fused head."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import nn

from alharness.kernels.optimizers import Adam

from .outputs import require_loss

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from torch import Tensor
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

    from .vocabulary import ModelShape


LEARNING_RATE, WEIGHT_DECAY = 3e-3, 1e-4
"""The recipe of a model that brings none."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Some samples as tensors on one device.

    Attributes:
        inputs: modality -> (b, d) or (b, t, d) float32.
        lengths: modality -> (b,) valid steps of a sequence.
        labels: source -> (b,) int64 classes or float32 targets, for every modality and `fused`; empty if
            labels must not be seen.
        present: modality -> (b,) bool, which samples have it, with an entry for each modality that the data set
            says to be incomplete; inputs of samples that lack it are zeros.

    >>> import torch
    >>> from alharness import Batch
    >>> batch = Batch(inputs={"text": torch.zeros(5, 3)}, labels={"fused": torch.arange(5)})
    >>> len(batch), batch.take(torch.tensor([4, 0])).labels["fused"]
    (5, tensor([4, 0]))
    """

    inputs: Mapping[str, Tensor]
    lengths: Mapping[str, Tensor] = field(default_factory=dict)
    labels: Mapping[str, Tensor] = field(default_factory=dict)
    present: Mapping[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))

    @property
    def tensors(self) -> dict[str, Tensor]:
        """All tensors, by names for messages."""
        kinds = ("inputs", "lengths", "labels", "present")
        return {f"{kind} of {name}": x for kind in kinds for name, x in getattr(self, kind).items()}

    def with_tensors(self, tensors: Iterable[Tensor]) -> Batch:
        """A batch of the same names with other tensors, in the order of `tensors`."""
        left = iter(tensors)
        return self._map(lambda _: next(left))

    def take(self, rows: Tensor) -> Batch:
        """The rows at these positions, in this order (copied)."""
        return self._map(lambda x: x.index_select(0, rows))

    def first(self, number: int) -> Batch:
        """The first rows, as views."""
        return self._map(itemgetter(slice(number)))

    def parts(self, size: int) -> Iterator[Batch]:
        """The rows in their order, `size` at a time, as views; the last part may be smaller."""
        for start in range(0, len(self), size):
            yield self._map(itemgetter(slice(start, start + size)))

    def to(self, device: torch.device) -> Batch:
        """The same on another device; itself if it is there already."""
        return self if self.device == device else self._map(lambda x: x.to(device, non_blocking=True))

    @property
    def device(self) -> torch.device:
        """The device of the samples."""
        return next(iter(self.inputs.values())).device

    def _map(self, function: Callable[[Tensor], Tensor]) -> Batch:
        return Batch(
            inputs={m: function(x) for m, x in self.inputs.items()},
            lengths={m: function(n) for m, n in self.lengths.items()},
            labels={s: function(y) for s, y in self.labels.items()},
            present={m: function(x) for m, x in self.present.items()},
        )


class MultimodalModel(nn.Module, ABC):
    """A network with one encoder and one head per modality, and a fused head.

    `decode(encode(batch))` is the prediction; from these two and `last_layer` the harness derives every feature
    that a sampler may ask for. Where z_u is cut matters to samplers that use gradients: leave at least one
    nonlinearity between z_u and each head, or the gradient's direction is the same for every sample.

    >>> import torch
    >>> from alharness import Batch, ModelShape, MultimodalModel, Task
    >>> class Sum(MultimodalModel):
    ...     def __init__(self, shape):
    ...         super().__init__(shape)
    ...         self.encoders = torch.nn.ModuleDict({m: torch.nn.Linear(d, 8) for m, d in shape.features.items()})
    ...         self.heads = torch.nn.ModuleDict({m: torch.nn.Linear(8, shape.outputs) for m in shape.features})
    ...         self.heads["fused"] = torch.nn.Linear(8 * len(shape.features), shape.outputs)
    ...     def encode(self, batch):
    ...         return {m: self.encoders[m](x) for m, x in batch.inputs.items()}
    ...     def decode(self, z):
    ...         hidden = {m: z[m].relu() for m in self.shape.modalities}
    ...         hidden["fused"] = torch.cat(list(hidden.values()), dim=1)
    ...         return {source: self.heads[source](h) for source, h in hidden.items()}
    ...     def last_layer(self, source):
    ...         return self.heads[source]
    ...     def loss(self, batch):
    ...         out = self(batch)
    ...         return sum((out[s].squeeze(1) - y).abs().mean() for s, y in batch.labels.items())
    >>> model = Sum(ModelShape(features={"audio": 4, "text": 6}, task=Task.REGRESSION, outputs=1))
    >>> batch = Batch(inputs={"audio": torch.zeros(3, 4), "text": torch.zeros(3, 6)})
    >>> {source: tuple(out.shape) for source, out in model(batch).items()}
    {'audio': (3, 1), 'text': (3, 1), 'fused': (3, 1)}
    """

    stackable: ClassVar[bool] = True
    """Whether models of this kind may be trained together, as one stack of tensors. A trial finds out whether they
    can, and they need not do anything for it; False spares it."""

    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.shape = shape

    @abstractmethod
    def encode(self, batch: Batch) -> dict[str, Tensor]:
        """Modality -> z_u, (b, d_u).

        Entries of other names, (b, ...), are given back to `decode` with them: samplers pass them on as
        constants, row by row (`View.context`). The batch must not be written to: draws and epochs share it.
        """

    @abstractmethod
    def decode(self, z: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Source -> logits (b, C), or values in the units of the labels (b, 1)."""

    @abstractmethod
    def last_layer(self, source: str) -> nn.Linear:
        """The last linear layer of that source's head; its input is the source's embedding."""

    @abstractmethod
    def loss(self, batch: Batch) -> Tensor:
        """The training loss, averaged over a batch of prepared samples, from labels of all sources.

        It is computed by `torch.vmap` for many models at once, if that is possible: if nothing depends on the
        numbers in a tensor (`if`, `.item()`), if random numbers are torch's, and if it changes buffers alone, in
        place. Other models are trained one by one.
        """

    def differentiate(self, batch: Batch) -> Tensor:
        """Add the gradients of `loss` to those of the parameters; returns the loss, without a graph.

        Deprecated: in a stack, gradients come from `loss`. A model that overrides this is trained one by one.
        """
        loss = self.loss(batch)
        require_loss(loss)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    def adapt(self, labeled: Batch) -> None:
        """Take statistics, such as means and scales, from the labeled samples; called once before training."""

    def prepare(self, samples: Batch) -> Batch:
        """What `loss` gets instead of these samples, after every computation that is the same in all epochs.

        Called after `adapt`, for the labeled and for the validation samples. Row by row: parts of what it returns
        are the batches. Computable by `torch.vmap`, as `loss` is, if models are to be trained together. `encode`
        always gets samples as they are.
        """
        return samples

    def optimizer(self) -> Optimizer:
        """A fresh optimizer of the model's own recipe: Adam, unless a model says otherwise.

        Settings of a spec that are not null, `learning_rate` and `weight_decay`, are put into all of its groups.
        """
        return Adam(self.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=True)

    def schedule(self, optimizer: Optimizer) -> LRScheduler | None:  # noqa: ARG002 - for those that override it
        """How the optimizer's learning rates change, one step per epoch; None keeps them."""
        return None

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Source -> prediction, as `decode`."""
        return self.decode(self.encode(batch))
