"""Plans of several settings."""

import time
from pathlib import Path

import pytest

from alharness import spec
from alharness.api.dataset import DatasetFacts, DatasetPlugin
from alharness.api.model import ModelPlugin
from alharness.api.params import Params
from alharness.api.sampler import SamplerPlugin
from alharness.api.vocabulary import Task
from alharness.errors import DataError, HarnessError, SpecError
from alharness.registry import Registered, Registry
from alharness.spec.grid import make_plans, select
from alharness.tracking.plugin import alharness_trackers

TEXT = """\
name: x
dataset: blocks
training: {epochs: 7}
active_learning: {initial_pool: 10, cycles: 2, budget: 5}
samplers: [toy, classes]
tracking: none
"""


class BlockParams(Params):
    size: int = 100
    missing: bool = False


def registered(plugin):
    return Registered(plugin=plugin, distribution="toys", version="1.0", entry_point="toys")


@pytest.fixture
def inspected():
    """What was inspected: the parameters of each time."""
    return []


@pytest.fixture
def registry(inspected):
    def inspect(params):
        inspected.append(params)
        if params.missing:
            raise DataError("no such folder; get it from ...")
        return DatasetFacts(task=Task.REGRESSION, modalities=("a", "b"), sizes=(params.size, 10, 10))

    samplers = [
        SamplerPlugin(name="toy", params=Params, make=Params),
        SamplerPlugin(name="random", params=Params, make=Params),
        SamplerPlugin(name="classes", params=Params, make=Params, tasks={Task.CLASSIFICATION}),
    ]
    dataset = DatasetPlugin(name="blocks", params=BlockParams, inspect=inspect, make=BlockParams)
    return Registry(
        samplers={sampler.name: registered(sampler) for sampler in samplers},
        models={"late_fusion": registered(ModelPlugin(name="late_fusion", params=Params, make=Params))},
        datasets={"blocks": registered(dataset)},
        trackers={tracker.name: registered(tracker) for tracker in alharness_trackers()},
    )


@pytest.fixture
def load(tmp_path, monkeypatch, registry):
    monkeypatch.chdir(tmp_path)

    def load(matrix, name="x", samplers="[toy, classes]"):
        text = TEXT.replace("name: x", f"name: {name}", 1).replace("[toy, classes]", samplers)
        Path(f"{name}.yaml").write_text(f"{text}{matrix}\n")
        return spec.load_all(f"{name}.yaml", registry)

    return load


@pytest.fixture
def refusal(load):
    def refusal(matrix, kind=SpecError):
        specs = load(matrix)
        with pytest.raises(HarnessError) as caught:
            make_plans(specs)
        assert type(caught.value) is kind
        return str(caught.value)

    return refusal


def test_a_setting_has_the_hash_that_it_would_have_by_hand(load, registry):
    (_, planned) = make_plans(load("matrix: {training.epochs: [1, 2]}"))
    Path("y.yaml").write_text(TEXT.replace("epochs: 7", "epochs: 2").replace("name: x", "name: x-epochs2", 1))

    (by_hand,) = make_plans(spec.load_all("y.yaml", registry))

    assert planned.experiment == by_hand.experiment
    assert [cell.key for cell in planned.cells] == [cell.key for cell in by_hand.cells]


def test_each_data_set_is_inspected_once(load, inspected):
    specs = load("matrix: {dataset: [blocks, {name: blocks, params: {size: 50}}], training.epochs: [1, 2, 3]}")

    plans = make_plans(specs)

    assert [params.size for params in inspected] == [100, 50]
    assert [plan.pool for plan in plans] == [100, 100, 100, 50, 50, 50]


