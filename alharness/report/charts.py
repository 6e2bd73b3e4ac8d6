"""Curves as the page itself draws them: numbers of an SVG, whose lines a reader can switch on and off.

The page writes them out, and escapes every text. Next to it are the same curves as PNG and SVG for papers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from .pictures import REFERENCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from .pictures import Style, Styles

    Array = NDArray[np.float64]

WIDE, NARROW = (960, 440), (400, 300)
"""Width and height for a desk; and for a phone, and for one of many."""
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 24, 40
"""Room around the axes for what is written there."""
DASHES = {"-": "", "--": "6 3", ":": "2 3", "-.": "6 3 2 3"}
HUGE = 1e150
"""Of what is larger nothing can be drawn."""
LETTER = 6.6
"""Width of a digit of a tick."""
MARKERS = {
    "o": "m-3.2,0a3.2,3.2 0 1,0 6.4,0a3.2,3.2 0 1,0 -6.4,0",
    "s": "m-2.9,-2.9h5.8v5.8h-5.8z",
    "D": "m0,-4l4,4l-4,4l-4,-4z",
    "^": "m0,-3.8l3.7,6.7h-7.4z",
    "v": "m0,3.8l3.7,-6.7h-7.4z",
    "P": "m-1.3,-3.8h2.6v2.6h2.6v2.6h-2.6v2.6h-2.6v-2.6h-2.6v-2.6h2.6z",
    "X": "m-3.8,-2.6l1.2,-1.2"
    "l2.6,2.6l2.6,-2.6l1.2,1.2l-2.6,2.6l2.6,2.6l-1.2,1.2l-2.6,-2.6l-2.6,2.6l-1.2,-1.2l2.6,-2.6z",
    "*": "m0,-4.5l1.3,3.2h3.2l-2.6,2.2l1,3.5l-2.9,-1.9l-2.9,1.9l1,-3.5l-2.6,-2.2h3.2z",
    "": "",
}
"""Outlines around a point: those of matplotlib."""


@dataclass(frozen=True, kw_only=True)
class Key:
    """A line of the legend, with a box to switch its curves off.

    Attributes:
        number: of its class in the page; the same in every chart of a section.
        name: what is written.
        style: how its curves are drawn.
    """

    number: int
    name: str
    style: Style

    @property
    def dash(self) -> str:
        """As SVG writes it; empty for a whole line."""
        return DASHES[self.style.line]

    @property
    def marker(self) -> str:
        """The outline of its marker in the middle of 26 x 12 units."""
        return _marker(self.style.marker, 13, 6)


@dataclass(frozen=True, kw_only=True)
class Curve:
    """What is drawn of one sampler; NaN is left out.

    Attributes:
        label: of the sampler, or of the reference.
        x: (points,).
        y: (points,) the line.
        low: (points,) lower edge of a band around it; None without one.
        high: (points,) its upper edge.
        single: thin lines of single seeds.
        markers: whether points are marked.
    """

    label: str
    x: Array
    y: Array
    low: Array | None = None
    high: Array | None = None
    single: Sequence[Array] = ()
    markers: bool = True


@dataclass(frozen=True, kw_only=True)
class Distance:
    """A level line between two points, with arrows at both ends, and a text at the beginning of the axes.

    Attributes:
        x: of its two ends; in the chart, in its coordinates.
        y: its height.
        text: what it measures.
        above: whether the text is above the line, as curves that rise to it are below.
    """

    x: tuple[float, float]
    y: float
    text: str
    above: bool = True


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A curve as paths of SVG, in the coordinates of the chart."""

    key: Key
    line: str
    band: str = ""
    single: str = ""
    markers: str = ""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Axes with curves.

    Attributes:
        title: above it; empty for none.
        text: what it shows, for those who cannot see it.
        size: width and height of its coordinates.
        x_ticks: place and text of each.
        y_ticks: the same, from the top.
        x_label: below the axis.
        y_label: above the other one.
        curves: what is drawn.
        kind: `wide` for desks, `narrow` for phones, `small` for one of many.
        link: file that its title leads to, relative to the page; empty for none.
        distance: what it measures between curves; None for nothing.
    """

    title: str
    text: str
    size: tuple[int, int]
    x_ticks: Sequence[tuple[float, str]]
    y_ticks: Sequence[tuple[float, str]]
    x_label: str
    y_label: str
    curves: Sequence[Drawn]
    kind: str
    link: str = ""
    distance: Distance | None = None

    @property
    def inner(self) -> tuple[float, float, float, float]:
        """Left, top, width and height of the axes."""
        width, height = self.size
        return LEFT, TOP, width - LEFT - RIGHT, height - TOP - BOTTOM


def keys(styles: Styles, reference: str = "") -> list[Key]:
    """The legend of a section: the samplers, and the reference if it has a name."""
    found = [Key(number=number, name=label, style=style) for number, (label, style) in enumerate(styles.items())]
    return [*found, Key(number=len(found), name=reference, style=REFERENCE)] if reference else found


def chart(
    curves: Sequence[Curve],
    legend: Mapping[str, Key],
    *,
    title: str,
    text: str,
    x_label: str,
    y_label: str,
    kind: str = "wide",
    view: tuple[float, float] | None = None,
    link: str = "",
    distance: Distance | None = None,
) -> Chart:
    """Lay out axes around curves.

    Args:
        curves: what to draw; without any finite point the axes are empty.
        legend: label -> its key.
        title: above it.
        text: for those who cannot see it.
        x_label: below the horizontal axis.
        y_label: above the vertical one.
        kind: see `Chart`.
        view: the values that are in view at least and at most; None for all.
        link: see `Chart`.
        distance: see `Chart`; here in values.
    """
    size = WIDE if kind == "wide" else NARROW
    x_low, x_high = _range([curve.x for curve in curves], 0.02)
    y_low, y_high = _range(
        [part for c in curves for part in (c.y, c.low, c.high, *c.single) if part is not None], 0.04, view
    )
    width, height = size[0] - LEFT - RIGHT, size[1] - TOP - BOTTOM

    def place(x: Array, y: Array) -> Array:
        points = np.stack([(x - x_low) / (x_high - x_low) * width, (y_high - y) / (y_high - y_low) * height], 1)
        return np.clip(points, -1e4, 1e4)

    def drawn(curve: Curve) -> Drawn:
        points, key = place(curve.x, curve.y), legend[curve.label]
        edges = [place(curve.x, edge) for edge in (curve.low, curve.high) if edge is not None]
        known = points[np.isfinite(points).all(axis=1)]
        return Drawn(
            key=key,
            line=_path(points),
            band=_band(*edges) if edges else "",
            single=" ".join(_path(place(curve.x, seed)) for seed in curve.single),
            markers=" ".join(_marker(key.style.marker, *p) for p in known) if curve.markers else "",
        )

    def between(found: Distance) -> Distance:
        (first, y), (last, _) = place(np.array(found.x), np.full(2, found.y)).tolist()
        return replace(found, x=(first, last), y=y)

    x_most = int(width / (LETTER * 9))
    return Chart(
        title=title,
        text=text,
        size=size,
        x_ticks=[(float(p), t) for p, t in _ticks(x_low, x_high, x_most, width)],
        y_ticks=[(height - float(p), t) for p, t in _ticks(y_low, y_high, int(height / 34), height)],
        x_label=x_label,
        y_label=y_label,
        curves=[drawn(curve) for curve in curves],
        kind=kind,
        link=link,
        distance=between(distance) if distance else None,
    )


def _range(parts: Sequence[Array], margin: float, view: tuple[float, float] | None = None) -> tuple[float, float]:
    """The least and the largest finite value in view, with some room around them."""
    values = np.concatenate([*parts, np.zeros(0)])
    values = values[np.abs(values) < HUGE]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    if view:
        low, high = max(low, view[0]), min(high, view[1])
    room = margin * (high - low) or abs(high) / 20 or 0.05
    return low - room, high + room


def _ticks(low: float, high: float, most: int, length: float) -> Iterator[tuple[float, str]]:
    """Places and texts of round numbers between two values."""
    from matplotlib.ticker import MaxNLocator

    values: Array = np.asarray(MaxNLocator(max(most, 2), steps=[1, 2, 2.5, 5, 10]).tick_values(low, high))
    values = values[(values >= low) & (values <= high)]
    step = float(np.diff(values).min()) if len(values) > 1 else high - low
    largest = float(np.abs(values).max(initial=0.0))
    plain = step >= 1e-5 and largest < 1e7
    decimals = next((d for d in range(6) if abs(round(step, d) - step) < 1e-6 * step), 6)
    for value in values:
        text = f"{value:,.{decimals}f}" if plain else f"{value:.3g}"
        yield (value - low) / (high - low) * length, "0" if value == 0 else text.replace("-", "−")


def _path(points: Array) -> str:
    """A line through points, with a gap if one is not known."""
    found, begun = [], False
    for x, y in points:
        if math.isfinite(x) and math.isfinite(y):
            found.append(f"{'L' if begun else 'M'}{x:.1f},{y:.1f}")
            begun = True
        else:
            begun = False
    return "".join(found)


def _band(low: Array, high: Array) -> str:
    known = np.isfinite(low).all(axis=1) & np.isfinite(high).all(axis=1)
    around = np.concatenate([low[known], high[known][::-1]])
    return f"{_path(around)}Z" if known.any() else ""


def _marker(marker: str, x: float, y: float) -> str:
    outline = MARKERS.get(marker, MARKERS["o"])
    return f"M{x:.1f},{y:.1f}{outline}" if outline else ""
