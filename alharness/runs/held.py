"""Processes of this machine that hold an object each, such as a part of a pool."""

from __future__ import annotations

import pickle
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

import torch

from alharness.errors import HarnessError, PluginError, RunError, described
from alharness.registry.sending import dumps

from .processes import Processes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection
    from pathlib import Path

    from .processes import Child


class HeldInProcesses:
    """See `alharness.api.executor.Held`; a process for each object.

    Args:
        makes: makes an object, in its process.
        folder: the processes print to files in it.
        threads: of torch in each process.
    """

    def __init__(self, makes: Sequence[Callable[[], Any]], folder: Path, threads: int) -> None:
        self._processes = Processes()
        self._outputs = [folder / f"part-{number}.log" for number in range(1, len(makes) + 1)]
        self._children: list[Child] = []
        try:
            for make, output in zip(makes, self._outputs, strict=True):
                self._children.append(self._processes.start(f"{__name__}:serve", output, make, threads))
            self._answers()
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        return len(self._children)

    def call(self, name: str, *arguments: Sequence[Any]) -> list[Any]:
        """All processes work at the same time."""
        for i, child in enumerate(self._children):
            with suppress(OSError):  # its answer is that it is lost
                child.connection.send_bytes(dumps((name, *(each[i] for each in arguments))))
        return self._answers()

    def close(self) -> None:
        """End the processes."""
        self._processes.__exit__()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _answers(self) -> list[Any]:
        """Of all, also if one raised: the next question must not find an answer to this one."""
        answers = [self._answer(number) for number in range(len(self._children))]
        for _, error in answers:
            if error is not None:
                raise error
        return [value for value, _ in answers]

    def _answer(self, number: int) -> tuple[Any, BaseException | None]:
        child = self._children[number]
        try:
            value, error = pickle.loads(child.connection.recv_bytes())  # noqa: S301 - of our own process
        except Exception:  # noqa: BLE001 - the end, or what no child of ours sends
            child.wait()
            return None, RunError(
                f"part {number + 1} of the pool was lost: its process {child.fate}; the reason may be a lack of "
                "memory: try more parts, or float16"
            )
        return value, error


def serve(connection: Connection, make: Callable[[], Any], threads: int) -> None:
    """Make the object, and call the methods that are asked for, until the other side closes."""
    torch.set_num_threads(threads)
    thing, error = _tried(make)
    with suppress(EOFError, OSError):
        connection.send_bytes(dumps((None, error)))
        while True:
            name, *arguments = pickle.loads(connection.recv_bytes())  # noqa: S301 - of our own process
            answer = _tried(getattr(thing, name), *arguments)
            connection.send_bytes(dumps(answer))


def _tried(function: Callable[..., Any], *arguments: Any) -> tuple[Any, BaseException | None]:
    """What it returns and no error, or None and the error."""
    try:
        return function(*arguments), None
    except HarnessError as error:
        return None, error
    except Exception as error:  # noqa: BLE001 - other classes of errors may not be known on the other side
        return None, PluginError(described(error))
