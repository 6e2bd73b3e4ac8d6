"""What pictures share: colors and markers of samplers, names and legends, matrices, and how SVG and PNG are made.

Samplers look the same in every picture and in MLflow, whatever they and classes are called, and however many.
"""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from alharness.text import numbers
from alharness.text.words import marked

from .document import Picture

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

# Okabe and Ito's palette, which color-blind readers can distinguish; the markers differ as well.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
MARKERS = "osD^vPX*"
LINES = ("-", "--", ":", "-.")
DPI = 130
LONGEST = 28
"""Letters of a name; a longer one loses its middle."""
LETTER, KEY, LINE = 0.075, 0.5, 0.19
"""Inches that a letter of a legend, the line before it and a row of it take."""
USUAL_NAME = 14
"""Letters of a name for which pictures have room next to their axes."""
USUAL = 2
"""Rows of a legend for which pictures have room."""
FALLBACK = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "PingFang SC",
    "Hiragino Sans",
    "Microsoft YaHei",
    "Noto Sans",
    "Noto Sans Arabic",
    "Noto Sans Devanagari",
)
"""Fonts for letters that matplotlib's own font lacks, if they are installed."""


class Style(NamedTuple):
    """How a sampler is drawn, and what pictures call it."""

    name: str
    color: str
    marker: str
    line: str = "-"


Styles = Mapping[str, Style]
"""How each sampler is drawn, by its label."""
REFERENCE = Style("full-data", "#666666", "", "--")
"""What the samplers are compared with."""


def styles(labels: Iterable[str], controls: Collection[str] = ()) -> dict[str, Style]:
    """A style per label, in the order of the spec; beyond eight, colors return with other markers and lines.

    Args:
        labels: of samplers.
        controls: which of them are controls, which their names say.
    """
    count = len(COLORS)
    return {
        label: Style(
            marked(name, control=label in controls),
            COLORS[number % count],
            MARKERS[(number + number // count) % len(MARKERS)],
            LINES[number // count % len(LINES)],
        )
        for number, (label, name) in enumerate(names(labels).items())
    }


def names(labels: Iterable[str]) -> Mapping[str, str]:
    """Label -> what a picture shows for it: short, distinct, and never taken for a formula or left out."""
    found: dict[str, str] = {}
    for label in dict.fromkeys(labels):
        short, number = _short(label), 2
        while short in found.values():
            short, number = f"{_short(label)} {number}", number + 1
        found[label] = short
    return found


def line(axes: Axes, style: Style, x: Any, y: Any, label: str = "") -> None:
    """A sampler's line with its markers, by default with its name."""
    text = label or style.name
    axes.plot(x, y, style.line, color=style.color, marker=style.marker, markersize=4, label=text)


def count_labels(axes: Axes) -> None:
    """Let the horizontal axis show whole numbers of labels."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True))


def legend(figure: Figure) -> None:
    """Below the axes, so that it covers nothing, in as many columns as fit."""
    shown = [label for axes in figure.axes for label in axes.get_legend_handles_labels()[1]]
    figure.legend(
        loc="outside lower center", ncols=_columns(figure.get_figwidth(), shown), fontsize=8.5, frameon=False
    )


def taller(size: tuple[float, float], labels: Iterable[str]) -> tuple[float, float]:
    """The size of a picture with room for its legend: width and height in inches."""
    width, height = size
    shown = [f"{name} (n = 10)" for name in names(labels).values()]
    rows = math.ceil(len(shown) / _columns(width, shown))
    return width, height + LINE * max(rows - USUAL, 0)


def beyond(labels: Iterable[str]) -> float:
    """Inches that the longest name takes beyond those of usual names, next to axes."""
    longest = max(map(len, names(labels).values()), default=0)
    return 0.09 * max(longest - USUAL_NAME, 0)


def matrix(
    *,
    name: str,
    title: str,
    text: str,
    values: NDArray[np.float64],
    rows: Sequence[str],
    columns: Sequence[str],
    most: float = 1,
    folded: bool = False,
) -> Picture:
    """Entries as shades from 0 to `most` and as numbers, each as large as it can be read; NaN is left empty."""

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.imshow(values, cmap="Blues", vmin=0, vmax=most, aspect="auto")
        for (i, j), value in np.ndenumerate(values):
            if not np.isnan(value):
                color = "white" if value > 0.6 * most else "black"
                axes.text(j, i, numbers.share(value), ha="center", va="center", color=color, fontsize=8)
        axes.set_xticks(range(len(columns)), list(names(columns).values()), rotation=40, ha="right")
        axes.set_yticks(range(len(rows)), list(names(rows).values()))

    size = 2.5 + 0.5 * len(columns) + beyond(rows), 1.8 + 0.42 * len(rows) + beyond(columns) / 2
    return Picture(name=name, title=title, text=text, draw=draw, size=size, folded=folded)


def render(picture: Picture, notice: str) -> tuple[bytes, bytes]:
    """SVG and PNG, the same bytes for the same results.

    The notice, if any, is on the picture itself, wherever it is shown later.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    fonts = ["DejaVu Sans", *(name for name in FALLBACK if name in installed)]
    style: Any = {"svg.hashsalt": picture.name, "svg.fonttype": "path", "font.size": 10, "font.family": fonts}
    svg, png = io.BytesIO(), io.BytesIO()
    with mpl.rc_context(style), warnings.catch_warnings():
        # A name in a script without an installed font; and more names than any layout holds.
        warnings.filterwarnings("ignore", message="Glyph .* missing from|constrained_layout not applied")
        figure = Figure(figsize=picture.size, dpi=DPI, layout="constrained")
        picture.draw(figure)
        if notice:
            figure.suptitle(notice, x=0.99, ha="right", fontsize=7, color="#B00020")
        # Not by `savefig`, which draws everything twice; and the layout is computed once for both.
        raster: Any = FigureCanvasAgg(figure)
        raster.print_png(png, metadata={"Software": "alharness"})
        figure.set_layout_engine("none")
        vectors: Any = FigureCanvasSVG(figure)
        vectors.print_svg(svg, metadata={"Date": None, "Creator": "alharness"})
    return svg.getvalue(), png.getvalue()


def _columns(width: float, labels: list[str]) -> int:
    longest = max(map(len, labels), default=1)
    return min(max(int(width / (KEY + LETTER * longest)), 1), 5, max(len(labels), 1))


def _short(label: str) -> str:
    half = LONGEST // 2 - 1
    text = label if len(label) <= LONGEST else f"{label[:half]}…{label[-half:]}"
    # Dollars would begin a formula, and matplotlib leaves out names that begin with a low line.
    text = text.replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text
