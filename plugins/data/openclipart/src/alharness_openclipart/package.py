"""The drawings in Debian's package: its bytes are read, checked and unpacked in memory; nothing in it is run."""

from __future__ import annotations

import hashlib
import io
import lzma
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alharness import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "openclipart-svg_1%3a0.18+dfsg-19_all.deb"
"""The package's file, as apt names it."""
SHA256 = "989712d90d57dfa3230049f553bb43b76c30ee4d4b8c5f6e106e33f7db5cbdc5"
SIZE = 24919068
"""Its bytes."""
GET_IT = "get it on Debian or Ubuntu by: apt-get download openclipart-svg=1:0.18+dfsg-19"

FOLDER = "./usr/share/openclipart/svg/"
MAGIC = b"!<arch>\n"
HEADER = 60
"""Bytes before each member of an ar archive."""
MEMBER = "data.tar.xz"
LARGEST = 8 * 2**20
"""Bytes of a drawing at most; the largest has 1.7 million."""
MOST = 20_000
"""Drawings at most; there are 7,458."""


@dataclass(frozen=True, kw_only=True)
class Package:
    """What is in the package.

    Attributes:
        drawings: path below the folder of drawings -> content, in the order of paths.
        links: how many entries only point to another drawing.
    """

    drawings: dict[str, bytes]
    links: int


def read(path: Path, *, sha256: str = SHA256) -> Package:
    """The drawings of a package.

    Args:
        path: the .deb file.
        sha256: what the file must have.

    Raises:
        DataError: it cannot be read, or is another file.
    """
    try:
        with path.open("rb") as file:
            content = file.read(SIZE + 1)  # a longer one is another file
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}; {GET_IT}") from None
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise DataError(f"{path}: {_other(content, found)}; {GET_IT}")
    try:
        drawings, links = _unpack(_member(content, MEMBER))
    except (tarfile.TarError, lzma.LZMAError, EOFError, ValueError) as error:
        raise DataError(f"{path}: cannot be unpacked ({error}); {GET_IT}") from None
    return Package(drawings=dict(sorted(drawings.items())), links=links)


def _other(content: bytes, found: str) -> str:
    """What a file is that is not the package."""
    if not content:
        return "is empty"
    if content.lstrip()[:1] == b"<":
        return "is a web page, not a Debian package"
    if not content.startswith(MAGIC):
        return f"is no Debian package; expected {NAME}"
    if len(content) < SIZE:
        short = f"is {len(content):,} bytes long, expected {SIZE:,}"
        return f"{short}: a part of {NAME} is missing, or it is another package"
    return f"is another package, or damaged: its sha256 is {found}, expected {SHA256} of {NAME}"


def _member(content: bytes, wanted: str) -> bytes:
    """One file of an ar archive. Raises ValueError if it is not there or cut off."""
    at = len(MAGIC)
    while at + HEADER <= len(content):
        header = content[at : at + HEADER]
        name, size = header[:16].decode("ascii").strip().rstrip("/"), int(header[48:58])
        start = at + HEADER
        if size < 0 or start + size > len(content):
            raise ValueError(f"{name} is cut off")
        if name == wanted:
            return content[start : start + size]
        at = start + size + size % 2  # members begin at even places
    raise ValueError(f"it has no {wanted}")


def _unpack(archive: bytes) -> tuple[dict[str, bytes], int]:
    """Path -> content of the drawings, and the number of links."""
    drawings: dict[str, bytes] = {}
    links = 0
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:xz") as tar:
        for entry in _drawings(tar):
            links += entry.issym() or entry.islnk()
            if not entry.isfile():
                continue
            if entry.size > LARGEST or len(drawings) == MOST:
                raise ValueError(f"{entry.name} is larger, or more, than drawings are")
            file = tar.extractfile(entry)
            assert file is not None
            drawings[entry.name.removeprefix(FOLDER)] = file.read()
    return drawings, links


def _drawings(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    return (
        entry
        for entry in tar
        if entry.name.startswith(FOLDER)
        and entry.name.endswith(".svg")
        and ".." not in entry.name.split("/")
        and not entry.name.removeprefix(FOLDER).startswith("/")
    )
