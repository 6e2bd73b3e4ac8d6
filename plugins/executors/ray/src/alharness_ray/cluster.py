"""Connecting to a Ray cluster, and what there is on it."""

from __future__ import annotations

import logging
import math
import os
import signal
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from alharness import PluginError, RunError

from .plugin import HOST, check_address

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

DEADLINE = 10.0
"""Seconds in which the address of a cluster must answer."""

Node = dict[str, Any]
"""What Ray says of a node."""


def connect(address: str | None, cpus: int) -> bool:
    """Connect this process to a cluster, or start one; whether it was not connected before.

    Args:
        address: as users write it.
        cpus: those of a cluster of this machine's own.

    Raises:
        PluginError: Ray is not installed.
        RunError: there is no such cluster, or it does not let this process in.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would report how it is used
    ray = _imported()
    if ray.is_initialized():
        return False
    where = address or _in_environment() or "local"
    if found := HOST.fullmatch(where):
        _require_answer(where, found["host"].strip("[]"), int(found["port"]))
    own = {"num_cpus": cpus, "include_dashboard": False} if where == "local" else {}
    try:
        with _own_signals(), _on_this_machine(alone=where == "local"):
            ray.init(
                address=where,
                log_to_driver=False,
                logging_level=logging.ERROR,
                ignore_reinit_error=False,
                **own,
            )
    except (ConnectionError, OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise RunError(_refusal(where, str(error).strip())) from error
    _print_no_logs(quiet=True)
    return True


def own_cpus(each: float, jobs: int) -> int:
    """CPUs that a Ray of this machine's own hands out: those that there are, or what so many jobs share.

    >>> own_cpus(1, 500)
    500
    """
    has = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(has, math.ceil(each * jobs)) if each <= has else has


def disconnect() -> None:
    """Leave the cluster; end it if it was started here."""
    ray = _imported()
    with suppress(Exception):  # the run is over, and so will be this process
        ray.shutdown()
    _print_no_logs(quiet=False)


def nodes() -> list[Node]:
    """The nodes that are alive."""
    import ray

    return [node for node in ray.nodes() if node["Alive"]]


def slots(found: Iterable[Node], need: Mapping[str, float]) -> int:
    """How many workers have room on these nodes, if nothing else runs there.

    Args:
        found: the nodes.
        need: resource -> how much of it each worker needs.

    >>> slots([{"Resources": {"CPU": 5.0}}, {"Resources": {"CPU": 1.0, "GPU": 1.0}}], {"CPU": 2.0})
    2
    """
    return sum(_room(node["Resources"], need) for node in found)


def describe(found: Iterable[Node], need: Mapping[str, float]) -> str:
    """What nodes have of the resources that a worker needs, in words.

    >>> describe([{"NodeManagerAddress": "10.0.0.1", "Resources": {"CPU": 1.0}}], {"CPU": 2.0, "GPU": 0.5})
    '10.0.0.1 has 1 CPU and 0 GPU'
    """
    return "; ".join(
        f"{node['NodeManagerAddress']} has {amounts({name: node['Resources'].get(name, 0.0) for name in need})}"
        for node in found
    )


def amounts(resources: Mapping[str, float]) -> str:
    """Resources in words.

    >>> amounts({"CPU": 2.0, "GPU": 0.25})
    '2 CPU and 0.25 GPU'
    """
    return " and ".join(f"{amount:g} {name}" for name, amount in resources.items())


def _room(has: Mapping[str, float], need: Mapping[str, float]) -> int:
    # Ray itself counts in ten-thousandths.
    return min(round(has.get(name, 0.0) * 10_000) // round(amount * 10_000) for name, amount in need.items())


def _in_environment() -> str:
    """The address in RAY_ADDRESS; empty if there is none."""
    address = os.environ.get("RAY_ADDRESS", "")
    try:
        return address and check_address(address)
    except ValueError as error:
        raise RunError(f"RAY_ADDRESS={address}: {error}") from None


def _imported() -> Any:
    try:
        import ray
    except ImportError as error:
        raise PluginError(
            f"Ray cannot be used ({error}); install it with: pip install 'alharness[ray]'"
        ) from error
    return ray


def _require_answer(address: str, host: str, port: int) -> None:
    """Raise RunError if nothing answers there: Ray itself would try for two minutes."""
    try:
        socket.create_connection((host, port), timeout=DEADLINE).close()
    except OSError as error:
        why = (
            f"no answer within {DEADLINE:.0f} seconds"
            if isinstance(error, TimeoutError)
            else error.strerror or error
        )
        raise RunError(
            f"{address}: no Ray cluster is reached: {why}; give the address that `ray start --head` has shown "
            "on the cluster's head"
        ) from error


def _refusal(address: str, reason: str) -> str:
    if address == "local":
        return f"Ray cannot be started on this machine: {reason}"
    if address == "auto":
        reason = reason.partition(" Please specify")[0]
        return f"auto: this machine is in no Ray cluster ({reason.rstrip('.')}); give an address as HOST:PORT"
    return (
        f"{address}: the Ray cluster cannot be joined: {reason}. This machine must be a node of it. "
        "If it has a token, set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH, as on its nodes"
    )


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray makes SIGTERM end this process at once; a run writes first what is finished."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _on_this_machine(*, alone: bool) -> Iterator[None]:
    """A Ray that is started inside listens on this machine alone; by itself, to the whole network."""
    from ray._private import ray_constants  # its public variable is read once, when Ray is imported

    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = before and not alone
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


def _print_no_logs(*, quiet: bool) -> None:
    """Ray prints twenty lines of a log whenever a worker or a node is lost; alharness says what it means."""
    with suppress(Exception):  # no public way
        from ray._private import worker

        worker._worker_logs_enabled = not quiet  # noqa: SLF001
