import pytest
import yaml

from alharness import spec
from alharness.api.records import Stopping
from alharness.errors import PluginError

HEAD = "name: x\ndataset: blocks\nactive_learning: {initial_pool: 10, budget: 5, cycles: 2}\n"
SHORT = HEAD + "samplers: [toy]\n"


def test_a_name_alone_is_short_for_a_mapping(load):
    short, long = load(SHORT), load(HEAD.replace("blocks", "{name: blocks}") + "samplers: [{name: toy}]\n")

    assert short == long


def test_defaults(load):
    found = load(SHORT)

    assert (found.seeds, found.strict, found.model.name) == ((0, 1, 2, 3, 4), False, "late_fusion")


def test_parameters_are_typed_by_the_plugin(load):
    found = load(HEAD + "samplers: [{name: toy, params: {alpha: 1, inner: {depth: 3}}}]\n")

    params = found.samplers[0].params
    assert (params.alpha, params.mode, params.inner.depth) == (1.0, "a", 3)


def test_a_label_tells_two_of_the_same_sampler_apart(load):
    found = load(HEAD + "samplers: [toy, {name: toy, label: toy-1, params: {alpha: 1}}]\n")

    assert [sampler.label for sampler in found.samplers] == ["toy", "toy-1"]


def test_a_plugin_of_a_family_is_called_by_both_names(load):
    found = load(HEAD + "samplers: [toy, kin/toy, {name: kin/toy, label: mine}]\n")

    names = [(sampler.name, sampler.label) for sampler in found.samplers]
    assert names == [("toy", "toy"), ("kin/toy", "kin-toy"), ("kin/toy", "mine")]


@pytest.mark.parametrize(("seeds", "expected"), [("3", (0, 1, 2)), ("[7, 0, 4294967295]", (7, 0, 4294967295))])
def test_seeds(load, seeds, expected):
    assert load(f"{SHORT}seeds: {seeds}\n").seeds == expected


def test_seeds_until_decided(load):
    found = load(f"{SHORT}seeds: {{until: decided, at_most: 12, margin: 0.01}}\n")

    assert found.seeds == tuple(range(12))
    assert found.stopping == Stopping(margin=0.01)
    assert "5 to 12 seeds" in repr(found)
    assert load(spec.resolved_yaml(found)) == found
    assert load(SHORT).stopping is None


def test_a_model_without_a_name_is_the_default_one(load):
    found = load(SHORT + "model: {params: {alpha: 2}}\n")

    assert (found.model.name, found.model.params.alpha) == ("late_fusion", 2.0)


def test_the_papers_figures_and_the_reference(load):
    found = load(SHORT + "reference: {full_data: true}\npaper: {source: T2, values: {toy: {mae: 0.3}}}\n")

    assert found.reference.full_data
    assert found.paper.values == {"toy": {"mae": 0.3}}
    assert load(SHORT).paper is None


def test_case_38_a_relative_path_starts_at_the_spec(load, tmp_path):
    found = load(HEAD + "samplers: [{name: toy, params: {path: data/x}}]\n")

    assert found.samplers[0].params.path == tmp_path / "data/x"
    assert found.samplers[0].plain["path"] == "data/x"


@pytest.mark.parametrize("path", ["~/x", "$HOME/x", "${HOME}/x"])
def test_case_38_nothing_in_a_path_is_replaced(load, tmp_path, path):
    found = load(HEAD + f"samplers: [{{name: toy, params: {{path: '{path}'}}}}]\n")

    assert found.samplers[0].params.path == tmp_path / path


def test_where_begins_a_message(load):
    found = load(SHORT)

    assert found.where("active_learning", "budget") == "x.yaml:3:45: active_learning.budget"


def test_assignments_go_before_the_file(load):
    assert load(SHORT, "samplers.0.params.alpha=1e-3").samplers[0].params.alpha == 0.001


def test_the_resolved_spec_reads_back(load, tmp_path):
    found = load(HEAD + "samplers: [toy, {name: top, label: t2, params: {path: ../d, mode: 3}}]\nseeds: [4, 2]\n")

    assert load(spec.resolved_yaml(found)) == found


def test_the_resolved_spec_has_every_default(load):
    resolved = yaml.safe_load(spec.resolved_yaml(load(SHORT)))

    assert resolved["samplers"] == [
        {"name": "toy", "label": "toy", "params": {"alpha": 0.5, "mode": "a", "path": None, "inner": {"depth": 1}}}
    ]
    assert resolved["seeds"] == 5


def test_case_45_the_resolved_spec_has_no_credentials(load):
    text = spec.resolved_yaml(load(SHORT + "tracking: {uri: 'postgresql://user:p@ss@host/db'}\n"))

    assert "uri: postgresql://***@host/db" in text


@pytest.mark.parametrize(
    ("tracking", "expected"),
    [
        ("", [("mlflow", None)]),
        ("tracking: {}\n", [("mlflow", None)]),
        ("tracking: {uri: a}\n", [("mlflow", "a")]),
        ("tracking: {params: {uri: a}}\n", [("mlflow", "a")]),
        ("tracking: {name: mlflow, params: {uri: a}}\n", [("mlflow", "a")]),
        ("tracking: lines\n", [("lines", None)]),
        (
            "tracking: [lines, {uri: a}, {name: mlflow, params: {uri: b}}]\n",
            [("lines", None), ("mlflow", "a"), ("mlflow", "b")],
        ),
        ("tracking: none\n", [("none", None)]),
        ("tracking: []\n", []),
    ],
)
def test_a_spec_names_its_trackers(load, tracking, expected):
    found = load(SHORT + tracking).trackers

    assert [(tracker.name, getattr(tracker.params, "uri", None)) for tracker in found] == expected


@pytest.mark.parametrize("tracking", ["tracking: {uri: a}\n", "tracking: {name: lines, params: {alpha: 2}}\n"])
def test_trackers_of_a_resolved_spec_read_back(load, tracking):
    found = load(SHORT + tracking)

    assert load(spec.resolved_yaml(found)) == found


@pytest.mark.parametrize(
    ("tracking", "assignment", "keys"),
    [
        ("tracking: {uri: a}\n", "tracking.uri=x", ("tracking", "uri")),
        ("tracking: mlflow\n", "tracking.params.uri=x", ("tracking", "params", "uri")),
        ("tracking: [lines, mlflow]\n", "tracking.1.params.uri=x", ("tracking", 1, "params", "uri")),
    ],
)
def test_parameters_of_a_tracker_are_set_from_the_command_line(load, tracking, assignment, keys):
    found = load(SHORT + tracking, assignment)

    assert found.trackers[-1].params.uri == "x"
    assert found.trackers[-1].keys == keys[:-1]
    assert str(found.file.locate(keys)) == f"--set {assignment}"


def test_a_tracker_that_is_not_installed_has_near_names(load):
    with pytest.raises(PluginError, match=r"x\.yaml:5:11: tracking\.name: no tracker named 'line' .*mean 'lines'"):
        load(SHORT + "tracking: line\n")
