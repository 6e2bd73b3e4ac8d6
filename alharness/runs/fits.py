"""Models of cycle 0, kept on disk by the hash of everything that determines them.

A seed's model of cycle 0 is the same for every sampler: it is trained once, and a sampler that joins later finds
it. This is a cache: a model that cannot be stored, or is damaged, costs time and never a cell.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from alharness import faults
from alharness.errors import RunError

from .files import refuse_link, write

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


class FitStore:
    """Stored models, as bytes: each in a file that begins with a line with its checksum.

    Args:
        folder: the folder of the fits; made when needed.
        warn: called when one is damaged, or cannot be stored.
    """

    def __init__(self, folder: Path, warn: Callable[[str], None]) -> None:
        self._folder, self._warn = folder, warn

    def get(self, key: str) -> bytes | None:
        """The model of this key; None if there is none, or none that can be used."""
        path = self._folder / f"{key}.pt"
        try:
            checksum, _, content = path.read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        except OSError as error:
            wrong = error.strerror
        else:
            if checksum == _checksum(content):
                return content
            wrong = "its checksum is wrong"
        self._warn(f"{path}: the stored fit is damaged ({wrong}); it is trained again")
        with suppress(OSError):
            path.unlink()
        return None

    def put(self, key: str, content: bytes) -> None:
        """Store a model, in the place of an older one."""
        path = self._folder / f"{key}.pt"
        try:
            faults.reach("fit")
            refuse_link(self._folder)
            self._folder.mkdir(parents=True, exist_ok=True)
            write(path, _checksum(content) + b"\n" + content)
        except (OSError, RunError) as error:
            why = getattr(error, "strerror", None) or error
            self._warn(
                f"{path}: the fit cannot be stored ({why}); the run continues, and cells that need this fit train "
                "it again"
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


def _checksum(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
