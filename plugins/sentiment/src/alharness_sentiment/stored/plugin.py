"""Data sets that are imported once and stored, as plugins. No heavy imports."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field

from alharness import DataError, DatasetPlugin, Params, SpecPath
from alharness_sentiment.standin.settings import StandInSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from alharness import Dataset, DatasetFacts

Modality = Literal["text", "audio", "vision"]


def _distinct(names: tuple[Modality, ...]) -> tuple[Modality, ...]:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"the modality {name!r} is named more than once")
    return names


class FolderParams(Params):
    """Parameters of the folder that an import made."""

    path: SpecPath | None = None
    """Folder that `alharness data import` made; a relative path starts at the spec file's folder. Without it
    `data/<name>` in the current folder, which is the default of the import."""

    modalities: Annotated[tuple[Modality, ...], Field(min_length=1), AfterValidator(_distinct)] | None = None
    """The modalities to use, in this order; all there are if this is left out."""

    unimodal_labels: Literal["own", "copy"] = "own"
    """Labels of a modality alone: its `own` if the data set has any, or a `copy` of the fused ones."""

    def metrics(self, published: str) -> str:
        """Name of the metrics, in `metrics.METRICS`: those that papers on the data set report."""
        return published

    @property
    def replacement(self) -> StandInSettings | None:
        """What to make a stand-in with if the folder is missing; None if there must be one."""
        return None


class StoredParams(FolderParams):
    """Parameters of a data set that was imported."""

    if_missing: Literal["error", "stand_in"] = "error"
    """What to do if there is no such folder: stop and say where to get the data, or take a synthetic stand-in."""

    stand_in: StandInSettings = StandInSettings()
    """How a stand-in is made."""

    @property
    def replacement(self) -> StandInSettings | None:
        """The settings, if a stand-in is allowed."""
        return self.stand_in if self.if_missing == "stand_in" else None


@dataclass(frozen=True, kw_only=True)
class Published:
    """A data set as its publishers offer it.

    Attributes:
        name: the name in a spec.
        summary: one line.
        source: the file or folder that is imported, as its publishers call it.
        where: a place to get it from.
        terms: the license, or what there is in its place.
        citation: the paper to cite.
        metrics: name of those that its papers report, in `metrics.METRICS`.
    """

    name: str
    summary: str
    source: str
    where: str
    terms: str
    citation: str
    metrics: str

    def how_to_get(self, folder: Path) -> str:
        """What to do if the folder is missing."""
        return (
            f"{folder}: not found, and the data set {self.name!r} is not part of alharness\n"
            f"  get it:  {self.source}, {self.where}\n"
            f"  terms:   {self.terms}\n"
            f"  cite:    {self.citation}\n"
            f"  convert: alharness data import {self.name} {self.source} --out {shlex.quote(str(folder))}\n"
            "  without: if_missing: stand_in in the data set's params takes synthetic data of the same shape; "
            "its results are not comparable with any paper's"
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredDataset:
    """A data set whose folder an import made.

    Attributes:
        published: what is known about it.
        fetch: its import: (source, empty folder, options) -> lines to show; the source is never None.
        what: what the source is, `file` or `folder`.
        options: parameters of the import.
        params: its parameters; with `StoredParams` a stand-in may be used if the folder is missing.
    """

    published: Published
    fetch: Callable[..., list[str]]
    what: str
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
            fetch=self.convert,
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
        from alharness_sentiment.standin.designs import Recipe

        from .reader import StoredFolder

        found = self._find(params)
        if isinstance(found, Path):
            stored = StoredFolder.open(found, self.published.name)
            modalities = stored.choose(params.modalities)
            stored.check_sizes()
            return replace(stored.manifest.facts, modalities=modalities)
        facts = Recipe(self.published.name, found).facts
        return replace(facts, modalities=params.modalities or facts.modalities)

    def make(self, params: FolderParams) -> Dataset:
        """The imported data or a stand-in, sequences on disk. Raises DataError if it is missing or damaged."""
        from alharness_sentiment.metrics import METRICS
        from alharness_sentiment.standin.cache import open_standin

        from .reader import open_stored

        found, name = self._find(params), self.published.name
        chosen: dict[str, Any] = {"modalities": params.modalities, "unimodal_labels": params.unimodal_labels}
        if isinstance(found, Path):
            dataset = open_stored(found, name, **chosen)
        else:
            dataset = open_standin(name, found, **chosen)
        return replace(dataset, metrics=METRICS[params.metrics(self.published.metrics)])

    def convert(self, source: Path | None, folder: Path, options: Params) -> list[str]:
        """Fill the empty folder from the source. Raises DataError if there is none: nothing can be downloaded."""
        if source is None:
            known = self.published
            raise DataError(
                f"{known.name} cannot be downloaded by alharness: get {known.source}, {known.where}; then name "
                f"the {self.what}"
            )
        return self.fetch(source, folder, options)

    def verify(self, params: FolderParams) -> list[str]:
        """Compare every file with its checksum. Raises DataError if one is damaged."""
        from alharness_sentiment.standin.cache import ensure

        from .reader import StoredFolder

        found, name = self._find(params), self.published.name
        return StoredFolder.open(found if isinstance(found, Path) else ensure(name, found), name).verify()

    def _find(self, params: FolderParams) -> Path | StandInSettings:
        """The folder of the data set; if it is missing, what to make a stand-in with.

        A folder that is there, however damaged, is never replaced by a stand-in.

        Raises:
            DataError: it is missing and must not be; says how to get it.
        """
        from alharness.api.importing import readable

        given = params.path or Path("data", self.published.name)
        folder = readable(given)
        try:
            if given.exists() or given.is_symlink():  # a link that leads nowhere: a disk that is not there
                return folder
        except OSError as error:
            raise DataError(f"{folder}: cannot be read: {error.strerror}") from None
        if params.replacement is None:
            raise DataError(self.published.how_to_get(folder))
        return params.replacement
