import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alharness.spec.yamlfile import parse, resolve, write


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("true", True),
        ("True", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("0", 0),
        ("-12", -12),
        ("+5", 5),
        ("0x1f", 31),
        ("0o17", 15),
        ("1e-3", 0.001),
        (".5", 0.5),
        ("1.", 1.0),
        ("-.inf", -math.inf),
        ("1.10", 1.1),
    ],
)
def test_case_35_core_rules(word, value):
    assert (resolve(word), type(resolve(word))) == (value, type(value))


@pytest.mark.parametrize(
    "word",
    [
        "no",
        "on",
        "yes",
        "off",
        "y",
        "tRUE",
        "010",
        "-01.5",
        "12:30",
        "2024-01-01",
        "1_000",
        "1e",
        ".",
        "0b1",
        "- 1",
        "nan",
    ],
)
def test_case_35_everything_else_is_text(word):
    assert resolve(word) == word


def test_not_a_number():
    assert math.isnan(resolve(".nan"))


def test_a_number_of_ten_thousand_digits_is_no_error():
    assert resolve("9" * 10_000) == math.inf


def test_whoever_is_shared_is_written_out():
    shared = [1, 2]

    assert parse(write({"a": shared, "b": shared}), "x").data == {"a": [1, 2], "b": [1, 2]}


scalars = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    [
        "no",
        "1e-3",
        "0o17",
        "010",
        "12:30",
        "~",
        "",
        "true",
        "- a",
        "a: b",
        "<<",
        "=",
        "0x1f",
        "+.5",
        "\x85",
        "2024-01-01",
    ]
)
nested = st.recursive(
    scalars | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(texts, nested, max_size=4))
def test_what_is_written_reads_back(data):
    assert parse(write(data), "x").data == data
