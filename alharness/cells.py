"""What a plan is made of: the cells, the labels of every cycle, and what is left out."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - read when a record comes back from JSON
from dataclasses import dataclass, field
from typing import Any

FULL_DATA = "full-data"
"""Label of the reference cells: one training per seed with all labels of the pool."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One sampler x one seed.

    Attributes:
        label: the sampler's label in the spec, unique there.
        sampler: the sampler's name.
        params: its parameters, as plain data.
        distribution: the distribution it comes from, `name==version`.
        seed: the seed of every random stream.
        key: hash of sampler, params, distribution and seed; the same key is the same computation.
        reference: it queries nothing, but trains once with all labels of the pool.
    """

    label: str
    sampler: str
    params: Mapping[str, Any] = field(hash=False)
    distribution: str
    seed: int
    key: str
    reference: bool = False

    @property
    def name(self) -> str:
        """For people: `<label>-s<seed>`."""
        return f"{self.label}-s{self.seed}"

    @property
    def who(self) -> str:
        """For messages on its sampler: `<label> (<distribution>)`."""
        return f"{self.label} ({self.distribution})" if self.distribution else self.label

    @property
    def folder(self) -> str:
        """For the file system: the name and the start of the key, so that changed parameters never mix."""
        return f"{self.name}-{self.key[:8]}"


@dataclass(frozen=True, kw_only=True)
class Skip:
    """A sampler of the spec that cannot run here, and why."""

    label: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How many labels there are at every cycle.

    Attributes:
        initial_pool: labels at cycle 0.
        sizes: labels bought by query 0, 1, ...; the last may be smaller than the budget.
    """

    initial_pool: int
    sizes: tuple[int, ...]

    @property
    def labeled(self) -> tuple[int, ...]:
        """Labels at cycle 0, 1, ...: one more than there are queries."""
        counts = [self.initial_pool]
        for size in self.sizes:
            counts.append(counts[-1] + size)
        return tuple(counts)
