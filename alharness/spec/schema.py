"""What specs and parameters look like, for editors as JSON schema and for people as rows of a table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic.errors import PydanticInvalidForJsonSchema

from alharness.api.params import descriptions

from .document import DEFAULT_TRACKER, WrittenSpec
from .matrix import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from alharness.api.params import Params
    from alharness.registry import Registered, Registry

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_TYPES = {"string": "text", "boolean": "true | false", "object": "mapping", "array": "list"}
_BOUNDS = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}


def schema_text(registry: Registry) -> str:
    """The JSON schema of specs with all installed plugins, as a file has it."""
    return json.dumps(make_schema(registry), indent=2, ensure_ascii=False) + "\n"


def make_schema(registry: Registry, distributions: Collection[str] | None = None) -> dict[str, Any]:
    """The JSON schema of a spec, in which a plugin's name decides what its parameters may be.

    Args:
        registry: the installed plugins.
        distributions: leave out the plugins of all others; None takes every one.
    """
    schema = {"$schema": DIALECT} | WrittenSpec.model_json_schema() | {"title": "Spec"}
    definitions, sections = schema["$defs"], schema["properties"]
    sections["matrix"] = _matrix(sections["matrix"]["description"])
    sections["extends"] = {"type": "string", "description": sections["extends"]["description"]}
    kinds: dict[str, tuple[str, Mapping[str, Registered[Any]]]] = {
        "dataset": ("Choice", registry.datasets),
        "model": ("ModelChoice", registry.models),
        "sampler": ("SamplerChoice", registry.samplers),
        "initial": ("InitialChoice", registry.samplers),
        "tracker": ("TrackerChoice", registry.trackers),
    }
    for kind, (definition, known) in kinds.items():
        chosen = {
            n: r for n, r in sorted(known.items()) if distributions is None or r.distribution in distributions
        }
        name = definitions[definition]["properties"]["name"]
        # Offered for completion; any other name may be a plugin that is not installed here.
        names = [{"const": known_name} for known_name in chosen]
        name["anyOf"] = [*names, {"type": name.pop("type"), "pattern": name.pop("pattern")}]
        short = {"anyOf": [*name["anyOf"], {"$ref": f"#/$defs/{definition}"}]}
        if kind == "sampler":
            sections["samplers"]["items"] = short
        elif kind == "tracker":
            if DEFAULT_TRACKER in chosen:  # its parameters may be written without `params`
                short["anyOf"].append({"$ref": f"#/$defs/tracker-{DEFAULT_TRACKER}"})
            sections["tracking"] |= {"anyOf": [*short["anyOf"], {"type": "array", "items": short}]}
            sections["tracking"] |= {"default": DEFAULT_TRACKER}
            for key in ("type", "items"):
                del sections["tracking"][key]
        elif kind == "initial":
            sections["initial"] |= {"anyOf": [*short["anyOf"], {"type": "null"}]}
        else:
            del sections[kind]["$ref"]
            sections[kind] |= short
        for plugin, registered in chosen.items():
            prefix = "sampler" if kind == "initial" else kind
            condition = _condition(definitions, f"{prefix}-{plugin}", plugin, registered.plugin.params)
            definitions[definition].setdefault("allOf", []).append(condition)
    return schema | _required(schema)


def _matrix(description: str) -> dict[str, Any]:
    pattern = rf"^({'|'.join(SECTIONS)})(\..+)?$"
    values = {"type": "array", "minItems": 1}
    named = dict.fromkeys(SECTIONS, values)
    return {
        "type": "object",
        "description": description,
        "minProperties": 1,
        "properties": named,
        "patternProperties": {pattern: values},
        "additionalProperties": False,
    }


def _required(schema: dict[str, Any]) -> dict[str, Any]:
    """What a spec must have, unless it extends another or has a matrix, which may have it in its place."""
    sections = {
        name: definition
        for name, content in schema["properties"].items()
        if (definition := schema["$defs"].get(content.get("$ref", "").rpartition("/")[2]))
    }
    inner = {name: {"required": found.pop("required")} for name, found in sections.items() if "required" in found}
    return {
        "required": ["name"],
        "if": {"anyOf": [{"required": ["extends"]}, {"required": ["matrix"]}]},
        "else": {"required": schema.pop("required"), "properties": inner},
    }


def describe(params: type[Params]) -> list[tuple[str, str, str, str]]:
    """Name, type, default and description of each parameter."""
    try:
        schema = params.model_json_schema()
    except PydanticInvalidForJsonSchema:
        known = descriptions(params)
        return [
            (name, str(f.annotation), str(f.default), known.get(name, ""))
            for name, f in params.model_fields.items()
        ]
    definitions = schema.get("$defs", {})
    return [
        (
            name,
            _type(field, definitions),
            _default(name, field, schema),
            " ".join(field.get("description", "").split()),
        )
        for name, field in schema.get("properties", {}).items()
    ]


def _condition(definitions: dict[str, Any], prefix: str, name: str, params: type[Params]) -> dict[str, Any]:
    """`if` the name is this one, `then` its parameters are these; their schema goes among the definitions."""
    try:
        schema = params.model_json_schema(ref_template=f"#/$defs/{prefix}-{{model}}")
    except PydanticInvalidForJsonSchema:
        schema = {"type": "object"}
    definitions |= {f"{prefix}-{model}": inner for model, inner in schema.pop("$defs", {}).items()}
    definitions[prefix] = schema
    return {
        "if": {"properties": {"name": {"const": name}}, "required": ["name"]},
        "then": {
            "properties": {"params": {"$ref": f"#/$defs/{prefix}"}},
            "required": ["params"] if schema.get("required") else [],
        },
    }


def _type(field: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    if "$ref" in field:
        return _type(definitions[field["$ref"].rpartition("/")[2]], definitions)
    if "enum" in field:
        return " | ".join(map(_shown, field["enum"]))
    if branches := field.get("anyOf") or field.get("oneOf"):
        return " | ".join(_type(branch, definitions) for branch in branches)
    name = field.get("type", "anything")
    bounds = ", ".join(f"{sign} {field[bound]}" for bound, sign in _BOUNDS.items() if bound in field)
    if name == "array" and "items" in field:
        return f"list of {_type(field['items'], definitions)}"
    return f"{field.get('format') or _TYPES.get(name, name)} {bounds}".strip()


def _default(name: str, field: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    if "default" in field:
        return _shown(field["default"])
    return "required" if name in schema.get("required", ()) else "computed"


def _shown(value: Any) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
