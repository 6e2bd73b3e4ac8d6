"""A data set of the Hugging Face Hub, or one that `datasets` saved, read by that library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alharness.errors import DataError, described

from .sources import BATCH, Arrow, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Hub(Arrow):
    """A part of a data set; what is not here yet is downloaded, into the cache of `datasets`.

    Args:
        name: `owner/name`, or `owner/name:configuration`.
        part: such as `train`.
    """

    def __init__(self, name: str, part: str) -> None:
        try:
            import datasets
        except ImportError:
            raise DataError(
                f"hub: {name!r} is read by the library `datasets`, which is not installed; "
                "pip install 'alharness[hf]'"
            ) from None
        path, _, configuration = name.partition(":")
        try:
            found = datasets.load_dataset(path, configuration or None, split=part)
        except Exception as error:  # noqa: BLE001 - of the network, of the Hub, of what is there
            raise DataError(f"hub: {name!r}, part {part!r}, cannot be had: {described(error)}") from None
        self.name, self.files = f"{name}[{part}]", ()
        self.version = f"{self.name} {found._fingerprint}"  # noqa: SLF001 - the library's own name of these rows
        self.rows = len(found)
        self.columns = {field.name: kind_of(field.type) for field in found.features.arrow_schema}
        self.names = {
            column: tuple(feature.names) for column, feature in found.features.items() if hasattr(feature, "names")
        }
        self._found = found

    def batches(self, columns: Sequence[str]) -> Iterator[Any]:
        """From the mapped files of the library's cache."""
        chosen = self._found.select_columns([*columns]).with_format("arrow")
        for table in chosen.iter(batch_size=BATCH):
            yield from table.to_batches()
