import numpy as np
import pytest
import torch

from alharness import FUSED, Feature, SamplerError, ScoringSampler
from alharness.api.metrics import metrics_of
from alharness.api.records import CycleRecord, Schedule
from alharness.api.vocabulary import Task
from alharness.engine.loop import SeedData, run_cell
from alharness.engine.pool import Oracle, Pool
from alharness.engine.recipe import Fit
from alharness.engine.seeds import stream
from alharness.labeling.asking import Known, ask_once

CLASSES = ("a", "b", "c")
SIZES = (4, 4, 4)


class Noisy(ScoringSampler):
    """Least confident, with noise of its own, and less of it towards the end of the schedule."""

    def score(self, query):
        noise = query.rng.random(len(query.unlabeled)) * (query.cycles - query.cycle) / 50
        return torch.tensor(noise) - query.unlabeled.predictions(FUSED).amax(dim=1)


@pytest.fixture
def pool(make_samples):
    return make_samples(40).pooled()


@pytest.fixture
def test(make_samples):
    return make_samples(20, seed=9, prefix="t").pooled()


@pytest.fixture
def ask(pool, test, make_trainer):
    """Ask in this pool, of which these batches have labels."""

    def go(batches, sampler=None, tested=True, size=4, cycles=3, warn=pytest.fail, **more):
        known = Known(
            samples=pool,
            batches=batches,
            classes=CLASSES,
            metrics=metrics_of(Task.CLASSIFICATION),
            test=test if tested else None,
        )
        features = frozenset(Feature)
        given = {"size": size, "cycles": cycles, "features": features, "who": "noisy", "warn": warn} | more
        return ask_once(make_trainer(epochs=2), known, sampler or Noisy(), **given)

    return go


def benchmark(pool, test, trainer):
    """The records of a cell, and its initial pool."""
    initial = Pool(pool.ids).draw(6, stream(0, "pool"))
    data = SeedData(
        seed=0,
        oracle=Oracle(pool),
        initial=initial,
        test=test,
        schedule=Schedule(initial_pool=6, sizes=SIZES),
        batch=4096,
        metrics=metrics_of(Task.CLASSIFICATION),
        classes=CLASSES,
    )
    steps, answer, records = run_cell(data, Noisy(), initial, features=frozenset(Feature)), None, []
    while len(records) <= len(SIZES):
        item = steps.send(answer)
        answer = trainer.fit(item.labeled, item.seed) if isinstance(item, Fit) else None
        records += [item] if isinstance(item, CycleRecord) else []
    return records, initial


def test_what_a_cell_of_a_benchmark_chose_is_chosen_again(ask, pool, test, make_trainer):
    records, initial = benchmark(pool, test, make_trainer(epochs=2))
    batches = (initial.labeled,)
    for record in records[:-1]:
        answer = ask(batches)
        assert answer.record.chosen == record.chosen
        assert answer.record.metrics == record.metrics
        batches = (*batches, tuple(sorted(answer.positions.tolist())))  # labels come in any order
    assert ask(batches, size=0).record.metrics == records[-1].metrics


def test_labels_of_what_has_none_are_not_read(ask, pool):
    before = ask((tuple(range(6)),)).record.chosen
    pool.labels[6:] = -1
    assert ask((tuple(range(6)),)).record.chosen == before


def test_without_a_test_nothing_is_measured(ask):
    assert ask((tuple(range(6)),), tested=False).record.metrics == {}


def test_guesses_are_the_models(ask, pool):
    answer = ask((tuple(range(20)),))
    assert len(answer.guesses) == len(answer.probabilities) == 4
    assert set(answer.guesses) <= {0, 1, 2}
    assert all(1 / 3 <= p <= 1 for p in answer.probabilities)


def test_a_share_is_drawn_at_random_from_what_the_sampler_leaves(ask):
    batches = (tuple(range(6)),)
    alone, mixed = ask(batches, size=3), ask(batches, size=5, at_random=2)
    assert mixed.positions[:3].tolist() == alone.positions.tolist()
    assert mixed.at_random == 2
    assert len(set(mixed.positions.tolist())) == 5
    assert not set(mixed.positions.tolist()) & set(range(6))
    assert mixed.scores == alone.scores


def test_the_random_share_does_not_depend_on_the_seed_of_another(ask):
    batches = (tuple(range(6)),)
    drawn = [ask(batches, size=5, at_random=5, seed=seed).positions.tolist() for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_batch_may_be_random_alone(ask):
    assert len(ask((tuple(range(6)),), size=2, at_random=2).positions) == 2


def test_a_sampler_that_chooses_too_few_is_refused_with_its_name(ask):
    class Few(Noisy):
        def select(self, query):
            return [0]

    with pytest.raises(SamplerError, match="noisy.*it was asked for 3 samples and chose 1"):
        ask((tuple(range(6)),), sampler=Few(), size=5, at_random=2)


def test_the_sampler_is_not_told_of_the_share(ask):
    sizes = []

    class Watcher(Noisy):
        def select(self, query):
            sizes.append((query.size, query.cycle, query.cycles))
            return np.arange(query.size)

    ask((tuple(range(6)), (7, 8)), sampler=Watcher(), size=5, at_random=2, cycles=4)
    assert sizes == [(3, 1, 4)]
