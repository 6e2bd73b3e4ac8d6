"""From the shipped numbers of 5698 days to three modalities and a target."""

from __future__ import annotations

from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness import Dataset, Inputs, Samples, Task
from alharness.api.dataset import split_in_order
from alharness.api.importing import read_shipped

from .plugin import ChicagoParams, Split

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

FILE = "days.npz"

MONDAY, THURSDAY, FRIDAY = 0, 3, 4


def read(params: ChicagoParams) -> Dataset:
    """All days, oldest first; the target is the riders in thousands.

    Raises:
        DataError: the shipped file is damaged.
    """
    days = load()
    dates = [date(1970, 1, 1) + timedelta(days=int(day)) for day in days["date"]]
    inputs = Inputs(
        ids=tuple(day.isoformat() for day in dates),
        arrays={
            "stations": days["stations"],
            "weather": days["weather"],
            "calendar": np.concatenate([calendar(dates), days["games"]], axis=1).astype(np.float32),
        },
    )
    samples = Samples(inputs=inputs, labels=days["riders"])
    remarks = (
        "as published, with two readings that cannot be right: a wind of 406 mph, a pressure 27 inches off",
        "the games of both baseball teams are one column: the four that were published are the same in every row",
    )
    content = split_in_order(samples, np.arange(len(samples))) if params.split == Split.TIME else samples
    return Dataset(task=Task.REGRESSION, content=content, stretch=params.split.stretch, remarks=remarks)


def load() -> dict[str, NDArray[Any]]:
    """The shipped arrays, of n days each.

    Returns:
        `date` (n,), days since 1970; `riders` (n,) at Clark/Lake in thousands; `stations` (n, 20), a fortnight
        before; `weather` (n, 18); `games` (n, 7), 0 or 1.

    Raises:
        DataError: the file is damaged.
    """
    return read_shipped(Path(str(files(__package__) / FILE)), "alharness-chicago")


def calendar(dates: list[date]) -> NDArray[np.float32]:
    """(n, 7 + 12 + 11): weekday, month, and `HOLIDAYS`, each 0 or 1."""
    weekdays = np.eye(7, dtype=np.float32)[[day.weekday() for day in dates]]
    months = np.eye(12, dtype=np.float32)[[day.month - 1 for day in dates]]
    holidays = np.array([[holds(day) for holds in HOLIDAYS.values()] for day in dates], np.float32)
    return np.concatenate([weekdays, months, holidays], axis=1)


def _fixed(month: int, day: int) -> Callable[[date], bool]:
    return lambda today: (today.month, today.day) == (month, day)


def _nth(weekday: int, month: int, n: int, later: int = 0) -> Callable[[date], bool]:
    """The n-th such weekday of the month, or so many days later."""

    def holds(today: date) -> bool:
        that = today - timedelta(days=later)
        return that.month == month and that.weekday() == weekday and (that.day - 1) // 7 == n - 1

    return holds


def _last_monday_of_may(today: date) -> bool:
    return today.weekday() == MONDAY and today.month == 5 and today.day > 31 - 7


def _observed(today: date) -> bool:
    """The Friday before, or the Monday after, one of three holidays that is on a weekend."""
    if today.weekday() not in (FRIDAY, MONDAY):
        return False
    that = today + timedelta(days=1 if today.weekday() == FRIDAY else -1)
    return (that.month, that.day) in {(1, 1), (7, 4), (12, 25)}


HOLIDAYS: dict[str, Callable[[date], bool]] = {
    "New Year's Day": _fixed(1, 1),
    "Martin Luther King Day": _nth(MONDAY, 1, 3),
    "Presidents' Day": _nth(MONDAY, 2, 3),
    "Memorial Day": _last_monday_of_may,
    "Independence Day": _fixed(7, 4),
    "Labor Day": _nth(MONDAY, 9, 1),
    "Thanksgiving": _nth(THURSDAY, 11, 4),
    "day after Thanksgiving": _nth(THURSDAY, 11, 4, later=1),
    "Christmas Eve": _fixed(12, 24),
    "Christmas": _fixed(12, 25),
    "observed on a Friday or Monday": _observed,
}
"""Holidays that the date itself says, by the rules of the United States."""
