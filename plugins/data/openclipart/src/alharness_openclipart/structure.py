"""What a drawing is made of, as numbers: elements, path commands, colours, strokes, sizes."""

from __future__ import annotations

import colorsys
import math
import re
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from .drawings import DRAWN, colour

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .drawings import Drawing

TAGS = (
    *("path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan", "image", "use"),
    *("g", "defs", "linearGradient", "radialGradient", "stop", "clipPath", "mask", "pattern", "filter", "marker"),
)
COMMANDS = "MmLlHhVvCcSsQqTtAaZz"
PAINTS = ("fill", "stroke")
HUES = 8
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def structure(drawings: Sequence[Drawing]) -> NDArray[np.float64]:
    """(n, d) numbers; counts are log(1 + count), the rest are shares and ratios."""
    return np.array([_numbers(drawing) for drawing in drawings])


def _numbers(drawing: Drawing) -> list[float]:
    shown = [e for e in drawing.elements if e.tag in TAGS]
    drawn = [e for e in shown if e.tag in DRAWN]
    tags = Counter(e.tag for e in shown)
    paths = [e.attributes.get("d", "") for e in shown if e.tag == "path"]
    commands = Counter(letter for d in paths for letter in d if letter in COMMANDS)
    coordinates = [len(NUMBER.findall(d)) for d in paths]
    depths = [e.depth for e in drawn]
    counts = [
        *(tags[tag] for tag in TAGS),
        *(commands[letter] for letter in COMMANDS),
        sum(coordinates),
        max(coordinates, default=0),
        len(drawn),
        max(depths, default=0),
        sum("transform" in e.attributes for e in shown),
    ]
    numbers = [math.log1p(count) for count in counts]
    total = max(commands.total(), 1)
    numbers += [commands[letter] / total for letter in COMMANDS]
    numbers.append(math.log1p(sum(coordinates) / max(len(paths), 1)))
    for paint in PAINTS:
        numbers += _colours([e.attributes.get(paint, "") for e in drawn])
    numbers += _strokes([e.attributes for e in drawn])
    return [round(number, 6) for number in numbers]  # so that libraries of mathematics cannot differ


def _colours(values: list[str]) -> list[float]:
    """Shares of drawn elements by paint, and of the colours by hue, saturation and lightness."""
    n = max(len(values), 1)
    found = [c for value in values if (c := colour(value))]
    shares = [
        sum(value == "none" for value in values) / n,
        sum(value.startswith("url") for value in values) / n,
        sum(not value for value in values) / n,
        len(found) / n,
    ]
    hues = [0.0] * HUES
    grey = black = white = 0.0
    lightness, saturation = [], []
    for red, green, blue in found:
        hue, light, strong = colorsys.rgb_to_hls(red / 255, green / 255, blue / 255)
        lightness.append(light)
        saturation.append(strong)
        if light < 0.05:
            black += 1
        elif light > 0.95:
            white += 1
        elif strong < 0.1:
            grey += 1
        else:
            hues[int(hue * HUES) % HUES] += 1
    m = max(len(found), 1)
    return [
        *shares,
        *(hue / m for hue in hues),
        grey / m,
        black / m,
        white / m,
        sum(lightness) / m,
        sum(saturation) / m,
        math.log1p(len(set(found))),
    ]


def _strokes(attributes: list[dict[str, str]]) -> list[float]:
    n = max(len(attributes), 1)
    widths = [float(found[0]) for a in attributes if (found := NUMBER.match(a.get("stroke-width", "")))]
    faint = sum(len(a.get("opacity", "")) > 0 and not a["opacity"].startswith("1") for a in attributes)
    round_ = sum("round" in a.get("stroke-linejoin", "") for a in attributes)
    return [
        math.log1p(min(max(widths, default=0), 1e6)),
        math.log1p(min(sum(widths) / max(len(widths), 1), 1e6)),
        len({round(width, 2) for width in widths}) / n,
        faint / n,
        round_ / n,
    ]
