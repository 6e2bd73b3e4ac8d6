"""How long MLflow is waited for: a deadline over whole calls, whatever happens inside them."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, Any, TypeVar

from alharness.errors import TrackingError
from alharness.text.redaction import redact

from .addresses import is_server

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow import MlflowClient

T = TypeVar("T")

TIMEOUT = "MLFLOW_HTTP_REQUEST_TIMEOUT"

SETTINGS = {
    # MLflow's own defaults wait four minutes per call; what fails is tried again by us, in the background.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    TIMEOUT: "10",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
"""Settings that MLflow reads from the environment; the user's own are kept."""

AT_HOME = 120.0
"""Seconds without an answer from a store that is here: its making takes ten, and others may be writing to it."""
FILES = 60.0
"""Seconds for the files of a cell, on a slow line."""


class Pulse:
    """When MLflow last answered.

    Attributes:
        patience: seconds without an answer after which it is given up.
        remote: whether the store is a server.
    """

    def __init__(self) -> None:
        self.patience, self.remote = AT_HOME, False
        self._since = time.monotonic()
        self._call: float | None = None
        self._more = 0.0

    def address(self, uri: str) -> None:
        """From now on it is this store that is waited for; the same one again changes nothing."""
        if is_server(uri) != self.remote:
            self.remote = not self.remote
            self.patience = float(os.environ[TIMEOUT]) if self.remote else AT_HOME
            self._since = time.monotonic()

    def begin(self) -> None:
        """Count from now on, or from the beginning of the call that is waiting for its answer."""
        self._since = time.monotonic() if self._call is None else self._call

    @property
    def is_silent(self) -> bool:
        """Whether it has not answered for too long."""
        return time.monotonic() - self._since > self.patience + self._more

    def watch(self, action: Callable[[], T], more: float = 0.0) -> T:
        """Make a call. One that fails is no answer: whether anything did answer, MLflow does not say.

        Args:
            action: the call.
            more: seconds that it may take beyond the patience for others.
        """
        self._call, self._more = time.monotonic(), more
        try:
            result = action()
        finally:
            self._call, self._more = None, 0.0
        self._since = time.monotonic()
        return result


class Watched:
    """MLflow's client, each call of which is watched.

    Args:
        client: of MLflow.
        pulse: notes when it answers.
    """

    def __init__(self, client: MlflowClient, pulse: Pulse) -> None:
        self._client, self._pulse = client, pulse

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        more = FILES if name == "log_artifacts" else 0.0
        return lambda *given, **named: self._pulse.watch(lambda: call(*given, **named), more)


def within(uri: str, action: Callable[[], T]) -> T:
    """The result of something that asks a store.

    It runs in a thread of its own, since a call cannot be stopped; one that never ends is left behind.

    Raises:
        TrackingError: the store did not answer in time.
        Exception: what the action raises.
    """
    pulse = Pulse()
    pulse.address(uri)
    answer: Future[T] = Future()

    def work() -> None:
        try:
            answer.set_result(action())
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            answer.set_exception(error)

    threading.Thread(target=work, daemon=True, name="mlflow").start()
    if not wait([answer], pulse.patience).done:
        raise TrackingError(silence(uri, pulse.patience))
    return answer.result()


def silence(uri: str, seconds: float) -> str:
    """Say that a store did not answer."""
    return f"MLflow at {redact(uri)}: no answer within {seconds:g} s"
