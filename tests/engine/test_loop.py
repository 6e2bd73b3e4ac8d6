import gc
import types

import numpy as np
import pytest
import torch

from alharness import Feature, Metrics, Sampler, SamplerError, Task
from alharness.api.records import CycleRecord, Schedule
from alharness.engine.loop import SeedData, run_cell
from alharness.engine.pool import Oracle, Pool
from alharness.engine.recipe import Fit
from alharness.engine.seeds import stream


class Watcher(Sampler):
    """Chooses the last positions and keeps what it was shown."""

    def __init__(self):
        self.queries = []

    def select(self, query):
        self.queries.append(query)
        n = len(query.unlabeled)
        return range(n - query.size, n)


def _by_class(predictions, labels, classes):
    predicted = predictions.argmax(axis=1)
    recalls = {f"f1_{name}": (predicted == labels)[labels == i].mean() for i, name in enumerate(classes)}
    return {"accuracy": (predicted == labels).mean(), "f1": 0.5, "f1_macro": 0.5} | recalls


BY_CLASS = Metrics(name="by_class", task=Task.CLASSIFICATION, compute=_by_class, primary="accuracy")


@pytest.fixture
def play(make_samples, make_trainer):
    def run(sampler, sizes=(5, 5, 3), seed=0, features=frozenset(Feature)):
        train, test = make_samples(40).pooled(), make_samples(20, seed=9).pooled()
        pool = Pool(train.ids).draw(6, stream(seed, "pool"))
        data = SeedData(
            oracle=Oracle(train),
            initial=pool,
            test=test,
            schedule=Schedule(initial_pool=6, sizes=sizes),
            seed=seed,
            batch=16,
            metrics=BY_CLASS,
            classes=("a", "b", "c"),
        )
        trainer = make_trainer(epochs=3)
        cell = run_cell(data, sampler, pool, features=features, who="watcher (toy==1)")
        fits, records, answer = [], [], None
        while True:
            try:
                item = cell.send(answer)
            except StopIteration:
                return fits, records, data, pool
            answer = None
            if isinstance(item, Fit):
                fits.append(item)
                answer = trainer.fit(item.labeled, item.seed)
            else:
                assert isinstance(item, CycleRecord)
                records.append(item)

    return run


def test_every_cycle_trains_evaluates_and_queries(play):
    fits, records, _, _ = play(Watcher())
    assert [len(fit.labeled) for fit in fits] == [6, 11, 16, 19] == [record.labeled for record in records]
    assert [len(record.chosen) for record in records] == [5, 5, 3, 0]
    names = {"accuracy", "f1", "f1_macro", "f1_a", "f1_b", "f1_c"}
    assert all(set(record.metrics) == names for record in records)
    assert all(record.cost["query_seconds"] > 0 for record in records[:-1])
    assert "query_seconds" not in records[-1].cost
    used = {f"{measure}/{m}" for measure in ("share", "moved", "drop") for m in ("audio", "text", "vision")}
    assert all(set(record.utilisation) == used for record in records)


def test_what_was_chosen_is_trained_on_next(play):
    fits, records, _, pool = play(Watcher())
    known = {pool.ids[i] for i in pool.labeled}
    for fit, record in zip(fits, records, strict=True):
        assert set(fit.labeled.ids) == known
        assert not known & set(record.chosen)
        known |= set(record.chosen)


def test_the_models_seed_changes_every_cycle_and_not_with_the_sampler(play):
    class Other(Watcher):
        def select(self, query):
            return range(query.size)

    one, other = play(Watcher())[0], play(Other())[0]
    assert len({fit.seed for fit in one}) == 4
    assert [fit.seed for fit in one] == [fit.seed for fit in other]


def test_the_query_says_where_it_stands(play):
    watcher = Watcher()
    play(watcher)
    assert [(q.cycle, q.cycles, q.size) for q in watcher.queries] == [(0, 3, 5), (1, 3, 5), (2, 3, 3)]
    assert [len(q.unlabeled) + len(q.labeled) for q in watcher.queries] == [40, 40, 40]
    draws = [q.rng.random() for q in watcher.queries]
    assert len(set(draws)) == 3
    assert draws[1] == stream(0, "sampler", 1).random()


def test_the_parts_of_the_query_time_add_up(play):
    class Reader(Watcher):
        def select(self, query):
            query.unlabeled.predictions()
            with query.phase("gradients"):
                sum(range(100_000))
            return super().select(query)

    cost = play(Reader())[1][0].cost
    parts = [cost[f"query_{part}_seconds"] for part in ("inference", "gradients", "selection")]
    assert all(part > 0 for part in parts)
    assert sum(parts) == pytest.approx(cost["query_seconds"], rel=0.3, abs=2e-3)


def test_labels_of_the_labeled_view_are_those_that_were_bought(play):
    watcher = Watcher()
    fits, *_ = play(watcher)
    for query, fit in zip(watcher.queries, fits, strict=False):
        assert query.labeled.ids == fit.labeled.ids
        assert query.labeled.targets().tolist() == fit.labeled.labels.tolist()


def reachable(root):
    """Everything that can be reached from an object without going through modules or classes."""
    seen, todo, found = set(), [root], []
    while todo:
        thing = todo.pop()
        if id(thing) in seen or isinstance(thing, (types.ModuleType, type)):
            continue
        seen.add(id(thing))
        found.append(thing)
        if isinstance(thing, types.FunctionType):  # its globals are a module's
            todo += [cell.cell_contents for cell in thing.__closure__ or ()] + list(thing.__defaults__ or ())
        else:
            todo += gc.get_referents(thing)
    return found


def test_case_29_no_label_that_was_not_bought_can_be_reached_from_a_query(play):
    watcher = Watcher()
    _, _, data, _ = play(watcher)
    secret = [data.test.labels, data.oracle._train.labels]
    for query in watcher.queries:
        things = reachable(query)
        arrays = [thing for thing in things if isinstance(thing, np.ndarray) and thing.size]
        arrays += [t.numpy() for t in things if isinstance(t, torch.Tensor) and t.numel()]
        assert len(arrays) > 3  # the walk sees the inputs
        assert not [a for a in arrays for s in secret if np.shares_memory(a, s)]
        assert not [a for a in arrays for s in secret if a.shape == s.shape and np.array_equal(a, s)]
        assert not [thing for thing in things if isinstance(thing, (Oracle, SeedData))]


def test_case_27_a_broken_answer_names_sampler_distribution_and_cycle(play):
    class Greedy(Watcher):
        def select(self, query):
            return range(query.size + (query.cycle == 1))

    with pytest.raises(
        SamplerError, match=r"^watcher \(toy==1\), cycle 1: it was asked for 5 samples and chose 6"
    ):
        play(Greedy())


def test_diagnostics_are_kept_with_their_cycle(play):
    class Logger(Watcher):
        def select(self, query):
            query.log("alpha", torch.tensor(query.cycle + 0.5))
            return super().select(query)

    assert [record.diagnostics for record in play(Logger())[1]] == [
        {"alpha": 0.5},
        {"alpha": 1.5},
        {"alpha": 2.5},
        {},
    ]
