"""A process that computes groups for the local executor."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import torch

from alharness.api.executor import At, Begun, Done, Warned

from .directory import RunDirectory
from .processes import print_to

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path

    from alharness.api.executor import Group
    from alharness.api.records import Cell

    from .messages import Work


def compute(connection: Connection, work: Work, folder: Path, threads: int | None, waits: bool) -> None:
    """Answer every `Group` by `Begun`, messages, with `At` before those of a cell, and `Done`, until it closes.

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
    before: Cell | None = None

    def at(cell: Cell | None) -> None:
        nonlocal before
        if cell != before:
            print_to(output(cell))
            connection.send(At(cell=cell))
            before = cell

    with suppress(EOFError):
        while True:
            group: Group = connection.recv()
            connection.send(Begun())
            for message in work(group, at):
                connection.send(message)
                if waits and not isinstance(message, Warned):
                    connection.recv()
            at(None)
            connection.send(Done())
