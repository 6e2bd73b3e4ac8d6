"""Ids in every form that files of this family have, and what cannot be an id."""

import numpy as np
import pytest

from alharness.errors import DataError
from alharness_sentiment.mmsa.conversion import convert
from alharness_sentiment.mmsa.facts import OWN
from alharness_sentiment.stored.reader import open_stored

from .conftest import Call


def objects(*values):
    array = np.empty(len(values), object)
    array[:] = values
    return array


FORMS = {
    "a list of texts": (["d", "a", "c", "b"], "abcd"),
    "a tuple": (("d", "a", "c", "b"), "abcd"),
    "an array of texts": (np.array(["d", "a", "c", "b"]), "abcd"),
    "an array of bytes": (np.array([b"d", b"a", b"c", b"b"]), "abcd"),
    "objects": (objects("d", b"a", "c", np.str_("b")), "abcd"),
    "bytes": (["你".encode(), b"a", b"c", b"b"], ["a", "b", "c", "你"]),
    "numbers": ([12, 7, 30, 9], ["12", "30", "7", "9"]),
    "numbers of an array": (np.array([12, 7, 30, 9]), ["12", "30", "7", "9"]),
    "fractions": (np.array([3.0, 7.5, -1.0, 9.0]), ["-1", "3", "7.5", "9"]),
    "scalars": ([np.float64(3.0), np.int64(7), np.float32(0.5), 2**70], ["0.5", str(2**70), "3", "7"]),
    "rows of one": ([["d"], ["a"], ["c"], ["b"]], "abcd"),
    "nested": ([[["d"]], [[["a"]]], ("c",), "b"], "abcd"),
    "a column": (np.array([["d"], ["a"], ["c"], ["b"]]), "abcd"),
    "three axes": (np.array([[["d"]], [["a"]], [["c"]], [["b"]]]), "abcd"),
    "arrays in a list": ([np.array(["d"]), np.array([["a"]]), np.array("c"), np.array([b"b"])], "abcd"),
    "video, begin, end": (
        np.array([["v1", "0.5", "2"], ["v1", "2", "3"], ["v2", "0", "1"], ["v3", "0", "1"]]),
        ["v1_0.5_2", "v1_2_3", "v2_0_1", "v3_0_1"],
    ),
    "objects of a video, begin, end": (
        np.array([[b"v1", 0.5, 2.0], [b"v1", 2.0, 3.0], [b"v2", 0.0, 1.0], ["v3", 0, 1]], object),
        ["v1_0.5_2", "v1_2_3", "v2_0_1", "v3_0_1"],
    ),
    "pairs": ([("v", 1), ("v", 2), ("v", 3), ("w", 1)], ["v_1", "v_2", "v_3", "w_1"]),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_ids_becomes_text(own, write, empty, form):
    value, expected = FORMS[form]
    own["train"]["id"] = value
    convert(OWN, write(own), empty)
    assert list(open_stored(empty, "mmsa").parts["train"].ids) == list(expected)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([None, "b", "c", "d"], "train: id number 1 is None, expected a text or a number"),
        (["a", True, "c", "d"], "id number 2 is True, expected a text or a number"),
        (["a", "b", float("nan"), "d"], "id number 3 is nan, expected a text or a number"),
        ([{"a": 1}, "b", "c", "d"], "id number 1 is a mapping of 1, expected"),
        ([[], "b", "c", "d"], "id number 1 is a list of 0, expected"),
        ([["a"] * 9, "b", "c", "d"], "id number 1 is a list of 9, expected"),
        ([[["a", "b"], "c"], "b", "c", "d"], "id number 1 is a list of 2, expected"),
        ([np.zeros((2, 3)), "b", "c", "d"], "id number 1 is an array of shape (2, 3), expected"),
        ([np.dtype("f8"), "b", "c", "d"], "id number 1 is a type of numbers, expected"),
        (["a", " ", "c", "d"], "id number 2 is empty"),
        (["a", "x" * 1001, "c", "d"], "id number 2 has 1,001 characters, expected at most 1,000: 'xxx"),
        (["a", "\ud800", "c", "d"], r"id number 2 is '\ud800', which is no text that can be written"),
        (["a", b"\xff", "c", "d"], r"id number 2 is b'\xff', which is no text that can be written"),
        ({"a": 1}, "train: id is no list, but a mapping of 1"),
        ("abcd", "train: id is no list, but 'abcd'"),
        (np.array("a"), "train: id is a single value"),
        (["7", 7, 7.0, "d"], "train: ids belong to more than one sample: 7"),
        (["b", "a", "b", "a"], "train: ids belong to more than one sample: a, b"),
    ],
)
def test_what_cannot_be_an_id_is_told_in_words(own, write, empty, value, words):
    own["train"]["id"] = value
    with pytest.raises(DataError) as caught:
        convert(OWN, write(own), empty)
    assert words in str(caught.value)


@pytest.mark.parametrize("first", [0, 1])
def test_row_numbers_that_begin_again_in_every_split_get_its_name(own, write, empty, first):
    for part in own.values():
        part["id"] = np.arange(first, first + 4)
    convert(OWN, write(own), empty)
    dataset = open_stored(empty, "mmsa")
    assert dataset.parts["valid"].ids == tuple(f"valid_{i}" for i in range(first, first + 4))
    assert "ids are row numbers, which begin again in every split: each got the name of its split in front" in (
        dataset.remarks
    )


def test_numbers_that_are_no_row_numbers_and_in_two_splits_are_refused(own, write, empty):
    own["train"]["id"], own["test"]["id"] = [5, 6, 7, 8], [7, 8, 9, 10]
    with pytest.raises(
        DataError, match="2 samples are in train and in test, so that a test would be no test: 7, 8;"
    ):
        convert(OWN, write(own), empty)


def test_an_object_of_a_class_is_refused_by_name(own, write, empty):
    own["train"]["id"] = [Call(print, "a"), "b", "c", "d"]
    with pytest.raises(DataError, match=r"it holds builtins\.print"):
        convert(OWN, write(own), empty)
