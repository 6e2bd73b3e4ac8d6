"""A member of a stack is trained to the same bits whatever its companions, and nothing that happens to one of
them touches the others."""

import random
from dataclasses import replace

import numpy as np
import psutil
import pytest
import torch

from alharness import Metrics, Task
from alharness.engine.recipe import Fit
from alharness.engine.stack import training
from alharness.engine.stack.stack import Stack
from alharness.errors import Diverged, ModelError
from alharness.models.late_fusion.network import LateFusion

SETTINGS = {"epochs": 40, "patience": 3, "batch_size": 8}


@pytest.fixture
def validations(make_samples):
    """Three sets of validation samples of one trainer."""

    def build(trainer, task=Task.CLASSIFICATION):
        return [trainer.validation(make_samples(size, task, 90 + size).pooled()) for size in (15, 31, 31)]

    return build


@pytest.mark.parametrize(("task", "stop_on"), [(Task.CLASSIFICATION, "metric"), (Task.REGRESSION, "loss")])
def test_a_member_is_the_same_in_stacks_of_any_size_and_in_any_order(
    make_stacks, make_requests, validations, same, task, stop_on
):
    trainer, warnings = make_stacks(task=task, stop_on=stop_on, **SETTINGS)
    requests = make_requests(25, 19, task, validations(trainer, task))
    together = trainer.fit_many(requests)
    assert not warnings
    assert {fitted.cost["train_stacked"] for fitted in together} == {25}
    assert len({fitted.epochs for fitted in together}) > 3  # they left the stack at different times
    order = random.Random(0).sample(range(25), 25)
    for most in (1, 3):
        other, _ = make_stacks(task=task, stop_on=stop_on, stack=most, **SETTINGS)
        mine = [requests[i] for i in order[: 3 * most]]
        assert all(same(other.fit_many(mine), [together[i] for i in order[: 3 * most]]))


@pytest.mark.parametrize("what", ["losses", "predictions"])
def test_what_is_validated_together_changes_no_bit(make_stacks, make_requests, validations, monkeypatch, what):
    together, compared = getattr(Stack, what), []

    def one_by_one(self, batches, rows):
        found = together(self, batches, rows)
        compared.extend(
            torch.equal(x, together(self, batches, [row])[0]) for x, row in zip(found, rows, strict=True)
        )
        return found

    monkeypatch.setattr(Stack, what, one_by_one)
    trainer, _ = make_stacks(stop_on={"losses": "loss", "predictions": "metric"}[what], epochs=3)
    trainer.fit_many(make_requests(4, valids=validations(trainer)[:1]))
    assert compared == [True] * 12


def test_members_differ(make_stacks, make_requests, same):
    trainer, _ = make_stacks(epochs=2)
    (request,) = make_requests(1)
    one, again, other = trainer.fit_many([request, request, replace(request, seed=1)])
    assert same([one, one], [again, other]) == [True, False]


def test_requests_with_different_numbers_of_labels_are_different_stacks(make_stacks, make_samples, same):
    trainer, _ = make_stacks(epochs=2)
    requests = [Fit(labeled=make_samples(n, seed=n).pooled(), seed=n + s) for s in (0, 1) for n in (7, 12, 13)]
    together = trainer.fit_many(requests)
    assert [fitted.cost["train_stacked"] for fitted in together] == [2.0] * 6
    assert all(same(together, [trainer.fit_many([request])[0] for request in requests]))


def with_inputs(request, factor):
    inputs = request.labeled.inputs
    arrays = {m: x * np.float32(factor) for m, x in inputs.arrays.items()}
    return replace(request, labeled=replace(request.labeled, inputs=replace(inputs, arrays=arrays)))


def test_case_25_a_member_that_diverges_leaves_the_others_as_they_are(make_stacks, make_requests, same):
    trainer, _ = make_stacks(epochs=4)
    requests = make_requests(4)
    expected = trainer.fit_many(requests)
    bad = [requests[0], with_inputs(requests[1], np.nan), *requests[2:]]
    first, diverged, *rest = trainer.fit_many(bad)
    assert isinstance(diverged, Diverged)
    assert str(diverged).startswith("the training loss became nan in epoch 1 on 20 labels")
    assert all(same([first, *rest], [expected[0], *expected[2:]]))


def test_a_stack_whose_members_all_diverge_ends(make_stacks, make_requests):
    trainer, _ = make_stacks(epochs=4)
    found = trainer.fit_many([with_inputs(request, np.nan) for request in make_requests(3)])
    assert [type(error) for error in found] == [Diverged] * 3


class Picky(LateFusion):
    def adapt(self, labeled):
        if labeled.inputs["audio"].abs().max() > 1e6:
            raise ValueError("too loud")
        super().adapt(labeled)


def test_a_member_that_cannot_begin_leaves_the_others_as_they_are(make_recipe, make_stacks, make_requests, same):
    kind = lambda shape: _as(Picky, make_recipe().build())
    trainer, warnings = make_stacks(kind, epochs=3)
    requests = make_requests(3)
    expected = trainer.fit_many(requests)
    first, error, last = trainer.fit_many([requests[0], with_inputs(requests[1], 1e9), requests[2]])
    assert isinstance(error, ModelError)
    assert "too loud" in str(error)
    assert all(same([first, last], expected[::2]))
    assert not warnings


