"""The conversion in a process of its own with limited memory, so that no file can take the machine down."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from alharness.errors import DataError

from .facts import CORPORA

GIB = 2**30


def default_limit(size: int) -> int:
    """Bytes of memory for a file of this size: as much as the file, and 1 GiB."""
    return size + GIB


def convert_apart(name: str, source: Path, folder: Path, limit: int) -> list[str]:
    """`conversion.convert` in a child with at most `limit` bytes of memory. Raises DataError."""
    # One thread: each would take memory of its own, and the work is reading and writing.
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    # -P: a file numpy.py in the current folder is not what is meant.
    command = [sys.executable, "-P", "-m", __name__, name, str(source), str(folder), str(limit), str(os.getpid())]
    result = subprocess.run(  # noqa: S603 the arguments are no shell's
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment, check=False
    )
    if result.returncode < 0:
        ended = signal.Signals(-result.returncode).name
        raise DataError(f"{source}: the conversion was ended by {ended}; perhaps the machine has no memory left")
    try:
        answer = json.loads(result.stdout)
    except ValueError:
        raise RuntimeError("the conversion failed; its traceback stands above") from None
    if "error" in answer:
        raise DataError(answer["error"])
    return [str(line) for line in answer["lines"]]


def main(name: str, source: Path, folder: Path, limit: int, parent: int) -> dict[str, object]:
    """What the child answers: `lines` to show, or an `error`."""
    import resource

    def alive(_: int) -> None:
        if os.getppid() != parent:
            sys.exit(1)  # nobody waits any more

    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    try:
        from .conversion import convert

        return {"lines": convert(CORPORA[name], source, folder, alive)}
    except DataError as error:
        return {"error": str(error)}
    except OSError as error:
        return {"error": f"{error.filename or folder}: cannot be written: {error.strerror or error}"}
    except MemoryError:
        return {
            "error": f"{source}: takes more than {limit / GIB:.1f} GiB of memory, which no file of features "
            "should; get it anew. If you trust it, allow more with: --set memory=GIB"
        }


if __name__ == "__main__":
    try:
        answer = main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
    except KeyboardInterrupt:
        sys.exit(130)
    sys.stdout.write(json.dumps(answer))
