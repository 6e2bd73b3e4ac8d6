import pytest

from alharness.errors import SpecError
from alharness.spec import sources
from alharness.spec.yamlfile import Place, parse

TEXT = """
name: x
dataset: blocks
training:
samplers:
  - toy
  - {name: top, params: {alpha: 1}}
"""


def apply(*assignments):
    return sources.apply(parse(TEXT, "x.yaml"), assignments)


@pytest.mark.parametrize(
    ("assignment", "keys", "value"),
    [
        ("name=y", ["name"], "y"),
        ("seeds=[3, 4]", ["seeds"], [3, 4]),
        ("samplers.1.params.alpha=1e-3", ["samplers", 1, "params", "alpha"], 0.001),
        ("samplers.1.params.beta=2", ["samplers", 1, "params"], {"alpha": 1, "beta": 2}),
        ("samplers.0.params.alpha=2", ["samplers", 0], {"name": "toy", "params": {"alpha": 2}}),
        ("samplers.0=top", ["samplers", 0], {"name": "top"}),
        ("samplers=[toy]", ["samplers"], [{"name": "toy"}]),
        ("dataset.params={path: a=b}", ["dataset", "params"], {"path": "a=b"}),
        ("model.params.alpha=2", ["model", "params"], {"alpha": 2}),
        ("tracking.uri=", ["tracking"], {"uri": None}),
    ],
)
def test_values_are_put_in(assignment, keys, value):
    data = apply(assignment).data
    for key in keys:
        data = data[key]

    assert data == value


def test_the_rest_stays():
    assert apply("samplers.1.params.alpha=2").data["samplers"][0] == {"name": "toy"}


def test_the_file_itself_stays():
    file = parse(TEXT, "x.yaml")
    sources.apply(file, ["samplers.1.params.alpha=2"])

    assert file.data["samplers"][1]["params"] == {"alpha": 1}


def test_the_last_assignment_counts():
    assert apply("name=y", "name=z").data["name"] == "z"


def test_the_place_of_a_value_is_the_option():
    file = apply("samplers.1={name: toy, params: {alpha: 3}}")

    assert file.locate(("samplers", 1, "params", "alpha")) == Place(
        "--set samplers.1={name: toy, params: {alpha: 3}}"
    )


def test_the_place_of_a_key_is_the_option():
    file = apply("samplers.1={name: toy, params: {alpha: 3}}")

    assert file.locate(("samplers", 1, "params"), key=True).line == 0


def test_other_places_stay():
    assert apply("samplers.1.params.alpha=3").locate(("name",)) == Place("x.yaml", 2, 7)


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("seeds", "write it as key=value"),
        ("=3", "write it as key=value"),
        ("samplers.7=toy", "samplers has the entries 0 to 1, but no '7'"),
        ("samplers.-1=toy", "samplers has the entries 0 to 1, but no '-1'"),
        ("samplers.²=toy", "samplers has the entries 0 to 1, but no '²'"),
        ("name.x=1", "name is 'x', not a mapping"),
        ("training.epochs=1", "training is None, not a mapping"),
    ],
)
def test_assignments_that_lead_nowhere(assignment, message):
    with pytest.raises(SpecError) as caught:
        apply(assignment)
    assert str(caught.value).startswith(f"--set {assignment}: {message}")


def test_an_assignment_that_is_no_yaml():
    with pytest.raises(SpecError) as caught:
        apply("seeds=[1")
    assert str(caught.value).startswith("--set seeds=[1:1:3: not valid YAML")
