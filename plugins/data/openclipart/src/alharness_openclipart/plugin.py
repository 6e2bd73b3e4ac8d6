"""Registration of `openclipart`. No heavy imports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from alharness import DatasetFacts, DatasetPlugin, Params, SpecPath, Task, hookimpl

from .facts import LICENSE, MODALITIES, SOURCE, SUMMARY
from .table import sizes

if TYPE_CHECKING:
    from pathlib import Path


class OpenclipartParams(Params):
    """Parameters of `openclipart`."""

    split: Literal["random", "author", "theme"] = "random"
    """`random`: every seed draws its split. `author` and `theme`: one fixed split, in which the drawings of an
    author, or of an author in a folder, are all on one side."""
    raw: SpecPath | None = None
    """Folder that `alharness data import openclipart` made, with features of your own: an array NAME.npy in it, a
    row for each line of its drawings.csv, replaces the modality NAME, or is one more."""


def inspect(params: OpenclipartParams) -> DatasetFacts:
    """What is known without loading the features."""
    from .raw import own

    modalities = (*MODALITIES, *(name for name in own(params.raw) if name not in MODALITIES))
    return DatasetFacts(task=Task.CLASSIFICATION, modalities=modalities, sizes=sizes(params.split))


def fetch(source: Path | None, folder: Path) -> list[str]:
    """Make pictures and texts from Debian's package."""
    from .raw import unpack

    return unpack(source, folder)


@hookimpl
def alharness_datasets() -> list[DatasetPlugin]:
    """Offer `openclipart`."""
    return [
        DatasetPlugin(
            name="openclipart",
            params=OpenclipartParams,
            inspect=inspect,
            make="alharness_openclipart.reader:load",
            fetch=fetch,
            verify=verify,
            summary=SUMMARY,
            reference=SOURCE,
            license=LICENSE,
        )
    ]


def verify(_params: OpenclipartParams) -> list[str]:
    """Compare the shipped files with their checksums."""
    from .reader import verify as compare

    return compare()
