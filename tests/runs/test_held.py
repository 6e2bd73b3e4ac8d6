import os
import signal

import pytest

from alharness.errors import PluginError, RunError, SamplerError
from alharness.runs.held import HeldInProcesses


class Counter:
    def __init__(self):
        self.count = 0

    def add(self, number):
        self.count += number
        return os.getpid(), self.count

    def fail(self, error):
        if error:
            raise error


def test_each_object_lives_in_a_process_of_its_own_until_one_is_lost(tmp_path):
    with HeldInProcesses([Counter] * 2, tmp_path, threads=1) as held:
        assert len(held) == 2
        (one, first), (other, second) = held.call("add", [1, 5])
        assert len({one, other, os.getpid()}) == 3
        assert (first, second) == (1, 5)
        with pytest.raises(SamplerError, match="^no$"):
            held.call("fail", [None, SamplerError("no")])
        with pytest.raises(PluginError, match="ValueError: odd"):
            held.call("fail", [ValueError("odd"), None])
        assert [count for _, count in held.call("add", [1, 1])] == [2, 6]
        os.kill(other, signal.SIGKILL)
        with pytest.raises(RunError, match="part 2 of the pool was lost: its process was ended by SIGKILL"):
            held.call("add", [1, 1])


def test_an_object_that_cannot_be_made_is_told(tmp_path):
    def make():
        raise SamplerError("nothing there")

    with pytest.raises(SamplerError, match="nothing there"):
        HeldInProcesses([make], tmp_path, threads=1)
