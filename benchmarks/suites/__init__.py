"""What is measured: the name of each row, and what measures it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import data, floors, labeling, runs, selection, training

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.bench import Bench
    from benchmarks.rows import Row

ROWS: Mapping[str, Callable[[Bench], Row]] = {
    **selection.ROWS,
    **floors.ROWS,
    **training.ROWS,
    **data.ROWS,
    **labeling.ROWS,
    **runs.ROWS,
}
