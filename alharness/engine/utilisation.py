"""How much the fused head of a fitted model uses each modality, on test samples."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import cache
from math import factorial
from typing import TYPE_CHECKING

import numpy as np
import torch

from alharness.api.outputs import require_encoded, require_predictions
from alharness.api.vocabulary import FUSED
from alharness.errors import ModelError
from alharness.guard.fingerprint import unwritten

from .batches import batches
from .metrics import evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from numpy.typing import NDArray
    from torch import Tensor

    from alharness.api.metrics import Metrics
    from alharness.api.samples import Inputs

    from .recipe import Fitted

    Sets = NDArray[np.bool_]
    Positions = NDArray[np.int64]

EXACT = 6
"""Modalities up to which all sets of them are decoded: 64."""
ROWS = 1024
"""Rows that are decoded for shares, and as many again for what each modality adds to all others, if these are at
least `FEWEST` samples. A cycle of a small model takes a tenth of a second, and watching it must not slow it."""
FEWEST = 32
LABELED = 1024
"""Labeled samples whose mean takes the place of what is withheld, at most."""
ROUNDING = 1e-6
"""Of the size of predictions: if modalities change no more than this, single precision does, and not they."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Withheld:
    """Predictions of test samples with some of the modalities.

    Attributes:
        modalities: their names, M.
        some: (k, m, outputs) logits or values of m samples with each of the sets of `coalitions`.
        without: (1 + M, n, outputs) of n samples with all modalities, and without each of them.
        rows: (n,) the samples of `without`, as positions in the test.
    """

    modalities: tuple[str, ...]
    some: NDArray[np.float32]
    without: NDArray[np.float32]
    rows: Positions


