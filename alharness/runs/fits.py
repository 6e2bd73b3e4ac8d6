"""Fits that several cells share, kept on disk by the hash of everything that determines them.

A seed's cycle-0 fit is the same for every sampler: trained once, and found again by a sampler that joins later.
This is a cache: a fit that cannot be stored, or is damaged, costs time and never a cell.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from alharness.engine.training import Fitted, Trainer, freeze
from alharness.runs import locks

from .files import TEMPORARY, sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from alharness.engine.loop import Fit


class FitStore:
    """Stored fits.

    Args:
        folder: where they lie; made when needed.
        context: what determines a fit beside labeled samples and seed: data, model, recipe, versions, device.
        warn: called when a stored fit turns out to be damaged, or one cannot be stored.
    """

    def __init__(self, folder: Path, context: Mapping[str, Any], warn: Callable[[str], None]) -> None:
        self._folder = folder
        self._context = context
        self._warn = warn

    def fit(self, trainer: Trainer, request: Fit) -> Fitted:
        """The stored fit, or else a new one, which is then stored.

        A reused fit keeps the cost of its training and is marked with `train_reused`.
        """
        path = self._folder / self._key(request)
        with self._alone(path.name):
            if stored := self._restore(path, trainer, request.seed):
                return stored
            fitted = trainer.fit(request.labeled, request.seed)
            self._store(path, fitted)
            return fitted

    @contextmanager
    def _alone(self, key: str) -> Iterator[None]:
        """While it is held, no other process makes the same fit: it waits, and finds it made.

        If that cannot be arranged, two may make the same fit, and both are right.
        """
        lock = None
        with suppress(OSError):
            folder = self._folder.with_name("fit-locks")
            folder.mkdir(parents=True, exist_ok=True)
            lock = locks.Locks(folder).make(folder / key)
            lock.acquire()
        try:
            yield
        finally:
            if lock is not None:
                with suppress(OSError):
                    lock.release()

    def _key(self, request: Fit) -> str:
        text = json.dumps([self._context, request.labeled.ids, request.seed], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def _store(self, path: Path, fitted: Fitted) -> None:
        weights = {name: value.cpu() for name, value in fitted.model.state_dict().items()}
        content = {"weights": weights, "epochs": fitted.epochs, "cost": dict(fitted.cost)}
        try:
            _write(path, content)
        except (OSError, RuntimeError) as error:  # torch makes a RuntimeError of a full disk
            reason = getattr(error, "strerror", None) or f"is the disk full? {error}".partition("\n")[0]
            self._warn(
                f"{path}: the fit cannot be stored ({reason}); the cell goes on, and others that need this fit "
                "train it again"
            )

    def _restore(self, path: Path, trainer: Trainer, seed: int) -> Fitted | None:
        """The stored fit; None if there is none, or none that can be used."""
        if not os.path.lexists(path):
            return None
        try:
            # torch reads a file with a flipped bit without a word: hence the sum.
            _require_sum(path / "fit.pt", (path / "sha256").read_text())
            stored = torch.load(path / "fit.pt", weights_only=True)
            cost, epochs = _checked(stored)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it can be made again
            self._discard(path, error)
            return None
        model = trainer.initialize(seed)
        try:
            model.load_state_dict(stored["weights"])
        except Exception as error:  # noqa: BLE001 - the same
            self._discard(path, error)
            return None
        freeze(model)
        return Fitted(model=model, device=trainer.device, epochs=epochs, cost={**cost, "train_reused": 1.0})

    def _discard(self, path: Path, error: Exception) -> None:
        self._warn(f"{path}: the stored fit is damaged ({error}); it is trained again")
        if path.is_symlink():
            path.unlink(missing_ok=True)
        else:
            shutil.rmtree(path, ignore_errors=True)


def _write(path: Path, content: Mapping[str, Any]) -> None:
    folder = path.parent
    if folder.is_symlink():
        raise OSError("its folder is a symbolic link, and nothing is written through it")
    folder.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=folder))
    try:
        torch.save(content, temporary / "fit.pt")
        digest = hashlib.sha256((temporary / "fit.pt").read_bytes()).hexdigest()
        (temporary / "sha256").write_text(digest)
        for name in ("fit.pt", "sha256"):
            with (temporary / name).open("rb") as file:
                os.fsync(file.fileno())
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    sync_folder(folder)


def _checked(stored: Any) -> tuple[dict[str, float], int]:
    """Cost and epochs of a stored fit. Raises ValueError if they are none."""
    if not isinstance(stored, dict) or stored.keys() != {"weights", "epochs", "cost"}:
        raise ValueError("it holds something else")
    cost, epochs = stored["cost"], stored["epochs"]
    numbers = isinstance(cost, dict) and all(
        isinstance(name, str) and isinstance(value, (int, float)) and 0 <= value < math.inf
        for name, value in cost.items()
    )
    if not numbers or not isinstance(epochs, int) or epochs < 0:
        raise ValueError("its costs or epochs are no numbers")
    return cost, epochs


def _require_sum(path: Path, expected: str) -> None:
    if hashlib.sha256(path.read_bytes()).hexdigest() != expected:
        raise ValueError("its checksum is wrong")
