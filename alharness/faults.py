"""Named points at which a run can be made to fail, so that tests can show what it leaves: `ALHARNESS_FAULT`.

The variable says `point`, `point:number` or `point:number:kind`. The process that passes the point for that time
(the first, unless a number is given; each process counts for itself) then fails in that way:

- `kill`, unless another kind is given, or another signal by its name, such as `stop` and `term`: the process sends
  it to itself;
- `full`: the operating system says that the disk is full;
- `raise`: an unexpected exception.
"""

from __future__ import annotations

import errno
import os
import re
import signal
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from alharness.errors import SpecError
from alharness.text.words import choices

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "ALHARNESS_FAULT"

POINTS = {
    "claimed": "the cells are reserved, and the data set is made; nothing was written",
    "write": "half of a file is written, under a temporary name",
    "rename": "the file is written, and has its temporary name still",
    "append": "half of a line is in a journal",
    "appended": "the line is in the journal, and no observer knows of it",
    "fit": "a model of cycle 0 has arrived, and is not stored",
    "ended": "all cells have ended, and run.json does not say so",
    "track": "MLflow is about to get metrics",
    "tracked": "MLflow has got them",
    "train": "a worker is about to train the models of a cycle",
    "query": "a worker is about to evaluate a model, and to query",
    "queried": "a worker has chosen samples, and has not said so",
}
"""What a process has just done when it passes them."""

FULL, RAISE = "full", "raise"
KINDS = (*sorted(name.name.removeprefix("SIG").lower() for name in signal.Signals), FULL, RAISE)

_passed: Counter[str] = Counter()


class Fault(NamedTuple):
    """What the variable asks for: to fail at the n-th pass of a point."""

    point: str
    number: int = 1
    kind: str = "kill"

    def __str__(self) -> str:
        when = f"at pass {self.number} of {self.point!r}" if self.number > 1 else f"at {self.point!r}"
        return f"{when} ({POINTS[self.point]})"


def wanted() -> Fault | None:
    """The fault that the variable asks for, if any. Raises SpecError if it asks for one that there is not."""
    if not (text := os.environ.get(VARIABLE)):
        return None
    found = re.fullmatch(r"([^:]+)(?::([1-9]\d{0,8}))?(?::(\w+))?", text)
    point, number, kind = found.groups() if found else (text, None, None)
    if found is None or (kind or "kill") not in KINDS:
        raise SpecError(f"{VARIABLE}={text!r}: expected point:number:kind, such as append:2 or append:2:full")
    if point not in POINTS:
        raise SpecError(f"{VARIABLE}={text!r}: there is no such point{choices(point, POINTS)}")
    return Fault(point, int(number or 1), kind or "kill")


def reach(point: str) -> None:
    """Fail here if that is asked for.

    Raises:
        OSError: the disk is full, as it seems.
        RuntimeError: on purpose.
    """
    if fault := _due(point):
        _fail(fault)


def torn(point: str, content: bytes) -> Iterator[bytes]:
    """What is to be written, in one piece; or only its first half, and then the failure."""
    if fault := _due(point):
        yield content[: len(content) // 2]
        _fail(fault)
    else:
        yield content


def _due(point: str) -> Fault | None:
    if VARIABLE not in os.environ or (fault := wanted()) is None or fault.point != point:
        return None
    _passed[point] += 1
    return fault if _passed[point] == fault.number else None


def _fail(fault: Fault) -> None:
    if fault.kind == FULL:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if fault.kind == RAISE:
        raise RuntimeError(f"{VARIABLE} asked for it {fault}")
    os.kill(os.getpid(), signal.Signals[f"SIG{fault.kind.upper()}"])
