"""An executor that is made and called with care."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from alharness import Executor, ExecutorContext, ExecutorPlugin, Params, Worker
from alharness.errors import PluginError, RunError, SpecError
from alharness.runs.executors import SafeExecutor, make_executor

CONTEXT = ExecutorContext(folder=Path("run"), warn=print)


class Still(Worker):
    def send(self, group):
        raise OSError("no way")

    def receive(self):
        raise KeyError("what")

    def end(self):
        raise OSError("cannot end")


class Plain(Executor):
    width, started = 1, Still()

    def start(self):
        return self.started

    def wait(self, workers, seconds):
        return None

    def close(self):
        raise OSError("cannot close")


def make(made):
    plugin = ExecutorPlugin(name="x", params=Params, make=made)
    registered = SimpleNamespace(origin="my-x==1.0")
    return make_executor(SimpleNamespace(name="x", plugin=plugin, params=Params(), registered=registered), CONTEXT)


def raises(error):
    def made(params, context):
        raise error

    return made


def wide(width):
    executor = Plain()
    executor.width = width
    return lambda params, context: executor


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (raises(ConnectionError("head:8265 does not answer")), "ConnectionError: head:8265 does not answer"),
        (lambda params, context: 5, "TypeError: make returned int, not an Executor"),
        (wide(0), "ValueError: its width is 0: expected a whole number from 1 on"),
        (wide("4"), "ValueError: its width is '4'"),
    ],
)
def test_one_that_cannot_be_made_is_named(made, said):
    with pytest.raises(PluginError, match=rf"^the executor 'x' of my-x==1\.0: {said}"):
        make(made)


def test_what_it_says_itself_is_said_as_it_is():
    with pytest.raises(RunError, match="^a worker needs 8 GPUs, and the largest node has 4$"):
        make(raises(RunError("a worker needs 8 GPUs, and the largest node has 4")))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda executor: executor.send(Still(), None), "OSError: no way"),
        (lambda executor: executor.receive(Still()), "KeyError: 'what'"),
        (lambda executor: executor.wait([Still()], 1.0), "TypeError"),
        (lambda executor: executor.start(), "TypeError: start returned NoneType, not a Worker"),
    ],
)
def test_what_goes_wrong_in_it_names_it(call, said):
    plain = Plain()
    plain.started = None
    with pytest.raises(PluginError, match=f"^the executor: {said}"):
        call(SafeExecutor(plain, "the executor", print))


def test_what_cannot_be_ended_costs_a_warning():
    told = []
    with SafeExecutor(Plain(), "the executor", told.append) as executor:
        executor.end(Still())
    assert told == ["the executor: OSError: cannot end", "the executor: OSError: cannot close"]


@pytest.mark.parametrize(
    ("has", "wish", "device"),
    [
        ("", "auto", ""),
        ("cuda", "auto", "cuda"),
        ("cuda", "cpu", "cpu"),
        ("", "cuda", ""),
        ("cuda", "cuda", "cuda"),
    ],
)
def test_workers_compute_on_what_they_have_and_the_spec_asks_for(has, wish, device):
    plain = Plain()
    plain.device = has
    assert SafeExecutor(plain, "the executor", print).device(wish) == device


def test_a_device_that_workers_do_not_have_is_refused():
    plain = Plain()
    plain.device = "cpu"
    with pytest.raises(SpecError, match=r"training\.device is cuda, but the executor has workers on cpu; ask it"):
        SafeExecutor(plain, "the executor", print).device("cuda")
