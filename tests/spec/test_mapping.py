"""A spec that is a mapping: the same as a file, and messages that begin with the path of a value."""

from pathlib import Path

import numpy as np
import pytest

from alharness import Feature, Sampler
from alharness.errors import HarnessError, SpecError
from alharness.registry import Extras
from alharness.registry import load as find_plugins
from alharness.spec import Spec, load, resolved_yaml, sources

MINIMAL = {
    "name": "first",
    "dataset": "digits",
    "active_learning": {"initial_pool": 20, "budget": 10, "cycles": 3},
    "samplers": ["random"],
}


class Mine(Sampler):
    def __init__(self, start: int = 0):
        self.start = start

    def select(self, query):
        return range(query.size)


def refusal(changes, **options):
    with pytest.raises(HarnessError) as caught:
        Spec.load(MINIMAL | changes, **options)
    return str(caught.value)


def test_a_sampler_that_is_given_for_the_initial_pool_is_not_compared():
    class First(Mine):
        requires = {Feature.INPUTS}

    spec = Spec.load(MINIMAL | {"initial": "mine"}, samplers={"mine": First})
    assert (spec.initial.name, [sampler.label for sampler in spec.samplers]) == ("mine", ["random"])


def test_it_is_the_same_spec_as_in_a_file(tmp_path):
    spec = Spec.load(MINIMAL)
    (tmp_path / "spec.yaml").write_text(resolved_yaml(spec))

    again = Spec.load(tmp_path / "spec.yaml")

    assert (spec.path, spec.folder) == (None, Path.cwd())
    assert resolved_yaml(again) == resolved_yaml(spec)


def test_what_means_plain_data_is_taken():
    found = sources.plain(
        {
            "a": (1, np.int64(2)),
            "b": range(2),
            "c": np.float64(0.5),
            "d": Path("x/y"),
            "e": Feature.DECODE,
            "f": np.eye(1),
        }
    )
    assert found == {"a": [1, 2], "b": [0, 1], "c": 0.5, "d": "x/y", "e": "decode", "f": [[1.0]]}
    assert {type(value) for value in found["a"]} == {int}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"active_learning": {"initial_pool": 20, "budget": 0, "cycles": 3}},
            "active_learning.budget: Input should be greater than or equal to 1 (got 0)",
        ),
        ({"actve_learning": {}}, "unknown key 'actve_learning'; did you mean 'active_learning'?"),
        ({"samplers": ["randon"]}, "samplers.0.name: no sampler named 'randon' is installed; did you mean"),
        ({"training": {3: 4}}, "training: the key 3 is not text"),
        ({"dataset": {1, 2}}, "dataset: expected text, a number, a list or a mapping, but the object is of type"),
        ({"samplers": [Mine]}, "samplers.0: expected text, a number, a list or a mapping, but the object is Mine"),
        ({"samplers": [{"name": "random", "params": {"x": 1}}]}, "samplers.0.params: unknown key 'x'"),
    ],
)  # fmt: skip
def test_messages_begin_with_the_path(changes, message):
    assert refusal(changes).startswith(message)


def test_a_plan_refuses_with_the_path_as_well():
    from alharness.spec.plan import make_plan

    spec = Spec.load(MINIMAL, set={"active_learning.initial_pool": 10**6})
    with pytest.raises(
        SpecError, match=r"^set={'active_learning.initial_pool': ...}: active_learning.initial_pool: "
    ):
        make_plan(spec)


def test_a_mapping_that_holds_itself():
    loop = dict(MINIMAL)
    loop["training"] = loop
    with pytest.raises(SpecError, match="nested more than 50 deep"):
        Spec.load(loop)


def test_set_changes_values_of_one_call():
    spec = Spec.load(
        MINIMAL, set={"training.epochs": np.int64(7), "samplers": ["random", {"name": "random", "label": "r"}]}
    )

    assert spec.training.epochs == 7
    assert [sampler.label for sampler in spec.samplers] == ["random", "r"]
    assert "training" not in MINIMAL


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "training.epochs",
            "many",
            "set={'training.epochs': ...}: training.epochs: Input should be a valid integer",
        ),
        ("samplers.3.label", "x", "set={'samplers.3.label': ...}: samplers has the entries 0 to 0, but no '3'"),
        ("training.epochs", Mine, "training.epochs: expected text"),
        ("", 1, "set={'': ...}: a key is text"),
    ],
)
def test_what_cannot_be_set_names_the_key(key, value, message):
    assert refusal({}, set={key: value}).startswith(message)


def test_a_spec_can_be_changed_further():
    spec = Spec.load(MINIMAL, samplers=Mine)

    more = Spec.load(spec, set={"seeds": 2})

    assert (spec.seeds, more.seeds) == (tuple(range(5)), (0, 1))
    assert [sampler.name for sampler in more.samplers] == ["random", "Mine"]


def test_samplers_that_are_given_are_compared_with_those_of_the_spec(tmp_path):
    (tmp_path / "two.py").write_text(
        "from alharness import Sampler\n"
        "class A(Sampler):\n    def select(self, query): return range(query.size)\n"
        "class B(A):\n    pass\n"
    )

    def labels(listed, **extras):
        return [s.label for s in Spec.load(MINIMAL | {"samplers": listed}, **extras).samplers]

    assert labels(["random"], samplers=Mine, include=tmp_path / "two.py") == ["random", "A", "B", "Mine"]
    assert labels(["random", {"name": "Mine", "label": "m"}], samplers=Mine) == ["random", "m"]
    assert labels(["B"], include=tmp_path / "two.py") == ["B"]
    assert labels([], samplers=Mine) == ["Mine"]


def test_parameters_that_a_given_sampler_needs_are_asked_for(tmp_path):
    text = "from alharness import Sampler\nclass A(Sampler):\n    def __init__(self, k: int): pass\n"
    (tmp_path / "needs.py").write_text(f"{text}    def select(self, query): pass\n")

    message = refusal({}, include=tmp_path / "needs.py")

    assert message == f"{tmp_path / 'needs.py'}: samplers.1.params.k: required, but missing"


def test_a_data_set_that_is_given_and_not_named(make_dataset):
    message = refusal({}, datasets={"mine": make_dataset()})

    assert message == (
        "datasets: 'mine' is given, but dataset is 'digits'; write dataset: mine, or set={\"dataset\": \"mine\"}"
    )


def test_a_data_set_that_is_given_is_named_by_a_setting(make_dataset):
    grid = MINIMAL | {"matrix": {"dataset": ["digits", "mine"]}}

    found = Spec.load_all(grid, datasets={"mine": make_dataset()})

    assert [setting.dataset.name for setting in found] == ["digits", "mine"]


def test_a_data_set_that_is_given_is_named_by_no_setting(make_dataset):
    message = refusal({"matrix": {"training.epochs": [1, 2]}}, datasets={"mine": make_dataset()})

    assert message.startswith("datasets: 'mine' is given, but dataset is 'digits'; ")


def test_files_may_be_named_as_on_the_command_line():
    extras = Extras()
    assert load(MINIMAL, find_plugins(extras=extras), ["seeds=2"]).seeds == (0, 1)
