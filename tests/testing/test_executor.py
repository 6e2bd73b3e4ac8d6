"""The kit for executors: the built-in one passes, and one that breaks a promise fails that test."""

import pytest

from alharness import ExecutorPlugin, Params
from alharness.api.executor import At, Done
from alharness.executors import alharness_executors
from alharness.runs import local
from alharness.runs.local import LocalExecutor, LocalWorker
from alharness.testing import Conformance, ExecutorConformance, examine
from alharness.testing import executor as kits
from alharness.testing.kit import promises_of


class TestProcesses(ExecutorConformance):
    (plugin,) = alharness_executors()


class Deaf(LocalWorker):
    def receive(self):
        found = super().receive()
        return super().receive() if isinstance(found, At) else found


class Immortal(LocalWorker):
    def end(self):
        pass


class Raising(LocalWorker):
    def send(self, group):
        if self.child.exit_code is not None:
            raise BrokenPipeError
        super().send(group)


class Wide(LocalExecutor):
    def open(self, work, most):
        self.work = work


class Turned(LocalExecutor):
    def open(self, work, most):
        work.arrays = work.arrays[::-1]
        super().open(work, most)


class Impatient(LocalExecutor):
    def wait(self, workers, seconds):
        return super().wait(workers, 0)


class Hoarding(LocalExecutor):
    """Passes messages on when the group has ended."""

    def wait(self, workers, seconds):
        for worker in super().wait(workers, seconds):
            worker.kept.append(worker.child.hear())
        return [worker for worker in workers if worker.kept and isinstance(worker.kept[-1], Done | None)]


class Hoarder(LocalWorker):
    def __init__(self, *args):
        super().__init__(*args)
        self.kept = []

    def receive(self):
        return self.kept.pop(0)


class Hasty(LocalWorker):
    """Never waits: it may proceed before it has begun."""

    def send(self, group):
        super().send(group)
        for _ in range(4):
            super().proceed()

    def proceed(self):
        pass


FAULTS = {
    "as_many_workers_as_are_asked_for_and_of_use": (LocalWorker, Wide),
    "a_worker_answers_one_group_after_another": (Deaf, LocalExecutor),
    "workers_have_the_arrays": (LocalWorker, Turned),
    "several_compute_at_the_same_time": (LocalWorker, Impatient),
    "messages_come_when_they_are_sent": (Hoarder, Hoarding),
    "a_worker_that_dies_is_lost_after_what_it_said": (Raising, LocalExecutor),
    "a_worker_that_is_ended_is_gone": (Immortal, LocalExecutor),
    "an_exclusive_worker_waits_until_a_message_was_handled": (Hasty, LocalExecutor),
}


@pytest.mark.parametrize("promise", FAULTS)
def test_a_fault_is_found(promise, monkeypatch):
    worker, executor = FAULTS[promise]
    monkeypatch.setattr(local, "LocalWorker", worker)
    monkeypatch.setattr(kits, "GONE", 1.0)
    monkeypatch.setattr(kits, "PATIENCE", 2.0)
    plugin = ExecutorPlugin(name="faulty", params=Params, make=executor)
    (verdict,) = examine(ExecutorConformance.of(plugin, {}), only={f"test_{promise}"})
    assert verdict.status == "failed"


def test_every_promise_has_its_fault():
    promises = {*promises_of(ExecutorConformance)} - {*promises_of(Conformance)}
    assert {f"test_{promise}" for promise in FAULTS} == promises
