"""Registration of `mmsa`: features of one's own, imported from a file in the format of MMSA. Light."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from alharness.api.dataset import DatasetPlugin
from alharness.api.hooks import hookimpl
from alharness.datasets.paths import readable
from alharness.datasets.stored.params import FolderParams
from alharness.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from alharness.api.dataset import Dataset, DatasetFacts
    from alharness.api.params import Params
    from alharness.datasets.stored.published import Published


class OwnParams(FolderParams):
    """Parameters of `mmsa`."""

    scoring: Literal["regression", "sims", "mosi"] = "regression"
    """The metrics: those of any regression, those of CH-SIMS for labels from -1 to 1 (`sims`), or those of
    CMU-MOSI for labels from -3 to 3 (`mosi`)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class OwnFeatures:
    """Offers `mmsa`.

    Attributes:
        published: its name and its terms.
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
                params=OwnParams,
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

    def inspect(self, params: OwnParams) -> DatasetFacts:
        """What the manifest says. Raises DataError if something is missing."""
        from alharness.datasets.stored.manifest import inspect_folder

        return inspect_folder(self._folder(params), self.published.name, params.modalities)

    def make(self, params: OwnParams) -> Dataset:
        """The imported data, sequences on disk. Raises DataError if it is missing or damaged."""
        from alharness.datasets.metrics import METRICS
        from alharness.datasets.stored.reader import open_stored

        found = open_stored(
            self._folder(params),
            self.published.name,
            modalities=params.modalities,
            unimodal_labels=params.unimodal_labels,
        )
        return replace(found, metrics=METRICS[params.scoring])

    def verify(self, params: OwnParams) -> list[str]:
        """Compare every file with its checksum. Raises DataError if one is damaged."""
        from alharness.datasets.stored.verification import verify

        return verify(self._folder(params), self.published.name)

    def _folder(self, params: OwnParams) -> Path:
        name = self.published.name
        folder = readable(params.path or Path("data", name))
        if not folder.exists():
            raise DataError(
                f"{folder}: not found; import your file with: alharness data import {name} FILE --out FOLDER, and "
                "name that folder: params: {path: FOLDER}"
            )
        return folder
