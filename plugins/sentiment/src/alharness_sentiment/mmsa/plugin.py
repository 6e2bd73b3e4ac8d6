"""`simsv2`, `sims`, `mosi`, `mosei`, and `mmsa` for features of one's own. No heavy imports."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from alharness import Params
from alharness_sentiment.stored.plugin import FolderParams, StoredDataset, StoredParams

from .facts import CORPORA, OWN

if TYPE_CHECKING:
    from pathlib import Path

    from .facts import Corpus


class OwnParams(FolderParams):
    """Parameters of `mmsa`."""

    scoring: Literal["regression", "sims", "mosi"] = "regression"
    """The metrics: those of any regression, those of CH-SIMS for labels from -1 to 1 (`sims`), or those of
    CMU-MOSI for labels from -3 to 3 (`mosi`)."""

    def metrics(self, published: str) -> str:  # noqa: ARG002 - what was asked for counts
        """Name of the metrics."""
        return self.scoring


class ImportOptions(Params):
    """Parameters of the import."""

    memory: float | None = Field(None, gt=0, le=2**20)
    """GiB of memory that the conversion may take; without it as much as the file has, and one more."""

    minutes: float | None = Field(None, gt=0, le=2**20)
    """Minutes that the conversion may take; without it ten, and one more for every 60 MiB of the file."""


def _fetch(corpus: Corpus, source: Path, folder: Path, options: ImportOptions) -> list[str]:
    from .isolation import GIB, MINUTE, convert_apart, default_limit, default_patience
    from .magic import check_beginning

    check_beginning(source)
    size = source.stat().st_size
    limit = default_limit(size) if options.memory is None else int(options.memory * GIB)
    patience = default_patience(size) if options.minutes is None else max(1, round(options.minutes * MINUTE))
    return convert_apart(corpus.name, source, folder, limit, patience)


def _offer(corpus: Corpus, params: type[FolderParams] = StoredParams) -> StoredDataset:
    fetch = partial(_fetch, corpus)
    return StoredDataset(
        published=corpus.published, fetch=fetch, what="file", options=ImportOptions, params=params
    )


MMSA = (*map(_offer, CORPORA.values()), _offer(OWN, OwnParams))
