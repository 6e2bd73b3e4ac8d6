"""Stored stand-ins, each made once per machine in the user's cache. Light until one has to be made."""

from __future__ import annotations

import hashlib
import json
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from alharness import DataError
from alharness.api.staging import staged

from .designs import Recipe
from .settings import VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alharness import Dataset
    from alharness_sentiment.stored.reader import UnimodalLabels

    from .settings import StandInSettings

VARIABLE = "ALHARNESS_CACHE"
"""Environment variable that names another cache than the user's own."""


def ensure(name: str, settings: StandInSettings, *, sequences: bool = False) -> Path:
    """A folder that holds the stand-in, made now if it is not there.

    Any number of processes may ask at once: one makes it, the others wait. A folder without a manifest was never
    finished, and is never taken for one.

    Args:
        name: the data set that it replaces.
        settings: what it is made with; other settings are another folder.
        sequences: with the sequences, in a folder of its own, and not only with the pooled vectors.

    Raises:
        SpecError: the data set has no stand-in.
        DataError: the cache cannot be written.
    """
    import filelock

    from alharness_sentiment.stored.manifest import MANIFEST

    Recipe(name, settings)
    folder = locate(name, settings, sequences=sequences)
    if (folder / MANIFEST).is_file():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder.with_name(f"{folder.name}.lock")):
            if not (folder / MANIFEST).is_file():
                _make(folder, name, settings, sequences=sequences)
    except OSError as error:
        raise DataError(
            f"{folder}: the stand-in cannot be made: {error.strerror or error}; "
            f"name a folder that can be written with {VARIABLE}"
        ) from error
    return folder


def open_standin(
    name: str,
    settings: StandInSettings,
    *,
    modalities: Sequence[str] | None = None,
    unimodal_labels: UnimodalLabels = "own",
) -> Dataset:
    """The stand-in as a data set; its sequences are made when a model first asks for them."""
    from alharness_sentiment.stored.reader import open_stored

    return open_stored(
        ensure(name, settings),
        name,
        modalities=modalities,
        unimodal_labels=unimodal_labels,
        sequences=partial(ensure, name, settings, sequences=True),
    )


def locate(name: str, settings: StandInSettings, *, sequences: bool = False) -> Path:
    """Folder that `ensure` makes: a name, and a hash of everything that its content depends on."""
    content = json.dumps([name, VERSION, settings.model_dump(mode="json")], sort_keys=True)
    key = hashlib.sha256(content.encode()).hexdigest()[:12]
    return _cache() / f"{name}-{key}-{'sequences' if sequences else 'vectors'}"


def _cache() -> Path:
    from platformdirs import user_cache_path

    chosen = os.environ.get(VARIABLE)
    return (Path(chosen) if chosen else user_cache_path("alharness")) / "stand-ins"


def _make(folder: Path, name: str, settings: StandInSettings, *, sequences: bool) -> None:
    from .store import write

    with staged(folder, replace=True) as new:
        write(new, name, settings, sequences=sequences)
