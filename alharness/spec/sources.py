"""The plain data of a spec, from elsewhere than its file: a mapping, `--set`, plugins that came with the call."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from enum import Enum
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from alharness.api.params import Params
from alharness.errors import SpecError
from alharness.text.words import several

from . import yamlfile
from .document import expand
from .problems import combine, translate
from .yamlfile import MAX_DEPTH, Place, YamlFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from alharness.registry import Registry

    from .yamlfile import Keys

T = TypeVar("T", bound=Params)


def of_mapping(data: Mapping[str, Any]) -> YamlFile:
    """A spec that is a mapping, as if it had been read from a file: messages begin with the path of a value.

    Raises:
        SpecError: it holds what is no plain data.
    """
    return YamlFile(plain(data), {(): Place("")}, {})


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


def apply(
    file: YamlFile,
    assignments: Iterable[str] | Mapping[str, Any] | None,
    complete: Callable[[dict[str, Any]], dict[str, Any]] = expand,
    option: str = "--set ",
) -> YamlFile:
    """The file with `samplers.2.params.alpha0=0.5` and the like put in; values are YAML, lists count from 0.

    Whatever is found wrong with such a value later has the assignment for its place.

    Args:
        file: what was read.
        assignments: texts `key=value`, or a mapping of keys to values.
        complete: spells short forms out; by default those of a spec.
        option: what messages put before a text `key=value`.

    Raises:
        SpecError: an assignment cannot be read, or leads nowhere.
    """
    data = deepcopy(file.data)
    values, keys = dict(file.values), dict(file.keys)
    for dotted, value, place in _changes(assignments, option):
        data = complete(data)
        path = _put(data, dotted.split("."), value, place)
        values = _outside(values, path) | {path: place}
        keys = _outside(keys, path)
    return YamlFile(complete(data), values, keys)


def _changes(
    assignments: Iterable[str] | Mapping[str, Any] | None, option: str
) -> Iterator[tuple[str, Any, Place]]:
    """Dotted key, value, and what messages call the assignment."""
    if isinstance(assignments, Mapping):
        for dotted, value in assignments.items():
            place = Place(f"set={{{dotted!r}: ...}}")
            if not (isinstance(dotted, str) and dotted.strip()):
                raise SpecError(f"{place}: a key is text, such as 'training.epochs'")
            yield dotted.strip(), plain(value, tuple(dotted.split("."))), place
        return
    for assignment in map(str, several(assignments, "set")):
        place = Place(f"{option}{assignment}")
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


def add_samplers(file: YamlFile, registry: Registry) -> YamlFile:
    """The file with the samplers of included files and of objects, at the end of its list.

    Of a file with several samplers none is added if the spec names one of them.

    Raises:
        SpecError: an object is a model or a data set, and the spec names another.
    """
    _require_used(file.data, registry)
    entries = file.data.get("samplers", [])
    if not isinstance(entries, list):
        return file
    names = (entry.get("name") for entry in entries if isinstance(entry, dict))
    named = {name for name in names if isinstance(name, str)}
    values = dict(file.values)
    added: list[dict[str, Any]] = []
    for source, offered in _sources(registry):
        if not named & set(offered):
            for name in offered:
                values["samplers", len(entries) + len(added)] = Place(source)
                added.append({"name": name, "params": {}})
    return YamlFile({**file.data, "samplers": [*entries, *added]}, values, file.keys) if added else file


def _sources(registry: Registry) -> Iterator[tuple[str, list[str]]]:
    """Each included file and each object, with the names of its samplers."""
    for file in registry.extras.files:
        yield str(file.path), [name for name, at in registry.samplers.items() if at.entry_point == str(file.path)]
    for given in registry.extras.given:
        if given.kind == "sampler":
            yield "samplers=", [given.plugin.name]


def _require_used(data: dict[str, Any], registry: Registry) -> None:
    for given in registry.extras.given:
        name, entry = given.plugin.name, data.get(given.kind)
        named = entry.get("name") if isinstance(entry, dict) else None
        if given.kind in ("model", "dataset") and named is not None and named != name:
            raise SpecError(
                f"{given.kind}s: {name!r} is given, but {given.kind} is {named!r}; write {given.kind}: {name}, or "
                f'set={{"{given.kind}": "{name}"}}'
            )


def read_parameters(model: type[T], owner: str, assignments: Iterable[str]) -> T:
    """The parameters out of texts `key=value`; relative paths start at the current folder.

    Args:
        model: their type.
        owner: whose they are, as a message names it.
        assignments: values are YAML, as in a spec.

    Raises:
        SpecError: what is wrong with them, all at once.
    """
    empty = YamlFile({}, {(): Place(f"the parameters of {owner} (--set key=value)")}, {})
    file = apply(empty, assignments, complete=dict)
    try:
        return model.model_validate(file.data, context={"folder": Path.cwd()})
    except ValidationError as error:
        raise combine(translate(error, model, file)) from None
