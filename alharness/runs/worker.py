"""A process of this machine that computes groups."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from alharness.api.executor import At, Begun, Done

from . import driver  # noqa: F401 - the server that processes are forked from imports it, and torch, once for all
from .directory import RunDirectory
from .processes import print_to

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path

    from alharness.api.executor import Work


def compute(connection: Connection, work: Work, folder: Path, threads: int | None, waits: bool) -> None:
    """Answer every group by the messages of the work, until the connection closes.

    Args:
        connection: to the coordinating process.
        work: computes a group.
        folder: the run directory, in which it prints to files.
        threads: of torch, in queries and evaluation; None for torch's own choice, which is all cores.
        waits: after what was found, wait until it has been handled: meanwhile nothing is measured.
    """
    work.begin(threads=threads)
    output = RunDirectory(folder).output
    with suppress(EOFError):
        while True:
            for message in work(connection.recv()):
                if isinstance(message, At):
                    print_to(output(message.cell))
                connection.send(message)
                if waits and not isinstance(message, Begun | At | Done):
                    connection.recv()
