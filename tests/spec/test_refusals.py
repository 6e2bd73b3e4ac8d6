import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from alharness import Params, spec
from alharness.errors import HarnessError, PluginError
from alharness.spec import yamlfile
from alharness.spec.problems import translate

HEAD = "name: x\ndataset: blocks\nactive_learning: {initial_pool: 10, budget: 5, cycles: 2}\n"
SHORT = HEAD + "samplers: [toy]\n"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("seeds: [3, 1, 3]", "x.yaml:5:8: seeds: the seed 3 is listed twice; list each seed once"),
        ("seeds: []", "x.yaml:5:8: seeds: Input should have 1 or more entries"),
        (
            "seeds: {at_least: 4, margin: 0.1}",
            (
                "x.yaml:5:8: seeds: at_least, margin without until: add `until: decided`, or write the number of "
                "seeds alone"
            ),
        ),
        (
            "seeds: {pairs: all}",
            "x.yaml:5:8: seeds: pairs without until: add `until: decided`, or write the number of seeds alone",
        ),
        (
            "seeds: {confidence: 0.9}",
            (
                "x.yaml:5:8: seeds: confidence without until: add `until: decided`, or write the number of seeds "
                "alone"
            ),
        ),
        ("seeds: {until: bored}", "x.yaml:5:16: seeds.until: Input should be 'decided' (got 'bored')"),
        (
            "seeds: {until: decided, at_least: 9, at_most: 6}",
            "x.yaml:5:47: seeds.at_most: fewer than at_least, which is 9; raise it (got 6)",
        ),
        (
            "seeds: {until: decided, at_least: 60}",
            "x.yaml:5:8: seeds.at_most: fewer than at_least, which is 60; raise it (its default is 50)",
        ),
        (
            "seeds: {until: decided, at_least: 2}",
            "x.yaml:5:35: seeds.at_least: Input should be greater than or equal to 3 (got 2)",
        ),
        (
            "seeds: {until: decided, margin: 0}",
            "x.yaml:5:33: seeds.margin: Input should be greater than 0 (got 0)",
        ),
        (
            "seeds: {until: decided, pairs: some}",
            "x.yaml:5:32: seeds.pairs: Input should be 'random' or 'all' (got 'some')",
        ),
        (
            "seeds: {until: decided, marign: 1}",
            "x.yaml:5:25: seeds: unknown key 'marign'; did you mean 'margin'?",
        ),
        ("training: 3", "x.yaml:5:11: training: Input should be a mapping, `key: value` in every line (got 3)"),
        ("training: {epoch: 3}", "x.yaml:5:12: training: unknown key 'epoch'; did you mean 'epochs'?"),
        ("tracking: {zzz: 3}", "x.yaml:5:12: tracking: unknown key 'zzz'; known keys: uri, experiment"),
        (
            "tracking: {experiment: 'x://y'}",
            (
                "x.yaml:5:24: tracking.experiment: this is an address, which belongs to `uri`, and not the name "
                "of an experiment (got 'x://y')"
            ),
        ),
        ("tracking: 3", "x.yaml:5:11: tracking: Input should be a mapping, `key: value` in every line (got 3)"),
        (
            "tracking: {name: lines, alpha: 1}",
            "x.yaml:5:25: tracking: unknown key 'alpha'; known keys: name, params",
        ),
        (
            "tracking: [{name: lines, params: {alfa: 1}}]",
            "x.yaml:5:35: tracking.0.params: unknown key 'alfa'; did you mean 'alpha'?",
        ),
        (
            "tracking: {name: none, params: {uri: x}}",
            "x.yaml:5:33: tracking.params: unknown key 'uri'; known keys: none",
        ),
        ("sampler: x", "x.yaml:5:1: unknown key 'sampler'; did you mean 'samplers'?"),
        (
            "tracking: {experiment: 12}",
            "x.yaml:5:24: tracking.experiment: Input should be text; write it in quotes (got 12)",
        ),
        (
            "model: {params: {inner: {deep: 1}}}",
            "x.yaml:5:26: model.params.inner: unknown key 'deep'; did you mean 'depth'?",
        ),
        (
            "model: {params: [1]}",
            "x.yaml:5:17: model.params: Input should be a mapping, `key: value` in every line",
        ),
        ("reference: {full: true}", "x.yaml:5:13: reference: unknown key 'full'; did you mean 'full_data'?"),
        ("model: {label: x}", "x.yaml:5:9: model: unknown key 'label'; known keys: name, params"),
    ],
)
def test_case_36_what_is_wrong_is_reported_with_its_place(refusal, line, message):
    assert refusal(SHORT + line) == message


