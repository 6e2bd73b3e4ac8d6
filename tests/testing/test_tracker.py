"""The kit for trackers: one that keeps all promises passes, and one that breaks a promise fails that test."""

import threading
from pathlib import Path

import pytest
from pydantic import SecretStr

from alharness import Params, SpecError, Tracker, TrackerPlugin, hookimpl
from alharness.testing import Conformance, TrackerConformance, examine
from alharness.testing.kit import promises_of


class LinesParams(Params):
    path: str = "lines.txt"
    """The file."""
    token: SecretStr = SecretStr("t0p")
    """Of the service."""


class Lines(Tracker):
    """A line for each cycle."""

    def __init__(self, params, context):
        self.params, self.context = params, context

    @hookimpl
    def alharness_run_started(self, run):
        self.finished = run.finished

    @hookimpl
    def alharness_cycle_finished(self, run, cell, cycle):
        with Path(self.params.path).open("a", encoding="utf-8") as file:
            print(cell.name, cycle.labeled, self.note(cycle), file=file)

    @hookimpl
    def alharness_cell_ended(self, record):
        pass

    @hookimpl
    def alharness_run_finished(self, record):
        pass

    def note(self, cycle):
        return dict(cycle.metrics)

    def where(self):
        return self.params.path


def kit(tracker=Lines, **about):
    plugin = TrackerPlugin(**{"name": "lines", "params": LinesParams, "make": tracker} | about)
    return type("Kit", (TrackerConformance,), {"plugin": plugin})


class Raises(Lines):
    @hookimpl
    def alharness_run_finished(self, record):
        raise OSError("the service is away")


class Warns(Lines):
    @hookimpl
    def alharness_run_finished(self, record):
        self.context.warn("the service is away")


class Misspelt(Lines):
    @hookimpl
    def alharness_cycle_ended(self, cycle):
        pass


class Nowhere(Lines):
    def where(self):
        return None


class Rambling(Lines):
    def where(self):
        return "here\nand there"


class FromTheFirst(Lines):
    @hookimpl
    def alharness_run_finished(self, record):
        for outcome in record.cells:
            self.seen.remove(outcome.cell)

    @hookimpl
    def alharness_run_started(self, run):
        self.seen = []

    @hookimpl
    def alharness_cell_ended(self, record):
        self.seen.append(record.cell)


class OnlyNew(Lines):
    @hookimpl
    def alharness_run_started(self, run):
        if 0 < max(run.finished.values(), default=0) < 3:
            raise FileExistsError


class LastCycle(Lines):
    @hookimpl
    def alharness_cell_ended(self, record):
        record.cycles[-1]


class Finite(Lines):
    def note(self, cycle):
        return int(100 * cycle.metrics["f1"])


class Latin(Lines):
    @hookimpl
    def alharness_cell_ended(self, record):
        record.cell.name.encode("latin-1")


class Writes(Lines):
    def note(self, cycle):
        cycle.metrics["f1"] = 0


class Threads(Lines):
    ending = threading.Event()

    @hookimpl
    def alharness_run_finished(self, record):
        threading.Thread(target=self.ending.wait, name="sending").start()


class Shows(Lines):
    def where(self):
        return f"https://me:{self.params.token.get_secret_value()}@service"


def refusing(params, facts):
    raise SpecError("not these data")


FAULTS = {
    "its_review_warns_in_words": kit(review=lambda params, facts: [None]),
    "it_sees_a_run": kit(Raises),
    "it_names_the_place_of_its_results_in_one_line": kit(Nowhere),
    "it_sees_a_run_that_is_continued": kit(OnlyNew),
    "it_sees_a_run_that_is_finished_already": kit(FromTheFirst),
    "cells_that_fail_do_no_harm": kit(LastCycle),
    "figures_that_are_not_finite_do_no_harm": kit(Finite),
    "names_of_any_script_do_no_harm": kit(Latin),
    "records_stay_as_they_are": kit(Writes),
    "no_thread_keeps_the_program_from_ending": kit(Threads),
    "secrets_are_not_shown": kit(Shows),
}
MORE = [
    ("its_review_warns_in_words", kit(review=refusing)),
    ("it_sees_a_run", kit(Warns)),
    ("it_sees_a_run", kit(Misspelt)),
    ("it_sees_a_run", kit(lambda params, context: object())),
    ("it_names_the_place_of_its_results_in_one_line", kit(Rambling)),
]


@pytest.fixture(autouse=True)
def _end_threads():
    Threads.ending.clear()
    yield
    Threads.ending.set()


@pytest.mark.parametrize(("promise", "faulty"), [*FAULTS.items(), *MORE])
def test_a_fault_is_found(promise, faulty):
    (verdict,) = examine(faulty, only={f"test_{promise}"})
    assert verdict.status == "failed"


def test_what_keeps_its_promises_passes():
    assert not [verdict for verdict in examine(kit()) if verdict.status != "passed"]


def test_every_promise_has_its_fault():
    assert {f"test_{promise}" for promise in FAULTS} == {*promises_of(TrackerConformance)} - {
        *promises_of(Conformance)
    }
