"""Values put into a file and laid over it, each with its place: what `extends`, `matrix` and `--set` share."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from alharness.errors import SpecError

from .document import DEFAULT_MODEL, DEFAULT_TRACKER, choice, trackers
from .yamlfile import Keys, YamlFile

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from .yamlfile import Place

PLUGINS: Mapping[Keys, str | None] = {
    ("dataset",): None,
    ("model",): DEFAULT_MODEL,
    ("initial",): None,
    ("tracking",): DEFAULT_TRACKER,
}
"""Keys at which a spec names one plugin -> which it is if it does not."""


def lay(above: YamlFile, below: YamlFile, parts: Sequence[str] = (), place: Place | None = None) -> YamlFile:
    """One file over another: its keys win, mappings merge, and everything else is replaced as a whole.

    A plugin of another name begins with its own parameters: those of the one that it replaces are not its.

    Args:
        above: what wins.
        below: what it is laid over; it stays as it is.
        parts: the path in `below` that `above` belongs to, as in `--set`; empty for the whole.
        place: of this path, for messages.

    Raises:
        SpecError: the path leads nowhere.
    """
    data, replaced = {"": deepcopy(below.data)}, list[Keys]()
    node, key, path = (data, "", ()) if place is None else reach(data[""], parts, place)
    there = key in node if isinstance(node, dict) else True
    node[key] = _merged(node[key] if there else None, deepcopy(above.data), path, replaced)
    values = outside(below.values, replaced) | {(*path, *keys): at for keys, at in above.values.items()}
    keys = outside(below.keys, replaced) | {(*path, *keys): at for keys, at in above.keys.items()}
    if place is not None:
        keys = {path[: end + 1]: place for end in range(len(path))} | keys | {path: place}
    return YamlFile(data[""], values, keys)


def _merged(old: Any, new: Any, keys: Keys, replaced: list[Keys]) -> Any:
    if keys in PLUGINS:
        old, new = _in_full(keys, old), _in_full(keys, new)
    if not (isinstance(old, dict) and isinstance(new, dict)) or _named(keys, old) != _named(keys, old | new):
        replaced.append(keys)
        return new
    both = {key: _merged(old[key], value, (*keys, key), replaced) for key, value in new.items() if key in old}
    return old | new | both


def _in_full(keys: Keys, value: Any) -> Any:
    return trackers(choice(value)).get((), value) if keys == ("tracking",) else choice(value)


def _named(keys: Keys, value: dict[str, Any]) -> Any:
    return value.get("name", PLUGINS[keys]) if keys in PLUGINS else None


def put(data: dict[str, Any], parts: Sequence[str], value: Any, place: Place) -> Keys:
    """Put the value in, make missing mappings on the way to it, and return its path. Raises SpecError."""
    node, key, path = reach(data, parts, place)
    node[key] = value
    return path


def reach(data: dict[str, Any], parts: Sequence[str], place: Place) -> tuple[Any, Any, Keys]:
    """The mapping or list that a path ends in, the key there, and the path; makes missing mappings on the way.

    Raises:
        SpecError: the path leads through something else, or to no entry of a list.
    """
    node: Any = data
    path: Keys = ()
    for part in parts[:-1]:
        key = _key(node, part, path, place)
        if isinstance(node, dict):
            node.setdefault(key, {})
        node, path = node[key], (*path, key)
    key = _key(node, parts[-1], path, place)
    return node, key, (*path, key)


def _key(node: Any, part: str, path: Keys, place: Place) -> Any:
    above = ".".join(map(str, path))
    if isinstance(node, dict):
        return part
    if not isinstance(node, list):
        raise SpecError(f"{place}: {above} is {node!r:.60}, not a mapping; there is nothing below it to set")
    if not (part.isascii() and part.isdigit() and len(part) < 9 and int(part) < len(node)):
        raise SpecError(f"{place}: {above} has the entries 0 to {len(node) - 1}, but no {part!r:.60}")
    return int(part)


def outside(places: Mapping[Keys, Place], paths: Collection[Keys]) -> dict[Keys, Place]:
    """The places that are neither at nor below one of the paths."""
    return {keys: place for keys, place in places.items() if not any(keys[: len(path)] == path for path in paths)}
