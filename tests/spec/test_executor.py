"""The executor that a call names, and its parameters."""

import pytest
from pydantic import Field

from alharness import Executor, ExecutorPlugin, Params
from alharness.errors import PluginError, SpecError
from alharness.registry import Registered, Registry
from alharness.spec.executor import choose_executor


class Cluster(Params):
    gpus: float = Field(default=1.0, ge=0)
    address: str = "auto"


@pytest.fixture
def choose():
    plugin = ExecutorPlugin(name="cluster", params=Cluster, make=lambda params, context: Executor())
    known = Registered(plugin=plugin, distribution="my-cluster", version="1.0", entry_point="cluster")
    registry = Registry(samplers={}, models={}, datasets={}, executors={"cluster": known})
    return lambda name, params=(): choose_executor(name, params, registry)


@pytest.mark.parametrize(
    "params", [["gpus=0.5", "address=ray://head:10001"], {"gpus": 0.5, "address": "ray://head:10001"}]
)
def test_parameters_are_yaml_texts_or_a_mapping(choose, params):
    chosen = choose("cluster", params)
    assert chosen.params == Cluster(gpus=0.5, address="ray://head:10001")
    assert chosen.registered.origin == "my-cluster==1.0"


def test_an_executor_needs_no_parameters(choose):
    assert choose("cluster", None).params == Cluster()


@pytest.mark.parametrize(
    ("name", "params", "kind", "said"),
    [
        ("clustre", (), PluginError, "no executor named 'clustre' is installed; did you mean 'cluster'"),
        ("cluster", ["gpu=1"], SpecError, "-x gpu=1: .*unknown key 'gpu'; did you mean 'gpus'"),
        ("cluster", ["gpus"], SpecError, "-x gpus: write it as key=value$"),
        ("cluster", ["gpus=-1"], SpecError, "-x gpus=-1: params.gpus"),
        ("cluster", ["gpus=[1"], SpecError, r"-x gpus=\[1"),
        ("cluster", {"gpu": 1}, SpecError, "executor_params={'gpu': ...}: .*did you mean 'gpus'"),
        (
            "cluster",
            "gpus=1",
            SpecError,
            "executor_params: expected a mapping of keys to values, but it is 'gpus=1'",
        ),
        (["cluster"], (), SpecError, "executor: expected a name, such as 'processes', but it is "),
        ("cluster", {1: 1}, SpecError, "a key is text"),
    ],
)
def test_what_is_wrong_with_it_is_told(choose, name, params, kind, said):
    with pytest.raises(kind, match=said):
        choose(name, params)
