"""Data sets that are imported once and stored, as plugins. No heavy imports."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from alharness import DataError, DatasetPlugin
from alharness.api.importing import readable

from .params import FolderParams, StoredParams

if TYPE_CHECKING:
    from collections.abc import Callable

    from alharness import Dataset, DatasetFacts, Params

    from .published import Published


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredDataset:
    """A data set whose folder an import made.

    Attributes:
        published: what is known about it.
        fetch: its import: (source, empty folder, options) -> lines to show.
        options: parameters of the import.
        params: its parameters; with `StoredParams` a stand-in may be used if the folder is missing.
    """

    published: Published
    fetch: Callable[..., list[str]]
    options: type[Params]
    params: type[FolderParams] = StoredParams

    @property
    def plugin(self) -> DatasetPlugin:
        """What the registry gets."""
        return DatasetPlugin(
            name=self.published.name,
            params=self.params,
            inspect=self.inspect,
            make=self.make,
            fetch=self.fetch,
            options=self.options,
            verify=self.verify,
            summary=self.published.summary,
            reference=self.published.citation,
            license=self.published.terms,
            formerly="alharness",
        )

    def inspect(self, params: FolderParams) -> DatasetFacts:
        """What the manifest says, or the design of a stand-in.

        Raises:
            DataError: there is neither, a file of the manifest is missing, or it has no such modality.
        """
        from alharness_sentiment.standin.designs import facts as describe

        from .manifest import inspect_folder

        if folder := self._locate(params):
            return inspect_folder(folder, self.published.name, params.modalities)
        assert isinstance(params, StoredParams)
        facts = describe(self.published.name, params.stand_in)
        return facts if params.modalities is None else replace(facts, modalities=params.modalities)

    def make(self, params: FolderParams) -> Dataset:
        """The imported data or a stand-in, sequences on disk. Raises DataError if it is missing or damaged."""
        from alharness_sentiment.metrics import METRICS
        from alharness_sentiment.standin.cache import open_standin

        from .reader import open_stored

        folder, name = self._locate(params), self.published.name
        modalities, labels = params.modalities, params.unimodal_labels
        if folder:
            found = open_stored(folder, name, modalities=modalities, unimodal_labels=labels)
        else:
            assert isinstance(params, StoredParams)
            found = open_standin(name, params.stand_in, modalities=modalities, unimodal_labels=labels)
        return replace(found, metrics=METRICS[params.metrics(self.published.metrics)])

    def verify(self, params: FolderParams) -> list[str]:
        """Compare every file with its checksum. Raises DataError if one is damaged."""
        from alharness_sentiment.standin.cache import ensure

        from .checksum import verify

        folder = self._locate(params)
        if folder is None:
            assert isinstance(params, StoredParams)
            folder = ensure(self.published.name, params.stand_in)
        return verify(folder, self.published.name)

    def _locate(self, params: FolderParams) -> Path | None:
        """The folder of the data set; None if it is missing and a stand-in is to replace it.

        A folder that is there, however damaged, is never replaced by a stand-in.

        Raises:
            DataError: it is missing and must not be; says how to get it.
        """
        given = params.path or Path("data", self.published.name)
        folder = readable(given)
        try:
            if given.exists() or given.is_symlink():  # a link that leads nowhere: a disk that is not there
                return folder
        except OSError as error:
            raise DataError(f"{folder}: cannot be read: {error.strerror}") from None
        if isinstance(params, StoredParams) and params.if_missing == "stand_in":
            return None
        raise DataError(self.published.how_to_get(folder))