@pytest.mark.parametrize(
    ("line", "place", "facts"),
    [
        ("seeds: true", "x.yaml:5:8: seeds: ", ["integer", "(got True)"]),
        ('seeds: "1"', "x.yaml:5:8: seeds: ", ["integer", "(got '1')"]),
        ("seeds: 0", "x.yaml:5:8: seeds: ", ["1", "(got 0)"]),
        ("seeds: 1000000000", "x.yaml:5:8: seeds: ", ["10000 ", "(got 1000000000)"]),
        ("seeds: [1, true]", "x.yaml:5:12: seeds.1: ", ["integer", "(got True)"]),
        ("seeds: [4294967296]", "x.yaml:5:9: seeds.0: ", ["4294967295", "(got 4294967296)"]),
        ("seeds: [-1]", "x.yaml:5:9: seeds.0: ", ["0", "(got -1)"]),
        ("strict: no", "x.yaml:5:9: strict: ", ["boolean", "(got 'no')"]),
        ("strict: 1", "x.yaml:5:9: strict: ", ["boolean", "(got 1)"]),
        ("training: {epochs: true}", "x.yaml:5:20: training.epochs: ", ["integer", "(got True)"]),
        ("training: {epochs: 010}", "x.yaml:5:20: training.epochs: ", ["integer", "(got '010')"]),
        ("training: {learning_rate: .nan}", "x.yaml:5:27: training.learning_rate: ", ["finite", "(got nan)"]),
        (
            "training: {valid: most}",
            "x.yaml:5:19: training.valid: ",
            ["'full'", "'none'", "; or: Input should match ^budgeted:[1-9][0-9]{0,8}$ (got 'most')"],
        ),
        ("model: {params: {alpha: -1}}", "x.yaml:5:25: model.params.alpha: ", ["0", "(got -1)"]),
    ],
)
def test_case_35_a_value_that_pydantic_refuses_is_reported_with_its_place_and_the_facts(
    refusal, line, place, facts
):
    """The sentence is pydantic's, and may read otherwise in its next version."""
    message = refusal(SHORT + line)
    assert message.startswith(place)
    assert [fact for fact in facts if fact not in message.removeprefix(place)] == []
    assert "\n" not in message


class Loud(Params):
    signal: float | dict[str, float]


@pytest.mark.parametrize(
    ("signal", "messages"),
    [
        ("{text: loud}", ["x.yaml:1:16: signal.text: Input should be a valid number, "]),
        ("[1]", ["x.yaml:1:9: signal: Input should be a valid number; or: Input should be a mapping"]),
        ("loud", ["x.yaml:1:9: signal: Input should be a valid number, "]),
    ],
)
def test_of_a_number_or_a_mapping_the_one_that_was_meant_complains(signal, messages):
    file = yamlfile.parse(f"signal: {signal}", "x.yaml")
    with pytest.raises(ValidationError) as caught:
        Loud.model_validate(file.data)
    found = [str(problem) for problem in translate(caught.value, Loud, file)]
    assert [line[: len(message)] for line, message in zip(found, messages, strict=True)] == messages


@pytest.mark.parametrize(
    ("samplers", "message"),
    [
        (
            "[{name: toy, params: {alfa: 1}}]",
            "x.yaml:4:33: samplers.0.params: unknown key 'alfa'; did you mean 'alpha'?",
        ),
        ("[toy, {}]", "x.yaml:4:17: samplers.1.name: required, but missing"),
        ("[toy, 4]", "x.yaml:4:17: samplers.1: Input should be a mapping, `key: value` in every line (got 4)"),
        (
            "[{name: toy, label: full-data}]",
            "x.yaml:4:11: samplers: entry 0 is labeled 'full-data', which is the reference's; choose another",
        ),
        ("[]", "x.yaml:4:11: samplers: Input should have 1 or more entries"),
        ("toy", "x.yaml:4:11: samplers: Input should be a list (got 'toy')"),
        (
            "[toy, {name: top, label: a/b}]",
            (
                "x.yaml:4:36: samplers.1.label: a name is 1 to 64 letters (A to Z), digits, '.', '_' and '-', the "
                "first a letter or a digit; did you mean 'a-b'? (got 'a/b')"
            ),
        ),
        (
            "[kin/toy, {name: toy, label: kin-toy}]",
            (
                "x.yaml:4:11: samplers: entries 0 and 1 are both labeled 'kin-toy'; "
                "give one another label: {name: toy, label: ...}"
            ),
        ),
        (
            "[a/b/c]",
            (
                "x.yaml:4:12: samplers.0.name: a name is 1 to 64 letters (A to Z), digits, '.', '_' and '-', the "
                "first a letter or a digit; a plugin's may begin with a family and '/'; did you mean 'a/b-c'? "
                "(got 'a/b/c')\nx.yaml:4:12: samplers.0.name: no sampler named 'a/b/c' is installed; installed: "
                "careless, kin/toy, moody, top, toy"
            ),
        ),
        (
            "[toy, top, {name: top, label: toy}]",
            (
                "x.yaml:4:11: samplers: entries 0 and 2 are both labeled 'toy'; "
                "give one another label: {name: top, label: ...}"
            ),
        ),
        (
            "[{name: moody, params: {mood: bad}}]",
            "x.yaml:4:41: samplers.0.params.mood: the mood must not be bad (got 'bad')",
        ),
    ],
)
def test_what_is_wrong_with_samplers(refusal, samplers, message):
    assert refusal(f"{HEAD}samplers: {samplers}\n") == message


