"""The folder of a stored data set, or its stand-in. No heavy imports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alharness.datasets.paths import readable
from alharness.errors import DataError

if TYPE_CHECKING:
    from .params import StoredParams
    from .published import Published


def locate(published: Published, params: StoredParams) -> Path | None:
    """The folder of the data set; None if it is missing and a stand-in is to replace it.

    A folder that is there, however damaged, is never replaced by a stand-in.

    Raises:
        DataError: it is missing and must not be; says how to get it.
    """
    given = params.path or Path("data", published.name)
    folder = readable(given)
    try:
        if given.exists() or given.is_symlink():  # a link that leads nowhere: a disk that is not there
            return folder
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {error.strerror}") from None
    if params.if_missing == "stand_in":
        return None
    raise DataError(published.how_to_get(folder))
