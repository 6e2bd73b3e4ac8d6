"""`matrix`: one spec that becomes several settings."""

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alharness import spec
from alharness.errors import HarnessError, SpecError
from alharness.spec import Spec, yamlfile

TEXT = """\
name: x
dataset: blocks
training: {epochs: 7}
active_learning: {initial_pool: 10, cycles: 2, budget: 5}
samplers: [toy, top]
"""


@pytest.fixture
def load(tmp_path, monkeypatch, registry):
    monkeypatch.chdir(tmp_path)

    def load(matrix, *assignments, text=TEXT):
        Path("x.yaml").write_text(f"{text}matrix: {matrix}\n")
        return spec.load_all("x.yaml", registry, assignments)

    return load


@pytest.fixture
def refusal(load):
    def refusal(*arguments, **more):
        with pytest.raises(HarnessError) as caught:
            load(*arguments, **more)
        assert isinstance(caught.value, SpecError)
        return str(caught.value)

    return refusal


def names(found):
    return [one.name for one in found]


def test_each_combination_is_a_setting_and_the_last_path_varies_first(load):
    found = load("{active_learning.budget: [5, 10], training.epochs: [1, 2, 3]}")

    assert [(s.active_learning.budget, s.training.epochs) for s in found] == [
        (budget, epochs) for budget in (5, 10) for epochs in (1, 2, 3)
    ]


def test_all_else_is_the_same(load):
    first, second = load("{active_learning.budget: [5, 10]}")

    assert (first.seeds, first.samplers, first.training) == (second.seeds, second.samplers, second.training)


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (
            "{training.learning_rate: [0.001, 1e-2, null]}",
            ["x-learning_rate0.001", "x-learning_rate0.01", "x-learning_rate-null"],
        ),
        ("{training.valid: [full, none]}", ["x-valid-full", "x-valid-none"]),
        ("{active_learning: [{budget: 5}, {budget: 10}]}", ["x-budget5", "x-budget10"]),
        ("{active_learning: [{budget: 5, cycles: 4}, {budget: 10, cycles: 2}]}", ["x-budget5", "x-budget10"]),
        ("{active_learning: [{budget: 5, cycles: 4}, {budget: 5, cycles: 2}]}", ["x-cycles4", "x-cycles2"]),
        (
            "{active_learning: [{budget: 5, cycles: 4}, {budget: 5, cycles: 2}, {budget: 6, cycles: 4}]}",
            ["x-budget5-cycles4", "x-budget5-cycles2", "x-budget6-cycles4"],
        ),
        ("{model: [{params: {alpha: 1}}, {params: {mode: b}}]}", ["x-alpha1", "x-alpha-default"]),
        ("{dataset: [blocks, {label: ours, name: blocks, params: {alpha: 2}}]}", ["x-alpha-default", "x-ours"]),
        ("{training.epochs: [{label: short, value: 1}, {label: long, value: 60}]}", ["x-short", "x-long"]),
        ("{dataset: [blocks], training.epochs: [1, 2]}", ["x-epochs1", "x-epochs2"]),
        (
            "{dataset: [{label: ours, value: blocks}], training.epochs: [1, 2]}",
            ["x-ours-epochs1", "x-ours-epochs2"],
        ),
        ("{training: [{epochs: 1}, {}]}", ["x-epochs1", "x-epochs7"]),
        (
            "{training.count_val_in_budget: [true, false]}",
            ["x-count_val_in_budget-true", "x-count_val_in_budget-false"],
        ),
    ],
)
def test_settings_are_named_by_what_varies(load, matrix, expected):
    assert names(load(matrix)) == expected


def test_a_mapping_is_laid_over_what_the_spec_says(load):
    first, second = load("{active_learning: [{budget: 3}, {cycles: 4}]}")

    assert first.active_learning.model_dump() == {"initial_pool": 10, "budget": 3, "cycles": 2}
    assert second.active_learning.model_dump() == {"initial_pool": 10, "budget": 5, "cycles": 4}


