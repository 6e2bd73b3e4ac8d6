"""An estimator of scikit-learn as a task model."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import nn

from alharness.api.estimators import CHANCES, EstimatorParams
from alharness.api.vocabulary import Task
from alharness.models.on_inputs import OnInputs, known

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray
    from threadpoolctl import ThreadpoolController
    from torch import Tensor

    from alharness.api.network import Batch
    from alharness.api.vocabulary import ModelShape

LEAST = 1e-12
"""Probability of a class that an estimator excludes: its logarithm is a number."""


class Estimated(OnInputs):
    """A copy of an estimator for each modality, and one for all of them together.

    Samples that lack a modality do not count in its estimator.

    Args:
        estimator: as its constructor left it.
        params: how it is used.
        shape: what it is built for.
    """

    def __init__(self, estimator: Any, params: EstimatorParams, shape: ModelShape) -> None:
        super().__init__(shape, lambda _: _Head(estimator, shape), standardize=params.standardize)

    def fit(self, labeled: Batch, valid: Batch | None) -> None:  # noqa: ARG002 - estimators know none
        """Fit every copy."""
        self.scales.adapt(labeled)
        z = self.encode(labeled)
        for source in self.sources:
            counted = known(labeled, source)
            head = cast("_Head", self.last_layer(source))
            head.fit(self.joined(z, source)[counted], labeled.labels[source][counted])


class _Head(nn.Module):
    """An estimator that takes and gives tensors."""

    def __init__(self, estimator: Any, shape: ModelShape) -> None:
        super().__init__()
        from sklearn.base import clone

        self._shape, self._estimator = shape, clone(estimator)
        self._constant: NDArray[np.float32] | None = None
        self._threads()  # finds the libraries, which is not to be measured
        params = self._estimator.get_params()
        unset = [name for name in params if name.rpartition("__")[2] == "random_state" and params[name] is None]
        self._estimator.set_params(**{name: int(torch.randint(2**31 - 1, ())) for name in sorted(unset)})

    def fit(self, x: Tensor, labels: Tensor) -> None:
        """Fit it to samples; with none, or with one label alone, only that is known."""
        of_classes = self._shape.task == Task.CLASSIFICATION
        if len(labels) and not (of_classes and bool((labels == labels[0]).all())):
            with self._threads():
                self._estimator.fit(x.cpu().numpy(), labels.cpu().numpy())
        elif of_classes:
            self._constant = np.full(self._shape.outputs, LEAST if len(labels) else 1, np.float32)
            self._constant[labels[:1].cpu().numpy()] = 1
        else:
            self._constant = np.full(1, labels.double().mean().nan_to_num().item(), np.float32)

    def forward(self, x: Tensor) -> Tensor:
        """(n, C) logarithms of what is in proportion to probabilities, or (n, 1) values."""
        with self._threads():
            found = torch.from_numpy(self._predicted(x.detach().cpu().numpy())).to(x.device)
        return found.log() if self._shape.task == Task.CLASSIFICATION else found

    def _threads(self) -> AbstractContextManager[Any]:
        """Inside, libraries use as many threads as torch does."""
        limited: AbstractContextManager[Any] = _libraries(type(self._estimator).__module__).limit(
            limits=torch.get_num_threads()
        )
        return limited

    def _predicted(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, C) probabilities, or (n, 1) values."""
        if self._constant is not None:
            return np.tile(self._constant, (len(x), 1))
        if self._shape.task == Task.REGRESSION:
            return np.asarray(self._estimator.predict(x), np.float32).reshape(-1, 1)
        found = np.full((len(x), self._shape.outputs), LEAST)
        found[:, np.asarray(self._estimator.classes_, int)] = self._chances(x).clip(LEAST, 1)
        return found.astype(np.float32)

    def _chances(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """Of the classes that it was fitted to."""
        method = next((name for name in CHANCES if hasattr(self._estimator, name)), "")
        if method == "predict_proba":
            return np.asarray(self._estimator.predict_proba(x), np.float64)
        if method == "decision_function":
            far = np.asarray(self._estimator.decision_function(x), np.float64)
            if far.ndim == 1:  # of the second of two classes
                far = np.stack([-far / 2, far / 2], 1)
            return np.asarray(torch.from_numpy(far).softmax(1))
        return np.asarray(self._estimator.predict(x)[:, None] == self._estimator.classes_, np.float64)


@cache
def _libraries(module: str) -> ThreadpoolController:  # noqa: ARG001 - each may have loaded others
    """The libraries of this process that compute in threads, once the module of an estimator is imported."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
