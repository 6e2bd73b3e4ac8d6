"""Registration of `simsv2`, `sims`, `mosi` and `mosei`. Light."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pydantic import Field

from alharness.datasets.stored.plugin import StoredDataset
from alharness.errors import DataError
from alharness.plugin import Params

from . import facts

if TYPE_CHECKING:
    from pathlib import Path

    from .facts import Corpus


class ImportOptions(Params):
    """Parameters of the import."""

    memory: float | None = Field(None, gt=0, le=2**20)
    """GiB of memory that the conversion may take; without it as much as the file has, and one more."""


def _fetch(corpus: Corpus, source: Path | None, folder: Path, options: ImportOptions) -> list[str]:
    from .isolation import GIB, convert_apart, default_limit
    from .magic import check_beginning

    if source is None:
        raise DataError(
            f"{corpus.name} cannot be downloaded by alharness: get {corpus.published.source}, "
            f"{corpus.published.where}; then name the file"
        )
    check_beginning(source)
    limit = default_limit(source.stat().st_size) if options.memory is None else int(options.memory * GIB)
    return convert_apart(corpus.name, source, folder, limit)


def _offer(corpus: Corpus) -> StoredDataset:
    return StoredDataset(published=corpus.published, fetch=partial(_fetch, corpus), options=ImportOptions)


simsv2 = _offer(facts.SIMSV2)
sims = _offer(facts.SIMS)
mosi = _offer(facts.MOSI)
mosei = _offer(facts.MOSEI)
