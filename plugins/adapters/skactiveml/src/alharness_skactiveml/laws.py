"""Laws of the second pick, from the papers: which samples may follow the first one, and how often.

Each takes parameters, a case and the position of the first pick, and gives (u,) probabilities. They are second
opinions: nothing of scikit-activeml is in them but the logistic regression that a discriminator is.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from .params import StrategyParams
    from .sampler import Case

    Array = NDArray[np.float64]
    Law = Callable[[StrategyParams, Case, int], Array]

TIED = 1e-9
"""Scores that differ by less are the same up to rounding, relative to the largest."""


def _largest(scores: Array, first: int) -> Array:
    """Any of the largest scores, but not the first pick."""
    scores = scores.astype(np.float64).copy()
    scores[first] = -np.inf
    best = scores >= scores.max() - TIED * max(1.0, float(np.abs(scores[np.isfinite(scores)]).max(initial=0)))
    shares: Array = best / best.sum()
    return shares


def _weighted(weights: Array, first: int) -> Array:
    """In proportion to weights; any but the first if all of these are 0."""
    weights = weights.copy()
    weights[first] = 0
    if not weights.sum() > 0:
        weights = np.ones(len(weights))
        weights[first] = 0
    shares: Array = weights / weights.sum()
    return shares


def _apart(a: Array, b: Array) -> Array:
    """(n, m) squared distances, from differences."""
    squares: Array = ((a[:, None] - b[None]) ** 2).sum(-1)
    return squares


def _known(case: Case) -> Array:
    """Predictions of the unlabeled samples."""
    assert case.predictions is not None
    return case.predictions[-case.unlabeled :]


def uniform(_params: StrategyParams, case: Case, first: int) -> Array:
    """Every other sample as often."""
    return _weighted(np.ones(case.unlabeled), first)


def badge(_params: StrategyParams, case: Case, first: int) -> Array:
    """k-means++: in proportion to the squared distance of gradients to that of the first pick."""
    p = _known(case)
    g = ((p - np.eye(p.shape[1])[p.argmax(1)])[:, :, None] * case.pool[:, None]).reshape(len(p), -1)
    return _weighted(_apart(g, g[[first]])[:, 0], first)


def farthest(_params: StrategyParams, case: Case, first: int) -> Array:
    """The sample that is farthest from what is labeled and picked."""
    centers = np.concatenate([case.x[: case.labeled], case.pool[[first]]])
    return _largest(np.sqrt(_apart(case.pool, centers)).min(1), first)


def farthest_in_both(_params: StrategyParams, case: Case, first: int) -> Array:
    """Largest least product of the distance of samples and that of predictions."""
    values = _known(case)
    centers = np.concatenate([case.x[: case.labeled], case.pool[[first]]])
    theirs = np.append(case.targets, values[first])[:, None]
    return _largest(np.sqrt(_apart(case.pool, centers) * _apart(values, theirs)).min(1), first)


def herding(_params: StrategyParams, case: Case, first: int) -> Array:
    """Largest rise of the mean kernel, of samples of length 1, to what is nearest of labeled and picked ones."""
    unit = case.x / np.maximum(np.linalg.norm(case.x, axis=1, keepdims=True), 1e-300)
    kernel = np.exp(-_apart(unit, unit) / unit.shape[1])
    pool = np.arange(case.labeled, len(unit))
    centers = [*range(case.labeled), case.labeled + first]
    covered = kernel[pool][:, centers].max(1)
    return _largest(np.maximum(kernel[pool][:, pool] - covered, 0).mean(1), first)


def coverage(params: StrategyParams, case: Case, first: int) -> Array:
    """Most samples within the radius that no labeled or picked one covers; of the one radius of the parameters."""
    (radius,) = params.deltas  # type: ignore[attr-defined]
    near = np.sqrt(_apart(case.x, case.x)) <= radius
    centers = [*range(case.labeled), case.labeled + first]
    free = ~near[centers].any(0)
    return _largest((near[case.labeled :] & free).sum(1), first)


def least_confident(_params: StrategyParams, case: Case, first: int) -> Array:
    """Smallest largest probability."""
    return _largest(1 - _known(case).max(1), first)


def contrast(params: StrategyParams, case: Case, first: int) -> Array:
    """Largest mean divergence from the predictions of the nearest labeled samples, if these are clear."""
    assert case.predictions is not None
    p = np.maximum(case.predictions, params.eps)  # type: ignore[attr-defined]
    p /= p.sum(1, keepdims=True)
    neighbors: int = params.n_neighbors  # type: ignore[attr-defined]
    near = _apart(case.pool, case.x[: case.labeled]).argsort(1)[:, :neighbors]
    theirs, own = p[near], p[case.labeled :, None]
    return _largest((theirs * np.log(theirs / own)).sum(-1).mean(1), first)


def _entropy(p: Array) -> Array:
    found: Array = -(p * np.log(np.maximum(p, 1e-7))).sum(-1)
    return found


def information(_params: StrategyParams, case: Case, first: int) -> Array:
    """Largest mutual information of a label and the model."""
    assert case.predictions is not None
    return _largest(_entropy(case.predictions.mean(0)) - _entropy(case.predictions).mean(0), first)


def disagreement(params: StrategyParams, case: Case, first: int) -> Array:
    """Largest mean divergence from the mean prediction, which is that information; of values, their spread."""
    assert case.predictions is not None
    return information(params, case, first) if case.classes else _largest(case.predictions.std(0)[:, 0], first)


def joint_information(_params: StrategyParams, case: Case, first: int) -> Array:
    """Largest mutual information of both labels and the model, over all pairs of classes."""
    p = case.predictions
    assert p is not None
    classes = range(p.shape[2])
    joint = np.stack([(p[:, first, [a]] * p[:, :, b]).mean(0) for a, b in product(classes, classes)], -1)
    inside = _entropy(p).mean(0)
    return _largest(_entropy(joint) - inside[first] - inside, first)


def discrimination(params: StrategyParams, case: Case, first: int) -> Array:
    """Least like what is labeled and picked, by a logistic regression."""
    from sklearn.linear_model import LogisticRegression

    free = np.arange(len(case.x)) >= case.labeled
    if not params.greedy_selection:  # type: ignore[attr-defined]
        free[case.labeled + first] = False
    fitted = LogisticRegression().fit(case.x, free)
    return _largest(fitted.predict_proba(case.pool)[:, 1].round(7), first)


def relevance(params: StrategyParams, case: Case, first: int) -> Array:
    """FALCUN: a power of the sum of a sample's uncertainty and its distance, at random."""
    p = _known(case)
    two = np.sort(p, 1)[:, -2:]
    uncertain = 1 - (two[:, 1] - two[:, 0])
    apart = np.minimum(np.abs(p - p[first]).sum(1), uncertain)
    apart = apart - apart.min()
    apart = apart / apart.max() if apart.max() > 0 else apart
    return _weighted((uncertain + apart) ** params.gamma, first)  # type: ignore[attr-defined]


LAWS: Mapping[str, Law] = {
    "Badge": badge,
    "BatchBALD": joint_information,
    "ContrastiveAL": contrast,
    "CoreSet": farthest,
    "DiscriminativeAL": discrimination,
    "Falcun": relevance,
    "GreedyBALD": information,
    "GreedySamplingTarget": farthest_in_both,
    "GreedySamplingX": farthest,
    "MaxHerding": herding,
    "ProbCover": coverage,
    "QueryByCommittee": disagreement,
    "RandomSampling": uniform,
    "UncertaintySampling": least_confident,
}
"""Strategy -> the law of its second pick. The others depend on k-means or on a model of their own."""
