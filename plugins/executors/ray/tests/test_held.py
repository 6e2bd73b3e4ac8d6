"""Pools in parts on a real Ray."""

import os
import signal
from functools import partial

import psutil
import pytest
import torch

from alharness import Params, RunError, SamplerError
from alharness.api.executor import ExecutorContext
from alharness.pools import Arrays, select
from alharness_ray import cluster
from alharness_ray.executor import RayExecutor
from alharness_ray.plugin import RayParams

pytestmark = pytest.mark.cluster

POINTS = torch.randn(400, 8, generator=torch.Generator().manual_seed(0))
LABELED = Arrays(embeddings=POINTS[:10])


class Counter:
    def __init__(self, first):
        self.count = first

    def pid(self):
        return os.getpid()

    def add(self, number):
        if number < 0:
            raise SamplerError(f"{number} is below 0")
        self.count += number
        return self.count


@pytest.fixture(scope="module", autouse=True)
def ray():
    cluster.connect("local", 2)
    yield
    cluster.disconnect()


@pytest.fixture
def executor(tmp_path):
    with RayExecutor(RayParams(address="local"), ExecutorContext(folder=tmp_path, warn=print)) as executor:
        yield executor


@pytest.mark.parametrize("sampler", ["coreset", "random"])
def test_actors_choose_what_one_process_does(sampler):
    parts = [Arrays(embeddings=x, labeled=LABELED) for x in POINTS[10:].split(195)]
    here, there = (select(sampler, parts, size=30, executor=name) for name in (None, "ray"))
    assert here.positions == there.positions
    assert there.cost["part_cpu_peak_increase_mib"] >= 0


def test_case_46_a_ray_of_this_machine_listens_on_it_alone():
    started = {process.pid for process in psutil.Process().children(recursive=True)}
    found = [at for at in psutil.net_connections("inet") if at.pid in started and at.status == psutil.CONN_LISTEN]
    assert {at.laddr.ip.removeprefix("::ffff:") for at in found} == {"127.0.0.1"}


def test_each_object_is_in_an_actor_until_one_is_lost(executor):
    held = executor.hold([partial(Counter, 1), partial(Counter, 10)])
    assert held.call("add", [1, 1]) == [2, 11]
    with pytest.raises(SamplerError, match="-1 is below 0"):
        held.call("add", [5, -1])
    assert held.call("add", [0, 0]) == [7, 11]
    os.kill(held.call("pid")[1], signal.SIGKILL)
    with pytest.raises(RunError, match="part 2 of the pool was lost on .*: its process .* has died"):
        held.call("add", [1, 1])


def test_an_object_that_cannot_be_made_is_told(executor):
    with pytest.raises(SamplerError, match="nothing there"):
        executor.hold([partial(_raise, "nothing there")])


def test_more_parts_than_there_is_room_for_are_refused_with_the_numbers(executor):
    with pytest.raises(RunError, match="3 parts need a worker each with 1 CPU .* has room for 2: .* has 2 CPU"):
        executor.hold([Params] * 3)


def _raise(text):
    raise SamplerError(text)
