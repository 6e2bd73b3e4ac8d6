"""A world: named random streams, the samples of each part, and the channels that they are seen through."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Channel:
    """Features of one modality.

    Attributes:
        features: d, features per sample.
        signal: factor of what the modality shows, against everything else that its features hold.
        noise: standard deviation of what is added to each feature by itself.

    >>> from alharness.worlds.population import Channel
    >>> Channel(features=32).noise
    0.5
    """

    features: int
    signal: float = 0.6
    noise: float = 0.5


@dataclass(frozen=True, kw_only=True, eq=False)
class Population:
    """The n samples of one part, before labels and features.

    Attributes:
        split: train, valid or test.
        ids: n strings in ascending order.
        sources: (n,) number of the source, such as a video, counted over all parts.
        clusters: (n,) topic.
        outliers: (n,) whether its features are corrupted.
    """

    split: str
    ids: tuple[str, ...]
    sources: NDArray[np.int64]
    clusters: NDArray[np.int64]
    outliers: NDArray[np.bool]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, kw_only=True)
class World:
    """Who is in the data, and how they are seen.

    Attributes:
        name: begins the name of every random stream.
        seed: of all random streams.
        sizes: part -> samples.
        channels: modality -> its features.
        topics: how many there are. All parts share them; what a modality shows looks partly different in each.
        zipf: exponent of the topics' sizes: the k-th has a share proportional to k to the power of minus this.
        outliers: part -> probability that a sample is one.
        per_source: samples per source. No source is in two parts.
        id_format: of a source's number and a sample's number in it.

    >>> from alharness.worlds.population import Channel, World
    >>> world = World(name="small", seed=0, sizes={"train": 5, "test": 3}, channels={"text": Channel(features=8)})
    >>> {part: len(population) for part, population in world.populate().items()}
    {'train': 5, 'test': 3}
    """

    name: str
    seed: int
    sizes: Mapping[str, int]
    channels: Mapping[str, Channel]
    topics: int = 1
    zipf: float = 0.0
    outliers: Mapping[str, float] = field(default_factory=dict)
    per_source: float = 30.0
    id_format: str = "source-{:06}-{:04}"

    def draw(self, *purpose: str | int) -> np.random.Generator:
        """The random stream of this purpose, so that no draw depends on what else is drawn, or in what order."""
        name = "/".join(map(str, (self.name, *purpose)))
        digest = hashlib.sha256(name.encode()).digest()
        return np.random.default_rng([self.seed, *np.frombuffer(digest[:16], "<u4").tolist()])

    def populate(self) -> dict[str, Population]:
        """Part -> its samples. No source is in two parts; topics are shared by all."""
        found: dict[str, Population] = {}
        first = 0
        shares = np.arange(1, self.topics + 1, dtype=np.float64) ** -self.zipf
        for split, size in self.sizes.items():
            draw = partial(self.draw, split)
            count = max(1, round(size / self.per_source))
            sources = np.sort(first + draw("sources").integers(count, size=size))
            places: NDArray[Any] = np.arange(size) - np.searchsorted(sources, sources)
            found[split] = Population(
                split=split,
                ids=tuple(map(self.id_format.format, sources.tolist(), places.tolist())),
                sources=sources,
                clusters=draw("clusters").choice(self.topics, size=size, p=shares / shares.sum()),
                outliers=draw("outliers").random(size) < self.outliers.get(split, 0.0),
            )
            first += count
        return found
