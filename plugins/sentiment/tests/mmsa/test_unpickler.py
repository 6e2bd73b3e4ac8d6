"""What a pickle may hold, and that nothing of what else it holds is run."""

import collections
import os
import pickle
import pickletools
import struct
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from alharness.errors import DataError
from alharness_sentiment.mmsa import opcodes
from alharness_sentiment.mmsa.arrays import PickledArray
from alharness_sentiment.mmsa.unpickler import load

from .conftest import Call

PROTOCOLS = [2, 3, 4, 5]


def opened(value, path):
    """The value with its arrays in memory."""
    if isinstance(value, PickledArray):
        return np.array(value.open(path, path.parent))
    if isinstance(value, dict):
        return {key: opened(item, path) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(opened(item, path) for item in value)
    return value


def read(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file.pkl")
        path.write_bytes(content)
        return opened(load(path), path)


def refusal(content):
    with pytest.raises(DataError) as caught:
        read(content)
    return str(caught.value).partition(": ")[2]


def same(one, other):
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tolist() == other.tolist()
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


ARRAYS = hnp.arrays(
    dtype=st.sampled_from(["f8", "f4", "f2", ">f8", "i8", ">i4", "u1", "b1", "U3", "S4"]),
    shape=hnp.array_shapes(min_dims=0, min_side=0, max_side=4),
    elements={"allow_nan": False},
)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
VALUES = st.recursive(
    PLAIN | ARRAYS,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=12,
)


@pytest.mark.fuzz
@settings(max_examples=150)
@given(VALUES, st.sampled_from(PROTOCOLS), st.sampled_from([pickle.dumps, pickle._dumps]))
def test_whatever_is_data_comes_back_as_it_was(value, protocol, dumps):
    try:
        written = dumps(value, protocol)
    except AssertionError:  # the pickler of pure Python cannot write b"" and an empty array with protocol 5
        assume(dumps is pickle.dumps)
    assert same(read(written), value)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("large", [64, 2**20])
def test_contents_left_in_the_file_are_those_that_are_read_at_once(protocol, large, monkeypatch):
    monkeypatch.setattr(opcodes, "LARGE", large)
    x = np.random.default_rng(0).normal(size=(6, 5, 3))
    value = {"c": x, "fortran": np.asfortranarray(x), "strided": x[::2, :, 1], "swapped": x.astype(">f4")}
    found = read(pickle.dumps(value, protocol))
    assert {key: same(array, value[key]) for key, array in found.items()} == dict.fromkeys(value, True)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_objects_that_are_texts_and_mappings_with_an_order(protocol):
    texts = np.array([["a", "你好"], ["c", None]], dtype=object)
    value = collections.OrderedDict(texts=texts, fortran=np.asfortranarray(texts), word=np.str_("w"))
    found = read(pickle.dumps(value, protocol))
    assert found["texts"].tolist() == found["fortran"].tolist() == texts.tolist()
    assert (list(found), found["word"]) == (["texts", "fortran", "word"], "w")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_value_that_stands_twice_is_one(protocol):
    x = np.arange(3.0)
    found = read(pickle.dumps([x, x, np.float64(2), np.int32(-1)], protocol))
    assert [item.tolist() if isinstance(item, np.ndarray) else item for item in found] == [[0, 1, 2]] * 2 + [
        2.0,
        -1,
    ]


@pytest.mark.parametrize("inner", ["numpy._core", "numpy.core"])
def test_files_of_numpy_1_and_2(inner):
    x = np.arange(6.0).reshape(2, 3)
    old, new = (f"c{name}.multiarray\n".encode() for name in ("numpy._core", inner))
    assert same(read(pickle.dumps(x, 2).replace(old, new)), x)


def gadget():
    return Call(getattr, Call(__import__, "os"), "system")


class Subclass(np.ndarray):
    pass


def as_object(value):
    array = np.empty(1, dtype=object)
    array[0] = value
    return array


TRAP = Path(tempfile.gettempdir()) / "alharness-unpickler-trap"

MALICIOUS = {
    "posix.system": lambda: Call(os.system, f"touch {TRAP}"),
    "builtins.eval": lambda: Call(eval, f"open({str(TRAP)!r}, 'w')"),
    "builtins.exec": lambda: Call(exec, f"open({str(TRAP)!r}, 'w')"),
    "builtins.getattr": gadget,
    "builtins.__import__": lambda: Call(__import__, "os"),
    "numpy.load": lambda: Call(np.load, str(TRAP)),
    "numpy.fromfile": lambda: Call(np.fromfile, str(TRAP)),
    "numpy.save": lambda: Call(np.save, str(TRAP), 1),
    "numpy.memmap": lambda: Call(np.memmap, str(TRAP)),
    "numpy.ma": lambda: np.ma.masked_array([1.0], [True]),
    "numpy.matrix": lambda: np.eye(2).view(np.matrix),
    "numpy.zeros": lambda: Call(np.zeros, 2**40),
    "complex": lambda: 1j,
    "collections.Counter": lambda: collections.Counter("a"),
    "functools.partial": lambda: Call(__import__("functools").partial, print),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("named", MALICIOUS)
@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: {"train": {"id": as_object(x)}}, lambda x: [x]])
def test_case_39_anything_else_is_refused_by_name_and_never_run(named, wrap, protocol):
    TRAP.unlink(missing_ok=True)
    words = refusal(pickle.dumps(wrap(MALICIOUS[named]()), protocol))
    spelled = named if protocol >= 3 else named.replace("builtins.", "__builtin__.")
    assert spelled in words
    assert "nothing was run" in words
    assert not TRAP.exists()


def test_a_subclass_of_arrays_is_refused_by_name():
    assert "test_unpickler.Subclass" in refusal(pickle.dumps(np.eye(2).view(Subclass)))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"cposix\nsystem\n(X\x02\x00\x00\x00lstR.", "it holds posix.system"),
        (b"cnumpy\nndarray\n(tR.", "it calls numpy.ndarray"),
        (b"cnumpy\nndarray\n)\x81.", "the instruction NEWOBJ"),
        (
            b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\ndtype\nK\x00\x85X\x01\x00\x00\x00btR.",
            "an array of another class than numpy.ndarray",
        ),
        (b"(X\x02\x00\x00\x00lsios\nsystem\n.", "the instruction INST"),
        (b"(cnumpy\ndtype\nX\x02\x00\x00\x00f8o.", "the instruction OBJ"),
        (b"X\x01\x00\x00\x00aQ.", "the instruction BINPERSID"),
        (b"Pabc\n.", "the instruction PERSID"),
        (b"\x82\x01.", "the instruction EXT1"),
        (b"\x97.", "the instruction NEXT_BUFFER"),
        (b"\x8f.", "the instruction EMPTY_SET"),
        (b"Ia\n.", "at byte 3: invalid literal"),
        (b"]X\x01\x00\x00\x00ab.", "sets the state of what is no array"),
        (b"cnumpy\ndtype\nX\x01\x00\x00\x00ab.", "sets the state of what is no array"),
        (b"}]K\x01s.", "keys are neither text nor numbers"),
        (b"K\x01K\x02a.", "it appends to what is no list"),
        (b"cnumpy\ndtype\nX\x0b\x00\x00\x00V1000000000\x85R.", "an array of type 'V1000000000'"),
        (b"c_codecs\nencode\nX\x01\x00\x00\x00aX\x06\x00\x00\x00rot_13\x86R.", "it encodes something else"),
        (b"ccollections\nOrderedDict\nX\x02\x00\x00\x00ab\x85R.", "keys are neither text nor numbers"),
        (b"\x8a\xff" + bytes(255) + b".", "the length 255 at byte 3 is impossible"),
        (b"h\x07.", "is a damaged pickle (KeyError)"),
        (b".", "is a damaged pickle (ValueError)"),
        (b"0.", "is a damaged pickle (IndexError)"),
        (b"\x86.", "is a damaged pickle (IndexError)"),
        (b"\xff.", "0xff at byte 2 is no instruction"),
    ],
)
def test_case_39_what_no_data_needs_is_refused(body, words):
    assert words in refusal(b"\x80\x02" + body)


