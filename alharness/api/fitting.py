"""The contract of a task model that fits itself: in closed form, or by another library."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, NoReturn

from .network import MultimodalModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .network import Batch


class FittingModel(MultimodalModel):
    """A model with a `fit` of its own, in place of a loss that the harness minimizes.

    `encode`, `decode` and `last_layer` are those of every model. What the module of `last_layer` gets is the
    embedding, and that module need not be linear. Of `training` in a spec only `device`, `threads`, `valid` and
    `inference_batch` apply. `adapt`, `prepare`, `optimizer` and `schedule` are not called.

    >>> import torch
    >>> from alharness import Batch, FittingModel, ModelShape, Task
    >>> class Nearest(FittingModel):
    ...     '''Classes are as far as the means of their samples.'''
    ...     def __init__(self, shape):
    ...         super().__init__(shape)
    ...         self.means = torch.nn.ParameterDict(
    ...             {m: torch.zeros(shape.outputs, d) for m, d in self.sizes(shape).items()}
    ...         )
    ...         self.embedded = torch.nn.ModuleDict({source: torch.nn.Identity() for source in self.means})
    ...     @staticmethod
    ...     def sizes(shape):
    ...         return {**shape.features, "fused": sum(shape.features.values())}
    ...     def fit(self, labeled, valid):
    ...         for source, x in self.joined(self.encode(labeled)).items():
    ...             for label in labeled.labels[source].unique():
    ...                 self.means[source].data[label] = x[labeled.labels[source] == label].mean(0)
    ...     def encode(self, batch):
    ...         return dict(batch.inputs)
    ...     def joined(self, z):
    ...         return {**z, "fused": torch.cat([z[m] for m in self.shape.modalities], dim=1)}
    ...     def decode(self, z):
    ...         return {s: -torch.cdist(self.embedded[s](x), self.means[s]) for s, x in self.joined(z).items()}
    ...     def last_layer(self, source):
    ...         return self.embedded[source]
    >>> model = Nearest(ModelShape(features={"text": 2}, task=Task.CLASSIFICATION, outputs=2))
    >>> labels = torch.tensor([0, 1, 1])
    >>> samples = Batch(inputs={"text": torch.eye(3)[:, :2]}, labels={"text": labels, "fused": labels})
    >>> model.fit(samples, None)
    >>> model(samples)["fused"].argmax(1)
    tensor([0, 1, 1])
    """

    fits_itself: ClassVar[bool] = True
    """As in its `ModelPlugin`."""
    validates: ClassVar[bool] = True
    """Whether `fit` reads validation samples. If not, it gets none, and they are not loaded for it."""
    stackable: ClassVar[bool] = False
    """Whether `fit_all` fits several models at once."""
    storable: ClassVar[bool] = False
    """Whether all that `fit` finds is in parameters and buffers. A fit of another model is not stored, and not
    copied: cells that share it fit it again."""

    @abstractmethod
    def fit(self, labeled: Batch, valid: Batch | None) -> None:
        """Fit a fresh model. Random numbers are torch's, NumPy's or Python's global ones, which are seeded.

        Args:
            labeled: with labels of all sources, on the device of the model.
            valid: the validation samples that `training.valid` grants; None for none. They may choose when to stop
                or how much to penalize, and must not be fitted.
        """

    @classmethod
    def fit_all(
        cls, models: Sequence[FittingModel], labeled: Sequence[Batch], valid: Sequence[Batch | None]
    ) -> None:
        """Fit fresh models to as many samples each, with the numbers that `fit` gives to each by itself.

        It is called if the class is `stackable`, and draws no random numbers.
        """
        for each, samples, stopping in zip(models, labeled, valid, strict=True):
            each.fit(samples, stopping)

    def loss(self, batch: Batch) -> NoReturn:
        """No loss is minimized."""
        raise NotImplementedError(f"{type(self).__name__} fits itself")