def test_another_plugin_does_not_take_the_parameters_of_the_one_it_replaces(load):
    text = TEXT.replace("dataset: blocks", "dataset: {name: other, params: {secret: 1}}")

    (found,) = load("{dataset: [blocks]}", text=text)

    assert found.dataset.name == "blocks"


def test_a_path_below_an_entry_holds_for_each_entry(load):
    found = load(
        "{training.epochs: [1, 2], training: [{batch_size: 8, epochs: 30}, {batch_size: 16, epochs: 30}]}"
    )

    assert [(s.training.epochs, s.training.batch_size) for s in found] == [(1, 8), (1, 16), (2, 8), (2, 16)]


def test_a_matrix_may_be_all_that_says_what_is_required(load):
    text = "name: x\nsamplers: [toy]\n"

    found = load("{dataset: [blocks], active_learning: [{initial_pool: 1, budget: 2, cycles: 3}]}", text=text)

    assert names(found) == ["x"]


def test_each_setting_knows_its_grid(load):
    assert {one.grid for one in load("{training.epochs: [1, 2]}")} == {"x"}


def test_a_setting_is_the_spec_that_would_be_written_by_hand(load, registry):
    second = load("{training.epochs: [1, 2], dataset: [blocks, {name: blocks, params: {alpha: 1}}]}")[3]
    by_hand = TEXT.replace("epochs: 7", "epochs: 2").replace("blocks", "{name: blocks, params: {alpha: 1}}")
    Path("y.yaml").write_text(by_hand.replace("name: x", f"name: {second.name}", 1))

    written = spec.load("y.yaml", registry)

    assert spec.resolved_yaml(second) == spec.resolved_yaml(written)


def test_the_resolved_setting_stands_by_itself(load, registry):
    first, _ = load("{training.epochs: [1, 2]}")
    Path("copy.yaml").write_text(spec.resolved_yaml(first))

    assert spec.load("copy.yaml", registry).training == first.training


def test_settings_of_a_mapping(load, registry):
    data = {
        "name": "x",
        "dataset": "blocks",
        "active_learning": {"initial_pool": 10, "cycles": 2, "budget": 5},
        "samplers": ["toy"],
        "matrix": {"training.epochs": range(1, 4)},
    }

    assert names(spec.load_all(data, registry)) == ["x-epochs1", "x-epochs2", "x-epochs3"]


def test_one_spec_is_asked_for_and_there_are_more(registry, load):
    load("{training.epochs: [1, 2]}")

    with pytest.raises(SpecError) as caught:
        spec.load("x.yaml", registry)
    assert str(caught.value) == (
        "x.yaml:6:1: matrix: 'x' has 2 settings, and one is asked for; Spec.load_all reads all of them"
    )


def test_python_reads_all_settings():
    data = {
        "name": "grid",
        "extends": "digits_quick",
        "matrix": {"active_learning.budget": [10, 20]},
    }

    assert names(Spec.load_all(data, set={"seeds": 2})) == ["grid-budget10", "grid-budget20"]


def test_assignments_hold_for_every_setting(load):
    found = load("{training: [{epochs: 1}, {epochs: 2, batch_size: 8}]}", "training.batch_size=4", "name=y")

    assert [(s.name, s.training.batch_size) for s in found] == [("y-epochs1", 4), ("y-epochs2", 4)]


@pytest.mark.parametrize("assignment", ["matrix.training.epochs=[3, 4]", "matrix={training.epochs: [3, 4]}"])
def test_assignments_may_change_what_varies(load, assignment):
    assert names(load("{training.epochs: [1, 2]}", assignment)) == ["x-epochs3", "x-epochs4"]


def test_an_assignment_may_add_a_path(load):
    found = load("{training.epochs: [1, 2]}", "matrix.active_learning.budget=[3, 4]")

    assert names(found) == [f"x-epochs{epochs}-budget{budget}" for epochs in (1, 2) for budget in (3, 4)]


@pytest.mark.parametrize(
    ("assignment", "given"),
    [("training.epochs=3", "training.epochs=3"), ("training={epochs: 3}", "training={epochs: 3}")],
)
def test_an_assignment_does_not_make_all_settings_equal(refusal, assignment, given):
    assert refusal("{training.epochs: [1, 2]}", assignment) == (
        f"--set {given}: the matrix varies training.epochs; choose its values by matrix.training.epochs=[...]"
    )