@pytest.mark.parametrize(
    ("matrix", "first", "second"),
    [
        ("training.epochs: [{label: a, value: 1}, {label: b, value: 1}]", "x-a", "x-b"),
        ("training.learning_rate: [{label: a, value: 1.0}, {label: b, value: 1}]", "x-a", "x-b"),
        (
            "training.count_val_in_budget: [false, true]",
            "x-count_val_in_budget-false",
            "x-count_val_in_budget-true",
        ),
        ("dataset: [blocks, {label: all, name: blocks, params: {size: 100}}]", "x-size-default", "x-all"),
    ],
)
def test_equal_settings_are_both_named(refusal, matrix, first, second):
    assert refusal(f"matrix: {{{matrix}}}") == (
        f"x.yaml:7:1: matrix: the settings {first!r} and {second!r} are equal: they have the same dataset, model, "
        "training, initial and active_learning; keep one of the two"
    )


def test_one_spec_is_not_there_twice(load):
    specs = [*load(""), *load("")]

    with pytest.raises(SpecError) as caught:
        make_plans(specs)
    assert str(caught.value) == "x.yaml:1:7: name: 'x' is there twice; keep one of the two"


def test_specs_of_one_setting_may_run_one_after_the_other(load):
    assert len(make_plans([*load(""), *load("", name="y")])) == 2


def test_what_is_wrong_with_some_settings_names_them(refusal):
    assert refusal("matrix: {active_learning.initial_pool: [10, 200], training.epochs: [1, 2]}") == (
        "x.yaml:7:45: active_learning.initial_pool: 200 labels to begin with, but the train split of 'blocks' has "
        "100 samples; choose fewer\n  in the settings x-initial_pool200-epochs1, x-initial_pool200-epochs2"
    )


def test_what_is_wrong_with_all_is_told_once(refusal):
    assert refusal("matrix: {training.epochs: [1, 2]}\nstrict: true") == (
        "x.yaml:5:17: samplers.1: classes: it serves classification, and 'blocks' is regression\n"
        "strict: true allows no skips; choose other samplers, or another data set or model"
    )


def test_everything_that_is_wrong_is_told_at_once(refusal):
    text = "matrix: {dataset.params: [{missing: true}, {size: 5}, {size: 6}, {size: 50}]}"

    lines = refusal(text, kind=DataError).splitlines()

    assert [line.partition("; ")[0].partition("split of ")[2] for line in lines[2::2]] == [
        "'blocks' has 5 samples",
        "'blocks' has 6 samples",
    ]
    assert lines[:2] == ["no such folder; get it from ...", "  in the setting x-size-default"]


def test_replicates_of_random_are_cells_of_a_grid_too(load):
    text = "matrix: {training.epochs: [1, 2]}\nrandom: {replicates: 3}\nlimits: {max_cells: 20}"

    with pytest.raises(SpecError) as caught:
        make_plans(load(text, samplers="[random]"))
    assert str(caught.value) == (
        "x.yaml:7:1: matrix: 30 cells in all settings; at most 20 can run: vary less, or raise limits.max_cells"
    )


def test_settings_are_chosen_by_their_names(load):
    specs = load("matrix: {training.epochs: [1, 2, 3]}")

    chosen, rest = select(specs, ("x-epochs3", "toy", "x-epochs1"))

    assert ([one.name for one in chosen], rest) == (["x-epochs1", "x-epochs3"], ("toy",))


def test_all_settings_are_chosen_if_none_is_named(load):
    specs = load("matrix: {training.epochs: [1, 2]}")

    assert select(specs, ("toy-s0",)) == (specs, ("toy-s0",))


def test_a_grid_of_6000_cells_is_planned_in_seconds(tmp_path, monkeypatch, registry):
    monkeypatch.chdir(tmp_path)
    labels = ", ".join(f"{{name: toy, label: toy-{n}}}" for n in range(10))
    text = TEXT.replace("[toy, classes]", f"[{labels}]")
    axes = f"{{training.epochs: {[*range(1, 7)]}, active_learning.budget: {[*range(1, 6)]}}}"
    Path("x.yaml").write_text(f"{text}seeds: 20\nmatrix: {axes}\n")

    began = time.process_time()
    plans = make_plans(spec.load_all("x.yaml", registry))

    assert sum(len(plan.cells) for plan in plans) == 6000
    assert time.process_time() - began < 5
