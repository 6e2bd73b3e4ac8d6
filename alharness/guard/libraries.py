"""What plugins can change in NumPy, scikit-learn and MLflow."""

from __future__ import annotations

import operator
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from .trait import Trait, nothing

if TYPE_CHECKING:
    from collections.abc import Callable


def traits() -> list[Trait]:
    """Of all of them."""
    return [*_numpy(), *_sklearn(), *_mlflow()]


def _numpy() -> list[Trait]:
    """Error handling, printing, and the global generator."""
    return [
        Trait(
            name="NumPy's global generator",
            read=lambda: np.random.get_state(),  # noqa: NPY002, PLW0108 - others use it, and may replace it
            write=lambda state: np.random.set_state(state),  # noqa: NPY002, PLW0108
            same=lambda before, after: (
                before[0] == after[0] and before[2:] == after[2:] and np.array_equal(before[1], after[1])
            ),
            loudness="quiet",
        ),
        Trait(
            name="how NumPy handles errors of numbers",
            read=np.geterr,
            write=lambda before: np.seterr(**before),
            shown=nothing,
        ),
        Trait(
            name="NumPy's error handler",
            read=np.geterrcall,
            write=np.seterrcall,
            same=operator.is_,
            shown=nothing,
        ),
        Trait(name="NumPy's buffer size", read=np.getbufsize, write=np.setbufsize),
        Trait(
            name="how NumPy prints",
            read=np.get_printoptions,
            write=lambda before: np.set_printoptions(**before),
            shown=nothing,
        ),
    ]


def _sklearn() -> list[Trait]:
    """Its configuration, if it was imported."""

    def read() -> Any:
        module = sys.modules.get("sklearn")
        return module.get_config() if module is not None and hasattr(module, "get_config") else None

    return [
        Trait(
            name="scikit-learn's configuration",
            read=read,
            write=lambda before: sys.modules["sklearn"].set_config(**before),
            same=lambda before, after: before is None or before == after,
            shown=nothing,
        )
    ]


def _mlflow() -> list[Trait]:
    """The open run and its store, if MLflow was imported."""
    return [
        Trait(
            name="MLflow's open run",
            read=_open_run,
            write=lambda _: sys.modules["mlflow"].end_run(),
            shown=lambda _, after: f"{after}; it was ended, and what it holds stays in the store: use query.log",
        ),
        Trait(
            name="MLflow's tracking URI",
            read=lambda: _of_mlflow(lambda module: module.tracking._tracking_service.utils._tracking_uri),  # noqa: SLF001
            write=lambda before: sys.modules["mlflow"].set_tracking_uri(before or ""),
            shown=nothing,
            loudness="quiet after imports",
        ),
    ]


def _of_mlflow(read: Callable[[Any], Any]) -> Any:
    module = sys.modules.get("mlflow")
    return read(module) if module is not None and hasattr(module, "active_run") else None


def _open_run() -> str | None:
    def read(module: Any) -> str | None:
        run = module.active_run()
        return None if run is None else str(run.info.run_name)

    found: str | None = _of_mlflow(read)
    return found
