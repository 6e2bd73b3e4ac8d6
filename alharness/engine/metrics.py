"""Computes a data set's metrics, and checks what `compute` returns."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from numbers import Real
from typing import TYPE_CHECKING, Any

from alharness.errors import DataError, blaming, described

if TYPE_CHECKING:
    import numpy as np

    from alharness.api.metrics import Metrics

    Array = np.ndarray[Any, Any]

NAME = re.compile(r"\w[\w-]*(\.[\w-]+)*")
"""Names of metrics that MLflow, file names and columns of tables take as they are."""
LONGEST = 100


def evaluate(
    metrics: Metrics, predictions: Array, labels: Array, classes: tuple[str, ...] = ()
) -> dict[str, float]:
    """All metrics of these samples, by name.

    Args:
        metrics: what to measure.
        predictions: (n, C) scores, the largest being the predicted class; or (n, 1) values.
        labels: (n,) class indices or targets.
        classes: names of the classes, for metrics of single ones.

    Raises:
        DataError: `compute` failed, or gave what it should not; names its module.
    """
    with blaming(f"the metrics {metrics.name!r} of {getattr(metrics.compute, '__module__', '?')}", DataError):
        return _measured(metrics, predictions, labels, classes)


def _measured(metrics: Metrics, predictions: Array, labels: Array, classes: tuple[str, ...]) -> dict[str, float]:
    try:
        found: Any = metrics.compute(predictions, labels, classes)
    except Exception as error:
        raised = DataError(f"compute of {metrics.name!r} raised {described(error)}")
        raised.unexpected = True
        raise raised from error
    _require_sound(metrics, found)
    return {str(name): float(value) for name, value in found.items()}


def _require_sound(metrics: Metrics, found: Any) -> None:
    who = f"compute of {metrics.name!r}"
    if not isinstance(found, Mapping):
        raise DataError(f"{who} gave {type(found).__name__}, expected names of metrics and their values")
    for name, value in found.items():
        if not isinstance(name, str) or not NAME.fullmatch(name) or len(name) > LONGEST:
            raise DataError(
                f"{who} gave a metric named {name!r:.120}; it must be at most {LONGEST} letters, "
                "digits, _, - and single dots"
            )
        if not isinstance(value, Real):
            shown = " ".join(repr(value).split())  # an array has lines
            raise DataError(f"{who} gave {shown:.100} for {name!r}, expected a number")
    mentioned = dict.fromkeys([metrics.primary, *metrics.headline, *sorted(metrics.lower_is_better)])
    if missing := [name for name in mentioned if name not in found]:
        raise DataError(
            f"{who} gave {', '.join(found) or 'no metric'}, but not {', '.join(missing)}, which `primary`, "
            "`headline` or `lower_is_better` mentions"
        )


def try_out(metrics: Metrics, labels: Array, classes: tuple[str, ...]) -> None:
    """Raise DataError unless these labels, taken for perfect predictions of themselves, can be measured."""
    import numpy as np

    predictions = np.eye(len(classes), dtype=np.float32)[labels] if classes else labels[:, None]
    with warnings.catch_warnings(action="ignore"):
        _measured(metrics, predictions, labels, classes)
