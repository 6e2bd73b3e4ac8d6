"""What a run would refuse or do without on this machine, found without loading data or a model."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from alharness.errors import SpecError

if TYPE_CHECKING:
    from pathlib import Path

    from alharness.spec.settings import TrainingSettings


def require_device(training: TrainingSettings) -> None:
    """Raise DataError if the spec names a device that is not here.

    Only for a device that is named: `auto` takes what there is, and torch takes seconds to ask.
    """
    if training.device not in ("auto", "cpu"):
        from alharness.engine.training import choose_device

        choose_device(training.device)


def require_writable(path: Path) -> None:
    """Raise SpecError if this folder, which need not be there, could not be made or written to."""
    nearest = next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())
    if not nearest.is_dir():
        reason = errno.ENOTDIR
    elif not os.access(nearest, os.W_OK | os.X_OK):
        reason = errno.EACCES
    else:
        return
    raise SpecError(f"{path}: cannot be written to ({os.strerror(reason)}); choose another --workdir")
