"""Small cases on which strategies are checked, and the search for smaller ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from alharness import Feature, Task

from .sampler import Case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from .params import StrategyParams

    Array = NDArray[np.float64]


def case_of(
    params: StrategyParams,
    task: Task,
    unlabeled: int,
    labeled: int,
    width: int,
    seed: int = 0,
    *,
    distinct: int = 0,
) -> Case:
    """Small whole numbers, and a model that is linear in them.

    Args:
        params: of the strategy that is going to be asked.
        task: classification with three classes, or regression.
        unlabeled: samples to choose from.
        labeled: samples with labels.
        width: features.
        seed: of everything.
        distinct: how many different samples there are; 0 for all.
    """
    rng = np.random.default_rng(seed)
    count = unlabeled + labeled
    x = rng.integers(-4, 5, (distinct or count, width)).astype(np.float64)[np.arange(count) % (distinct or count)]
    classes = 3 if task == Task.CLASSIFICATION else 0
    targets = rng.integers(3, size=labeled) if classes else rng.integers(-4, 5, labeled)
    members = 5 if params.model == "ensemble" else 1
    weights = rng.normal(size=(members, width, classes or 1)) / 2
    draws = np.stack([probable(x @ w) if classes else x @ w for w in weights])
    predictions = draws[:, labeled:] if params.model == "ensemble" else draws[0]
    return Case(
        x=x,
        targets=targets.astype(np.float64),
        classes=classes,
        predictions=predictions if {*params.reads()} & {Feature.PREDICTIONS, Feature.MC_DRAWS} else None,
        predict=plain if Feature.DECODE in params.reads() else None,
    )


def plain(rows: Array) -> Array:
    """Predictions of three classes for any rows: the first if their sum is large, the last if it is small."""
    return probable(rows.sum(1, keepdims=True) * [1.0, 0.0, -1.0])


def probable(logits: Array) -> Array:
    """(..., C) probabilities from logits."""
    e = np.exp(logits - logits.max(-1, keepdims=True))
    shares: Array = e / e.sum(-1, keepdims=True)
    return shares


def taken(case: Case, rows: NDArray[np.int64]) -> Case:
    """A case of some of its samples, labeled ones first."""
    kept = rows < case.labeled
    predictions = case.predictions
    if predictions is not None:
        members = predictions.ndim == 3
        start = case.labeled if members else 0
        chosen = rows[~kept] - start if members else rows
        predictions = predictions[:, chosen] if members else predictions[chosen]
    return replace(case, x=case.x[rows], targets=case.targets[rows[kept]], predictions=predictions)


def smallest(fails: Callable[[Case], bool], case: Case) -> Case:
    """A case that fails and does no longer when one more sample or feature is left out.

    Args:
        fails: whether a case fails.
        case: one that does.
    """
    shrunk = True
    while shrunk:
        shrunk = False
        for smaller in _smaller(case):
            if fails(smaller):
                case, shrunk = smaller, True
                break
    return case


def _smaller(case: Case) -> Iterator[Case]:
    rows = np.arange(len(case.x))
    for step in (4, 2, 1):
        for start in range(0, len(rows), step):
            kept = np.delete(rows, slice(start, start + step))
            labeled = int((kept < case.labeled).sum())
            if labeled and len(kept) - labeled >= 2:
                yield taken(case, kept)
    if case.x.shape[1] > 1:
        for column in range(case.x.shape[1]):
            yield replace(case, x=np.delete(case.x, column, 1))
    for value in (0.0, 1.0) if case.x.any() else ():
        for i in range(len(rows)):
            if not np.isin(case.x[i], (0, value)).all():
                x = case.x.copy()
                x[i] = np.sign(np.abs(x[i])) * value
                yield replace(case, x=x)
    yield from (replace(case, predictions=p) for p in _rounder(case))


def _rounder(case: Case) -> Iterator[Array]:
    """Its predictions with fewer decimals; the largest probability takes what is missing to 1."""
    p = case.predictions
    for decimals in (1, 2, 3) if p is not None else ():
        assert p is not None
        rounded = p.round(decimals)
        if np.array_equal(p, rounded):
            return
        if case.classes:
            largest = rounded.argmax(-1)[..., None] == np.arange(p.shape[-1])
            rounded = (rounded + (1 - rounded.sum(-1, keepdims=True)) * largest).round(decimals)
        yield rounded
