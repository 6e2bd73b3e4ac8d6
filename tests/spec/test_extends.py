"""`extends`: what specs share, in a file of its own."""

from pathlib import Path

import pytest

from alharness import spec
from alharness.errors import HarnessError, SpecError

BASE = """\
dataset: blocks
model: {name: late_fusion, params: {alpha: 0.25, inner: {depth: 3}}}
training: {epochs: 7, batch_size: 16}
active_learning: {initial_pool: 10, budget: 5, cycles: 2}
samplers: [toy, top]
"""


@pytest.fixture
def load(tmp_path, monkeypatch, registry):
    monkeypatch.chdir(tmp_path)

    def load(text, *assignments, base=BASE, at="base.yaml", **more):
        files = {at: base, "x.yaml": text} | {f"{name}.yaml": content for name, content in more.items()}
        for name, content in files.items():
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text(content)
        return spec.load("x.yaml", registry, assignments)

    return load


@pytest.fixture
def refusal(load):
    def refusal(*arguments, **files):
        with pytest.raises(HarnessError) as caught:
            load(*arguments, **files)
        assert isinstance(caught.value, SpecError)
        return str(caught.value)

    return refusal


SHORT = "name: x\nextends: base.yaml\n"


@pytest.mark.parametrize(
    ("text", "read", "value"),
    [
        ("", lambda s: s.training.epochs, 7),
        ("training: {epochs: 3}\n", lambda s: (s.training.epochs, s.training.batch_size), (3, 16)),
        ("samplers: [top]\n", lambda s: [x.name for x in s.samplers], ["top"]),
        ("model: late_fusion\n", lambda s: s.model.params.alpha, 0.25),
        ("model: {params: {inner: {depth: 4}}}\n", lambda s: s.model.params.inner.depth, 4),
        ("model: {params: {mode: b}}\n", lambda s: (s.model.params.alpha, s.model.params.mode), (0.25, "b")),
        ("dataset: {name: blocks, params: {alpha: 1}}\n", lambda s: s.dataset.params.alpha, 1),
        ("seeds: [4, 5]\n", lambda s: s.seeds, (4, 5)),
    ],
)
def test_later_keys_win_mappings_merge_and_lists_are_replaced(load, text, read, value):
    assert read(load(SHORT + text)) == value


@pytest.mark.parametrize("named", ["base.yaml", "base", "./base.yaml"])
def test_a_base_is_found_with_and_without_its_ending(load, named):
    assert load(f"name: x\nextends: {named}\n").training.epochs == 7


def test_another_plugin_begins_with_its_own_parameters(load):
    base = BASE.replace("samplers", "tracking: {name: mlflow, params: {experiment: e}}\nsamplers")

    (tracker,) = load(f"{SHORT}tracking: {{name: lines, params: {{alpha: 2}}}}\n", base=base).trackers

    assert (tracker.name, tracker.params.alpha) == ("lines", 2)


@pytest.mark.parametrize("mine", ["tracking: {uri: u}\n", "tracking: {name: mlflow, params: {uri: u}}\n"])
def test_parameters_of_the_default_tracker_merge_in_both_forms(load, mine):
    (tracker,) = load(SHORT + mine, base=BASE + "tracking: {experiment: e}\n").trackers

    assert (tracker.params.uri, tracker.params.experiment) == ("u", "e")


def test_a_base_may_extend_another(load):
    found = load(SHORT, base="extends: root.yaml\ntraining: {batch_size: 8}\n", root=BASE)

    assert (found.training.epochs, found.training.batch_size) == (7, 8)


def test_assignments_win_over_both(load):
    assert load(SHORT + "training: {epochs: 3}\n", "training.epochs=1").training.epochs == 1


