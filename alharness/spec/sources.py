"""The plain data of a spec, from elsewhere than its file: a mapping, `--set`, plugins that came with the call."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from enum import Enum
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from pydantic import ValidationError

from alharness.api.params import Params
from alharness.errors import SpecError
from alharness.text.words import several

from . import yamlfile
from .document import expand
from .merging import outside, put
from .problems import combine, translate
from .yamlfile import MAX_DEPTH, Place, YamlFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
    option: str = "--set ",
    *,
    spec: bool = True,
) -> YamlFile:
    """The file with `samplers.2.params.alpha0=0.5` and the like put in; values are YAML, lists count from 0.

    Whatever is found wrong with such a value later has the assignment for its place.

    Args:
        file: what was read.
        assignments: texts `key=value`, or a mapping of keys to values.
        option: what messages put before a text `key=value`.
        spec: whether it is one: its short forms are spelled out, and what follows `matrix.` is one key.

    Raises:
        SpecError: an assignment cannot be read, or leads nowhere.
    """
    return put_in(file, changes(assignments, option), spec=spec)


class Change(NamedTuple):
    """A value that replaces one of a file: its dotted path, itself, and what messages call the assignment."""

    path: str
    value: Any
    place: Place


def changes(
    assignments: Iterable[str] | Mapping[str, Any] | None, option: str = "--set ", argument: str = "set"
) -> list[Change]:
    """Assignments, read; see `apply`. Messages name a mapping by the argument that it is. Raises SpecError."""
    if isinstance(assignments, Mapping):
        return [_change(dotted, value, argument) for dotted, value in assignments.items()]
    found = []
    for assignment in map(str, several(assignments, argument)):
        place = Place(f"{option}{assignment}")
        dotted, equals, text = assignment.partition("=")
        if not (dotted.strip() and equals):
            example = ", such as training.epochs=10" if argument == "set" else ""
            raise SpecError(f"{place}: write it as key=value{example}")
        found.append(Change(dotted.strip(), yamlfile.parse(text, str(place)).data, place))
    return found


def _change(dotted: Any, value: Any, argument: str) -> Change:
    place = Place(f"{argument}={{{dotted!r}: ...}}")
    if not (isinstance(dotted, str) and dotted.strip()):
        raise SpecError(f"{place}: a key is text, such as 'training.epochs'")
    return Change(dotted.strip(), plain(value, tuple(dotted.split("."))), place)


def put_in(file: YamlFile, found: Iterable[Change], *, spec: bool = True) -> YamlFile:
    """The file with the changes; see `apply`. Raises SpecError."""
    data = deepcopy(file.data)
    values, keys = dict(file.values), dict(file.keys)
    complete = expand if spec else dict
    for dotted, value, place in found:
        data = complete(data)
        path = put(data, split(dotted) if spec else dotted.split("."), deepcopy(value), place)
        values = outside(values, [path]) | {path: place}
        keys = outside(keys, [path])
    return YamlFile(complete(data), values, keys)


def split(dotted: str) -> list[str]:
    """The parts of a path in a spec. A key of its matrix is a path itself."""
    first, _, rest = dotted.partition(".")
    return [first, rest] if first == "matrix" and rest else dotted.split(".")


def add_samplers(file: YamlFile, registry: Registry) -> YamlFile:
    """The file with the samplers of included files and of objects, at the end of its list.

    Of a file with several samplers none is added if the spec names one of them.
    """
    entries = file.data.get("samplers", [])
    if not isinstance(entries, list):
        return file
    names = (entry.get("name") for entry in entries if isinstance(entry, dict))
    named = {name for name in names if isinstance(name, str)}
    if isinstance(initial := file.data.get("initial"), dict) and isinstance(initial.get("name"), str):
        named.add(initial["name"])  # its place in the spec is there
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


def require_used(settings: Iterable[YamlFile], registry: Registry) -> None:
    """Raise SpecError if a model or a data set is given as an object, and every setting names another."""
    entries = [{kind: file.data.get(kind) for kind in ("model", "dataset")} for file in settings]
    for given in registry.extras.given:
        name, kind = given.plugin.name, given.kind
        named = [entry[kind].get("name") if isinstance(entry.get(kind), dict) else None for entry in entries]
        if kind in ("model", "dataset") and None not in named and name not in named:
            raise SpecError(
                f"{kind}s: {name!r} is given, but {kind} is {named[0]!r}; write {kind}: {name}, or "
                f'set={{"{kind}": "{name}"}}'
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
    file = apply(empty, assignments, spec=False)
    try:
        return model.model_validate(file.data, context={"folder": Path.cwd()})
    except ValidationError as error:
        raise combine(translate(error, model, file)) from None
