"""The conversion in a process of its own with limited memory and time, so that no file takes the machine down."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from alharness import DataError

from .facts import find_corpus

GIB = 2**30
MINUTE = 60
PATIENCE = 10 * MINUTE
"""Seconds for a file of any size."""

SLOWEST = 2**20
"""Bytes of a file that take a second more: a hundredth of what a usual disk manages."""


def default_limit(size: int) -> int:
    """Bytes of memory for a file of this size: as much as the file, and 1 GiB."""
    return size + GIB


def default_patience(size: int) -> int:
    """Seconds for a file of this size: ten minutes, and one second more for each MiB."""
    return PATIENCE + size // SLOWEST


def convert_apart(name: str, source: Path, folder: Path, limit: int, patience: int) -> list[str]:
    """`conversion.convert` in a child that may take `limit` bytes and `patience` seconds. Raises DataError."""
    # One thread: each would take memory of its own, and the work is reading and writing.
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    # -P: a file numpy.py in the current folder is not what is meant.
    numbers = [str(number) for number in (limit, patience, os.getpid())]
    command = [sys.executable, "-P", "-m", __name__, name, str(source), str(folder), *numbers]
    try:
        result = subprocess.run(  # noqa: S603 the arguments are no shell's
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=environment,
            timeout=patience,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise DataError(_too_slow(source, patience)) from None
    if result.returncode == -signal.SIGXCPU:
        raise DataError(_too_slow(source, patience))
    if result.returncode < 0:
        ended = signal.Signals(-result.returncode).name
        raise DataError(f"{source}: the conversion was ended by {ended}; perhaps the machine has no memory left")
    try:
        answer = json.loads(result.stdout)
    except ValueError:
        raise RuntimeError("the conversion failed; its traceback is above") from None
    if "error" in answer:
        raise DataError(answer["error"])
    return [str(line) for line in answer["lines"]]


def _too_slow(source: Path, patience: int) -> str:
    return (
        f"{source}: was not converted within {patience:,} seconds: it was made to hang, or its disk is "
        "very slow; copy it to a faster one, or get it again. If you trust it, allow more: --set minutes=NUMBER"
    )


def main(name: str, source: Path, folder: Path, limit: int, patience: int, parent: int) -> dict[str, object]:
    """What the child answers: `lines` to show, or an `error`."""
    import resource

    def alive(_: int) -> None:
        if os.getppid() != parent:
            sys.exit(1)  # the parent has ended

    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    # The parent's clock ends this process; its own ends it if the parent was killed.
    resource.setrlimit(resource.RLIMIT_CPU, (patience + 1, patience + 1))
    try:
        from .conversion import convert

        return {"lines": convert(find_corpus(name), source, folder, alive)}
    except DataError as error:
        return {"error": str(error)}
    except OSError as error:
        return {"error": f"{error.filename or folder}: cannot be written: {error.strerror or error}"}
    except MemoryError:
        return {
            "error": f"{source}: takes more than {limit / GIB:.1f} GiB of memory, which no file of features "
            "should; get it again. If you trust it, allow more with: --set memory=GIB"
        }


if __name__ == "__main__":
    try:
        numbers = map(int, sys.argv[4:7])
        answer = main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), *numbers)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.stdout.write(json.dumps(answer))
