"""Strategies of scikit-activeml, asked with what the harness knows of samples."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from skactiveml import pool
from skactiveml.classifier import SklearnClassifier
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.linear_model import LogisticRegression

from alharness import Sampler, Selection, Task
from alharness.kernels import require_finite

from .estimators import KnownClassifier, KnownRegressor
from .params import OURS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from alharness import Query

    from .params import StrategyParams

    Array = NDArray[np.float64]

CLUSTERS = {"k_means": KMeans, "mini_batch_k_means": MiniBatchKMeans}


@dataclass(frozen=True, kw_only=True)
class Case:
    """All that a strategy is given: labeled samples come first.

    Attributes:
        x: (l + u, d).
        targets: (l,) labels: numbers of classes, or values.
        classes: C, or 0 in regression.
        predictions: (l + u, C) probabilities or (l + u, 1) values of all samples, or of the unlabeled ones alone;
            or (T, u, ...) those of a committee.
        predict: rows like those of x -> (n, C) probabilities.
    """

    x: Array
    targets: Array
    classes: int
    predictions: Array | None = None
    predict: Callable[[Array], Array] | None = None

    @property
    def labeled(self) -> int:
        """l."""
        return len(self.targets)

    @property
    def unlabeled(self) -> int:
        """u."""
        return len(self.x) - self.labeled

    @property
    def pool(self) -> Array:
        """(u, d)."""
        return self.x[self.labeled :]


def choose(
    params: StrategyParams, case: Case, size: int, seed: int, *, aided: bool = True
) -> tuple[list[int], Array]:
    """Positions among the unlabeled samples, and the utilities by which each was chosen.

    Args:
        params: of the strategy.
        case: the samples.
        size: how many to choose.
        seed: of all randomness.
        aided: hand the seed also to what does not get it from the strategy: clusters, and NumPy's own generator.
    """
    settings: dict[str, Any] = {name: getattr(params, name) for name in type(params).model_fields}
    given = {name: value for name, value in settings.items() if name not in OURS}
    strategy = getattr(pool, params.strategy)
    if "classes" in signature(strategy).parameters:
        given["classes"] = list(range(case.classes))
    if "clusters" in settings:
        given["cluster_algo"] = CLUSTERS[settings["clusters"]]
        given["cluster_algo_dict"] = {"random_state": seed} if aided else None
    if "n_neighbors" in settings:
        given["nearest_neighbors_dict"] = {"n_neighbors": settings["n_neighbors"]}
    for name in ("cost_matrix", "deltas"):
        if given.get(name) is not None:
            given[name] = np.asarray(given[name], np.float64)
    made = strategy(random_state=seed, **given)
    y = np.concatenate([case.targets, np.full(case.unlabeled, np.nan)])
    with _seeded(seed) if aided else nullcontext():
        picks, utilities = made.query(
            X=case.x, y=y, batch_size=size, return_utilities=True, **_model(params, case)
        )
    picks = np.asarray(picks)
    return (picks - case.labeled).tolist(), np.asarray(utilities)[np.arange(len(picks)), picks]


def _model(params: StrategyParams, case: Case) -> Mapping[str, Any]:
    """The argument for the model, and the one that says that it needs no training."""
    name = params.model
    if not name:
        return {}
    if name == "discriminator":
        return {name: SklearnClassifier(LogisticRegression(), classes=[0, 1], missing_label=-1)}
    fixed = {f"fit_{name}": False}
    if name == "ensemble":
        assert case.predictions is not None
        return {name: [_known(case, member) for member in case.predictions], **fixed}
    return {name: _known(case, case.predictions), **fixed}


def _known(case: Case, predictions: Array | None) -> KnownClassifier | KnownRegressor:
    known = []
    if predictions is not None:
        start = len(predictions) - case.unlabeled
        known = [(case.pool, predictions[start:])]
        if start:
            known += [(case.x[: case.labeled], predictions[:start]), (case.x, predictions)]
    return KnownClassifier(case.classes, known, case.predict) if case.classes else KnownRegressor(known)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """NumPy's own generator begins with a seed, and is put back: some strategies draw from it."""
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002


class Strategy(Sampler):
    """The strategy of its parameters. What it keeps to is in the matrix of the docs."""

    params: StrategyParams

    def select(self, query: Query) -> Selection | list[int]:
        """The picks in their order, with utilities if all are finite. Raises SamplerError: features are not."""
        if query.size == 0:
            return []
        picks, utilities = choose(self.params, self._case(query), query.size, query.seed())
        return Selection(picks, torch.from_numpy(utilities) if np.isfinite(utilities).all() else None)

    def _case(self, query: Query) -> Case:
        targets = query.labeled.targets().cpu().numpy().astype(np.float64)
        classes = len(query.classes) if query.task == Task.CLASSIFICATION else 0
        x, predict = self._rows(query)
        return Case(x=x, targets=targets, classes=classes, predictions=self._predictions(query), predict=predict)

    def _rows(self, query: Query) -> tuple[Array, Callable[[Array], Array] | None]:
        """(l + u, d), and predictions from such rows, for a strategy that asks for them."""
        views = query.labeled, query.unlabeled
        if self.params.strategy == "DropQuery":
            z = {m: torch.cat([view.representations(m) for view in views]) for m in query.modalities}
            return self._plain(torch.cat([*z.values()], 1)), _Decoded(query, [v.shape[1] for v in z.values()])
        space = getattr(self.params, "space", None)
        if space is None:
            return np.zeros((len(query.labeled) + len(query.unlabeled), 1)), None
        return self._plain(torch.cat(query.points(space))), None

    def _predictions(self, query: Query) -> Array | None:
        """Of a committee, or of a classifier: of the labeled samples, too, if these are asked for."""
        if self.params.model == "ensemble":
            draws = query.unlabeled.mc_draws(self.params.model_dump()["draws"])
            return np.stack([self._probable(query, draw) for draw in draws])
        if self.params.model not in ("clf", "reg", "estimator") or self.params.strategy == "DropQuery":
            return None
        views = [query.unlabeled] if self.params.strategy != "ContrastiveAL" else [query.labeled, query.unlabeled]
        return np.concatenate([self._probable(query, view.predictions()) for view in views])

    def _probable(self, query: Query, predictions: torch.Tensor) -> Array:
        require_finite(predictions, "the predictions")
        if query.task == Task.REGRESSION:
            return self._plain(predictions)
        found = self._plain(predictions.double().exp())
        shares: Array = found / found.sum(1, keepdims=True)
        return shares

    @staticmethod
    def _plain(rows: torch.Tensor) -> Array:
        require_finite(rows, "the features")
        return rows.detach().cpu().double().numpy()


@dataclass(frozen=True)
class _Decoded:
    """Probabilities from representations of the unlabeled samples, all modalities next to each other."""

    query: Query
    widths: list[int] = field(default_factory=list)

    def __call__(self, x: Array) -> Array:
        rows = torch.from_numpy(x).float().to(self.query.device)
        z = dict(zip(self.query.modalities, torch.split(rows, self.widths, 1), strict=True))
        with torch.no_grad():
            found = self.query.decode({**z, **self.query.unlabeled.context()})["fused"]
        return found.double().exp().cpu().numpy()
