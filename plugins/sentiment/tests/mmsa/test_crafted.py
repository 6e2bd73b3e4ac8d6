"""Files that were made to hang or break an import: refused at once, in a short message."""

import pickle
import struct
from contextlib import suppress

import numpy as np
import pytest

from alharness.errors import DataError
from alharness_sentiment.mmsa.conversion import convert
from alharness_sentiment.mmsa.facts import OWN

LEVELS = 60
"""Levels of lists of which each holds the one below ten times: 10**60 values, if one counted them."""


class Raw:
    """Becomes these instructions in a pickle."""

    def __init__(self, instructions):
        self.instructions = instructions


def shared(kind=list):
    value = "x"
    for _ in range(LEVELS):
        value = kind([value] * 10)
    return value


def deep(depth=200_000):
    """A tuple in a tuple in a tuple, deeper than any pickler would write it."""
    return Raw(b"X\x01\x00\x00\x00x" + b"\x85" * depth)


PARTS = {
    "shared": shared,
    "shared tuples": lambda: shared(tuple),
    "deep": deep,
    "in itself": lambda: Raw(b"]q\xc8h\xc8a"),
}


def flat(content):
    """The instructions that make a mapping, a plain value or an array, or those of `Raw` parts in mappings."""
    if isinstance(content, Raw):
        return content.instructions
    if isinstance(content, dict):
        return b"}(" + b"".join(flat(k) + flat(v) for k, v in content.items()) + b"u"
    return pickle.dumps(content, 2)[2:-1]


def written(write, content):
    path = write({})
    path.write_bytes(b"\x80\x02" + flat(content) + b".")
    return path


def refusal(write, content, empty):
    with pytest.raises(DataError) as caught:
        convert(OWN, written(write, content), empty)
    words = str(caught.value)
    assert len(words) < 1000
    return words


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("column", ["id", "regression_labels", "audio_lengths", "audio"])
def test_nested_values_are_refused_in_a_moment(own, write, empty, part, column):
    own["train"][column] = Raw(b"](" + flat(PARTS[part]()) + b"X\x01\x00\x00\x00y" * 3 + b"e")
    assert column in refusal(write, own, empty)


def test_nested_values_that_nobody_reads_are_left_out(own, write, empty):
    own["train"] |= {"text_bert": shared(), "more": shared(tuple), "raw_text": deep()}
    assert "left out of train: text_bert, more" in convert(OWN, written(write, own), empty)


@pytest.mark.parametrize("part", PARTS)
def test_nested_values_in_the_place_of_a_split_or_of_the_file(own, write, empty, part):
    value = PARTS[part]()
    assert "holds no mapping" in refusal(write, value, empty)
    own["valid"] = value
    assert "valid is no mapping" in refusal(write, own, empty)


@pytest.mark.parametrize(
    "function", [b"cnumpy\ndtype\n%s\x85R", b"%s)R", b"cnumpy.core.multiarray\nscalar\n%s\x85R"]
)
@pytest.mark.parametrize("part", ["shared", "deep"])
def test_nested_values_in_the_place_of_a_function_or_its_arguments(write, empty, function, part):
    assert "get the file again" in refusal(write, Raw(function % flat(PARTS[part]())), empty)


@pytest.mark.parametrize("size", [flat(shared()), flat(deep()), b"\x8a\x40" + b"\x7f" * 64, b"J\xff\xff\xff\xff"])
def test_sizes_of_an_array_that_are_none(write, empty, size):
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85X\x01\x00\x00\x00btR"
    kind = b"cnumpy\ndtype\nX\x02\x00\x00\x00f8K\x00K\x01\x87R"
    state = b"(K\x01" + size + b"\x85" + kind + b"\x89X\x00\x00\x00\x00t"
    assert "impossible shape" in refusal(write, Raw(array + state + b"b"), empty)


@pytest.mark.parametrize("key", ["x" * 100_000, "\x1b[31m", "\ud800"])
def test_keys_are_shown_cut_and_printable(own, write, empty, key):
    own["train"][key] = own[key] = 1
    lines = "\n".join(convert(OWN, write(own), empty))
    assert f"left out of train: {repr(key[:40])[1:-1]}" in lines
    assert len(lines) < 1000


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_any_damaged_byte_of_a_download_is_data_or_an_error_for_users(own, tmp_path, protocol):
    whole = pickle.dumps(own, protocol)
    rng = np.random.default_rng(protocol)
    path = tmp_path / "file.pkl"
    for trial, position in enumerate(rng.integers(2, len(whole), 12)):
        damaged = bytearray(whole)
        damaged[position] = rng.integers(256)
        path.write_bytes(damaged)
        folder = tmp_path / f"out{trial}"
        folder.mkdir()
        with suppress(DataError):
            convert(OWN, path, folder)


def test_bytes_that_were_damaged_in_the_text_of_protocol_2(own, write, empty, monkeypatch):
    monkeypatch.setattr("alharness_sentiment.mmsa.opcodes.LARGE", 64)
    own["test"]["vision"] = np.full((4, 3, 2), 1.0, "f4")
    path = write(own, 2)
    whole = path.read_bytes()
    place = whole.rindex(b"\xc2\x80?")
    path.write_bytes(whole[:place] + b"AB?" + whole[place + 3 :])  # a byte more in the array, as many in the file
    with pytest.raises(DataError, match="test: vision cannot be read: there is an array of shape"):
        convert(OWN, path, empty)


@pytest.mark.parametrize("size", [2**31, 2**40])
def test_texts_cannot_announce_more_than_there_is(own, write, empty, size):
    own["train"]["id"] = Raw(b"]\x8d" + struct.pack("<Q", size) + b"x" * 100 + b"a")
    assert "ends in the middle" in refusal(write, own, empty)


def test_a_text_that_stays_in_the_file_is_no_id(own, write, empty):
    own["train"]["id"] = ["a" * 2**20, "b", "c", "d"]
    words = refusal(write, own, empty)
    assert "train: id number 1 is a text of 1,048,576 bytes, expected a text or a number" in words
