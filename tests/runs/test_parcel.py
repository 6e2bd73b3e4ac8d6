"""The work as it travels: what a worker makes of it, and what it refuses."""

import pickle
import platform
import socket
from importlib.metadata import version

import pytest

from alharness import registry
from alharness import spec as specs
from alharness.api.executor import At, Begun, Done, Finished, FirstFit, Group, Refused
from alharness.api.records import Cell, Outcome, Schedule
from alharness.registry import Extras
from alharness.runs import parcel
from alharness.runs.messages import Blueprint
from alharness.runs.setup import pool_if_needed
from alharness.runs.sharing import share
from alharness.spec.settings import TrainingSettings

CELLS = tuple(Cell(label="random", sampler="random", params={}, distribution="", seed=s, key="k") for s in (0, 1))
GROUP = Group(cells=CELLS, chosen={cell.name: () for cell in CELLS})


@pytest.fixture
def send(make_dataset, tmp_path):
    """The work, in a worker that needs these versions."""
    installed = registry.load()
    model = installed.model("late_fusion").plugin
    blueprint = Blueprint(
        extras=Extras(),
        model="late_fusion",
        model_params=model.params(),
        sampler_params={"random": installed.sampler("random").plugin.params()},
        training=TrainingSettings(epochs=1, device="cpu"),
        schedule=Schedule(initial_pool=10, sizes=()),
    )
    shared = share(pool_if_needed(make_dataset(), model), tmp_path)

    def sent(**versions):
        return pickle.loads(pickle.dumps(parcel.Parcel(blueprint, shared, versions)))

    return sent


def test_a_group_is_answered_and_each_turn_of_another_cell_is_said_once(send):
    work = send(numpy=version("numpy"))
    work.begin([file.open() for file in work.arrays])
    first, second = CELLS
    messages = [message for message in work(GROUP) if not isinstance(message, FirstFit)]
    found = [message.cell if isinstance(message, At) else type(message) for message in messages]
    assert found[0] is Begun
    assert found[-1] is Done
    turns = [one for one in found if not isinstance(one, type)]
    assert [one for one, before in zip(turns, [0, *turns], strict=False) if one == before] == []
    assert turns[0] == first
    assert second in turns
    assert found.count(Finished) == found.count(Outcome) == 2


def test_nothing_is_unpickled_by_a_worker_with_other_versions(send, monkeypatch):
    work = send(Python="3.99", torch=version("torch"), numpy="0.1", mine="2.0")
    monkeypatch.setattr(parcel.pickle, "loads", lambda _: pytest.fail("it was unpickled"))
    work.begin()
    python = ".".join(platform.python_version_tuple()[:2])
    (refused,) = work(GROUP)
    assert refused == Refused(
        text=f"{socket.gethostname()} has Python {python} instead of 3.99, numpy {version('numpy')} instead of "
        "0.1, no mine (2.0 is needed); the same versions are needed on every machine"
    )


def test_what_cannot_be_loaded_is_told(send, monkeypatch, capsys):
    work = send()
    monkeypatch.setattr("alharness.registry.load", lambda **_: 1 / 0)
    work.begin()
    (refused,) = work(GROUP)
    assert refused.text == f"{socket.gethostname()}: ZeroDivisionError: division by zero"
    assert "Traceback" in capsys.readouterr().err


def test_what_is_compared_is_python_and_what_the_run_depends_on():
    spec = {
        "name": "x",
        "dataset": "digits",
        "active_learning": {"initial_pool": 20, "budget": 20, "cycles": 1},
        "samplers": ["random"],
        "seeds": 1,
    }
    found = parcel.needed(specs.load(spec, registry.load()))
    assert found.keys() == {"Python", "alharness", "torch", "numpy", "alharness-random"}
    assert found["numpy"] == version("numpy")
