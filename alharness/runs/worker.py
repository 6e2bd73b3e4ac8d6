"""A process that computes groups for the local executor."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import torch

from alharness.api.executor import Warned

from .directory import RunDirectory
from .messages import Begun, Done
from .processes import print_to

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path

    from alharness.api.executor import Group
    from alharness.api.records import Cell

    from .messages import Work


def compute(connection: Connection, work: Work, folder: Path, threads: int | None, waits: bool) -> None:
    """Answer every `Group` by `Begun`, its messages and `Done`, until the other side closes.

    Args:
        connection: to the coordinating process.
        work: computes a group.
        folder: the run directory, in which it prints to files.
        threads: of torch, in queries and evaluation; None for torch's own choice, which is all cores.
        waits: after each message, wait until it has been handled: meanwhile nothing is measured.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    work.load_plugins()
    output = RunDirectory(folder).output
    printing = output(None)

    def at(cell: Cell | None) -> None:
        nonlocal printing
        if (path := output(cell)) != printing:
            print_to(path)
            printing = path

    with suppress(EOFError):
        while True:
            group: Group = connection.recv()
            at(group.cells[0] if len(group.cells) == 1 else None)
            connection.send(Begun())
            for message in work(group, at):
                connection.send(message)
                if waits and not isinstance(message, Warned):
                    connection.recv()
            at(None)
            connection.send(Done())
