"""The list of converted files with their checksums, which says that a folder is a whole data set."""

from __future__ import annotations

import hashlib
import json
import shlex
from typing import TYPE_CHECKING

from alharness.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

NAME = "manifest.json"


def write_manifest(folder: Path, names: Iterable[str], **about: str) -> None:
    """Write the sha256 of each of these files of the folder, and what else there is to say."""
    files = {name: digest((folder / name).read_bytes()) for name in names}
    text = json.dumps({**about, "sha256": files}, indent=2, ensure_ascii=False)
    (folder / NAME).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """File name -> sha256. Raises DataError if the folder is no converted data set."""
    path = folder / NAME
    try:
        if not folder.exists():
            raise DataError(f"{folder}: not found; make it once with: {command(folder)}")
        files = json.loads(path.read_bytes())["sha256"]
        return {name: str(files[name]) for name in names}
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(
            f"{folder}: is not a converted data set (it has no {NAME}); "
            "make one with: alharness data import mfeat SOURCE --out FOLDER, and name that folder"
        ) from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, RecursionError):
        raise DataError(f"{path}: damaged; {again(folder)}") from None


def require_files(folder: Path, names: Iterable[str]) -> None:
    """Raise DataError if one of these files is missing."""
    for name in names:
        try:
            (folder / name).stat()
        except OSError as error:
            raise DataError(f"{folder / name}: cannot be read: {error.strerror}; {again(folder)}") from None


def read_listed(folder: Path, name: str, sha256: str) -> bytes:
    """Content of a listed file. Raises DataError if it is not what the manifest says."""
    path = folder / name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}; {again(folder)}") from None
    if digest(content) != sha256:
        raise DataError(f"{path}: damaged (its sha256 is not the one in {NAME}); {again(folder)}")
    return content


def digest(content: bytes) -> str:
    """The sha256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def command(folder: Path, *, force: bool = False) -> str:
    """The command that makes this folder."""
    flag = "--force " if force else ""
    return f"alharness data import mfeat --download {flag}--out {shlex.quote(str(folder))}"


def again(folder: Path) -> str:
    """The advice for a damaged folder."""
    return f"make the data set again with: {command(folder, force=True)}"
