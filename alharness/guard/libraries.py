"""What plugins can change in NumPy, scikit-learn and MLflow."""

from __future__ import annotations

import operator
import sys

import numpy as np

from .trait import Trait, imported, nothing

URI = "mlflow.tracking._tracking_service.utils"
"""Where MLflow keeps what was set; its public function also gives what was not."""


def traits() -> list[Trait]:
    """Of all of them."""
    return [*_numpy(), *_sklearn(), *_mlflow()]


def _numpy() -> list[Trait]:
    """Error handling, printing, and the global generator."""
    return [
        Trait(
            "NumPy's global generator",
            lambda: np.random.get_state(),  # noqa: NPY002, PLW0108 - others use it, and may replace it
            lambda state: np.random.set_state(state),  # noqa: NPY002, PLW0108
            same=lambda before, after: (
                before[0] == after[0] and before[2:] == after[2:] and np.array_equal(before[1], after[1])
            ),
            loudness="quiet",
        ),
        Trait("how NumPy handles errors of numbers", np.geterr, lambda before: np.seterr(**before), shown=nothing),
        Trait("NumPy's error handler", np.geterrcall, np.seterrcall, same=operator.is_, shown=nothing),
        Trait("NumPy's buffer size", np.getbufsize, np.setbufsize),
        Trait(
            "how NumPy prints", np.get_printoptions, lambda before: np.set_printoptions(**before), shown=nothing
        ),
    ]


def _sklearn() -> list[Trait]:
    """Its configuration, if it was imported."""
    return [
        Trait(
            "scikit-learn's configuration",
            lambda: imported("sklearn", "get_config"),
            lambda before: sys.modules["sklearn"].set_config(**before),
            same=lambda before, after: before is None or before == after,
            shown=nothing,
        )
    ]


def _mlflow() -> list[Trait]:
    """The open run and its store, if MLflow was imported."""
    return [
        Trait(
            "MLflow's open run",
            _open_run,
            lambda _: sys.modules["mlflow"].end_run(),
            shown=lambda _, after: f"{after}; it was ended, and what it holds stays in the store: use query.log",
        ),
        Trait(
            "MLflow's tracking URI",
            lambda: getattr(sys.modules.get(URI), "_tracking_uri", None),
            lambda before: sys.modules["mlflow"].set_tracking_uri(before or ""),
            shown=nothing,
            loudness="quiet after imports",
        ),
    ]


def _open_run() -> str | None:
    run = imported("mlflow", "active_run")
    return None if run is None else str(run.info.run_name)
