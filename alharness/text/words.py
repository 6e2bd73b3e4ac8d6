"""Small words that messages share: near names, and what is said of synthetic data."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SUFFIX = "-standin"
"""Ends the names of experiments on synthetic data, so that they never share a folder or a chart with real ones."""

NOTICE = (
    "SYNTHETIC DATA: the data set is made up. Its results are not comparable with the paper, nor with any run on "
    "real data."
)
"""Said before a run, after it, and by `check`."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'grace'?` if a known name is near, else the empty string."""
    from difflib import get_close_matches

    near = get_close_matches(name[:100], list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def name_experiment(name: str, *, synthetic: bool) -> str:
    """The name, with the suffix if the data are synthetic."""
    return f"{name.removesuffix(SUFFIX)}{SUFFIX}" if synthetic else name
