"""scikit-activeml, strategies in the manner of scikit-learn (Kottke et al., 2021)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.bench import Call, Kernel, Unavailable

if TYPE_CHECKING:
    from benchmarks.problems import Pool


def k_center(problem: Pool) -> Call:
    """`CoreSet` wants one array of all samples; the unlabeled ones come first, so that indices are positions."""
    pool = _module().pool
    data = problem.data()
    X = np.concatenate([data.pool.numpy(), data.labeled.numpy()])
    y = np.concatenate([np.full(problem.N, np.nan), np.zeros(problem.L)])
    return lambda: pool.CoreSet().query(X, y, batch_size=problem.k)


def badge(problem: Pool) -> Call:
    """`Badge` asks a classifier; a fixed one answers with the head's probabilities."""
    module = _module()
    data = problem.data()
    X, y = data.pool.numpy(), np.full(problem.N, np.nan)
    head = _fixed_classifier(module.base.SkactivemlClassifier, problem.C, data.log_probabilities.exp().numpy())
    return lambda: module.pool.Badge(random_state=0).query(X, y, head, fit_clf=False, batch_size=problem.k)


def _module() -> Any:
    try:
        import skactiveml
        import skactiveml.base
        import skactiveml.pool
    except ImportError as error:
        raise Unavailable("needs scikit-activeml") from error
    return skactiveml


def _fixed_classifier(base: Any, classes: int, probabilities: np.ndarray[Any, Any]) -> Any:
    class Fixed(base):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(classes=list(range(classes)))

        def fit(self, X: object, y: object) -> object:  # noqa: ARG002 - their signature
            return self

        def predict_proba(self, X: object) -> np.ndarray[Any, Any]:  # noqa: ARG002 - their signature
            return probabilities

    return Fixed()


CORE_SET = Kernel(name="scikit-activeml CoreSet", prepare=k_center, foreign=True)
BADGE = Kernel(name="scikit-activeml Badge", prepare=badge, foreign=True)
