"""Fits that several cells share, kept on disk by the hash of everything that determines them.

A seed's cycle-0 fit is the same for every sampler: trained once, and found again by a sampler that joins later.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock
import torch

from alharness.training import Fitted, Trainer, freeze

from .files import sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from alharness.loop import Fit


class FitStore:
    """Stored fits.

    Args:
        folder: where they lie; made when needed.
        context: what determines a fit beside labeled samples and seed: data, model, recipe, versions, device.
        warn: told when a stored fit turns out to be damaged.
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
            return self._fit(trainer, request, path)

    def _fit(self, trainer: Trainer, request: Fit, path: Path) -> Fitted:
        if stored := self._load(path):
            model = trainer.initialize(request.seed)
            model.load_state_dict(stored["weights"])
            freeze(model)
            cost = {**stored["cost"], "train_reused": 1.0}
            return Fitted(model=model, device=trainer.device, epochs=stored["epochs"], cost=cost)
        fitted = trainer.fit(request.labeled, request.seed)
        weights = {name: value.cpu() for name, value in fitted.model.state_dict().items()}
        self._store(path, {"weights": weights, "epochs": fitted.epochs, "cost": dict(fitted.cost)})
        return fitted

    def _alone(self, key: str) -> filelock.BaseFileLock:
        """While it is held, no other process makes the same fit: it waits, and finds it made."""
        locks = self._folder.with_name("fit-locks")
        locks.mkdir(parents=True, exist_ok=True)
        return filelock.FileLock(locks / key)

    def _key(self, request: Fit) -> str:
        text = json.dumps([self._context, request.labeled.ids, request.seed], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def _store(self, path: Path, content: Mapping[str, Any]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".tmp-", dir=self._folder))
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
        sync_folder(self._folder)

    def _load(self, path: Path) -> dict[str, Any] | None:
        if not path.exists():
            return None
        try:
            # torch reads a file with a flipped bit without a word: hence the sum.
            _require_sum(path / "fit.pt", (path / "sha256").read_text())
            content: dict[str, Any] = torch.load(path / "fit.pt", weights_only=True)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it can be made again
            self._warn(f"{path}: the stored fit is damaged ({error}); it is trained again")
            shutil.rmtree(path, ignore_errors=True)
            return None
        return content


def _require_sum(path: Path, expected: str) -> None:
    if hashlib.sha256(path.read_bytes()).hexdigest() != expected:
        raise ValueError("its checksum is wrong")
