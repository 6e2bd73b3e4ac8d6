"""What a file holds, in the words of a message: cut before it is formatted, printable, on one line.

A value of a file can be as long, and nested as deeply, as its author likes. `repr` builds all of its text before
anything can be cut; here nothing is formatted but what is shown.
"""

from __future__ import annotations

from typing import Any

MOST = 60
"""Characters that are shown of a text."""

LONGEST_NUMBER = 256
"""Bits of a whole number that is written out."""


def shown(value: Any, most: int = MOST) -> str:
    """A plain value as Python writes it, texts in quotes; of a container, its kind and its size."""
    match value:
        case str() | bytes():
            return repr(value[:most]) + _rest(value, most)
        case bool() | float() | None:
            return repr(value)
        case int():
            bits = value.bit_length()
            return repr(value) if bits <= LONGEST_NUMBER else f"a whole number of {bits:,} bits"
        case list() | tuple() | dict():
            kind = {list: "a list", tuple: "a tuple", dict: "a mapping"}.get(type(value), "a tuple")
            return f"{kind} of {len(value):,}"
    return f"a {type(value).__name__[:most]}"


def word(value: Any, most: int = MOST) -> str:
    """The same, a text without its quotes: for names in the middle of a sentence."""
    return repr(value[:most])[1:-1] + _rest(value, most) if isinstance(value, str) else shown(value, most)


def _rest(value: str | bytes, most: int) -> str:
    return "..." if len(value) > most else ""
