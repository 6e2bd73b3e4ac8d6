"""`--set key=value`, and `set={"key": value}` in Python: values of a spec changed for one call."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from alharness.errors import SpecError
from alharness.text.words import several

from . import mapping, yamlfile
from .document import expand
from .yamlfile import Place, YamlFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .yamlfile import Keys


def apply(
    file: YamlFile,
    assignments: Iterable[str] | Mapping[str, Any] | None,
    complete: Callable[[dict[str, Any]], dict[str, Any]] = expand,
) -> YamlFile:
    """The file with `samplers.2.params.alpha0=0.5` and the like put in; values are YAML, lists count from 0.

    Whatever is found wrong with such a value later has `--set ...` for its place.

    Args:
        file: what was read.
        assignments: texts `key=value`, or a mapping of keys to values.
        complete: spells short forms out; by default those of a spec.

    Raises:
        SpecError: an assignment cannot be read, or leads nowhere.
    """
    data = deepcopy(file.data)
    values, keys = dict(file.values), dict(file.keys)
    for dotted, value, place in _changes(assignments):
        data = complete(data)
        path = _put(data, dotted.split("."), value, place)
        values = _outside(values, path) | {path: place}
        keys = _outside(keys, path)
    return YamlFile(complete(data), values, keys)


def _changes(assignments: Iterable[str] | Mapping[str, Any] | None) -> Iterator[tuple[str, Any, Place]]:
    """Dotted key, value, and what messages call the assignment."""
    if isinstance(assignments, Mapping):
        for dotted, value in assignments.items():
            place = Place(f"set={{{dotted!r}: ...}}")
            if not (isinstance(dotted, str) and dotted.strip()):
                raise SpecError(f"{place}: a key is text, such as 'training.epochs'")
            yield dotted.strip(), mapping.plain(value, tuple(dotted.split("."))), place
        return
    for assignment in map(str, several(assignments, "set")):
        place = Place(f"--set {assignment}")
        dotted, equals, text = assignment.partition("=")
        if not (dotted.strip() and equals):
            raise SpecError(f"{place}: write it as key=value, such as training.epochs=10")
        yield dotted.strip(), yamlfile.parse(text, str(place)).data, place


def _outside(places: dict[Keys, Place], path: Keys) -> dict[Keys, Place]:
    return {keys: place for keys, place in places.items() if keys[: len(path)] != path}


def _put(data: dict[str, Any], parts: list[str], value: Any, place: Place) -> Keys:
    """Put the value in, make missing mappings on the way to it, and return its path."""
    node: Any = data
    path: Keys = ()
    for part in parts[:-1]:
        key = _key(node, part, path, place)
        if isinstance(node, dict):
            node.setdefault(key, {})
        node, path = node[key], (*path, key)
    key = _key(node, parts[-1], path, place)
    node[key] = value
    return (*path, key)


def _key(node: Any, part: str, path: Keys, place: Place) -> Any:
    above = ".".join(map(str, path))
    if isinstance(node, dict):
        return part
    if not isinstance(node, list):
        raise SpecError(f"{place}: {above} is {node!r:.60}, not a mapping; there is nothing below it to set")
    if not (part.isascii() and part.isdigit() and len(part) < 9 and int(part) < len(node)):
        raise SpecError(f"{place}: {above} has the entries 0 to {len(node) - 1}, but no {part!r:.60}")
    return int(part)
