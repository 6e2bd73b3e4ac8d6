"""Which modalities the models of each sampler use, and whether a sampler makes them neglect one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from alharness.api.records import FULL_DATA

from .statistics import aubc, corrected, difference, mean

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from .basis import SeedSet
    from .run import RunResults
    from .statistics import Difference, Mean

MATTERS = 0.1
"""A share that is smaller than with Random by less than this part of it is no neglect, however sure that is."""
SHARE, DROP, MOVED = "share", "drop", "moved"
MEASURES = (SHARE, DROP, MOVED)


@dataclass(frozen=True, kw_only=True)
class Use:
    """How much the models of a sampler use a modality: means over seeds of areas under curves, or of references.

    Attributes:
        label: the sampler, or the reference.
        modality: its name.
        seed_set: the seeds, which other samplers share.
        measures: `share`, `drop` and `moved`, see `engine.utilisation`.
        difference: its share less that with Random, over the seeds that both have, corrected over all samplers and
            modalities; None of Random itself, of references, and of what is not tested.
    """

    label: str
    modality: str
    seed_set: SeedSet
    measures: Mapping[str, Mean]
    difference: Difference | None = None

    @property
    def relative(self) -> float:
        """How much larger the share is than with Random, as a part of that; NaN if it is not tested."""
        if self.difference is None:
            return math.nan
        return self.difference.value / (self.measures[SHARE].value - self.difference.value)

    @property
    def neglected(self) -> bool:
        """Whether the share is shown to be smaller than with Random, and by so much that it matters."""
        return self.difference is not None and self.difference.worse and self.relative <= -MATTERS


def modalities(results: RunResults) -> tuple[str, ...]:
    """Those whose use was measured in cells that count; none of data with one modality, and of older journals."""
    cells = (cell for by_seed in results.basis.cells.values() for same in by_seed.values() for cell in same)
    names = dict.fromkeys(name for cell in cells for cycle in cell.cycles for name in cycle.utilisation)
    return tuple(dict.fromkeys(name.partition("/")[2] for name in names))


def uses(results: RunResults) -> list[Use]:
    """Every modality with every sampler, and with the reference: modality by modality, seed set by seed set."""
    differences = {} if results.run.stopping else _differences(results)
    return [
        Use(
            label=label,
            modality=modality,
            seed_set=seed_set,
            measures={
                measure: results.shown(mean(_along(results, f"{measure}/{modality}", label, seed_set.seeds)))
                for measure in MEASURES
            },
            difference=differences.get((label, modality)),
        )
        for modality in modalities(results)
        for seed_set in results.basis.seed_sets
        for label in seed_set.rows
    ]


def from_all_labels(results: RunResults) -> dict[str, Difference]:
    """Modality -> its share with Random less that of models with all labels, paired by seed, corrected over all.

    Empty without these models or without Random, and if seeds stop.
    """
    first, random = results.basis.seed_sets[0], results.random
    if not first.reference or random not in first.labels or results.run.stopping:
        return {}
    found = {}
    for modality in modalities(results):
        few, all_labels = (_along(results, f"{SHARE}/{modality}", x, first.seeds) for x in (random, FULL_DATA))
        found[modality] = difference(few, all_labels, lower_is_better=False)
    return corrected(found)


def _differences(results: RunResults) -> dict[tuple[str, str], Difference]:
    """(sampler, modality) -> its share less that with Random."""
    against_random = results.families[0]
    found: dict[tuple[str, str], Difference] = {}
    for modality in modalities(results):
        name = f"{SHARE}/{modality}"
        compared = results.compare(results.by_seed(partial(_along, results, name)), against_random, name)
        found |= {(label, modality): pair for (label, _), pair in compared.items()}
    return corrected(found)


def _along(results: RunResults, name: str, label: str, seeds: Collection[int]) -> NDArray[np.float64]:
    """(seeds,) areas under the curve of a measure, or the values of references; NaN if a cycle has none."""
    values = results.used(label, seeds, name)
    return values[:, 0] if label == FULL_DATA else aubc(results.labeled, values)
