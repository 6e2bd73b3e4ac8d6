"""One cycle in data that are only partly labeled: train, choose, and guess the labels of what was chosen.

The cycle is that of the benchmark, `engine.loop.run_cell`, with the same random streams: a project in which every
label comes from an oracle chooses what a cell of a run chooses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness.api.records import CycleRecord, Schedule
from alharness.api.sampler import Sampler, Selection
from alharness.api.vocabulary import Task
from alharness.engine.extraction import predict
from alharness.engine.loop import SeedData, run_cell
from alharness.engine.pool import Oracle, Pool
from alharness.engine.recipe import Fit, Fitted
from alharness.engine.seeds import stream
from alharness.engine.selection import checked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from alharness.api.metrics import Metrics
    from alharness.api.sampler import Query
    from alharness.api.samples import Samples
    from alharness.api.vocabulary import Feature
    from alharness.engine.training import Trainer

CONTROL = "control"
"""Names the random stream of the share that is drawn at random."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Known:
    """The samples of a pool, and which of them have a label.

    Attributes:
        samples: all of them; the label of one that has none is arbitrary, and never read.
        batches: positions of those with a label: at first, and what each query has brought, in this order.
        classes: names of the classes, in the order of the label indices; empty for regression.
        metrics: what is measured on the test.
        test: samples that are set aside for it; None if there are none.
        valid: the same for stopping trainings.
    """

    samples: Samples
    batches: tuple[tuple[int, ...], ...]
    classes: tuple[str, ...]
    metrics: Metrics
    test: Samples | None = None
    valid: Samples | None = None

    @property
    def pool(self) -> Pool:
        """The pool as it is now."""
        return Pool(self.samples.ids, tuple(position for batch in self.batches for position in batch))

    @property
    def cycle(self) -> int:
        """The number of the next query, from 0 on."""
        return len(self.batches) - 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """What is to be labeled next.

    Attributes:
        record: the cycle: its metrics, the ids that were chosen, scores and costs.
        positions: (k,) of what was chosen, in the pool, the first choice first; at the end the share that was
            drawn at random.
        at_random: how many of them were drawn at random.
        scores: of those that the sampler has chosen, or empty.
        guesses: (k,) what the model says they are: class indices, or values.
        probabilities: (k,) of these classes; empty in regression.
        fitted: the model.
    """

    record: CycleRecord
    positions: NDArray[np.int64]
    at_random: int
    scores: tuple[float, ...]
    guesses: NDArray[Any]
    probabilities: NDArray[np.float64]
    fitted: Fitted


class WithControl(Sampler):
    """A sampler next to which a share of each batch is drawn at random, from what it has not chosen.

    The share has a random stream of its own, so that without one the sampler chooses as ever.

    Args:
        sampler: chooses the others.
        count: samples of a batch to draw at random.
        rng: draws them.
    """

    def __init__(self, sampler: Sampler, count: int, rng: np.random.Generator) -> None:
        super().__init__()
        self._sampler, self._count, self._rng = sampler, count, rng
        self.scores: tuple[float, ...] = ()

    def select(self, query: Query) -> Selection:
        """What the sampler chooses, and then the share; see `Sampler`."""
        n, own = len(query.unlabeled), query.size - self._count
        chosen: list[int] = []
        if own:
            chosen, scores = checked(self._sampler.select(replace(query, size=own)), n, own)
            self.scores = tuple(scores)
        rest = np.setdiff1d(np.arange(n), chosen)
        drawn = self._rng.permutation(rest)[: self._count].tolist()
        return Selection([*chosen, *drawn])


def ask_once(
    trainer: Trainer,
    known: Known,
    sampler: Sampler,
    *,
    size: int,
    cycles: int = 1,
    at_random: int = 0,
    seed: int = 0,
    batch: int = 4096,
    features: frozenset[Feature],
    who: str,
    warn: Callable[[str], None],
) -> Answer:
    """Train on what is labeled, and choose what to label next.

    Args:
        trainer: trains the model.
        known: the pool. At least one sample has a label.
        sampler: chooses.
        size: samples to choose; 0 to train and evaluate alone.
        cycles: queries that are planned in all, which some samplers go by.
        at_random: of these samples, how many to draw at random.
        seed: of every random stream.
        batch: samples per batch of inference.
        features: what the sampler may read.
        who: the sampler and its distribution, for messages.
        warn: gets what the user should know.

    Raises:
        HarnessError: the model or the sampler failed; names it.
    """
    cycle = known.cycle
    sizes = [len(bought) for bought in known.batches[1:]]
    further = [size] * max(1, cycles - cycle) if size else []
    control = WithControl(sampler, at_random, stream(seed, "sampler", cycle, CONTROL))
    data = SeedData(
        seed=seed,
        oracle=Oracle(known.samples),
        initial=Pool(known.samples.ids, known.batches[0]),
        valid=None if known.valid is None else trainer.validation(known.valid),
        test=known.test,
        schedule=Schedule(initial_pool=len(known.batches[0]), sizes=(*sizes, *further)),
        batch=batch,
        metrics=known.metrics,
        classes=known.classes,
    )
    pool = known.pool
    asked = control if at_random else sampler
    steps = run_cell(data, asked, pool, cycle, features=features, who=who, warn=warn)
    request = next(steps)
    assert isinstance(request, Fit)
    (fitted,) = trainer.fit_many([request])
    if isinstance(fitted, BaseException):
        raise fitted
    record = steps.send(fitted)
    assert isinstance(record, CycleRecord)
    steps.close()
    places = {name: position for position, name in enumerate(pool.ids)}
    positions = np.array([places[name] for name in record.chosen], np.int64)
    guesses, probabilities = _guesses(fitted, known.samples, positions, batch)
    return Answer(
        record=record,
        positions=positions,
        at_random=at_random if size else 0,
        scores=control.scores if at_random else record.scores,
        guesses=guesses,
        probabilities=probabilities,
        fitted=fitted,
    )


def _guesses(
    fitted: Fitted, samples: Samples, positions: Sequence[int] | NDArray[np.int64], batch: int
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """What the model says of these samples, and how sure it is of classes."""
    if not len(positions):
        return np.zeros(0), np.zeros(0)
    with fitted.border.crossed("guessing"):
        found = predict(fitted, samples.inputs.take(np.asarray(positions)), batch).astype(np.float64)
    if fitted.task != Task.CLASSIFICATION:
        return found[:, 0], np.zeros(0)
    odds = np.exp(found - found.max(axis=1, keepdims=True))
    shares = odds / odds.sum(axis=1, keepdims=True)
    return shares.argmax(axis=1), shares.max(axis=1)
