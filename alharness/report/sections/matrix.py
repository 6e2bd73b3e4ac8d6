"""A matrix of samplers, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alharness.report.lettering import beyond, names
from alharness.text import numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray


def size(rows: Sequence[str], columns: Sequence[str]) -> tuple[float, float]:
    """Inches of a picture in which every entry and every name can be read."""
    return 2.5 + 0.5 * len(columns) + beyond(rows), 1.8 + 0.42 * len(rows) + beyond(columns) / 2


def draw(
    figure: Figure, values: NDArray[np.float64], rows: Sequence[str], columns: Sequence[str], most: float = 1
) -> None:
    """Entries as shades from 0 to `most` and as numbers; NaN is left empty."""
    axes = figure.add_subplot()
    axes.imshow(values, cmap="Blues", vmin=0, vmax=most, aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        if not np.isnan(value):
            color = "white" if value > 0.6 * most else "black"
            axes.text(j, i, numbers.share(value), ha="center", va="center", color=color, fontsize=8)
    axes.set_xticks(range(len(columns)), list(names(columns).values()), rotation=40, ha="right")
    axes.set_yticks(range(len(rows)), list(names(rows).values()))
