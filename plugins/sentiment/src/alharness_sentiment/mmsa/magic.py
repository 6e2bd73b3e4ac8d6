"""What is often found instead of a pickle, recognized by its first bytes."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from alharness import DataError

if TYPE_CHECKING:
    from pathlib import Path

BEGINNINGS = {
    b"<": "is a web page, perhaps that of a login or a warning; download the file itself",
    b"version https://git-lfs": "is a git-lfs pointer, not the file itself; fetch that with: git lfs pull",
    b"PK\x03\x04": "is a zip archive; extract the .pkl file and name that",
    b"\x1f\x8b": "is compressed with gzip; extract the .pkl file and name that",
    b"Rar!": "is a rar archive; extract the .pkl file and name that",
    b"7z\xbc\xaf": "is a 7z archive; extract the .pkl file and name that",
    b"BZh": "is compressed with bzip2; extract the .pkl file and name that",
    b"\xfd7zXZ": "is compressed with xz; extract the .pkl file and name that",
    b"\x28\xb5\x2f\xfd": "is compressed with zstd; extract the .pkl file and name that",
    b"\x89HDF": "is an HDF5 file, expected a pickle",
    b"\x93NUMPY": "is a .npy file, expected a pickle; for arrays of your own see the data set 'arrays'",
    b"PAR1": "is a Parquet file, expected a pickle",
}


def check_beginning(path: Path) -> None:
    """Raise DataError if the file is missing or is not the beginning of a pickle of protocol 2 or later."""
    try:
        if not stat.S_ISREG(mode := path.stat().st_mode) and not stat.S_ISDIR(mode):
            raise DataError(
                f"{path}: is no file but a pipe or a device; write the content to a file and name that"
            )
        with path.open("rb") as file:
            beginning = file.read(64)
    except IsADirectoryError:
        raise DataError(f"{path}: is a folder; name the .pkl file in it") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    if not beginning:
        raise DataError(f"{path}: is empty; get it again")
    for mark, words in BEGINNINGS.items():
        if beginning.lstrip().startswith(mark):
            raise DataError(f"{path}: {words}")
    if beginning[:1] != b"\x80":
        load = "pickle.load(open('OLD', 'rb'), encoding='latin1')"
        raise DataError(
            f"{path}: is not a pickle of protocol 2 or later; get it again, as its publishers offer it. One of "
            "protocol 0 or 1 that you trust, since this runs it, is rewritten by: "
            f"python -c \"import pickle; pickle.dump({load}, open('NEW', 'wb'), protocol=4)\""
        )