def test_a_shipped_spec_can_be_extended(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("x.yaml").write_text("name: x\nextends: digits_quick\nseeds: 2\n")

    from alharness import Spec

    found = Spec.load("x.yaml")

    assert (found.name, found.dataset.name, found.seeds) == ("x", "digits", (0, 1))


def test_a_mapping_extends_a_file_from_the_current_folder(load, registry):
    load(SHORT)

    assert spec.load({"name": "y", "extends": "base.yaml"}, registry).training.epochs == 7


def test_a_path_starts_at_the_file_that_says_it(load, tmp_path):
    base = BASE.replace("dataset: blocks", "dataset: {name: blocks, params: {path: ../data/blocks}}")

    found = load("name: x\nextends: shared/deep/base.yaml\n", base=base, at="shared/deep/base.yaml")

    assert found.dataset.params.path == tmp_path / "shared" / "data" / "blocks"


def test_the_same_path_is_the_same_wherever_it_is_written(load):
    base = BASE.replace("dataset: blocks", "dataset: {name: blocks, params: {path: ../data/blocks}}")
    extended = load("name: x\nextends: shared/base.yaml\n", base=base, at="shared/base.yaml")

    by_hand = load("name: x\n" + BASE.replace("blocks", "{name: blocks, params: {path: data/blocks}}"))

    assert extended.dataset.plain == by_hand.dataset.plain


def test_a_path_of_the_spec_itself_and_of_an_assignment_starts_at_the_spec(load, tmp_path):
    base = BASE.replace("dataset: blocks", "dataset: {name: blocks, params: {path: ../data/blocks}}")
    text = "name: x\nextends: shared/base.yaml\n"

    mine = load(text + "dataset: {params: {path: mine}}\n", base=base, at="shared/base.yaml")
    assigned = load(text, "dataset.params.path=given", base=base, at="shared/base.yaml")

    assert mine.dataset.params.path == tmp_path / "mine"
    assert assigned.dataset.params.path == tmp_path / "given"


def test_text_of_a_base_in_another_folder_is_text(load):
    base = BASE.replace(
        "model: {name: late_fusion, params: {alpha: 0.25", "model: {name: late_fusion, params: {mode: b"
    )

    found = load("name: x\nextends: shared/base.yaml\n", base=base, at="shared/base.yaml")

    assert (found.model.params.mode, type(found.model.params.mode)) == ("b", str)


def test_the_resolved_spec_stands_by_itself(load):
    text = spec.resolved_yaml(load(SHORT))

    assert "extends" not in text
    assert load(text).training.epochs == 7


@pytest.mark.parametrize(
    ("text", "base", "message"),
    [
        (
            "",
            BASE.replace("epochs", "epoch"),
            "base.yaml:3:12: training: unknown key 'epoch'; did you mean 'epochs'?",
        ),
        (
            "training: {epoch: 3}\n",
            BASE,
            "x.yaml:3:12: training: unknown key 'epoch'; did you mean 'epochs'?",
        ),
        (
            "model: {params: {mode: b}}\n",
            BASE.replace("0.25", "-1"),
            "base.yaml:2:44: model.params.alpha: Input should be greater than or equal to 0 (got -1)",
        ),
        (
            "samplers: [{name: toy, params: {alfa: 1}}]\n",
            BASE,
            "x.yaml:3:33: samplers.0.params: unknown key 'alfa'; did you mean 'alpha'?",
        ),
        ("", BASE.replace(", cycles: 2", ""), "base.yaml:4:18: active_learning.cycles: required, but missing"),
    ],
)
def test_a_mistake_has_its_place_in_its_own_file(refusal, text, base, message):
    assert refusal(SHORT + text, base=base) == message


def test_mistakes_of_both_files_are_told_file_by_file(refusal):
    message = refusal(SHORT + "\n\n\nseeds: 0\n", base=BASE.replace("epochs: 7", "epochs: 0"))

    assert [line.split(":")[0] for line in message.splitlines()] == ["base.yaml", "x.yaml"]


@pytest.mark.parametrize(
    ("named", "message"),
    [
        (
            "bose.yaml",
            (
                "extends: there is no file 'bose.yaml' in {here}, and alharness ships no such spec; did "
                "you mean 'base.yaml'?"
            ),
        ),
        (
            "digits_quik",
            (
                "extends: there is no file 'digits_quik' in {here}, and alharness ships no such spec; "
                "did you mean 'digits_quick'?"
            ),
        ),
        ("deep/q", "extends: there is no file 'deep/q' in {here}, and alharness ships no such spec"),
        ("[base]", "extends: name one file, or a spec that alharness ships (got ['base'])"),
        ("''", "extends: name one file, or a spec that alharness ships (got '')"),
        ("", "extends: name one file, or a spec that alharness ships (got None)"),
        ("x.yaml", "extends: this leads in a circle: x.yaml -> x.yaml; end it somewhere"),
    ],
)
def test_bases_that_are_none(refusal, tmp_path, named, message):
    found = refusal(f"name: x\nextends: {named}\n")

    assert found == f"x.yaml:2:{10 if named else 9}: {message.format(here=tmp_path)}"


def test_a_circle_is_shown(refusal):
    message = refusal(SHORT, base="extends: root\n", root="\nextends: base\n")

    assert message == (
        "root.yaml:2:10: extends: this leads in a circle: base.yaml -> root.yaml -> base.yaml; end it somewhere"
    )


def test_a_base_has_no_matrix(refusal):
    message = refusal(SHORT, base=BASE + "matrix: {training.epochs: [1, 2]}\n")

    assert message == (
        "base.yaml:6:1: matrix: what others extend has no matrix, so that each spec says itself what "
        "varies in it; "
        "move it to x.yaml"
    )


def test_a_base_that_is_no_yaml_is_named(refusal):
    assert refusal(SHORT, base="training: [1\n").startswith("base.yaml:")


def test_what_a_spec_extends_cannot_be_set(refusal):
    assert refusal(SHORT, "extends=other") == (
        "--set extends=other: extends: what a spec extends is read before; write it in the file"
    )
