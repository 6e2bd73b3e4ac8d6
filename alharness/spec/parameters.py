"""Parameters of one plugin, given on the command line without a spec."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from alharness.api.params import Params

from . import overrides
from .problems import combine, translate
from .yamlfile import Place, YamlFile

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T", bound=Params)


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
    file = overrides.apply(empty, assignments, complete=dict)
    try:
        return model.model_validate(file.data, context={"folder": Path.cwd()})
    except ValidationError as error:
        raise combine(translate(error, model, file)) from None
