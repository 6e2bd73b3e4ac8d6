"""Make the features that are shipped, bit for bit, from Debian's package.

python -m alharness_openclipart.build openclipart-svg_1%3a0.18+dfsg-19_all.deb           # write them
python -m alharness_openclipart.build openclipart-svg_1%3a0.18+dfsg-19_all.deb --check   # compare with those there
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness import DataError

from . import package
from .drawings import Drawing, parse
from .facts import DATA, DRAWINGS, MANIFEST
from .image import SIDE, colours, components, edges, tiles
from .render import render
from .selection import choose
from .structure import structure
from .vectors import vectors
from .words import texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

EDGES, TILED, WORDS = 96, 32, 160
"""Components that are kept."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, or compare them with those that are there; 1 if they differ."""
    parser = argparse.ArgumentParser(prog="python -m alharness_openclipart.build", description=__doc__)
    parser.add_argument(
        "package", type=Path, help="Debian's package, as `apt-get download openclipart-svg` gets it"
    )
    parser.add_argument(
        "--out", type=Path, default=DATA, help="folder of the files; default: that of this distribution"
    )
    parser.add_argument("--check", action="store_true", help="write nothing; compare with the files in the folder")
    asked = parser.parse_args(arguments)
    try:
        files = build(asked.package)
        return _compare(files, asked.out) if asked.check else _write(files, asked.out)
    except (DataError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1


def build(path: Path) -> dict[str, bytes]:
    """Name -> content of every file that is shipped."""
    found = package.read(path)
    drawings = [parse(name, content) for name, content in found.drawings.items()]
    images = np.stack(list(render(found.drawings, SIDE)))
    chosen = choose(drawings, images)
    ids = {row: identify(found.drawings[drawings[row].path]) for row in chosen.rows}
    rows = np.array(sorted(chosen.rows, key=ids.__getitem__))
    kept = [drawings[row] for row in rows]
    said = texts(kept, sorted({drawing.folder for drawing in drawings}))
    seen = images[rows]
    arrays = {
        "image": np.hstack([components(edges(seen), EDGES), colours(seen), components(tiles(seen), TILED)]),
        "text": vectors(said.words, WORDS),
        "structure": structure(kept),
    }
    files = {f"{name}.npy": _npy(array.astype(np.float16)) for name, array in arrays.items()}
    files[DRAWINGS] = _table([ids[row] for row in rows], kept)
    about: dict[str, Any] = {
        "package": package.NAME,
        "package_sha256": package.SHA256,
        "drawings": len(drawings),
        "links": found.links,
        "kept": len(rows),
        "left_out": chosen.left_out,
        "classes_too_small": chosen.small,
        "words_removed": said.removed,
        "words_of_series": said.series,
        "without_words": sum(not words for words in said.words),
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    files[MANIFEST] = (json.dumps(about, indent=1, ensure_ascii=False) + "\n").encode()
    return files


def identify(content: bytes) -> str:
    """A drawing's id, which says nothing of its class, and whose order has nothing to do with it."""
    return hashlib.sha256(content).hexdigest()[:10]


def _npy(array: NDArray[np.float16]) -> bytes:
    assert np.isfinite(array).all()
    array = array + np.float16(0)  # what is nearly 0 may be -0 on another machine
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def _table(ids: Sequence[str], drawings: Sequence[Drawing]) -> bytes:
    file = io.StringIO(newline="")
    table = csv.writer(file, lineterminator="\n")
    table.writerow(("id", "path", "author"))
    table.writerows((i, drawing.path, drawing.author) for i, drawing in zip(ids, drawings, strict=True))
    return file.getvalue().encode()


def _write(files: dict[str, bytes], folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    sys.stdout.write(f"{len(files)} files, {sum(map(len, files.values())):,} bytes, in {folder}\n")
    return 0


def _compare(files: dict[str, bytes], folder: Path) -> int:
    different = [
        name
        for name, content in files.items()
        if not (folder / name).is_file() or (folder / name).read_bytes() != content
    ]
    for name in files:
        sys.stdout.write(f"{name}: {'different' if name in different else 'the same'}\n")
    return int(bool(different))


if __name__ == "__main__":
    sys.exit(main())
