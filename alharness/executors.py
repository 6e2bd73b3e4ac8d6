"""The executor that alharness brings. No heavy imports."""

from __future__ import annotations

from alharness.api.executor import ExecutorPlugin
from alharness.api.hooks import hookimpl
from alharness.api.params import Params


@hookimpl
def alharness_executors() -> list[ExecutorPlugin]:
    """Offer processes of this machine."""
    return [
        ExecutorPlugin(
            name="processes",
            params=Params,
            make="alharness.runs.local:LocalExecutor",
            summary="processes of this machine; --jobs says how many",
        )
    ]
