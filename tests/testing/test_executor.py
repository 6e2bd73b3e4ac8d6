"""The kit for executors: the built-in one passes, and one that breaks a promise fails that test."""

import pytest

from alharness import ExecutorPlugin, Params
from alharness.api.executor import At
from alharness.executors import alharness_executors
from alharness.runs import local
from alharness.runs.local import LocalExecutor, LocalWorker
from alharness.testing import ExecutorConformance
from alharness.testing import executor as kit


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


@pytest.mark.parametrize(
    ("worker", "executor", "test"),
    [
        (Deaf, LocalExecutor, "a_worker_answers_one_group_after_another"),
        (Immortal, LocalExecutor, "a_worker_that_is_ended_is_gone"),
        (Raising, LocalExecutor, "a_worker_that_dies_is_lost_after_what_it_said"),
        (LocalWorker, Wide, "as_many_workers_as_are_asked_for_and_of_use"),
    ],
)
def test_a_fault_is_found(worker, executor, test, tmp_path, monkeypatch):
    monkeypatch.setattr(local, "LocalWorker", worker)
    monkeypatch.setattr(kit, "GONE", 1.0)
    kept = ExecutorConformance()
    kept.plugin = ExecutorPlugin(name="faulty", params=Params, make=executor)
    with pytest.raises((AssertionError, BrokenPipeError)):
        getattr(kept, f"test_{test}")(tmp_path)
