"""The kit for batch systems: one that keeps all promises passes, and one that breaks a promise fails that test."""

import pytest

from alharness import BatchPlugin, BatchSystem, JobState, Params
from alharness.testing import BatchConformance, Conformance, examine
from alharness.testing.kit import promises_of


class AtOnce(BatchSystem):
    """Says in the logs what a node would be asked to do."""

    def submit(self, jobs, logs, name):
        for number, job in enumerate(jobs):
            words = [" ".join(command) for command in job.commands]
            (logs / f"{number}.log").write_text("".join(f"alharness {line}\n" for line in words))
        return [str(number) for number in range(len(jobs))]

    def states(self, ids):
        return {one: JobState(state="ended") for one in ids}

    def cancelling(self, ids):
        return f"kill {' '.join(ids)}"

    def script(self, jobs, name):
        return "\n".join(f"alharness {' '.join(command)}" for job in jobs for command in job.commands)


class OfNoUse(AtOnce):
    most = 0


class OneOnly(AtOnce):
    def script(self, jobs, name):
        return super().script(jobs[:1], name)


class Lines(AtOnce):
    def cancelling(self, ids):
        return "\n".join(f"kill {one}" for one in ids)


class Mixed(AtOnce):
    def submit(self, jobs, logs, name):
        return super().submit(jobs[::-1], logs, name)


class Endless(AtOnce):
    def states(self, ids):
        return {one: JobState(state="running") for one in ids}


def kit(system):
    plugin = BatchPlugin(name="toy", params=Params, make=lambda params, context: system())
    return type("Kit", (BatchConformance,), {"plugin": plugin, "queue": True, "patience": 0.0})


FAULTS = {
    "it_takes_one_job_at_least": kit(OfNoUse),
    "a_script_calls_every_command": kit(OneOnly),
    "jobs_are_cancelled_by_one_line": kit(Lines),
    "jobs_end_and_leave_what_they_printed": kit(Mixed),
    "jobs_that_it_does_not_know_have_ended": kit(Endless),
}


@pytest.mark.parametrize("promise", FAULTS)
def test_a_fault_is_found(promise):
    (verdict,) = examine(FAULTS[promise], only={f"test_{promise}"})
    assert verdict.status == "failed"


def test_what_keeps_its_promises_passes():
    assert {verdict.status for verdict in examine(kit(AtOnce))} == {"passed"}


def test_every_promise_has_its_fault():
    assert {f"test_{promise}" for promise in FAULTS} == {*promises_of(BatchConformance)} - {
        *promises_of(Conformance)
    }


def test_without_leave_nothing_is_submitted():
    plugin = BatchPlugin(name="toy", params=Params, make=lambda params, context: Endless())
    skipped = {verdict.test for verdict in examine(BatchConformance.of(plugin, {})) if verdict.status == "skipped"}
    assert skipped == {f"test_{promise}" for promise in [*FAULTS][3:]}
