"""The pictures of the pages of `chicago` and `ames`, from the shipped data.

    python studies/regression.py

writes `docs/images/chicago.png` and `docs/images/ames.png`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm

from alharness.api.samples import Samples, Splits
from alharness.engine.seeds import stream
from alharness_ames.plugin import AmesParams
from alharness_ames.reader import read as read_ames
from alharness_chicago.plugin import ChicagoParams
from alharness_chicago.reader import read as read_chicago

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

IMAGES = Path(__file__).parents[1] / "docs" / "images"
FORTNIGHT = 14
HALF_A_YEAR = ("2014-11-01", "2015-05-01")
NAMED = {"2014-11-27": "Thanksgiving", "2014-12-25": "Christmas", "2015-03-14": "parade of St. Patrick's Day"}
WEEKDAY, WEEKEND, HOLIDAY = "#4c6a92", "#9fb7a8", "#c8502d"
TEST, VALID = "#f2dcc0", "#dfe9f2"
WEEKEND_COLUMNS, HOLIDAY_COLUMNS = slice(5, 7), slice(19, 30)
"""Of the modality `calendar`."""
LIVING_AREA, LONGITUDE, LATITUDE = 0, 2, 3
"""Columns of the modalities `size` and `place`."""
SMALL = {"fontsize": 8}


def chicago() -> None:
    """All days by kind, and half a year with the parts of the first seed's split."""
    dataset = read_chicago(ChicagoParams())
    samples = dataset.loaded
    assert isinstance(samples, Samples)
    days, riders = np.array(samples.ids, "datetime64[D]"), samples.labels
    calendar = np.asarray(samples.inputs.arrays["calendar"])
    holiday = calendar[:, HOLIDAY_COLUMNS].any(axis=1)
    weekend = calendar[:, WEEKEND_COLUMNS].any(axis=1) & ~holiday
    kinds = {
        "weekday": (~holiday & ~weekend, WEEKDAY),
        "weekend": (weekend, WEEKEND),
        "holiday": (holiday, HOLIDAY),
    }
    shown = (days >= np.datetime64(HALF_A_YEAR[0])) & (days < np.datetime64(HALF_A_YEAR[1]))

    figure, (above, below) = plt.subplots(2, 1, figsize=(9, 5.6), layout="constrained")
    for name, (which, color) in kinds.items():
        size, label = 4 if name == "holiday" else 2, f"{name} ({which.sum():,})"
        above.plot(days[which], riders[which], ".", ms=size, color=color, label=label)
        below.plot(days[shown & which], riders[shown & which], ".", ms=5, color=color, zorder=2)
    _title(above, "Riders who enter Clark/Lake on a day, in thousands: all 5,698 days")
    above.legend(ncols=3, loc="upper left", markerscale=3, frameon=False, **SMALL)
    above.set_ylim(0, 31)

    below.plot(days[shown], riders[shown], "-", color="#cccccc", lw=0.8, zorder=1)
    _shade(below, days, shown, dataset.split(stream(0, "split")))
    below.set_xlim(days[shown][0], days[shown][-1])
    below.set_ylim(0, 26)
    below.legend(loc="upper left", ncols=2, **SMALL)
    _title(below, "Half a year, with the fortnights of seed 0: the rest is the pool")
    for day, name in NAMED.items():
        value = riders[days == np.datetime64(day)][0]
        offset = (6, -2 if value < 6 else 5)
        below.annotate(name, (np.datetime64(day), value), xytext=offset, textcoords="offset points", **SMALL)
    figure.savefig(IMAGES / "chicago.png", dpi=110)


def ames() -> None:
    """Prices on a map, and over the living area."""
    samples = read_ames(AmesParams()).loaded
    assert isinstance(samples, Samples)
    place, size = (np.asarray(samples.inputs.arrays[modality]) for modality in ("place", "size"))
    price = 10**samples.labels / 1000
    order = np.argsort(price)

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    x, y = place[order, LONGITUDE], place[order, LATITUDE]
    points = left.scatter(x, y, c=price[order], s=4, cmap="viridis", norm=LogNorm(60, 450))
    _title(left, "Places of the 2,930 houses")
    left.set(xlabel="longitude", ylabel="latitude")
    left.locator_params(nbins=5)
    bar = figure.colorbar(points, ax=left, extend="both", ticks=[60, 100, 200, 400], format="{x:g}")
    bar.ax.minorticks_off()
    bar.set_label("price in thousands of dollars", fontsize=8)

    right.plot(size[:, LIVING_AREA], price, ".", ms=2.5, color=WEEKDAY)
    right.set_yscale("log")
    right.set_yticks([20, 50, 100, 200, 400, 700], labels=["20", "50", "100", "200", "400", "700"])
    right.minorticks_off()
    _title(right, "Prices and sizes")
    right.set(xlabel="living area in square feet", ylabel="price in thousands of dollars")
    figure.savefig(IMAGES / "ames.png", dpi=110)


def _shade(axes: Axes, days: NDArray[np.datetime64], shown: NDArray[np.bool_], splits: Splits) -> None:
    for part, color, label in ((splits.test, TEST, "test"), (splits.valid, VALID, "validation")):
        inside = np.isin(days, np.array(part.ids, "datetime64[D]"))
        for first in range(0, len(days), FORTNIGHT):
            if inside[first] and shown[first : first + FORTNIGHT].any():
                last = min(first + FORTNIGHT, len(days) - 1)
                axes.axvspan(days[first], days[last], color=color, zorder=0, lw=0)
        axes.fill([], [], color=color, label=label)


def _title(axes: Axes, words: str) -> None:
    axes.set_title(words, fontsize=10, loc="left")


if __name__ == "__main__":
    chicago()
    ames()
