"""Who is in the data: ids by source video, topics, and outliers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness_sentiment.stored.manifest import SPLITS

from .designs import SAMPLES_PER_SOURCE, sizes
from .streams import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .settings import StandInSettings


@dataclass(frozen=True, kw_only=True, eq=False)
class Population:
    """The n samples of one split, before labels and features.

    Attributes:
        split: train, valid or test.
        ids: n strings in ascending order, `<video>$_$<clip>` as in the published files.
        sources: (n,) number of the source video, counted over all splits.
        clusters: (n,) topic.
        outliers: (n,) whether its features are corrupted.
    """

    split: str
    ids: tuple[str, ...]
    sources: NDArray[np.int64]
    clusters: NDArray[np.int64]
    outliers: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ids)


def populate(name: str, settings: StandInSettings) -> dict[str, Population]:
    """Split -> its samples. No source video is in two splits; topics are shared by all."""
    found: dict[str, Population] = {}
    first = 0
    for split, size in zip(SPLITS, sizes(name, settings), strict=True):
        count = max(1, round(size / SAMPLES_PER_SOURCE))
        found[split] = _populate(name, settings, split, size, first, count)
        first += count
    return found


def _populate(name: str, settings: StandInSettings, split: str, size: int, first: int, count: int) -> Population:
    def draw(purpose: str) -> np.random.Generator:
        return stream(settings.seed, name, split, purpose)

    sources = np.sort(first + draw("sources").integers(count, size=size))
    clips: NDArray[Any] = np.arange(size) - np.searchsorted(sources, sources)
    ranks = np.arange(1, settings.n_clusters + 1, dtype=np.float64)
    shares = ranks**-settings.zipf
    return Population(
        split=split,
        ids=tuple(f"video_{s:04}$_${c:04}" for s, c in zip(sources.tolist(), clips.tolist(), strict=True)),
        sources=sources,
        clusters=draw("clusters").choice(settings.n_clusters, size=size, p=shares / shares.sum()),
        outliers=draw("outliers").random(size) < settings.outlier,
    )
