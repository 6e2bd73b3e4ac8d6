"""What has become of a worker, from what Ray says of it."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from alharness.api.executor import Loss


class Place(NamedTuple):
    """The place of a worker.

    Attributes:
        pid: number of its process.
        node: Ray's number of the node.
        address: of the node.
        output: the file there with what its process has printed.
    """

    pid: int
    node: str
    address: str
    output: str


def explain(error: Exception | None, place: Place | None, *, left: bool) -> Loss:
    """Why a worker says nothing more.

    Args:
        error: what Ray raised instead of a message.
        place: of the worker; None if it has not begun.
        left: whether its node has left the cluster.
    """
    kind, text = type(error).__name__, " ".join(str(error).split())
    if left or "node has died" in text:
        return Loss(text=f"its node {place.address if place else _address(text)} was lost", cause="machine")
    if place is None:
        return Loss(text=f"its process on the Ray cluster could not start: {text[:500]}", cause="machine")
    process = f"its process {place.pid} on {place.address}"
    if kind == "ActorUnavailableError":
        return Loss(text=f"{process} cannot be reached", cause="machine")
    cause: Literal["work", "memory", "killed"] = "work"
    reason = f"see {place.output} there" if place.output else ""
    if "low on memory" in text:
        end, cause = "was ended by Ray, since the node ran low on memory", "memory"
    elif code := re.search(r"exit code (\d+)", text):
        end = f"ended with {code[1]}"
    elif kind == "ActorDiedError":
        end, cause = "has died", "killed"
        reason = "; ".join(filter(None, ["it crashed, or was killed, perhaps because memory ran out", reason]))
    else:
        end = f"failed: {text[-500:]}"
    return Loss(text=f"{process} {end}", reason=reason, cause=cause)


def unusable(text: str) -> str:
    """What an error says of a node that cannot compute for this run; empty if it says nothing of the kind."""
    missing = re.search(r"No module named '([\w.]+)'", text)
    if missing is None:
        return ""
    needed = "alharness, alharness-ray and the plugins of the run"
    return f"the node {_address(text)} has no Python module {missing[1]}; install {needed} there"


def _address(text: str) -> str:
    """Of a node, as errors of Ray name it."""
    where = re.search(r"\bip[=:] ?([\w.:]*\w)", text)
    return where[1] if where else "of which nothing is known"