@pytest.mark.parametrize("protocol", [0, 1])
def test_protocols_that_no_such_file_has_are_refused(protocol):
    assert refusal(pickle.dumps({"a": np.eye(2)}, protocol))


def test_a_protocol_to_come_is_refused():
    assert "is in pickle protocol 6, expected 2 to 5" in refusal(b"\x80\x06N.")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_case_40_a_few_bytes_cannot_announce_a_huge_array(protocol):
    content = pickle.dumps(np.zeros(7), protocol)
    assert content.count(b"K\x07") == 1
    content = content.replace(b"K\x07", b"\x8a\x06" + (2**40).to_bytes(6, "little"))
    words = refusal(content)
    assert "shape (1099511627776,) and type float64, which takes 8,796,093,022,208 bytes" in words or (
        "shape (1099511627776,) with" in words
    )


def test_a_huge_array_of_objects_is_its_list():
    content = pickle.dumps(np.array(["a", "b"], object), 4).replace(b"K\x02\x85", b"J\xff\xff\xff\x7f\x85")
    assert "takes 2,147,483,647 values, but only 2 are there" in refusal(content)


@pytest.mark.parametrize("code", [b"B", b"X", b"\x8e", b"\x8d", b"\x96"])
def test_bytes_that_are_announced_and_missing_are_never_made_room_for(code):
    header = struct.pack("<Q" if code in (b"\x8e", b"\x8d", b"\x96") else "<I", 2**31)
    assert refusal(b"\x80\x05" + code + header + b"abc").startswith("ends in the middle, after ")


