"""Models of cycle 0, kept on disk by the hash of everything that determines them.

A seed's model of cycle 0 is the same for every sampler: it is trained once, and a sampler that joins later finds
it. This is a cache: a model that cannot be stored, or is damaged, costs time and never a cell.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .files import TEMPORARY, sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class FitStore:
    """Stored models, as bytes.

    Args:
        folder: the folder of the fits; made when needed.
        warn: called when one is damaged, or cannot be stored.
    """

    def __init__(self, folder: Path, warn: Callable[[str], None]) -> None:
        self._folder, self._warn = folder, warn

    def get(self, key: str) -> bytes | None:
        """The model of this key; None if there is none, or none that can be used."""
        path = self._folder / key
        if not os.path.lexists(path):
            return None
        try:
            content, digest = (path / "fit.pt").read_bytes(), (path / "sha256").read_text()
            wrong = "" if hashlib.sha256(content).hexdigest() == digest else "its checksum is wrong"
        except (OSError, ValueError) as error:
            wrong = str(error)
        if not wrong:
            return content
        self._warn(f"{path}: the stored fit is damaged ({wrong}); it is trained again")
        _remove(path)
        return None

    def put(self, key: str, content: bytes) -> None:
        """Store a model, in the place of an older one."""
        path = self._folder / key
        try:
            _write(path, content)
        except OSError as error:
            self._warn(
                f"{path}: the fit cannot be stored ({error.strerror or error}); the run continues, and cells that "
                "need this fit train it again"
            )


def key(context: Mapping[str, Any], ids: Sequence[str], seed: int) -> str:
    """The name of a model.

    Args:
        context: what determines it in addition to labeled samples and seed: data, model, recipe, versions, device.
        ids: of the labeled samples, in canonical order.
        seed: of the training.
    """
    text = json.dumps([context, ids, seed], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _write(path: Path, content: bytes) -> None:
    folder = path.parent
    if folder.is_symlink():
        raise OSError("its folder is a symbolic link, and nothing is written through it")
    folder.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=folder))
    try:
        for name, data in (("fit.pt", content), ("sha256", hashlib.sha256(content).hexdigest().encode())):
            with (temporary / name).open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        if os.path.lexists(path):
            _remove(path)
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    sync_folder(folder)


def _remove(path: Path) -> None:
    if path.is_symlink():
        path.unlink(missing_ok=True)
    else:
        shutil.rmtree(path, ignore_errors=True)
