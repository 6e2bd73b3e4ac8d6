"""Names and legends in pictures: whatever samplers and classes are called, and however many there are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from matplotlib.figure import Figure

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


def fonts() -> list[str]:
    """Font families for pictures, matplotlib's own first."""
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in FALLBACK if name in installed)]


def names(labels: Iterable[str]) -> Mapping[str, str]:
    """Label -> what a picture shows for it: short, distinct, and never taken for a formula or left out."""
    found: dict[str, str] = {}
    for label in dict.fromkeys(labels):
        short, number = _short(label), 2
        while short in found.values():
            short, number = f"{_short(label)} {number}", number + 1
        found[label] = short
    return found


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


def _columns(width: float, labels: list[str]) -> int:
    longest = max(map(len, labels), default=1)
    return min(max(int(width / (KEY + LETTER * longest)), 1), 5, max(len(labels), 1))


def _short(label: str) -> str:
    half = LONGEST // 2 - 1
    text = label if len(label) <= LONGEST else f"{label[:half]}…{label[-half:]}"
    # Dollars would begin a formula, and matplotlib leaves out names that begin with a low line.
    text = text.replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text