def test_values_that_stand_for_themselves_many_times_take_no_memory(tmp_path):
    body = b"]q\x000" + b"".join(b"(" + b"h%c" % i * 10 + b"tq%c0" % (i + 1) for i in range(60))
    path = tmp_path / "file.pkl"
    path.write_bytes(b"\x80\x02" + body + b"h\x3c\x85.")  # 10**60 values, if they were counted
    assert len(load(path)[0]) == 10


WHOLE = pickle.dumps({"train": {"text": np.arange(400.0), "id": ["a", "b"], "n": 2**70, "f": 1.5}}, 4)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_case_41_a_file_that_was_cut_anywhere_says_so(protocol, monkeypatch):
    monkeypatch.setattr(opcodes, "LARGE", 1000)
    value = {"train": {"text": np.arange(400.0), "id": ["a", "b"], "n": 2**70, "f": 1.5}}
    content = pickle.dumps(value, protocol)
    for size in range(2, len(content), 7):
        assert refusal(content[:size]) == (
            f"ends in the middle, after {size:,} bytes; the download is not complete, get the file again"
        )


@pytest.mark.fuzz
@settings(max_examples=400)
@given(st.integers(2, len(WHOLE) - 1), st.integers(0, 255))
def test_a_damaged_byte_is_data_or_an_error_for_users(position, byte):
    content = WHOLE[:position] + bytes([byte]) + WHOLE[position + 1 :]
    with suppress(DataError):
        read(content)


CODES = [code.encode("latin-1") for code in pickletools.code2op]


@pytest.mark.fuzz
@settings(max_examples=400)
@given(st.lists(st.sampled_from(CODES) | st.binary(max_size=6), max_size=30))
def test_a_random_program_is_data_or_an_error_for_users(parts):
    with suppress(DataError):
        read(b"\x80\x04" + b"".join(parts) + b".")


def test_strings_of_python_2_are_texts_as_keys_and_bytes_as_values():
    x = np.arange(6, dtype=">f4").reshape(2, 3)
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85U\x01btR"
    kind = b"cnumpy\ndtype\nU\x02f4K\x00K\x01\x87R(K\x03U\x01>NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    state = b"(K\x01K\x02K\x03\x86" + kind + b"\x89U\x18" + x.tobytes() + b"tb"
    ids = b"](U\x01aT\x03\x00\x00\x00b\xc3\xa4e"
    found = read(b"\x80\x02}(U\x01x" + array + state + b"U\x02id" + ids + b"u.")
    assert same(found["x"], x)
    assert found["id"] == [b"a", "bä".encode()]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_mappings_with_a_default(protocol):
    value = collections.defaultdict(list, train={"id": ["a"]})
    assert read(pickle.dumps({"x": value, "y": collections.defaultdict(dict)}, protocol)) == {
        "x": {"train": {"id": ["a"]}},
        "y": {},
    }


def test_a_name_that_may_be_an_argument_is_never_called():
    assert "it calls builtins.list; nothing was run" in refusal(b"\x80\x02cbuiltins\nlist\n)R.")
