"""What can be chosen about `arrays`, and which names a modality may have."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from alharness.api.params import Params, SpecPath
from alharness.api.vocabulary import FUSED, Task

LENGTHS = "_lengths"
"""What the name of a file of lengths ends with."""

PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

RESERVED = {
    FUSED: "it means all modalities together",
    "label": "the labels would become inputs of the model; they belong in labels.csv",
    "labels": "the labels would become inputs of the model; they belong in labels.csv",
}


def check_name(name: str) -> str:
    """The name itself. Raises ValueError, saying why, if a modality cannot have it."""
    if name in RESERVED:
        raise ValueError(f"a modality cannot be named {name!r}: {RESERVED[name]}")
    if name.endswith(LENGTHS):
        raise ValueError(f"a modality cannot be named {name!r}: names that end in {LENGTHS} are those of lengths")
    if not PATTERN.fullmatch(name):
        raise ValueError(
            f"a modality cannot be named {name!r}: expected 1 to 64 letters, digits, dots, dashes or underscores "
            "(none but ASCII), of which the first is a letter or a digit"
        )
    return name


def check_names(names: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The names themselves. Raises ValueError if one is not allowed or occurs twice, or if there are none."""
    if names is None:
        return None
    if not names:
        raise ValueError("name at least one modality, or leave this out for all")
    for name in names:
        check_name(name)
        if names.count(name) > 1:
            raise ValueError(f"the modality {name!r} is named more than once")
    return names


def check_classes(classes: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The names themselves. Raises ValueError if there are not two, or one is empty or occurs twice."""
    if classes is not None:
        if len(classes) < 2:
            raise ValueError("name two classes or more, or leave this out for those that have labels")
        for name in classes:
            if name != name.strip() or not name:
                raise ValueError(f"{name!r} cannot be the name of a class: it is empty, or has spaces around it")
            if classes.count(name) > 1:
                raise ValueError(f"the class {name!r} is named more than once")
    return classes


def _texts(classes: Any) -> Any:
    """Numbers as text: in YAML a class that is called 1 is a number."""
    plain = isinstance(classes, list | tuple)
    return [str(name) if type(name) is int else name for name in classes] if plain else classes


Classes = Annotated[tuple[str, ...] | None, BeforeValidator(_texts), AfterValidator(check_classes)]


class ArraysParams(Params):
    """Parameters of `arrays`."""

    path: SpecPath
    """Folder with labels.csv and a <modality>.npy each; a relative path starts at the spec file's folder."""

    task: Task = Task.CLASSIFICATION
    """`classification` of labels that are names, or `regression` of labels that are numbers."""

    modalities: Annotated[tuple[str, ...] | None, AfterValidator(check_names)] = None
    """The modalities to use, in this order; all there are, in alphabetical order, if this is left out."""

    incomplete: tuple[str, ...] = ()
    """The modalities that some samples lack: rows that are NaN throughout. In others NaN is an error."""

    classes: Classes = None
    """All classes, in the order of their indices, also those that have no label yet; those of the labels, in the
    order of their names, if this is left out."""