MADE_OF = "a setting is made of dataset, model, training, initial and active_learning"


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ("{training.epoch: [1, 2]}", "6:10: training: unknown key 'epoch'; did you mean 'epochs'?"),
        ("{trainin.epochs: [1]}", "6:10: matrix: unknown path 'trainin.epochs'; did you mean 'training.epochs'?"),
        ("{datset: [a]}", "6:10: matrix: unknown path 'datset'; did you mean 'dataset'?"),
        ("{zzz: [a]}", f"6:10: matrix: unknown path 'zzz'; {MADE_OF}"),
        ("{training.: [1]}", "6:10: matrix: unknown path 'training.'; did you mean 'training'?"),
        ("{dataset.params.alfa: [1, 2]}", "6:10: dataset.params: unknown key 'alfa'; did you mean 'alpha'?"),
        ("{dataset.path: [1, 2]}", "6:10: dataset: unknown key 'path'; known keys: name, params"),
        (
            "{training.epochs.x: [1, 2]}",
            "6:10: training.epochs is 7, not a mapping; there is nothing below it to set",
        ),
        (
            "{seeds: [1, 2]}",
            f"6:10: matrix: 'seeds' cannot vary: {MADE_OF}; all else is the same for all settings",
        ),
        ("{name: [a, b]}", f"6:10: matrix: 'name' cannot vary: {MADE_OF}; all else is the same for all settings"),
        (
            "{samplers: [[toy], [top]]}",
            (
                f"6:10: matrix: 'samplers' cannot vary: {MADE_OF}, and samplers are compared within "
                "it; list them in "
                "`samplers`"
            ),
        ),
        (
            "{training.epochs: []}",
            "6:27: matrix.training.epochs: Input should be a list of one value or more (got [])",
        ),
        (
            "{training.epochs: 3}",
            "6:27: matrix.training.epochs: Input should be a list of one value or more (got 3)",
        ),
        (
            "[]",
            (
                "6:9: matrix: Input should be a mapping of paths to lists, such as "
                "`training.learning_rate: [0.001, 0.01]`"
            ),
        ),
        (
            "",
            (
                "6:8: matrix: Input should be a mapping of paths to lists, such as "
                "`training.learning_rate: [0.001, 0.01]`"
            ),
        ),
        (
            "{training.epochs: [1, fast]}",
            (
                "6:31: training.epochs: Input should be a valid integer, unable to parse string as an "
                "integer (got 'fast')"
            ),
        ),
        (
            "{training: [{epochs: 1}, 3]}",
            "6:34: training: Input should be a mapping, `key: value` in every line (got 3)",
        ),
        ("{training: [{epochs: 1}, {epoch: 3}]}", "6:35: training: unknown key 'epoch'; did you mean 'epochs'?"),
        (
            "{training.epochs: [1, 2, 1]}",
            (
                "6:34: matrix.training.epochs: the settings of entries 0 and 2 are equal, both "
                "'epochs1'; keep one of the two"
            ),
        ),
        (
            "{model: [late_fusion, {name: late_fusion}]}",
            (
                "6:31: matrix.model: the settings of entries 0 and 1 are equal, both 'late_fusion'; keep "
                "one of the two"
            ),
        ),
        (
            "{training.epochs: [{label: a, value: 1}, {label: a, value: 2}]}",
            "6:50: matrix.training.epochs: entries 0 and 1 are both called 'a'; give them a `label` each",
        ),
        (
            "{training.epochs: [{label: a b, value: 1}, 2]}",
            (
                "6:36: matrix.training.epochs.0.label: a name is 1 to 64 letters (A to Z), digits, "
                "'.', '_' and '-', the "
                "first a letter or a digit; did you mean 'a-b'?"
            ),
        ),
        (
            f"{{training.epochs: [{{label: {'a' * 63}, value: 1}}, 2]}}",
            (
                f"6:1: matrix: a setting would be called 'x-{'a' * 63}', with 65 characters of at "
                "most 64; give entries a "
                "shorter `label`"
            ),
        ),
        (
            (
                "{training.epochs: [{label: a-b, value: 1}, {label: a, value: 2}], "
                "active_learning.budget: [{label: c, value: 1}, {label: b-c, value: 2}]}"
            ),
            "6:1: matrix: two settings would be called 'x-a-b-c'; give their entries a `label` each",
        ),
    ],
)
def test_what_is_wrong_with_a_matrix(refusal, matrix, message):
    found = refusal(matrix)

    if "parse string" in message:  # the sentence is pydantic's
        found, message = found.partition(": Input")[0], message.partition(": Input")[0]
    assert found == f"x.yaml:{message}"


