"""Small made-up pools behind a model with fixed weights, asked as the harness asks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from alharness.api.sampler import Sampler
from alharness.api.samples import Inputs, Samples
from alharness.api.vocabulary import Task
from alharness.engine.parts import HeldHere, ModelRows, PartWorker, Request, select_in_parts
from alharness.engine.pool import Oracle, Pool
from alharness.engine.recipe import Fitted, freeze
from alharness.engine.selection import ask

from .network import CLASSES, INPUTS, ExactNetwork

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from alharness.api.sampler import Query
    from alharness.api.vocabulary import Feature
    from alharness.engine.selection import CheckedSelection

    from .network import Heads


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A pool, a fitted model and a request. `dataclasses.replace` makes a scenario that differs in one thing.

    Attributes:
        task: classification with four classes, or regression.
        unlabeled: samples to choose from.
        labeled: labeled samples.
        size: how many to choose.
        distinct: different inputs there are, each repeated as often as needed; None for all different.
        spoiled: unlabeled samples, the first ones, whose inputs are not finite.
        spoil: NaN or infinity, what their inputs are.
        incomplete: every sample but the first lacks a modality: one audio, the next text, the next vision.
        truth: names of what is known of every sample: eighths here, at random, so that samples tie.
        heads: see `ExactNetwork`.
        offset: added to all representations and embeddings; predictions stay what they are.
        dropout: whether the model has any.
        batch: samples per batch of inference.
        seed: of the query.
        cycle: of the query.
        cycles: number of queries in the schedule.

    >>> from alharness import Sampler
    >>> from alharness.testing import Scenario
    >>> class First(Sampler):
    ...     def select(self, query):
    ...         return list(range(query.size))
    >>> scenario = Scenario(unlabeled=5, labeled=2, size=2)
    >>> len(scenario.ask(First(), features=set()).positions)
    2
    """

    task: Task = Task.CLASSIFICATION
    unlabeled: int = 40
    labeled: int = 8
    size: int = 6
    distinct: int | None = None
    spoiled: int = 0
    spoil: float = float("nan")
    incomplete: bool = False
    truth: tuple[str, ...] = ()
    heads: Heads = "plain"
    offset: float = 0.0
    dropout: bool = True
    batch: int = 16
    seed: int = 0
    cycle: int = 0
    cycles: int = 4

    @cached_property
    def pool(self) -> Pool:
        """All samples; the labeled ones are scattered among the others."""
        count = self.unlabeled + self.labeled
        ids = tuple(f"s{i:05d}" for i in range(count))
        return Pool(ids).draw(self.labeled, np.random.default_rng(1))

    @property
    def classes(self) -> tuple[str, ...]:
        """Their names."""
        return tuple("abcd"[:CLASSES]) if self.task == Task.CLASSIFICATION else ()

    @cached_property
    def samples(self) -> Samples:
        """All samples with their labels."""
        count = self.unlabeled + self.labeled
        rng = np.random.default_rng(2)
        rows = np.arange(count) % (self.distinct or count)
        arrays = {}
        for modality, features in INPUTS.items():
            # Few binary digits, for the network; and so many values that no two samples are alike by chance.
            values = (8 * rng.normal(size=(count, features))).round().clip(-24, 24) / 8
            arrays[modality] = values.astype(np.float32)[rows]
            arrays[modality][self.pool.unlabeled[: self.spoiled]] = self.spoil
        labels = rng.integers(0, CLASSES, count)
        if self.task == Task.REGRESSION:
            labels = labels.astype(np.float32)
        present = {}
        if self.incomplete:
            lacks = (np.arange(count) - 1) % len(INPUTS)
            lacks[0] = -1
            present = {modality: lacks != number for number, modality in enumerate(INPUTS)}
            for modality, known in present.items():
                arrays[modality][~known] = 0
        return Samples(
            inputs=Inputs(ids=self.pool.ids, arrays=arrays, present=present),
            labels=labels,
            truth={name: rng.integers(8, size=count).astype(np.float32) / 8 for name in self.truth},
        )

    def ask(self, sampler: Sampler, features: AbstractSet[Feature], name: str = "the sampler") -> CheckedSelection:
        """The sampler's checked answer, whose positions are positions in `pool`.

        Args:
            sampler: which is asked.
            features: that it may read.
            name: for messages.

        Raises:
            SamplerError: the answer breaks the contract.
        """
        model = ExactNetwork(self.task, heads=self.heads, offset=self.offset, dropout=self.dropout)
        freeze(model)
        return ask(
            sampler,
            Fitted(model=model, device=torch.device("cpu"), epochs=0),
            self.samples.inputs,
            Oracle(self.samples).reveal(self.pool),
            self.pool,
            size=self.size,
            cycle=self.cycle,
            cycles=self.cycles,
            seed=self.seed,
            batch=self.batch,
            features=frozenset(features),
            classes=self.classes,
            bought=np.full(self.labeled, -1),
            truth=self.samples.truth,
            who=name,
        )

    def ask_in_parts(self, sampler: Sampler, features: AbstractSet[Feature], parts: int = 3) -> CheckedSelection:
        """The sampler's checked answer from the same pool in parts; positions in `pool`, as those of `ask`.

        Args:
            sampler: which is asked.
            features: that it may read.
            parts: into how many the unlabeled samples are cut, as evenly as it goes.

        Raises:
            SamplerError: the sampler has no pools in parts, or the answer breaks the contract.
        """
        model = ExactNetwork(self.task, heads=self.heads, offset=self.offset, dropout=self.dropout)
        freeze(model)
        labeled = Oracle(self.samples).reveal(self.pool)
        pieces = [rows for rows in np.array_split(self.pool.unlabeled, parts) if len(rows)]
        makes = [
            partial(PartWorker, partial(self._part, model, self.samples.take(rows), labeled)) for rows in pieces
        ]
        request = Request(
            sampler=sampler,
            size=self.size,
            features=frozenset(features),
            task=self.task,
            cycle=self.cycle,
            cycles=self.cycles,
            seed=self.seed,
            classes=self.classes,
        )
        answer = select_in_parts(request, HeldHere(makes))
        return replace(answer, positions=tuple(int(i) for i in self.pool.unlabeled[list(answer.positions)]))

    def _part(self, model: ExactNetwork, rows: Samples, labeled: Samples) -> ModelRows:
        bought = np.full(len(labeled), -1)
        return ModelRows(model, rows.inputs, labeled, self.batch, bought=bought, truth=rows.truth)

    def query(self, features: AbstractSet[Feature]) -> Query:
        """The query that a sampler would see, without the guards around it."""
        keeper = _Keeper()
        self.ask(keeper, features)
        return keeper.query


class _Keeper(Sampler):
    query: Query

    def select(self, query: Query) -> range:
        self.query = query
        return range(query.size)


_RENAMED = {"World": "Scenario"}
"""Old name -> name; see `alharness.moved`."""
