"""Samplers that came with a call, and that its spec does not name, are compared with those that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alharness.errors import SpecError

from .yamlfile import Place, YamlFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alharness.registry import Registry


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
        if given.kind != "sampler" and named is not None and named != name:
            raise SpecError(
                f"{given.kind}s: {name!r} is given, but {given.kind} is {named!r}; write {given.kind}: {name}, or "
                f'set={{"{given.kind}": "{name}"}}'
            )
