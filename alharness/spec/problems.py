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
    for detail in error.errors(include_url=False):
        keys = follow(file.data, (*above, *detail["loc"]))
        place = file.locate(keys, key=detail["type"] == "extra_forbidden")
        what = _phrase(detail)
        if detail["type"] == "extra_forbidden":
            what = _unknown(str(keys[-1]), _known_keys(model, keys[len(above) : -1]))
            keys = keys[:-1]
        elif detail["type"] == "missing":
            keys = (*keys, detail["loc"][-1])
        elif not isinstance(detail["input"], dict | list):
            got[place, keys] = f" (got {_short(repr(detail['input']))})"
        # The branches of a union complain one by one about the same value.
        found.setdefault((place, keys), []).append(what)
    return [
        Problem(place, keys, "; or: ".join(dict.fromkeys(whats)) + got.get((place, keys), ""))
        for (place, keys), whats in found.items()
    ]


def combine(problems: Iterable[Problem]) -> HarnessError:
    """One error for all: SpecError, or PluginError if the only mistakes are missing plugins."""
    ordered = sorted(problems, key=lambda problem: (problem.place.line == 0, problem.place[1:]))
    lines = [str(problem) for problem in ordered[:MAX_SHOWN]]
    if len(ordered) > MAX_SHOWN:
        lines.append(f"and {len(ordered) - MAX_SHOWN} more")
    kind = PluginError if all(problem.plugin for problem in ordered) else SpecError
    return kind("\n".join(lines))


def follow(data: Any, location: Sequence[str | int]) -> Keys:
    """The location without the parts that are not in the data: pydantic adds some for the branches of a union."""
    keys: Keys = ()
    for part in location:
        known = range(len(data)) if isinstance(data, list) else data if isinstance(data, dict) else ()
        if part in known:
            keys, data = (*keys, part), data[part]
    return keys


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


def _known_keys(model: type[BaseModel], keys: Keys) -> list[str]:
    for key in keys:
        field = model.model_fields.get(str(key))
        model = next(_models(field.annotation), model) if field else model
    return [field.alias or name for name, field in model.model_fields.items()]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _short(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
