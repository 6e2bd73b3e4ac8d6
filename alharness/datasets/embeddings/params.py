"""What can be chosen about `embeddings`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from alharness.api.params import Params, SpecPath
from alharness.api.vocabulary import Task
from alharness.datasets.arrays.params import Classes, check_names

Columns = str | Annotated[tuple[str, ...], Field(min_length=1)]


def _check_modalities(modalities: dict[str, Columns] | None) -> dict[str, Columns] | None:
    if modalities is not None:
        check_names(tuple(modalities))
    return modalities


class EmbeddingsParams(Params):
    """Parameters of `embeddings`."""

    path: SpecPath | None = None
    """A file .parquet, .npz, .npy or .csv, or a folder of .parquet files or one that `datasets` has saved; a
    relative path starts at the spec's folder."""

    hub: str | None = None
    """In place of a path: a data set of the Hugging Face Hub, as `owner/name`, or `owner/name:configuration`."""

    part: str = "train"
    """Which part of a data set of the Hub, or of several that were saved together."""

    modalities: Annotated[dict[str, Columns] | None, AfterValidator(_check_modalities)] = None
    """Modality -> its column: of vectors, or a list of columns, or a pattern such as `img_*`. If this is left out,
    each column of vectors is a modality; without any, all columns of numbers are one, `features`."""

    id: str | None = None
    """Column of the ids; null for `id` if there is one, and otherwise the numbers of the rows."""

    label: str | None = None
    """Column of the labels, empty for a sample without one; null for `label` if there is one."""

    split: str | None = None
    """Column that says train, valid or test; null for `split` if there is one. Without it seeds draw their own."""

    labels: SpecPath | None = None
    """A CSV file with the columns id and label, in place of a column of labels."""

    task: Task = Task.CLASSIFICATION
    """`classification` of labels that are names, or `regression` of labels that are numbers."""

    classes: Classes = None
    """All classes, in the order of their indices, also those that have no label yet; those of the labels, in the
    order of their names, if this is left out."""

    incomplete: tuple[str, ...] = ()
    """The modalities that some samples lack: rows that are empty or NaN throughout. In others that is an error."""

    precision: Literal["float32", "float16"] = "float32"
    """How numbers are kept on disk. Models and samplers see float32 in any case."""

    @model_validator(mode="after")
    def _one_source(self) -> EmbeddingsParams:
        if (self.path is None) == (self.hub is None):
            raise ValueError("name either a path or a data set of the Hub (hub), one of the two")
        if self.labels is not None and self.label is not None:
            raise ValueError("labels are either in a column (label) or in a file (labels), not in both")
        return self
