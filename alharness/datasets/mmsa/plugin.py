"""Registration of `simsv2`, `sims`, `mosi`, `mosei`, and `mmsa` for features of one's own. Light."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pydantic import Field

from alharness.api.params import Params
from alharness.datasets.stored.plugin import StoredDataset
from alharness.errors import DataError

from . import facts
from .own import OwnFeatures

if TYPE_CHECKING:
    from pathlib import Path

    from .facts import Corpus


class ImportOptions(Params):
    """Parameters of the import."""

    memory: float | None = Field(None, gt=0, le=2**20)
    """GiB of memory that the conversion may take; without it as much as the file has, and one more."""

    minutes: float | None = Field(None, gt=0, le=2**20)
    """Minutes that the conversion may take; without it ten, and one more for every 60 MiB of the file."""


def _fetch(corpus: Corpus, source: Path | None, folder: Path, options: ImportOptions) -> list[str]:
    from .isolation import GIB, MINUTE, convert_apart, default_limit, default_patience
    from .magic import check_beginning

    if source is None:
        raise DataError(
            f"{corpus.name} cannot be downloaded by alharness: get {corpus.published.source}, "
            f"{corpus.published.where}; then name the file"
        )
    check_beginning(source)
    size = source.stat().st_size
    limit = default_limit(size) if options.memory is None else int(options.memory * GIB)
    patience = default_patience(size) if options.minutes is None else max(1, round(options.minutes * MINUTE))
    return convert_apart(corpus.name, source, folder, limit, patience)


def _offer(corpus: Corpus) -> StoredDataset:
    return StoredDataset(published=corpus.published, fetch=partial(_fetch, corpus), options=ImportOptions)


simsv2 = _offer(facts.SIMSV2)
sims = _offer(facts.SIMS)
mosi = _offer(facts.MOSI)
mosei = _offer(facts.MOSEI)
mmsa = OwnFeatures(published=facts.OWN.published, fetch=partial(_fetch, facts.OWN), options=ImportOptions)
