"""Colors and markers of samplers: the same in every picture and in MLflow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

# Okabe and Ito's palette, which color-blind readers can distinguish; the markers differ as well.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
MARKERS = "osD^vPX*"
LINES = ("-", "--", ":", "-.")


class Style(NamedTuple):
    """How a sampler is drawn."""

    color: str
    marker: str
    line: str = "-"


Styles = Mapping[str, Style]
"""How each sampler is drawn, by its label."""
REFERENCE = Style("#666666", "", "--")
"""What the samplers are compared with."""


def styles(labels: Iterable[str]) -> dict[str, Style]:
    """A style per label, in the order of the spec; beyond eight, colors return with other markers and lines."""
    count = len(COLORS)
    return {
        label: Style(
            COLORS[number % count],
            MARKERS[(number + number // count) % len(MARKERS)],
            LINES[number // count % len(LINES)],
        )
        for number, label in enumerate(labels)
    }
