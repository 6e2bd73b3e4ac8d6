"""What is to be labeled next, as other programs get it: in memory, as JSON, and as a table."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from alharness.text import spreadsheets

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS = ("id", "rank", "score", "by", "guess", "probability", "label")
"""Of the table. `label` is where labels are written."""
RANDOM_SHARE = "random share"
"""What has chosen a sample that was drawn at random, next to what the sampler chose."""
RANDOM_START = "random start"
"""The same before the first training."""
START = -1
"""The number of the batch that is labeled before the first training."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """A sample that is to be labeled.

    Attributes:
        id: of the sample.
        rank: from 1 on.
        by: label of the sampler that chose it, `random share` or `random start`.
        score: that it was chosen by; None if the sampler does not score.
        guess: what the model takes it for: a class, or a number as text; None without a model.
        probability: of this class; None in regression.
    """

    id: str
    rank: int
    by: str
    score: float | None = None
    guess: str | None = None
    probability: float | None = None


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Samples that are to be labeled.

    Attributes:
        cycle: number of the query that chose them, from 0 on; -1 before the first training.
        items: the first choice first.
        task: `classification` or `regression`.
        classes: names of the classes so far; empty for regression, and if none is known yet.

    >>> from alharness.labeling.batch import Batch, Item
    >>> batch = Batch(cycle=0, items=(Item(id="a", rank=1, by="badge"),), task="classification", classes=("cat",))
    >>> Batch.from_json(batch.to_json()) == batch
    True
    """

    cycle: int
    items: tuple[Item, ...]
    task: str
    classes: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """Of the samples."""
        return tuple(item.id for item in self.items)

    def to_json(self) -> str:
        """As text."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """From that text. Raises ValueError, KeyError or TypeError if it is another."""
        found: dict[str, Any] = json.loads(text)
        items = tuple(Item(**item) for item in found.pop("items"))
        return cls(items=items, classes=tuple(found.pop("classes")), **found)

    def to_csv(self, labels: Mapping[str, str]) -> str:
        """A table with these `COLUMNS`, and the labels of samples that have one."""
        file = io.StringIO(newline="")
        rows = [
            [*(_short(getattr(item, name)) for name in COLUMNS[:-1]), labels.get(item.id)] for item in self.items
        ]
        spreadsheets.write(file, COLUMNS, rows)
        return file.getvalue()


def _short(value: Any) -> Any:
    """A number as people read it."""
    return f"{value:.4g}" if isinstance(value, float) else value
