"""Parameters of plugins: typed, frozen, and described by the docstrings below their fields. No heavy imports."""

from __future__ import annotations

import ast
import inspect
from itertools import pairwise
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema


class Documented(BaseModel):
    """A model that describes its fields in its JSON schema.

    pydantic can do so itself (`use_attribute_docstrings`), but reads and parses the source of every class whenever
    it is imported: a seventh of the time of `alharness check`. A model's validator is built when it is first used:
    most installed plugins are not used by the spec.

    >>> from pydantic import Field
    >>> from alharness.api.params import Documented
    >>> class Options(Documented):
    ...     share: float = Field(default=1.0, description="Size of a split as a share of the real one.")
    >>> Options.model_json_schema()["properties"]["share"]["description"]
    'Size of a split as a share of the real one.'
    """

    model_config = ConfigDict(defer_build=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The schema as it would be, and a description for every field that has none."""
        made = handler(schema)
        properties = handler.resolve_ref_schema(made).get("properties", {})
        for name, text in descriptions(cls).items():
            if name in properties:
                properties[name].setdefault("description", text)
        return made


def descriptions(model: type[BaseModel]) -> dict[str, str]:
    """Field -> what is said of it, in `Field(description=...)` or below it; a field without either is missing.

    >>> from pydantic import Field
    >>> from alharness.api.params import Params, descriptions
    >>> class MyParams(Params):
    ...     draws: int = Field(default=25, description="Passes over the pool with dropout on.")
    >>> descriptions(MyParams)
    {'draws': 'Passes over the pool with dropout on.'}
    """
    found = {name: text for base in reversed(model.__mro__) for name, text in _below(base)}
    said = {name: field.description for name, field in model.model_fields.items() if field.description}
    return {name: text for name, text in (found | said).items() if name in model.model_fields}


def _below(cls: type[Any]) -> Iterator[tuple[str, str]]:
    """Annotated names of a class and the docstrings below them; nothing if its source is not available."""
    if not issubclass(cls, Documented):
        return
    try:
        # In a block, so that a class that is indented in its file may stay so.
        (block,) = ast.parse("if True:\n" + indent(inspect.getsource(cls), " ")).body
    except (OSError, TypeError, SyntaxError):
        return
    body = next(node.body for node in ast.walk(block) if isinstance(node, ast.ClassDef))
    for field, below in pairwise(body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, inspect.cleandoc(text)


class Params(Documented):
    """Parameters of a plugin: typed, frozen, unknown keys refused. Give every field a docstring below it.

    >>> from pydantic import Field
    >>> from alharness import Params
    >>> class MyParams(Params):
    ...     draws: int = Field(default=25, ge=2)
    ...     '''Passes over the pool with dropout on.'''
    >>> MyParams(draws=10).draws
    10
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """As for every documented model; of a plugin that takes `Params` itself it says that there are none."""
        made = super().__get_pydantic_json_schema__(schema, handler)
        if cls is Params:
            handler.resolve_ref_schema(made)["description"] = "No parameters."
        return made


class Elsewhere(str):
    """A text that a spec has from another file: as a path it starts at the folder of that file.

    Args:
        text: as it was written.
        path: the same path, from the folder of the spec.

    >>> from alharness.api.params import Elsewhere
    >>> Elsewhere("../data", "data")
    '../data'
    """

    __slots__ = ("path",)
    path: str

    def __new__(cls, text: str, path: str) -> Self:  # noqa: D102 - the class says it
        made = super().__new__(cls, text)
        made.path = path
        return made


def _from_the_spec(value: Any) -> Any:
    return value.path if isinstance(value, Elsewhere) else value


def _next_to_the_spec(path: Path, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder")
    return path if folder is None else Path(folder, path)


SpecPath = Annotated[Path, BeforeValidator(_from_the_spec), AfterValidator(_next_to_the_spec)]
"""A path in a plugin's parameters; a relative one starts at the folder of the file that says it."""


class _SourceName(str):
    """Known by its type in whatever field, list or model of parameters it is."""

    __slots__ = ()


Source = Annotated[
    str,
    AfterValidator(_SourceName),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "format": "source"}),
]
"""A modality or `fused`, in a plugin's parameters: a plan looks whether the data set has it.

A field may also hold several, or none: `tuple[Source, ...]`, `Source | None`, `dict[Source, float]`."""


def sources(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Key path and name of every `Source` in parameters, at any depth.

    >>> from alharness import Params, Source
    >>> from alharness.api.params import sources
    >>> class MyParams(Params):
    ...     pair: tuple[Source, Source] = ("text", "fused")
    >>> list(sources(MyParams()))
    [(('pair', 0), 'text'), (('pair', 1), 'fused')]
    """
    match value:
        case _SourceName():
            yield place, str(value)
        case BaseModel():
            for name in type(value).model_fields:
                yield from sources(getattr(value, name), (*place, name))
        case dict():
            for key, item in value.items():
                yield from sources(key, (*place, str(key)))
                yield from sources(item, (*place, str(key)))
        case list() | tuple():
            for index, item in enumerate(value):
                yield from sources(item, (*place, index))
        case set() | frozenset():
            for item in value:
                yield from sources(item, place)
