import os

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alharness.errors import SpecError
from alharness.spec.yamlfile import MAX_BYTES, Place, parse, read


def refusal(text, source="x.yaml"):
    with pytest.raises(SpecError) as caught:
        parse(text, source)
    return str(caught.value)


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(content):
        (tmp_path / "x.yaml").write_bytes(content)
        return "x.yaml"

    return write


def test_data_is_plain():
    text = 'a: 1\nb: [x, {c: 2.5}]\nd:\n  - true\n  -\n  - "1"\n'

    assert parse(text, "x").data == {"a": 1, "b": ["x", {"c": 2.5}], "d": [True, None, "1"]}


@pytest.mark.parametrize("text", ["a: '1'", 'a: "1"', "a: |-\n  1", "a: >-\n  1"])
def test_quoted_words_and_blocks_are_text(text):
    assert parse(text, "x").data == {"a": "1"}


def test_an_escaped_character_may_be_anything():
    assert parse(r'a: "\x1b\0\U0001F600"', "x").data == {"a": "\x1b\0\U0001f600"}


TEXT = "name: x\nlist:\n  - first\n  - {name: y, params: {k: -1}}\n"


@pytest.mark.parametrize(
    ("keys", "line", "column"),
    [
        (("name",), 1, 7),
        (("list",), 3, 3),
        (("list", 0), 3, 5),
        (("list", 1, "params", "k"), 4, 27),
    ],
)
def test_place_of_a_value(keys, line, column):
    assert parse(TEXT, "x").locate(keys) == Place("x", line, column)


def test_place_of_a_key():
    assert parse(TEXT, "x").locate(("list", 1, "params", "k"), key=True) == Place("x", 4, 24)


def test_place_of_what_is_not_there_is_that_of_the_node_above():
    assert parse(TEXT, "x").locate(("list", 1, "params", "no", "where")) == Place("x", 4, 23)


def test_places_read_as_editors_want_them():
    assert str(Place("x.yaml", 4, 24)) == "x.yaml:4:24"
    assert str(Place("--set a=1")) == "--set a=1"


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("a: 1\nb: 2\na: 3\n", "3:1", "the key 'a' is in line 1 already"),
        ("a: {b: 1, b: 1}", "1:11", "the key 'b' is in line 1 already"),
        ("a: &x 1\nb: *x\n", "1:4", "anchors"),
        ("a: *x", "1:4", "aliases"),
        ("a: !!python/object/apply:os.system [x]", "1:4", "!!python"),
        ("a: !!str 1", "1:4", "tags such as !!str"),
        ("!x a: 1", "1:1", "tags"),
        ("a:\n\tb: 1", "2:1", "a tab; indent with spaces"),
        ("a: 1\0", "1:5", "U+0000"),
        ("a: [1, 2\nb: 3\n", "2:2", "flow sequence that begins in line 1"),
        ("a: b: c", "1:5", "mapping values are not allowed here"),
        ("a:\n  b: 1\n c: 2", "3:2", "not valid YAML"),
        ("a: 'x", "1:6", "quoted scalar"),
        ("1: x", "1:1", "a key must be text"),
        ("true: x", "1:1", "a key must be text"),
        ("? [a]\n: x", "1:3", "a key must be text"),
        ("a: 1\n---\nb: 2", "2:1", "second document"),
        (r'a: "\UFFFFFFFF"', "1:7", "out of range"),
        (r'a: "\ud800"', "1:4", "surrogate"),
        ("%YAML 1." + "9" * 5000 + "\n--- a", "1:9", "out of range"),
    ],
)
def test_case_33_and_case_34_refusals_name_the_place(text, place, what):
    message = refusal(text)

    assert message.startswith(f"x.yaml:{place}: ")
    assert what in message


def test_a_refusal_shows_the_line_with_a_caret():
    assert refusal("ok: 1\nname: !!str x\n").splitlines()[1:] == ["  name: !!str x", "        ^"]


def test_of_a_long_line_the_neighborhood_is_shown():
    _, line, caret = refusal("a: [" + "1, " * 1000 + "!!str x]").splitlines()

    assert len(line) < 110
    assert line[caret.index("^") :].startswith("!!str x")


@pytest.mark.parametrize(
    "bomb",
    ["[" * 100_000, "{a: " * 100_000, "- " * 100_000, "a:\n" + "".join(" " * i + "- \n" for i in range(1, 99))],
)
def test_case_33_deep_nesting_is_refused(bomb):
    assert "nested more than 50 deep" in refusal(bomb)


def test_nesting_up_to_the_limit_is_read():
    assert parse("[" * 50 + "]" * 50, "x").data != []


def test_an_empty_text_is_none():
    assert parse("# nothing\n", "x").data is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "x.yaml:1:1: the file is empty"),
        (b"# only this\n", "x.yaml:1:1: the file is empty"),
        (b"\n- a\n", "x.yaml:2:1: the top of the file is a list"),
        (b"abc", "x.yaml:1:1: the top of the file is a single value"),
        (b"a: 1\nb: \xe4", "x.yaml:2:4: this is not UTF-8"),
        (b"\xff\xfea\0", "x.yaml:1:1: this is not UTF-8"),
        (b" " * (MAX_BYTES + 1), "x.yaml: larger than 1,000,000 bytes"),
    ],
)
def test_case_33_files_that_are_no_spec(file, content, message):
    with pytest.raises(SpecError) as caught:
        read(file(content))
    assert str(caught.value).startswith(message)


def test_a_byte_order_mark_is_skipped(file):
    assert read(file(b"\xef\xbb\xbfa: 1")).locate(("a",)) == Place("x.yaml", 1, 4)


def test_a_missing_file_has_near_names(file):
    file(b"a: 1")
    with pytest.raises(SpecError, match=r"^y\.yaml: there is no such file; did you mean 'x\.yaml'\?$"):
        read("y.yaml")


@pytest.mark.parametrize("path", ["a/b/c.yaml", "x.yaml/z", "a\0b", "y" * 5000])
def test_paths_that_lead_nowhere(file, path):
    file(b"a: 1")
    with pytest.raises(SpecError):
        read(path)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(SpecError, match="this is a folder"):
        read(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path):
    path = tmp_path / "x.yaml"
    path.touch(mode=0)
    with pytest.raises(SpecError, match="Permission denied"):
        read(path)


pieces = st.sampled_from(
    [
        "a",
        ": ",
        "\n",
        "  ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        ",",
        "? ",
        "'",
        '"',
        "\\U",
        "\\x",
        "FF",
        "&a ",
        "*a",
        "!!x ",
        "|",
        ">",
        "%YAML ",
        "1.1",
        "---",
        "...",
        "\t",
        "#",
        "\0",
        "\x85",
        "<<",
        "@",
        "0",
    ]
)


@given(st.lists(pieces, max_size=40).map("".join) | st.text(max_size=60))
@example("%YAML 1.1\n%YAML 1.1\n--- a")
@example('"\\x')
def test_any_text_is_data_or_a_refusal(text):
    try:
        parse(text, "x")
    except SpecError as error:
        assert str(error).startswith("x:")  # noqa: PT017  both outcomes are fine


@given(st.binary(max_size=60))
def test_case_33_any_bytes_are_data_or_a_refusal(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("fuzz") / "x.yaml"
    path.write_bytes(content)
    try:
        assert isinstance(read(path).data, dict)
    except SpecError as error:
        assert str(error).startswith(str(path))  # noqa: PT017  both outcomes are fine
