"""Words that messages share: near names, how to call the command, and what is said of synthetic data."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from alharness.errors import SpecError

K = TypeVar("K")
V = TypeVar("V")

SUFFIX = "-standin"
"""Ends the names of experiments on stand-ins, so that they never share a folder or a chart with the real data."""

NOTICE = (
    "SYNTHETIC DATA: the data set is made up. Its results are not comparable with the paper, nor with any run on "
    "real data."
)
"""Said before a run, after it, and by `check`."""

MANY = 10_000
"""Names up to which all are compared; of more, such as ids of samples, those that begin or end alike."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'grace'?` if a known name is near, else the empty string.

    >>> did_you_mean("grcae", ["badge", "grace"])
    "; did you mean 'grace'?"
    """
    from difflib import get_close_matches

    known, some = list(known), 2 * len(name) // 3
    if len(known) > MANY:
        known = [other for other in known if other[:some] == name[:some] or other[-some:] == name[-some:]]
    near = get_close_matches(name[:100], known[:MANY], n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def choices(name: str, known: Iterable[str], most: int = 20) -> str:
    """A known name that is near; without one the first of them: `; there are random, grace`; empty if none is."""
    known = list(dict.fromkeys(known))
    listed = ", ".join(known[:most]) + (f" and {len(known) - most:,} more" if len(known) > most else "")
    there = f"; there {'is' if len(known) == 1 else 'are'} {listed}" if known else ""
    return did_you_mean(name, known) or there


def several(value: Any, argument: str) -> list[str | Path]:
    """What was passed for an argument that takes one text or path, several of them, or None.

    Raises:
        SpecError: it is something else.
    """
    if value is None:
        return []
    found = [value] if isinstance(value, str | Path) or not isinstance(value, Iterable) else list(value)
    for one in found:
        if not isinstance(one, str | Path):
            raise SpecError(f"{argument}: expected a text or a path, or several, but it is {value!r:.60}")
    return found


def grouped(items: Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    """Key -> its values, both in the order in which they come."""
    groups: dict[K, list[V]] = {}
    for key, value in items:
        groups.setdefault(key, []).append(value)
    return groups


def counted(number: int, noun: str) -> str:
    """`1 job`, `2 jobs`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def marked(label: str, *, control: bool) -> str:
    """A label as it is shown, with a word on a control that does not say it itself."""
    return f"{label} (control)" if control and "control" not in label else label


def name_experiment(name: str, *, stand_in: bool) -> str:
    """The name, with the suffix if the data replace real ones."""
    return f"{name.removesuffix(SUFFIX)}{SUFFIX}" if stand_in else name


NAME = "alharness"


def command_line(*words: object) -> str:
    """The command with these words behind it, quoted if a shell needs it.

    It begins with `alharness` if that is the one on the path, otherwise with the way to it: from the current
    folder if it is below, and from the root if not. Without a script, it is `python -m alharness`.
    """
    return shlex.join([*_program(), *map(str, words)])


def _program() -> list[str]:
    ours = Path(sys.executable).with_name(NAME)
    if not ours.is_file():
        return [_short(Path(sys.executable), "python"), "-m", NAME]
    return [_short(ours, NAME)]


def _short(path: Path, name: str) -> str:
    """The name if a shell finds this file by it, or else its path."""
    found = shutil.which(name)
    if found and Path(found).resolve() == path.resolve():
        return name
    try:
        relative = os.path.relpath(path)
    except (OSError, ValueError):  # the current folder is gone, or is on another drive
        return str(path)
    below = not relative.startswith(os.pardir)
    # A shell looks for a word without a slash on the path alone.
    return (relative if os.sep in relative else os.path.join(os.curdir, relative)) if below else str(path)  # noqa: PTH118 - pathlib drops the `./`
