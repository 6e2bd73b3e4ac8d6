"""A process that runs the cells it is given, and tells what becomes of them."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from alharness import registry
from alharness.records import Ended

from .directory import RunDirectory
from .runner import Runner

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.connection import Connection
    from pathlib import Path

    from alharness.cells import Cell
    from alharness.data import Dataset
    from alharness.records import CycleRecord

    from .experiment import Experiment


@dataclass(frozen=True, kw_only=True)
class Order:
    """A cell to run."""

    cell: Cell
    restart: bool


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A cycle that is on disk."""

    cycle: CycleRecord


@dataclass(frozen=True, kw_only=True)
class Told:
    """A warning for the user."""

    text: str


Message = Finished | Told | Ended

OUTPUT = "output.txt"
"""What a plugin prints, in the folder of the cell; what comes before any cell, in the run directory."""


def work(
    connection: Connection,
    experiment: Experiment,
    dataset: Dataset,
    threads: int,
    environment: Mapping[str, str],
) -> None:
    """Answer every `Order` by `Finished` cycles and at last `Ended`, until there is nobody to ask.

    Args:
        connection: to the process that asks.
        experiment: what cells share.
        dataset: made by `sharing.share`.
        threads: of torch, in queries and evaluation.
        environment: variables of the process that asks; this one has those with which its server was started.
    """
    # Ctrl-C reaches every process of a terminal; the one that asks decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_parent()
    os.environ.clear()
    os.environ.update(environment)
    torch.set_num_threads(threads)
    directory = RunDirectory(experiment.folder)
    _print_to(experiment.folder / OUTPUT)
    runner = Runner(
        experiment, dataset, registry.load(), lambda text: connection.send(Told(text=text)), timing="shared"
    )
    while True:
        try:
            order: Order = connection.recv()
        except EOFError:
            return
        output = directory.cell(order.cell) / OUTPUT
        output.parent.mkdir(parents=True, exist_ok=True)
        _print_to(output)
        ended = runner.attempt(
            order.cell, lambda cycle: connection.send(Finished(cycle=cycle)), restart=order.restart
        )
        _print_to(experiment.folder / OUTPUT)
        remove_empty(output)
        connection.send(ended)


def _end_with_parent() -> None:
    """End this process when the one that asks is gone, however it ended.

    The server that this one was forked from outlives it, so that neither a signal on the parent's death nor an end
    of input would tell.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _print_to(path: Path) -> None:
    """Standard output and error at the end of a file from now on, also those of native code."""
    sys.stdout.flush()
    sys.stderr.flush()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    os.close(descriptor)
    faulthandler.enable(file=2)  # tells where native code crashed


def remove_empty(path: Path) -> None:
    """Remove a file of outputs that nobody wrote to."""
    if path.exists() and path.stat().st_size == 0:
        path.unlink()
