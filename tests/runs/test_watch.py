import mmap
import os

import pytest

from alharness.runs import vitals, watch
from alharness.spec.settings import LimitsSettings


class Here:
    """A worker: this process."""

    where = ""

    def state(self):
        return "its process computes"

    def memory(self):
        return 0


@pytest.fixture
def clock(monkeypatch):
    """A clock that does not move until it is set."""
    clock = type("Clock", (), {"now": 1000.0})()
    monkeypatch.setattr(watch.time, "monotonic", lambda: clock.now)
    return clock


@pytest.fixture
def silences(clock):
    """Seconds of silence after which something is said, when looked at as often as the watch wants."""

    def until(last, limits=None, longest=0.0):
        watched = watch.Watch(Here(), "first-s0", limits or LimitsSettings())
        said = []
        while clock.now < 1000 + last:
            if watched.is_silent(longest):
                watched.mention_silence(longest, lambda text: said.append((clock.now - 1000, text)))
            clock.now += max(watched.patience(longest), 0.01)
        return said

    return until


def test_silence_is_mentioned_after_a_minute_and_then_seldom(silences):
    assert [round(seconds) for seconds, _ in silences(2000)] == [60, 120, 240, 480, 960, 1920]


def test_long_silence_makes_silence_usual(silences):
    assert [round(seconds) for seconds, _ in silences(600, longest=50)] == [250, 500]


def test_what_is_said_names_the_cell_and_the_remedy(silences):
    ((_, text),) = silences(70, longest=3)
    assert text.startswith("first-s0: silent for 60 s (at most 3 s so far); its process ")
    assert text.endswith("limits.cell_timeout ends such a cell, with limits.cell_timeout=1h say")


def test_what_is_limited_says_when_it_is_ended(silences):
    ((_, text),) = silences(70, LimitsSettings(cell_timeout="5m"))
    assert text.endswith("it is ended after 5 min (limits.cell_timeout)")


def test_time_spent_waiting_for_observers_is_not_the_cells(clock):
    watched = watch.Watch(Here(), "first-s0", LimitsSettings(cell_timeout=10))
    watched.begin()
    clock.now += 14
    watched.excuse(5)
    assert watched.exceeded() is None
    clock.now += 1
    assert watched.exceeded().status == "timeout"


def test_a_cell_has_its_time_from_when_it_begins(clock):
    watched = watch.Watch(Here(), "first-s0", LimitsSettings(cell_timeout=10))
    clock.now += 8
    watched.begin()
    clock.now += 8
    assert watched.exceeded() is None


def test_memory_is_that_of_the_process_itself():
    before = vitals.own_memory(os.getpid())
    # New pages: the allocator may give a bytearray memory that this process held before.
    with mmap.mmap(-1, 2**26, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as held:
        for page in range(0, 2**26, mmap.PAGESIZE):
            held[page] = 1
        assert 60 * 2**20 < vitals.own_memory(os.getpid()) - before < 100 * 2**20


def test_a_process_that_is_gone_holds_nothing():
    assert vitals.own_memory(2**22 - 3) == 0


def test_a_worker_of_another_machine_is_named_by_it(clock):
    far = Here()
    far.where, far.memory = "node-7", lambda: 3 * 2**30
    watched = watch.Watch(far, "first-s0", LimitsSettings(memory="1GiB"))
    assert watched.exceeded().error == ("its process on node-7 held 3 GiB and was ended; limits.memory is 1 GiB")
