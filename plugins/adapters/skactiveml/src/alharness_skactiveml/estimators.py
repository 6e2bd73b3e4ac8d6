"""The model of a run as scikit-activeml takes models: its predictions are known, and it is never fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from skactiveml.base import SkactivemlClassifier, SkactivemlRegressor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]


class _Known:
    """Predictions by the rows that they belong to.

    Args:
        known: (rows, predictions) of the unlabeled samples, of the labeled ones, and so on.
        predict: rows -> predictions, for any others; None if there are none.
    """

    _known: Sequence[tuple[Array, Array]]
    _predict: Callable[[Array], Array] | None

    def _of(self, x: Array) -> Array:
        for rows, predictions in self._known:
            if rows.shape == x.shape and np.array_equal(rows, x):
                return predictions.copy()
        if self._predict is None:
            raise ValueError("the strategy asks for predictions of samples that are neither labeled nor unlabeled")
        return self._predict(x)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: ARG002 - as scikit-learn has it
        """Refused: the model is trained by the harness."""
        raise ValueError("the strategy trains the model, which only the harness may do")

    def __deepcopy__(self, memo: Any) -> Self:
        """Itself: it never changes, and its arrays are large."""
        return self


class KnownClassifier(_Known, SkactivemlClassifier):  # type: ignore[misc]
    """A classifier of classes 0 to C - 1."""

    def __init__(
        self,
        classes: int,
        known: Sequence[tuple[Array, Array]],
        predict: Callable[[Array], Array] | None = None,
    ) -> None:
        super().__init__(classes=list(range(classes)))
        self.classes_ = np.arange(classes)
        self._known, self._predict = known, predict

    def predict_proba(self, X: Array) -> Array:
        """(n, C)."""
        return self._of(X)

    def predict(self, X: Array) -> NDArray[np.int64]:
        """(n,), the most probable classes."""
        best: NDArray[np.int64] = self._of(X).argmax(1)
        return best


class KnownRegressor(_Known, SkactivemlRegressor):  # type: ignore[misc]
    """A regressor."""

    def __init__(self, known: Sequence[tuple[Array, Array]]) -> None:
        super().__init__()
        self.fitted_ = True
        self._known, self._predict = known, None

    def predict(self, X: Array) -> Array:
        """(n,)."""
        return self._of(X)[:, 0]