def _as(kind, model):
    model.__class__ = kind
    return model


def test_metrics_that_fail_for_one_member_leave_the_others_as_they_are(
    make_stacks, make_requests, validations, same
):
    calls = []

    def compute(predictions, labels, classes):
        calls.append(predictions)
        if len(calls) == fails_at:
            raise ValueError("no metric")
        return {"accuracy": float((predictions.argmax(1) == labels).mean())}

    ours = Metrics(name="ours", task=Task.CLASSIFICATION, compute=compute, primary="accuracy")
    trainer, _ = make_stacks(metrics=ours, epochs=4)
    requests = make_requests(3, valids=validations(trainer)[:1])
    fails_at = 0
    expected = trainer.fit_many(requests)
    fails_at = len(calls) + 5  # the second member, in the second epoch
    first, error, last = trainer.fit_many(requests)
    assert "no metric" in str(error)
    assert all(same([first, last], expected[::2]))


def test_times_are_divided_by_epochs_and_peaks_are_not(make_stacks, make_requests, validations):
    trainer, _ = make_stacks(**SETTINGS)
    found = trainer.fit_many(make_requests(4, valids=validations(trainer)))
    rates = [fitted.cost["train_seconds"] / fitted.epochs for fitted in found]
    assert rates == pytest.approx([rates[0]] * 4)
    assert len({fitted.cost["train_cpu_peak_mib"] for fitted in found}) == 1


LACKS = {
    "of Python": MemoryError(),
    "of torch": RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
    "of a GPU": torch.OutOfMemoryError("CUDA out of memory"),
}


@pytest.mark.parametrize("where", LACKS)
def test_case_10_a_stack_that_the_memory_does_not_hold_is_split(
    make_stacks, make_requests, monkeypatch, same, where
):
    trainer, warnings = make_stacks(epochs=2)
    requests = make_requests(5)
    expected = trainer.fit_many(requests)
    epoch = Stack.epoch

    def small(self):
        if len(self) > 2:
            raise LACKS[where]
        return epoch(self)

    monkeypatch.setattr(Stack, "epoch", small)
    found = trainer.fit_many(requests)
    assert all(same(found, expected))
    assert [fitted.cost["train_stacked"] for fitted in found] == [2, 2, 1, 2, 2]
    assert [warning.split(";")[0] for warning in warnings] == [
        "the memory does not hold a stack of 5 models",
        "the memory does not hold a stack of 3 models",
    ]


def test_a_model_that_the_memory_does_not_hold_fails_alone(make_stacks, make_requests, monkeypatch):
    trainer, _ = make_stacks(epochs=2)

    def none(self):
        raise MemoryError

    monkeypatch.setattr(Stack, "epoch", none)
    assert [type(error) for error in trainer.fit_many(make_requests(2))] == [MemoryError] * 2


def test_the_free_memory_bounds_a_stack_which_is_said_once(make_stacks, make_requests, monkeypatch, same):
    trainer, warnings = make_stacks(epochs=2)
    requests = make_requests(7)
    expected = trainer.fit_many(requests)
    member = trainer._stacks._computations.bytes_per_member(20)

    class Memory:
        available = int(3.5 * member / training.SHARE)

    monkeypatch.setattr(psutil, "virtual_memory", Memory)
    found = trainer.fit_many(requests)
    assert [fitted.cost["train_stacked"] for fitted in found] == [3, 3, 3, 3, 3, 3, 1]
    assert all(same(found, expected))
    assert [warning.split(";")[0] for warning in warnings] == ["the memory that is free holds stacks of 3 models"]
    Memory.available = 0
    assert [fitted.cost["train_stacked"] for fitted in trainer.fit_many(requests[:2])] == [1, 1]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_model_that_fails_by_itself_changes_nothing_for_the_others(
    make_recipe, make_stacks, make_requests, same, place
):
    class Refuses(LateFusion):
        def adapt(self, labeled):
            if labeled.inputs["audio"].abs().max() > 1e3:
                raise ValueError("too large")
            super().adapt(labeled)

    def build(shape):
        return _as(Refuses, make_recipe().build())

    requests = make_requests(3)
    others = [request for number, request in enumerate(requests) if number != place]
    expected = make_stacks(build, epochs=2)[0].fit_many(others)
    trainer, warnings = make_stacks(build, epochs=2)
    requests[place] = with_inputs(requests[place], 1e4)
    found = trainer.fit_many(requests)
    assert "too large" in str(found.pop(place))
    assert all(same(found, expected))
    assert not warnings


def test_a_write_to_labels_is_that_of_the_member_that_wrote(make_recipe, make_stacks, make_requests):
    class Writes(LateFusion):
        def adapt(self, labeled):
            super().adapt(labeled)
            if labeled.inputs["audio"].abs().max() > 1e3:
                labeled.labels["fused"].numpy()[0] += 1

    trainer, _ = make_stacks(lambda shape: _as(Writes, make_recipe().build()), epochs=1)
    requests = make_requests(3)
    first, error, last = trainer.fit_many([requests[0], with_inputs(requests[1], 1e4), requests[2]])
    assert "it wrote to the labels that were bought" in str(error)
    assert first.epochs == last.epochs == 1