@torch.no_grad()
def withhold(fitted: Fitted, test: Inputs, labeled: Inputs, batch: int) -> Withheld | None:
    """Predict test samples with some of their modalities; None if there is one alone.

    A modality is withheld by putting the mean of z_u over the labeled samples in the place of a sample's own, or,
    if samples may lack it, what the model encodes for those that do. What a model encodes in addition stays as it
    is. To be called within a crossed border.

    Args:
        fitted: the model.
        test: samples to predict; of many as many as `ROWS` allows, evenly spaced.
        labeled: what the model was trained on.
        batch: rows that are encoded or decoded at once.

    Raises:
        ModelError: the model raised, or broke its contract.
    """
    if len(test.modalities) < 2:
        return None
    number = len(test.modalities)
    sets, _ = coalitions(number)
    rows = _spread(len(test), ROWS // (1 + number))
    model = _Withholding(fitted, test.modalities, batch)
    with fitted.border.blamed("evaluation"):
        absent = model.absent(labeled)
        z = model.encoded(test, rows)
        few = torch.from_numpy(_spread(len(rows), max(FEWEST, ROWS // len(sets)))).to(fitted.device)
        some = model.decoded({name: x[few] for name, x in z.items()}, absent, sets)
        without = model.decoded(z, absent, np.vstack([np.ones(number, bool), ~np.eye(number, dtype=bool)]))
    return Withheld(modalities=test.modalities, some=some, without=without, rows=rows)


def utilisation(
    withheld: Withheld, labels: NDArray[Any], metrics: Metrics, classes: tuple[str, ...] = ()
) -> dict[str, float]:
    """How much predictions owe to each modality. A prediction is the probabilities of all classes, or a value.

    Args:
        withheld: predictions with some of the modalities.
        labels: of all test samples.
        metrics: that which ranks is measured with and without a modality.
        classes: names of the classes, in the order of the label indices; empty for regression.

    Returns:
        For each modality m: `share/m`, the mean size of its Shapley values, as a share of that of all modalities
        (absent if none changes any prediction); `moved/m`, how far predictions are from those without it, on
        average: half the sum of absolute differences between probabilities, or the absolute difference in units
        of the labels; `drop/m`, by how much the metric that ranks is worse without it. What is not finite is
        absent.
    """
    _, weights = coalitions(len(withheld.modalities))
    some, without = (_predictions(outputs, bool(classes)) for outputs in (withheld.some, withheld.without))
    # Weights of a modality add up to 0, so that one set may be taken off all: what never changes leaves exactly 0.
    sizes = np.abs(np.tensordot(weights, some - some[0], 1)).sum(2).mean(1)
    known = sizes.sum() > ROUNDING * np.abs(some).sum(2).mean()
    moved = np.abs(without[1:] - without[0]).sum(2).mean(1)
    of_rows = labels[withheld.rows]
    with warnings.catch_warnings(action="ignore"):  # such as of a correlation with predictions that are all equal
        quality = [
            evaluate(metrics, one, of_rows, classes)[metrics.primary] if np.isfinite(one).all() else np.nan
            for one in withheld.without  # a metric may refuse what is not finite
        ]
    sign = -1 if metrics.primary in metrics.lower_is_better else 1
    found = {
        "share": sizes / sizes.sum() if known else np.full(len(sizes), np.nan),
        "moved": moved / 2 if classes else moved,
        "drop": [sign * (quality[0] - one) for one in quality[1:]],
    }
    return {
        f"{measure}/{m}": float(value)
        for measure, values in found.items()
        for m, value in zip(withheld.modalities, values, strict=True)
        if np.isfinite(value)
    }


@cache
def coalitions(number: int) -> tuple[Sets, NDArray[np.float64]]:
    """Sets of modalities, and how their predictions add up to Shapley values.

    Up to `EXACT` modalities these are all sets. Beyond, the mean over all M! orders in which modalities can be
    added is taken over 2M of them, the rotations of one order and of its reverse: each modality comes as often at
    each place.

    Returns:
        (k, M) which modalities are in a set, and (M, k) weights: their product with the sets' predictions.
    """
    if number <= EXACT:
        sets = (np.arange(2**number)[:, None] >> np.arange(number) & 1).astype(bool)
        sizes = sets.sum(1)
        ways = [factorial(size) * factorial(number - 1 - size) / factorial(number) for size in range(number)]
        joined, left = np.array([0.0, *ways]), np.array([*ways, 0.0])
        return sets, np.where(sets.T, joined[sizes], -left[sizes])
    once = np.arange(number)
    orders = [np.roll(order, step) for order in (once, once[::-1]) for step in range(number)]
    columns: dict[bytes, int] = {}
    weights = np.zeros((number, 2 * number * (number + 1)))
    for order in orders:
        there = np.zeros(number, bool)
        column = columns.setdefault(there.tobytes(), 0)
        for modality in order:
            weights[modality, column] -= 1 / len(orders)
            there[modality] = True
            column = columns.setdefault(there.tobytes(), len(columns))
            weights[modality, column] += 1 / len(orders)
    sets = np.array([np.frombuffer(one, bool) for one in columns])
    return sets, weights[:, : len(sets)]


class _Withholding:
    """A model whose inputs are encoded, and decoded with some of the modalities."""

    def __init__(self, fitted: Fitted, modalities: tuple[str, ...], batch: int) -> None:
        self._fitted, self._modalities, self._batch = fitted, modalities, batch

    def encoded(self, inputs: Inputs, rows: Positions) -> dict[str, Tensor]:
        """z of these rows."""
        found = []
        for samples in batches(inputs, rows, self._batch, self._fitted.device):
            with unwritten(samples.tensors, ModelError, "what it was given"):
                found.append(self._fitted.model.encode(samples))
            require_encoded(found[-1], len(samples), self._fitted.model.shape)
        return {name: torch.cat([z[name] for z in found]) for name in found[0]}

    def absent(self, labeled: Inputs) -> dict[str, Tensor]:
        """What takes the place of each z_u: (d_u,)."""
        instead = {m: x.mean(0) for m, x in self.encoded(labeled, _spread(len(labeled), LABELED)).items()}
        (one,) = batches(labeled, np.zeros(1, np.int64), 1, self._fitted.device)
        for m, present in one.present.items():
            inputs, without = torch.zeros_like(one.inputs[m]), torch.zeros_like(present)
            lacking = replace(one, inputs={**one.inputs, m: inputs}, present={**one.present, m: without})
            instead[m] = self._fitted.model.encode(lacking)[m][0]
        return instead

    def decoded(self, z: Mapping[str, Tensor], absent: Mapping[str, Tensor], sets: Sets) -> NDArray[np.float32]:
        """(k, n, outputs) logits or values of n samples with each of these sets of modalities."""
        number = len(next(iter(z.values())))
        size = max(1, self._batch // len(sets))
        parts = [{name: x[i : i + size] for name, x in z.items()} for i in range(0, number, size)]
        return torch.cat([self._decoded(part, absent, sets) for part in parts], 1).float().cpu().numpy()

    def _decoded(self, z: Mapping[str, Tensor], absent: Mapping[str, Tensor], sets: Sets) -> Tensor:
        number = len(next(iter(z.values())))
        tiled = {name: x.expand(len(sets), *x.shape) for name, x in z.items()}
        for m, there in zip(self._modalities, torch.tensor(sets.T, device=self._fitted.device), strict=True):
            tiled[m] = tiled[m].where(there[:, None, None], absent[m])
        tiled = {name: x.flatten(0, 1) for name, x in tiled.items()}
        with unwritten(tiled, ModelError, "what it was given"):
            outputs = self._fitted.model.decode(tiled)
        require_predictions(outputs, len(sets) * number, self._fitted.model.shape)
        return outputs[FUSED].reshape(len(sets), number, -1)


def _predictions(outputs: NDArray[np.float32], of_classes: bool) -> NDArray[np.float32]:
    """Probabilities of classes, or values."""
    return torch.from_numpy(outputs).softmax(2).numpy() if of_classes else outputs


def _spread(number: int, most: int) -> Positions:
    """Positions of samples, evenly spaced if there are more than so many."""
    return np.linspace(0, number - 1, min(number, most)).round().astype(np.int64)
