"""Numbers, durations and sizes of memory as people read and write them.

One place decides how many digits are shown, and what is shown for no number. Files for programs (journals, MLflow,
CSV) hold numbers as they are and need nothing of this. A minus is that of the keyboard, as terminals want it;
pages and pictures `typeset` it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


NOTHING = "–"
"""No number: not measured, or not defined."""
UNBOUNDED = "unbounded"
"""An infinite number."""
NOISE = 1e-12
"""Share of a magnitude below which a difference is the rounding of sums, and no difference."""
SMALL, LARGE = 1e-3, 1e6
"""Columns whose largest number is outside are written with powers of ten."""
USUAL = 3
"""Decimals of most metrics, which are between 0.1 and 10."""
MOST = 7
"""Significant digits: more are never read."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """How the numbers of one column are written, so that the eye can compare them.

    Attributes:
        decimals: digits after the point; of the mantissa if powers of ten are used.
        powers: whether powers of ten are used.
        noise: what is smaller counts as 0.
    """

    decimals: int = USUAL
    powers: bool = False
    noise: float = 0.0

    def number(self, value: float) -> str:
        """One number; a dash for NaN. What is not 0 is never written as 0."""
        if not math.isfinite(value):
            return _infinite(value)
        if abs(value) <= self.noise:
            return "0"
        if self.powers or abs(value) >= LARGE:
            return _with_power(value, self.decimals if self.powers else 2)
        return _digits(value, self.decimals) or significant(value, 2)

    def interval(self, value: float, half: float) -> str:
        """A number ± half the width of its interval; the number alone if there is no interval (NaN)."""
        if not math.isfinite(value) or math.isnan(half):
            return self.number(value)
        if math.isinf(half):
            return f"{self.number(value)} ± {UNBOUNDED}"
        if half <= max(self.noise, NOISE * abs(value)):
            return f"{self.number(value)} ± 0"
        if not self.powers and max(abs(value), half) < LARGE:
            # Far inside its interval a number is as good as 0.
            own = self.number(value) if abs(value) > half / 1000 else "0"
            return f"{own} ± {_half(half, self.decimals)}"
        decimals = self.decimals if self.powers else 2
        power = _power(max(abs(value), half), decimals)
        # Decimals: the smallest numbers have no such power of ten.
        mantissa, width = (Decimal(x).scaleb(-power) for x in (value, half))
        return f"({_digits(mantissa, decimals) or '0'} ± {_half(width, decimals)})e{power}"


def form(values: Iterable[float], halves: Iterable[float] = (), *, of: float = 0.0) -> Form:
    """The form of a column.

    Three decimals for numbers of a usual size. More if intervals (or, without intervals, the numbers) would look
    alike: then two significant digits of the middle interval are shown.

    Args:
        values: its numbers; what is not finite is left out.
        halves: half the widths of their intervals.
        of: magnitude of what the numbers are differences of; rounding noise is relative to it.
    """
    noise = NOISE * abs(of)
    known = [value for value in values if math.isfinite(value)]
    # Not the largest: one sampler that diverged would hide the others.
    typical = _middle(sorted(abs(value) for value in known if abs(value) > noise))
    widths = sorted(half for half in halves if math.isfinite(half) and half > max(noise, NOISE * typical))
    largest = max(typical, _middle(widths))
    if not largest:
        return Form(noise=noise)
    if widths:
        fine = widths[(len(widths) - 1) // 2]
    else:
        spread = max(known) - min(known)
        fine = min(spread, largest) if spread > NOISE * largest else largest
    wanted = 1 - _exponent(fine)
    if not SMALL <= largest < LARGE:
        decimals = wanted + _exponent(largest) if fine < largest else 2
        return Form(decimals=min(max(decimals, 2), MOST - 1), powers=True, noise=noise)
    exponent = _exponent(largest)
    decimals = max(USUAL - exponent - (exponent < 0), 0)  # three significant digits or more
    if fine < 10.0**-decimals:
        decimals = wanted
    elif widths and largest < 0.1:
        decimals = max(USUAL, wanted)
    return Form(decimals=min(decimals, MOST - 1 - exponent), noise=noise)


def number(value: float) -> str:
    """A number that belongs to no column."""
    return form([value]).number(value)


def interval(value: float, half: float, *, of: float = 0.0) -> str:
    """A number ± half the width of its interval, outside a column."""
    return form([value], [half], of=of).interval(value, half)


def significant(value: float, digits: int = 3) -> str:
    """A number by itself with so many significant digits, no zeros after them: seconds, factors, sizes."""
    if not math.isfinite(value):
        return _infinite(value)
    if value == 0:
        return "0"
    power = _power(value, digits - 1)
    if power < -5 or power >= 9:
        return _with_power(value, digits - 1, bare=True)
    if power >= digits - 1:
        return count(value)
    return f"{value:.{digits - 1 - power}f}".rstrip("0").rstrip(".")


def count(value: float) -> str:
    """A whole number, such as of labels; a dash for NaN, and a word for an infinite one."""
    return f"{round(value):,}" if math.isfinite(value) else _infinite(value)


def fixed(value: float, decimals: int = 1) -> str:
    """A number with so many decimals, such as MiB. What is not 0 is never written as 0."""
    if not math.isfinite(value):
        return _infinite(value)
    if text := _digits(value, decimals):
        return text
    return f"{0:.{decimals}f}" if value == 0 else f"{'<' if value > 0 else '>-'}{_least(decimals)}"


def percent(share: float, decimals: int = 1) -> str:
    """A share in per cent. What is not 0 is never written as 0."""
    return f"{fixed(100 * share, decimals)}%" if math.isfinite(share) else _infinite(share)


def share(value: float, decimals: int = 2) -> str:
    """A share from 0 to 1, short enough for a square of a matrix. What is not 0 is never written as 0."""
    return fixed(value, decimals) if math.isfinite(value) and value != round(value) else count(value)


def probability(p: float) -> str:
    """A p value for a table."""
    if math.isnan(p):
        return NOTHING
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def p_value(p: float) -> str:
    """A p value for a sentence."""
    if math.isnan(p):
        return "not tested"
    return f"p {probability(p)}" if p < 0.001 else f"p = {probability(p)}"


def seconds(value: float) -> str:
    """A time that people can grasp: ms, s, min or h."""
    if not math.isfinite(value):
        return _infinite(value)
    for unit, size in (("h", 3600), ("min", 60)):
        if value >= 2 * size:
            return f"{significant(value / size)} {unit}"
    return f"{significant(value)} s" if value >= 0.1 or value == 0 else f"{significant(1000 * value)} ms"


def memory(size: float) -> str:
    """Bytes as `512 MiB` or `4 GiB`."""
    return f"{size / 2**30:.3g} GiB" if size >= 2**30 else f"{size / 2**20:.3g} MiB"


def typeset(text: str) -> str:
    """A number with a real minus, as wide as a plus."""
    return text.replace("-", "−")


def _infinite(value: float) -> str:
    return NOTHING if math.isnan(value) else UNBOUNDED


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value)))


def _power(value: float, decimals: int) -> int:
    """The power of ten after rounding: 9.996 is 10.00."""
    return int(f"{value:.{decimals}e}".partition("e")[2])


def _with_power(value: float, decimals: int, *, bare: bool = False) -> str:
    mantissa, _, power = f"{value:.{decimals}e}".partition("e")
    return f"{mantissa.rstrip('0').rstrip('.') if bare else mantissa}e{int(power)}"


def _middle(ordered: Sequence[float]) -> float:
    return ordered[len(ordered) // 2] if ordered else 0.0


def _digits(value: float | Decimal, decimals: int) -> str:
    """With so many decimals; empty if only zeros would be left."""
    text = f"{value:,.{decimals}f}"
    return text if text.strip("-0.,") else ""


def _half(half: float | Decimal, decimals: int) -> str:
    return _digits(half, decimals) or f"<{_least(decimals)}"


def _least(decimals: int) -> str:
    return f"{10.0**-decimals:.{decimals}f}"


SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
BYTES = {"B": 1} | {
    f"{letter}{middle}B": base**power
    for middle, base in (("i", 1024), ("", 1000))
    for power, letter in enumerate("KMGT", 1)
}
NUMBER = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]+)")


def read_seconds(value: Any) -> Any:
    """Seconds of a text such as `30m`; anything but text as it is. Raises ValueError if it is no duration."""
    return _read(value, SECONDS, "write seconds, or a number with s, m, h or d: 90, 30m, 2h")


def read_bytes(value: Any) -> Any:
    """Bytes of a text such as `4GiB`; anything but text as it is. Raises ValueError if it is no size."""
    how = "write a number with its unit: 512MiB, 4GiB"
    if isinstance(value, int | float) and value < BYTES["MiB"]:
        raise ValueError(how)  # 4 was hardly meant as bytes
    found = _read(value, BYTES, how)
    return int(found) if isinstance(found, float) else found


def _read(value: Any, units: dict[str, int], how: str) -> Any:
    if not isinstance(value, str):
        return value
    found = NUMBER.fullmatch(value.strip())
    if found is None or found[2] not in units:
        raise ValueError(how)
    return float(found[1]) * units[found[2]]


def time_in_words(seconds: float) -> str:
    """A span as people say it: `about 12 min`."""
    if seconds < 5:
        return "some seconds"
    if seconds < 90:
        return f"about {round(seconds / 5) * 5} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"about {minutes} min"
    hours, minutes = divmod(round(seconds / 600) * 10, 60)
    return f"about {hours} h {minutes} min" if hours < 24 and minutes else f"about {hours:,} h"