def test_a_mistake_that_all_settings_share_is_told_once(refusal):
    text = TEXT.replace("epochs: 7", "epochs: 0")

    assert len(refusal("{active_learning.budget: [1, 2, 3]}", text=text).splitlines()) == 1


def test_a_wrong_name_is_told_once(refusal):
    text = TEXT.replace("name: x", "name: a b", 1)

    assert len(refusal("{active_learning.budget: [1, 2, 3]}", text=text).splitlines()) == 1


def test_case_36_too_many_cells_are_refused_with_their_count_by_axis(refusal):
    found = refusal(f"{{training.epochs: {list(range(1, 51))}, active_learning.budget: {list(range(1, 51))}}}")

    assert found == (
        "x.yaml:6:1: matrix: 25,000 cells (50 training.epochs x 50 active_learning.budget x 2 "
        "samplers x 5 seeds); at "
        "most 10,000 can run: vary less, or raise limits.max_cells"
    )


def test_no_number_of_settings_takes_time_to_refuse(refusal):
    many = ", ".join(f"training.k{i}: {list(range(100))}" for i in range(20))

    assert "at most 10,000 can run" in refusal(f"{{{many}}}")


@pytest.mark.parametrize(("limit", "settings"), [(30, 3), (1_000_000, 3)])
def test_the_limit_is_the_specs(load, limit, settings):
    found = load("{training.epochs: [1, 2, 3]}", f"limits.max_cells={limit}")

    assert len(found) == settings


@pytest.mark.parametrize(("rule", "seeds"), [("{until: decided}", 50), ("{until: decided, at_most: 7}", 7)])
def test_seeds_that_stop_are_counted_as_the_most_that_there_may_be(refusal, rule, seeds):
    text = TEXT.replace("[toy, top]", "[random, toy]") + f"seeds: {rule}\nlimits: {{max_cells: 1}}\n"

    assert f"x 2 samplers x {seeds} seeds)" in refusal("{training.epochs: [1, 2]}", text=text)


def test_cells_are_counted_as_they_are_set(refusal):
    assert "60 cells (3 training.epochs x 2 samplers x 10 seeds); at most 59" in refusal(
        "{training.epochs: [1, 2, 3]}", "limits.max_cells=59", "seeds=10"
    )


PATHS = [
    "dataset",
    "model",
    "model.params",
    "training",
    "training.epochs",
    "active_learning",
    "training.",
    "seeds",
    "",
]
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1, 5)
    | st.sampled_from([0.5, math.nan, "", "blocks", "a b", "y" * 80]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "params", "label", "value", "epochs", "budget"]), inner, max_size=3
        )
    ),
    max_leaves=5,
)


@pytest.mark.fuzz
@settings(max_examples=300)
@given(
    st.dictionaries(st.sampled_from(PATHS), st.lists(anything, max_size=3) | anything, max_size=3) | anything,
    st.sampled_from([(), ("name=q",), ("matrix.training.epochs=[1, 2]",), ("matrix=3",), ("training.epochs=2",)]),
)
def test_whatever_a_matrix_says_is_settings_or_a_refusal(registry, matrix, assignments):
    data = yamlfile.parse(TEXT, "x").data | {"matrix": matrix}
    try:
        found = spec.load_all(data, registry, assignments)
    except HarnessError:
        return
    assert len(set(names(found))) == len(found)
