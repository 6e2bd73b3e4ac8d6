"""What needs no Ray: parameters, room on nodes, and what errors mean."""

from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from alharness import RunError
from alharness_ray import cluster
from alharness_ray.losses import Place, explain, unusable
from alharness_ray.plugin import RayParams

PLACE = Place(pid=812, node="n2", address="10.0.0.2", output="/tmp/ray/worker-812.err")


def error(name, text):
    return type(name, (Exception,), {})(text)


@pytest.mark.parametrize("address", ["10.0.0.5:6379", "head.cluster:6379", "[::1]:6379", "auto", "local", None])
def test_addresses(address):
    assert RayParams(address=address).address == address


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"address": "ray://head:10001"}, "Run alharness on a node of the cluster"),
        ({"address": "head"}, "expected HOST:PORT, such as 10.0.0.5:6379, or local or auto"),
        ({"address": "head:99999"}, "expected HOST:PORT"),
        ({"address": ""}, "expected HOST:PORT"),
        ({"gpus": 1.5}, "a part of one GPU, such as 0.25, or whole ones, such as 2"),
        ({"gpus": -1}, "greater than or equal to 0"),
        ({"cpus": 0}, "greater than or equal to 0.01"),
        ({"cpus": float("nan")}, "finite"),
    ],
)
def test_what_is_wrong_with_a_parameter_is_told(given, said):
    with pytest.raises(ValidationError, match=said):
        RayParams(**given)


def test_an_address_in_the_environment_is_checked_as_well(monkeypatch):
    monkeypatch.setattr(cluster, "_imported", lambda: SimpleNamespace(is_initialized=lambda: False))
    monkeypatch.setenv("RAY_ADDRESS", "ray://head:10001")
    with pytest.raises(RunError, match="RAY_ADDRESS=ray://head:10001: this is a Ray client's address"):
        cluster.connect(None, cpus=1)


@pytest.mark.parametrize(
    ("need", "room"),
    [
        ({"CPU": 1.0}, 6),
        ({"CPU": 2.0}, 2),  # a worker is on one node
        ({"CPU": 0.1}, 60),  # ten in one CPU, as Ray counts
        ({"CPU": 1.0, "GPU": 0.25}, 3),
        ({"CPU": 1.0, "GPU": 2.0}, 0),
    ],
)
def test_room_for_workers(need, room):
    nodes = [{"CPU": 3.0, "GPU": 1.0}, {"CPU": 3.0}, {"memory": 10.0}]
    assert cluster.slots([{"Resources": resources} for resources in nodes], need) == room


@pytest.mark.parametrize(
    ("raised", "left", "cause", "text"),
    [
        (
            error("ActorDiedError", "The worker process has died"),
            False,
            "killed",
            "process 812 on 10.0.0.2 has died",
        ),
        (error("ActorDiedError", "Worker exits with an exit code 3."), False, "work", "ended with 3"),
        (error("ActorDiedError", "it was running low on memory"), False, "memory", "ran low on memory"),
        (
            error("ActorDiedError", "The actor died because its node has died."),
            False,
            "machine",
            "10.0.0.2 was lost",
        ),
        (error("ActorUnavailableError", "socket closed"), True, "machine", "its node 10.0.0.2 was lost"),
        (error("ActorUnavailableError", "socket closed"), False, "machine", "cannot be reached"),
        (error("RayTaskError", "ValueError: x"), False, "work", "failed: ValueError: x"),
        (None, False, "work", "failed"),
    ],
)
def test_what_has_become_of_a_worker(raised, left, cause, text):
    loss = explain(raised, PLACE, left=left)
    assert loss.cause == cause
    assert text in loss.text
    assert (PLACE.output in loss.reason) == (cause != "machine")


def test_a_worker_that_never_began_is_not_a_matter_of_its_cells():
    lost = explain(
        error("ActorDiedError", "ip: 10.0.0.9 The actor died because its node has died."), None, left=False
    )
    assert (lost.cause, lost.text) == ("machine", "its node 10.0.0.9 was lost")
    assert explain(error("ActorDiedError", "no disk"), None, left=False).cause == "machine"


def test_a_node_without_alharness_is_named():
    text = unusable("(pid=9, ip=10.0.0.3, ...) ModuleNotFoundError: No module named 'alharness_ray'")
    assert text.startswith("the node 10.0.0.3 has no Python module alharness_ray; install")
    assert not unusable("ValueError: x")
