"""What can be chosen about `arrays`."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from alharness.api.params import Params, SpecPath
from alharness.api.vocabulary import Task

from .names import check_names


class ArraysParams(Params):
    """Parameters of `arrays`."""

    path: SpecPath
    """Folder with labels.csv and a <modality>.npy each; a relative path starts at the spec file's folder."""

    task: Task = Task.CLASSIFICATION
    """`classification` of labels that are names, or `regression` of labels that are numbers."""

    modalities: Annotated[tuple[str, ...] | None, AfterValidator(check_names)] = None
    """The modalities to use, in this order; all there are, in alphabetical order, if this is left out."""
