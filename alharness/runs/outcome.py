"""How an attempt at a cell ended, whatever a plugin has raised."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from alharness.api.records import Ended
from alharness.errors import Diverged, HarnessError, described, text_of, trace_of
from alharness.text.redaction import redact

from .files import explain, is_full, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alharness.api.records import Cell

UNAVAILABLE = ("can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED")
"""What torch and CUDA libraries write into a plain RuntimeError."""


def outcome(cell: Cell, folder: Path, action: Callable[[], None]) -> Ended:
    """Do something with a cell, and tell how it ended.

    Args:
        cell: which.
        folder: its folder, for the traceback of a bug.
        action: what to do.
    """
    try:
        action()
    except BaseException as error:  # noqa: BLE001 - a plugin's bug must not take other cells down
        return _ended(cell, folder, error)
    return Ended(status="ok")


def _ended(cell: Cell, folder: Path, error: BaseException) -> Ended:
    if _wants_memory(error):
        return Ended(status="oom", error=f"{cell.who}: not enough memory: {described(error)}")
    if isinstance(error, Diverged):
        return Ended(status="diverged", error=text_of(error))
    if isinstance(error, OSError) and (is_full(error) or error.errno == errno.EROFS):  # no plugin's fault
        return Ended(status="failed", error=explain(error, Path(error.filename or folder)))
    if isinstance(error, HarnessError):
        text = text_of(error)
        if not error.unexpected:
            return Ended(status="failed", error=text)
    else:
        text = f"{cell.who}: {described(error)}"
    try:
        write(folder / "traceback.txt", redact(trace_of(error)))
    except OSError as failure:
        return Ended(status="failed", error=f"{text}; its traceback is lost ({failure.strerror or failure})")
    return Ended(status="failed", error=f"{text}; see {folder}/traceback.txt")


def _wants_memory(error: BaseException) -> bool:
    return any(
        isinstance(link, MemoryError | torch.OutOfMemoryError)
        or (isinstance(link, OSError) and link.errno == errno.ENOMEM)
        or (type(link) is RuntimeError and any(words in text_of(link) for words in UNAVAILABLE))
        for link in _causes(error)
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception, what it was raised from, and so on."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__
