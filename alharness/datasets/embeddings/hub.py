"""A data set of the Hugging Face Hub, or one that its library `datasets` has saved, read by that library."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from alharness.api.importing import did_you_mean
from alharness.errors import DataError, described

from .arrow import Arrow
from .sources import BATCH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


class Hub(Arrow):
    """Rows that `datasets` maps from its own files: those of its cache, or saved ones.

    Args:
        name: of the data set, for messages.
        found: a `datasets.Dataset`.
    """

    def __init__(self, name: str, found: Any) -> None:
        super().__init__({field.name: field.type for field in found.features.arrow_schema})
        self.name, self.files = name, ()
        self.version = f"{name} {found._fingerprint}"  # noqa: SLF001 - the library's own name of these rows
        self.rows = len(found)
        self.names = {
            column: tuple(feature.names) for column, feature in found.features.items() if hasattr(feature, "names")
        }
        self._found = found

    def batches(self, columns: Sequence[str]) -> Iterator[Any]:
        """Of all rows in their order."""
        chosen = self._found.select_columns([*columns]).with_format("arrow")
        for table in chosen.iter(batch_size=BATCH):
            yield from table.to_batches()


def from_hub(name: str, part: str) -> Hub:
    """A part of a data set; what is not here yet is downloaded, into the cache of `datasets`.

    Args:
        name: `owner/name`, or `owner/name:configuration`.
        part: such as `train`.

    Raises:
        DataError: the library is not installed, or there is no such data set or part.
    """
    datasets = _library(f"hub: {name!r}")
    path, _, configuration = name.partition(":")
    try:
        found = datasets.load_dataset(path, configuration or None, split=part)
    except Exception as error:  # noqa: BLE001 - of the network, of the Hub, of what is there
        raise DataError(f"hub: {name!r}, part {part!r}, cannot be had: {described(error)}") from None
    return Hub(f"{name}[{part}]", found)


def from_folder(path: Path, part: str) -> Hub:
    """What `save_to_disk` has written: a data set, or the part of several. Raises DataError."""
    datasets = _library(f"{path}: was saved by `datasets`, and")
    try:
        found = datasets.load_from_disk(str(path))
    except Exception as error:  # noqa: BLE001 - of files that anything may have been done to
        raise DataError(f"{path}: cannot be read by `datasets`: {described(error)}") from None
    if not isinstance(found, dict):
        return Hub(str(path), found)
    if part not in found:
        near = did_you_mean(part, found) or f"; there are {', '.join(found)}"
        raise DataError(f"{path}: has no part {part!r}{near}")
    return Hub(f"{path}[{part}]", found[part])


def _library(what: str) -> Any:
    try:
        import datasets
    except ImportError:
        raise DataError(
            f"{what} is read by the library `datasets`, which is not installed; pip install 'alharness[hf]'"
        ) from None
    if not sys.stderr.isatty():
        datasets.disable_progress_bars()
    return datasets
