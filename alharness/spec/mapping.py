"""A spec that is a Python mapping: the same plain data as of a file, without lines to point to."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from alharness.errors import SpecError

from .yamlfile import MAX_DEPTH, Place, YamlFile

if TYPE_CHECKING:
    from .yamlfile import Keys

NOWHERE = Place("")
"""Messages about a mapping begin with the path of the value."""


def read(data: Mapping[str, Any]) -> YamlFile:
    """The mapping as if it had been read from a file. Raises SpecError: it holds what is no plain data."""
    return YamlFile(plain(data), {(): NOWHERE}, {})


def plain(value: Any, keys: Keys = ()) -> Any:
    """Text, numbers, lists and mappings, of what means the same: tuples, NumPy's numbers and arrays, paths.

    Args:
        value: what to convert; it stays as it is.
        keys: its path, for messages.

    Raises:
        SpecError: there is something else in it, or it is nested too deep.
    """
    if len(keys) > MAX_DEPTH:
        raise SpecError(f"{_path(keys[:3])}: nested more than {MAX_DEPTH} deep; a spec needs five levels")
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise SpecError(f"{_path(keys)}: the key {key!r:.60} is not text; write it in quotes")
        return {str(key): plain(item, (*keys, key)) for key, item in value.items()}
    if hasattr(value, "tolist"):  # NumPy, without importing it
        value = value.tolist()
    if isinstance(value, list | tuple | range):
        return [plain(item, (*keys, index)) for index, item in enumerate(value)]
    if isinstance(value, str | PurePath):
        return str(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    what = value.__name__ if isinstance(value, type) else f"of type {type(value).__name__}"
    raise SpecError(
        f"{_path(keys)}: expected text, a number, a list or a mapping, but the object is {what}; give classes and "
        "objects by samplers=, models= or datasets=, and name them here"
    )


def _path(keys: Keys) -> str:
    return ".".join(map(str, keys)) or "the spec"
