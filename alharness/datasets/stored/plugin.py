"""Registration of data sets that are imported once and stored. Light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from alharness.errors import DataError
from alharness.hookspecs import hookimpl
from alharness.plugin import DatasetPlugin, Params

from .location import locate
from .manifest import read_manifest
from .params import StoredParams

if TYPE_CHECKING:
    from collections.abc import Callable

    from alharness.data import Dataset
    from alharness.plugin import DatasetFacts

    from .published import Published


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredDataset:
    """Offers one data set; each entry point leads to one of these.

    Attributes:
        published: what is known about it.
        fetch: its import: (source, empty folder, options) -> lines to show.
        options: parameters of the import.
    """

    published: Published
    fetch: Callable[..., list[str]]
    options: type[Params]

    @hookimpl
    def alharness_datasets(self) -> list[DatasetPlugin]:
        """Offer the data set."""
        return [
            DatasetPlugin(
                name=self.published.name,
                params=StoredParams,
                inspect=self.inspect,
                make=self.make,
                fetch=self.fetch,
                options=self.options,
                verify=self.verify,
                summary=self.published.summary,
                reference=self.published.citation,
                license=self.published.terms,
            )
        ]

    def inspect(self, params: StoredParams) -> DatasetFacts:
        """What the manifest says. Raises DataError where the data was not imported."""
        from dataclasses import replace

        folder = locate(self.published, params)
        if folder is None:
            self._stand_in(params)
        facts = read_manifest(folder, self.published.name).facts
        return facts if params.modalities is None else replace(facts, modalities=params.modalities)

    def make(self, params: StoredParams) -> Dataset:
        """The imported data, its sequences on disk. Raises DataError where it is missing or damaged."""
        from .reader import open_stored

        folder = locate(self.published, params)
        if folder is None:
            self._stand_in(params)
        return open_stored(
            folder,
            self.published.name,
            modalities=params.modalities,
            unimodal_labels=params.unimodal_labels,
        )

    def verify(self, params: StoredParams) -> list[str]:
        """Compare every file with its checksum. Raises DataError where one is damaged."""
        from .verification import verify

        folder = locate(self.published, params)
        if folder is None:
            self._stand_in(params)
        return verify(folder, self.published.name)

    def _stand_in(self, _params: StoredParams) -> NoReturn:
        raise DataError(f"{self.published.name}: there is no stand-in in this version; set if_missing: error")
