"""The data set from its shipped files."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness import DataError, Dataset, Inputs, Samples, Splits, Task

from .facts import DATA, MANIFEST, MODALITIES
from .raw import own
from .table import classes, parts, rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .plugin import OpenclipartParams

REINSTALL = "install alharness-openclipart again"


def load(params: OpenclipartParams) -> Dataset:
    """All drawings, or the three parts of a split that keeps groups together.

    Raises:
        DataError: a file is missing or damaged.
    """
    drawings = rows()
    names = classes(drawings)
    arrays = {name: _read(name, len(drawings)) for name in MODALITIES} | {
        name: array() for name, array in own(params.raw).items()
    }
    samples = Samples(
        inputs=Inputs(ids=tuple(row.id for row in drawings), arrays=arrays),
        labels=np.array([names.index(row.label) for row in drawings], dtype=np.int64),
    )
    content: Samples | Splits = samples
    if params.split != "random":
        placed = np.array(parts(params.split))
        content = Splits(
            **{part: samples.take(np.flatnonzero(placed == part)) for part in ("train", "valid", "test")}
        )
    return Dataset(task=Task.CLASSIFICATION, content=content, classes=names, remarks=_remarks())


def verify() -> list[str]:
    """Lines to show. Raises DataError if a file is not the one that was shipped."""
    lines = []
    for name, sha256 in _manifest()["sha256"].items():
        path = DATA / name
        try:
            content = path.read_bytes()
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {error.strerror}; {REINSTALL}") from None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise DataError(f"{path}: is damaged: its sha256 is not the one in {MANIFEST}; {REINSTALL}")
        lines.append(f"{name}: as shipped")
    return lines


def _read(name: str, n: int) -> NDArray[np.float32]:
    path = DATA / f"{name}.npy"
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path}: cannot be read ({error}); {REINSTALL}") from None
    if array.ndim != 2 or len(array) != n:
        raise DataError(f"{path}: has shape {array.shape}, expected {n} rows; {REINSTALL}")
    converted: NDArray[np.float32] = array.astype(np.float32)
    return converted


def _manifest() -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((DATA / MANIFEST).read_bytes())
    except (OSError, ValueError) as error:
        raise DataError(f"{DATA / MANIFEST}: cannot be read ({error}); {REINSTALL}") from None
    return found


def _remarks() -> tuple[str, ...]:
    about = _manifest()
    return (
        f"{about['kept']} of {about['drawings']} drawings are in it",
        *(f"{n} drawings are left out: one {why}" for why, n in about["left_out"].items()),
        f"{about['without_words']} drawings have no word left: their text is a vector of zeros",
    )