@pytest.mark.parametrize(("sampler", "column"), [("careless", 12), ("{name: careless, params: {}}", 37)])
def test_a_default_that_is_wrong_is_named(refusal, sampler, column):
    assert refusal(f"{HEAD}samplers: [{sampler}]\n") == (
        f"x.yaml:4:{column}: samplers.0.params.size: Input should be greater than or equal to 1 (its default is 0)"
    )


@pytest.mark.parametrize("name", ["../etc", "/abs", '"a\\n"', '"a\\0"', "a" * 65, ".hidden", "''", "12", "a b"])
def test_case_37_names_are_safe_for_folders(refusal, name):
    assert refusal(SHORT.replace("name: x", f"name: {name}")).startswith("x.yaml:1:7: name: ")


def test_everything_wrong_is_told_at_once_in_order(refusal):
    text = "dataset: blocks\nsamplers: [{name: toy, params: {alpha: -1}}, tip]\nactive_learning: {budget: 0}\n"

    lines = refusal(text).splitlines()

    assert [line.split(": ")[1] for line in lines] == [
        "name",
        "samplers.0.params.alpha",
        "samplers.1.name",
        "active_learning.initial_pool",
        "active_learning.cycles",
        "active_learning.budget",
    ]


def test_a_thousand_errors_are_cut(refusal):
    lines = refusal(SHORT + "".join(f"k{i}: 1\n" for i in range(1000))).splitlines()

    assert (len(lines), lines[-1]) == (21, "and 980 more")


def test_case_30_a_missing_plugin_is_an_error_of_the_environment(refusal):
    message = refusal(HEAD + "samplers: [toy, tox]\n", kind=PluginError)

    assert message == (
        "x.yaml:4:17: samplers.1.name: no sampler named 'tox' is installed; did you mean 'toy'? "
        "installed: careless, kin/toy, moody, top, toy"
    )


def test_a_validator_that_breaks_is_named(refusal):
    message = refusal(HEAD + "samplers: [{name: moody, params: {mood: awful}}]\n", kind=PluginError)

    assert message == "x.yaml:4:34: samplers.0.params: toys==1.0 cannot check its parameters: KeyError: 'mood'"


def test_credentials_stay_out_of_messages(refusal):
    message = refusal(SHORT + "tracking: {experiment: 'http://user:pass@host'}")

    assert "pass" not in message
    assert "http://***@host" in message


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("seeds=[1, 1]", "seeds: the seed 1 is listed twice"),
        ("training.epoch=1", "training: unknown key 'epoch'; did you mean 'epochs'?"),
        ("model.params={alpha: -1}", "model.params.alpha: "),
    ],
)
def test_refused_assignments_are_named(refusal, assignment, message):
    assert refusal(SHORT, assignment).startswith(f"--set {assignment}: {message}")


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "params", "label", "alpha", "mode", "inner", "mood", "x"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)
sections = st.sampled_from(
    ["name", "dataset", "model", "training", "active_learning", "seeds", "samplers", "tracking", "strict"]
)
plausible = yamlfile.parse(SHORT, "x").data


@pytest.mark.fuzz
@settings(max_examples=200)
@given(
    st.dictionaries(
        sections, values | st.sampled_from([["toy"], [{"name": "moody", "params": {"mood": "awful"}}]])
    )
)
def test_whatever_a_file_says_is_a_spec_or_a_refusal(tmp_path_factory, registry, data):
    path = tmp_path_factory.mktemp("fuzz") / "x.yaml"
    path.write_text(yaml.safe_dump(plausible | data))
    try:
        spec.load(path, registry)
    except HarnessError as error:
        assert str(error).startswith(str(path))  # noqa: PT017  both outcomes are fine
