"""What the harness knows of the executor before it runs. Imports no Ray."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from alharness import ExecutorPlugin, Params, hookimpl

WORDS = ("local", "auto")
"""Addresses that are none."""
HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):(?P<port>\d{1,5})", re.ASCII)


def check_address(address: str) -> str:
    """The address, if it is one. Raises ValueError: says what to write."""
    if address in WORDS:
        return address
    if address.startswith("ray://"):
        raise ValueError(
            "this is a Ray client's address, over which workers cannot say what they find. Run alharness on a "
            "node of the cluster (`ray job submit` does that), and write HOST:PORT or auto"
        )
    found = HOST.fullmatch(address)
    if not found or not 0 < int(found["port"]) < 65536:
        raise ValueError(f"expected HOST:PORT, such as 10.0.0.5:6379, or {' or '.join(WORDS)}")
    return address


def _check_gpus(gpus: float) -> float:
    if gpus > 1 and gpus != int(gpus):
        raise ValueError("Ray gives a part of one GPU, such as 0.25, or whole ones, such as 2")
    return gpus


class RayParams(Params):
    """The address of the cluster, and what each worker needs of it."""

    address: Annotated[str, AfterValidator(check_address)] | None = None
    """HOST:PORT of the cluster's head; `auto` for the cluster that this machine is part of; `local` for one on
    this machine alone, which ends with the run. null takes RAY_ADDRESS, and without it `local`."""
    cpus: float = Field(default=1.0, ge=0.01, le=10_000)
    """CPUs for each worker. From 1 on also its threads in queries and evaluation."""
    gpus: Annotated[float, Field(ge=0, le=1_000), AfterValidator(_check_gpus)] = 0.0
    """GPUs for each worker; 0.25 has four workers share one, each with a quarter of its memory. With 0 workers
    compute on CPUs."""


@hookimpl
def alharness_executors() -> list[ExecutorPlugin]:
    """The nodes of a Ray cluster."""
    return [
        ExecutorPlugin(
            name="ray",
            params=RayParams,
            make="alharness_ray.executor:RayExecutor",
            summary="the nodes of a Ray cluster, or a Ray on this machine alone",
        )
    ]
