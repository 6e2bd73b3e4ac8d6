"""The other side: a worker in a process of Ray, on one of its nodes. Light, until it begins."""

from __future__ import annotations

import gc
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from .losses import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from alharness.api.executor import Group, Message, Work

# OpenMP reads it when torch is imported: threads that wait by spinning slow all others down.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


class Computer:
    """Computes groups: one call at a time, in the main thread of its process."""

    def begin(self, work: Work, arrays: Sequence[NDArray[Any]], threads: int, gpus: float) -> Place:
        """See `alharness.api.executor.Work`; gives the place of this process.

        Args:
            work: what to do.
            arrays: those of the data set, mapped from the node's object store.
            threads: of torch.
            gpus: how many this worker was given.
        """
        if not gpus:
            os.environ["CUDA_VISIBLE_DEVICES"] = ""  # a node may show its GPUs to those that asked for none
        work.begin(arrays, threads=threads)
        if 0 < gpus < 1:
            _take_share(gpus)
        self._work = work
        # As in processes of alharness: what was imported stays, and is not searched for garbage again and again.
        gc.freeze()
        gc.set_threshold(50_000)
        return place()

    def compute(self, group: Group) -> Iterator[Message]:
        """What is found, as soon as it is found."""
        yield from self._work(group)


def _take_share(gpus: float) -> None:
    """Leave the memory of the GPU to those that share it."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.set_per_process_memory_fraction(gpus)


def place() -> Place:
    """The process and node that this is called in."""
    import ray
    from ray.util import get_node_ip_address

    output = ""
    with suppress(OSError):  # Ray has put a file in the place of standard error
        output = str(Path("/proc/self/fd/2").readlink())
    return Place(os.getpid(), ray.get_runtime_context().get_node_id(), get_node_ip_address(), output)


class Observer:
    """Says how much memory workers hold. There is one on each node, if it is limited."""

    def held(self, pid: int) -> int:
        """Bytes that a process holds, without what it maps; 0 if it is gone."""
        try:
            lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace").splitlines()
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))
        except (OSError, StopIteration):
            return 0
