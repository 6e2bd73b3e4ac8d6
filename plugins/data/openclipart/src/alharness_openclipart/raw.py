"""Pictures and texts for users who bring an encoder, and the features that they made of them."""

from __future__ import annotations

import csv
import re
from functools import partial
from typing import TYPE_CHECKING, Any

from alharness import DataError
from alharness.api.importing import read_header, readable

from .facts import DRAWINGS
from .table import rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

SIDE = 224
"""Pixels of a picture's side."""
PICTURES = "pictures"
NAME = re.compile(r"[a-z]\w*")
HOW = "make it with: alharness data import openclipart PACKAGE --out FOLDER"


def unpack(source: Path | None, folder: Path) -> list[str]:
    """Write a picture of each drawing of the data set and a table of their texts; nothing is executed.

    Returns:
        Lines to show.

    Raises:
        DataError: there is no package, or it is another one, or libraries are missing.
    """
    from . import package
    from .drawings import parse
    from .render import render
    from .words import texts

    if source is None:
        raise DataError(f"openclipart is not downloaded by alharness: {package.GET_IT}; then name the file")
    found = package.read(source)
    every = {name: parse(name, content) for name, content in found.drawings.items()}
    drawings = rows()
    kept = [every[row.path] for row in drawings]
    said = texts(kept, sorted({drawing.folder for drawing in every.values()}))
    (folder / PICTURES).mkdir()
    contents = {row.path: found.drawings[row.path] for row in drawings}
    for row, picture in zip(drawings, render(contents, SIDE), strict=True):
        _save(folder / PICTURES / f"{row.id}.png", picture)
    with (folder / DRAWINGS).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("id", "picture", "class", "words", "title", "description", "author", "path"))
        for row, drawing, words in zip(drawings, kept, said.words, strict=True):
            place = f"{PICTURES}/{row.id}.png"
            about = (" ".join(words), drawing.title, drawing.description, row.author, row.path)
            table.writerow((row.id, place, row.label, *about))
    return [
        f"{len(drawings)} pictures of {SIDE} x {SIDE} pixels, and {DRAWINGS} with their texts",
        "`words` are without names of classes, authors and series; title, description and path give classes away",
        "Write features of your own into the folder as NAME.npy, one row for each line, and name it as `raw`",
    ]


def _save(path: Path, picture: NDArray[np.uint8]) -> None:
    from PIL import Image

    Image.fromarray(picture).save(path, optimize=False)


def own(folder: Path | None) -> dict[str, Callable[[], NDArray[Any]]]:
    """Modality -> what reads the user's features of it. Raises DataError if they do not fit."""
    if folder is None:
        return {}
    shown = readable(folder)
    if not (folder / DRAWINGS).is_file():
        raise DataError(f"{shown}: has no {DRAWINGS}; {HOW}")
    try:
        with (folder / DRAWINGS).open(encoding="utf-8", newline="") as file:
            ids = [row.get("id") for row in csv.DictReader(file)]
    except (OSError, UnicodeError, csv.Error) as error:
        raise DataError(f"{shown / DRAWINGS}: cannot be read ({error}); {HOW}") from None
    if ids != [row.id for row in rows()]:
        raise DataError(f"{shown / DRAWINGS}: its ids are not those of this version; {HOW}")
    found = sorted(folder.glob("*.npy"))
    if not found:
        raise DataError(
            f"{shown}: has no features; write them as NAME.npy, such as image.npy, with a row for each line of "
            f"{DRAWINGS}"
        )
    for path in found:
        _check(path, len(ids))
    return {path.stem: partial(_load, path) for path in found}


def _check(path: Path, n: int) -> None:
    shown = readable(path)
    if not NAME.fullmatch(path.stem):
        raise DataError(f"{shown}: its name is to be the modality's: small letters, digits and _")
    try:
        shape, kind = read_header(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{shown}: is no array of numpy ({error})") from None
    if len(shape) not in {2, 3} or shape[0] != n or 0 in shape:
        raise DataError(f"{shown}: has shape {shape}, expected ({n}, d), or ({n}, t, d) for sequences")
    if kind.kind not in "fiu":
        raise DataError(f"{shown}: holds {kind}, expected numbers")


def _load(path: Path) -> NDArray[Any]:
    import numpy as np

    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{readable(path)}: cannot be read ({error})") from None
    if array.dtype != np.float32:
        array = array.astype(np.float32)
    if not np.isfinite(array).all():
        raise DataError(f"{readable(path)}: holds NaN or an infinite number")
    return array
