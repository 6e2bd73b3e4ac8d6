"""Registration of data sets that are imported once and stored. Light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alharness.api.dataset import DatasetPlugin
from alharness.api.hooks import hookimpl

from .location import locate
from .params import StoredParams

if TYPE_CHECKING:
    from collections.abc import Callable

    from alharness.api.dataset import Dataset, DatasetFacts
    from alharness.api.params import Params

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
        """What the manifest says, or the design of a stand-in.

        Raises:
            DataError: there is neither, a file of the manifest is missing, or it has no such modality.
        """
        from dataclasses import replace

        from alharness.datasets.standin.designs import facts as describe

        from .manifest import inspect_folder

        folder, modalities = locate(self.published, params), params.modalities
        if folder:
            return inspect_folder(folder, self.published.name, modalities)
        facts = describe(self.published.name, params.stand_in)
        return facts if modalities is None else replace(facts, modalities=modalities)

    def make(self, params: StoredParams) -> Dataset:
        """The imported data or a stand-in, sequences on disk. Raises DataError if it is missing or damaged."""
        from dataclasses import replace

        from alharness.datasets.metrics import METRICS
        from alharness.datasets.standin.cache import open_standin

        from .reader import open_stored

        folder, name = locate(self.published, params), self.published.name
        modalities, labels = params.modalities, params.unimodal_labels
        if folder is None:
            found = open_standin(name, params.stand_in, modalities=modalities, unimodal_labels=labels)
        else:
            found = open_stored(folder, name, modalities=modalities, unimodal_labels=labels)
        return replace(found, metrics=METRICS[self.published.metrics])

    def verify(self, params: StoredParams) -> list[str]:
        """Compare every file with its checksum. Raises DataError if one is damaged."""
        from alharness.datasets.standin.cache import ensure

        from .verification import verify

        folder = locate(self.published, params)
        return verify(folder or ensure(self.published.name, params.stand_in), self.published.name)
