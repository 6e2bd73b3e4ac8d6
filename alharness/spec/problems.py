"""What is wrong with a spec, all of it at once: one line each, with its place, its path, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from alharness.errors import HarnessError, PluginError, SpecError
from alharness.text.redaction import redact
from alharness.text.words import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pydantic import ValidationError
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

    from .yamlfile import Keys, Place, YamlFile

MAX_SHOWN = 20

_PLAINLY = {
    "missing": "required, but missing",
    "model_type": "Input should be a mapping, `key: value` in every line",
    "dict_type": "Input should be a mapping, `key: value` in every line",
    "list_type": "Input should be a list",
    "too_short": "Input should have {min_length} or more entries",
    "string_type": "Input should be text; write it in quotes",
    "string_pattern_mismatch": "Input should match {pattern}",
}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        place: file, line and column.
        keys: the path of the value.
        what: what is wrong, and what to do.
        plugin: whether a plugin is missing, rather than the spec wrong.
    """

    place: Place
    keys: Keys
    what: str
    plugin: bool = False

    def __str__(self) -> str:
        path = _short(".".join(map(str, self.keys)), 200)
        return redact(": ".join(part for part in (str(self.place), path, self.what) if part))


def translate(error: ValidationError, model: type[BaseModel], file: YamlFile, above: Keys = ()) -> list[Problem]:
    """Pydantic's findings about the node at `above`, in the words of this file."""
    found: dict[tuple[Place, Keys], list[str]] = {}
    got: dict[tuple[Place, Keys], str] = {}
    not_this_kind: set[tuple[Place, Keys]] = set()
    top, node, _ = walk(file.data, above)
    if (
        len(top) < len(above) and isinstance(node, dict) and "name" in node
    ):  # a plugin without `params`, and not params without a name
        top, node = above, {}
    for detail in error.errors(include_url=False):
        location, kind, what = detail["loc"], detail["type"], _phrase(detail)
        absent = kind in ("missing", "extra_forbidden")  # the last part is not in the data, or not in the model
        inner, value, models = walk(node, location[:-1] if absent else location, [model])
        keys = (*top, *inner)
        place = file.locate(keys)
        if kind == "extra_forbidden":
            place = file.locate((*keys, location[-1]), key=True)
            what = _unknown(str(location[-1]), [*_fields(models)])
        elif kind == "missing":
            keys = (*keys, location[-1])
        elif not isinstance(detail["input"], dict | list):
            whose = "its default is" if value is ... else "got"
            got[place, keys] = f" ({whose} {_short(repr(detail['input']))})"
        elif kind.endswith("_type"):
            not_this_kind.add((place, keys))
        # The branches of a union complain one by one about the same value.
        found.setdefault((place, keys), []).append(what)
    # If one branch wants no mapping, and another one complains of what is in the mapping, the second is meant.
    found = {
        at: whats
        for at, whats in found.items()
        if at not in not_this_kind or not any(keys != at[1] == keys[: len(at[1])] for _, keys in found)
    }
    return [
        Problem(place, keys, "; or: ".join(dict.fromkeys(whats)) + got.get((place, keys), ""))
        for (place, keys), whats in found.items()
    ]


def combine(problems: Iterable[Problem]) -> HarnessError:
    """One error for all: SpecError, or PluginError if the only mistakes are missing plugins."""
    ordered = sorted(problems, key=_order)
    lines = [str(problem) for problem in ordered[:MAX_SHOWN]]
    if len(ordered) > MAX_SHOWN:
        lines.append(f"and {len(ordered) - MAX_SHOWN} more")
    kind = PluginError if all(problem.plugin for problem in ordered) else SpecError
    return kind("\n".join(lines))


def _order(problem: Problem) -> tuple[bool, str, int, int]:
    """File by file, each from its top; what has no lines follows, as it came."""
    source, line, column, _ = problem.place
    return line == 0, source if line else "", line, column


def walk(
    data: Any, location: Sequence[str | int], models: Sequence[type[BaseModel]] = ()
) -> tuple[Keys, Any, Sequence[type[BaseModel]]]:
    """Path, value and types of what a location leads to; the value is `...` if only the types have it.

    Parts that neither the data nor the types have are left out: pydantic adds some for the branches of a union.
    """
    keys: Keys = ()
    for part in location:
        field = _fields(models).get(str(part))
        known = range(len(data)) if isinstance(data, list) else data if isinstance(data, dict) else ()
        if field or part in known:
            keys, data = (*keys, part), data[part] if part in known else ...
            models = [*_models(field.annotation)] if field else models
    return keys, data, models


def _phrase(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    if isinstance(raised := context.get("error"), Exception):
        return str(raised)
    if detail["type"] in _PLAINLY:
        return _PLAINLY[detail["type"]].format(**context)
    return detail["msg"]


def _unknown(key: str, known: list[str]) -> str:
    near = did_you_mean(key, known) or f"; known keys: {', '.join(known) or 'none'}"
    return f"unknown key {_short(repr(key))}{near}"


def _fields(models: Iterable[type[BaseModel]]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for model in models for name, field in model.model_fields.items()}


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _short(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
