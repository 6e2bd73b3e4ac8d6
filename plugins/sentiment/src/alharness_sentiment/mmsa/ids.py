"""Names of samples, in all the forms in which files of this family have them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from alharness import DataError
from alharness.api.importing import shown, word

from .columns import describe, is_internal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .columns import Reader

MOST_PARTS = 8
"""Values that one id may be made of, as the video, begin and end of a MOSEI clip."""

LONGEST = 1000
SHOWN = 5


def read_ids(place: str, value: Any, reader: Reader) -> list[str]:
    """The ids of a split as texts.

    An id is a text, bytes, or a number; inside lists and arrays of one value, as `[['x']]`; or a row of several
    of these, which are joined with `_`. A number without a fraction is written without one: 3.0 is `3`.

    Raises:
        DataError: there is something else, or two samples have the same id.
    """
    items = reader.items(place, value)
    ids = [_id(f"{place} number {number:,}", item, reader) for number, item in enumerate(items, start=1)]
    if len(set(ids)) < len(ids):
        seen: set[str] = set()
        twice = sorted({i for i in ids if i in seen or seen.add(i)})  # type: ignore[func-returns-value]
        raise DataError(f"{place.removesuffix(' id')} ids belong to more than one sample: {listed(twice)}")
    return ids


def are_row_numbers(ids: Sequence[str]) -> bool:
    """Whether they only count the samples, from 0 or from 1 on."""
    counted = set(ids)
    return any(counted == {str(i) for i in range(first, first + len(ids))} for first in (0, 1))


def listed(ids: Sequence[str]) -> str:
    """The first of them, for a message."""
    more = f" and {len(ids) - SHOWN:,} more" if len(ids) > SHOWN else ""
    return ", ".join(word(name) for name in ids[:SHOWN]) + more


def check_apart(path: object, ids: Mapping[str, Sequence[str]]) -> None:
    """Raise DataError if a sample is in two splits."""
    splits = list(ids)
    for position, one in enumerate(splits):
        for other in splits[position + 1 :]:
            if both := sorted(set(ids[one]) & set(ids[other])):
                raise DataError(
                    f"{path}: {len(both):,} samples are in {one} and in {other}, so that a test would be no test: "
                    f"{listed(both)}; get the file again, as its publishers offer it"
                )


def _id(place: str, item: Any, reader: Reader) -> str:
    value = reader.alone(place, item)
    parts = value if isinstance(value, list | tuple) and not is_internal(value) else [value]
    if not 1 <= len(parts) <= MOST_PARTS:
        raise DataError(f"{place} is {describe(value)}, expected a text or a number")
    text = "_".join(_part(place, reader.alone(place, part)) for part in parts)
    if not text.strip():
        raise DataError(f"{place} is empty; every sample needs an id")
    if len(text) > LONGEST:
        raise DataError(f"{place} has {len(text):,} characters, expected at most {LONGEST:,}: {shown(text)}")
    return text


def _part(place: str, value: Any) -> str:
    try:
        match value:
            case bool() | None:
                pass
            case str():
                value.encode()  # half a surrogate pair is no text
                return value
            case bytes():
                return value.decode()
            case int() | float() if math.isfinite(value):
                whole = isinstance(value, float) and value.is_integer() and abs(value) < 2**63
                return str(int(value) if whole else value)
    except (UnicodeError, OverflowError):
        raise DataError(f"{place} is {describe(value)}, which is no text that can be written") from None
    raise DataError(f"{place} is {describe(value)}, expected a text or a number")
