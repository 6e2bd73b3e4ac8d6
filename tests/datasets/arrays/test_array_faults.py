"""One broken array each: the message has to name the file, the sample and what was expected."""

import io
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alharness.api import rows
from alharness.datasets.arrays.files import open_modality
from alharness.datasets.arrays.plugin import ArraysParams, inspect
from alharness.datasets.arrays.reader import load
from alharness.errors import DataError


def message(function, folder, **params):
    with pytest.raises(DataError) as caught:
        function(ArraysParams(path=folder, **params))
    words = str(caught.value)
    return words[words.index("mine") :]


def numbers(shape, kind="float32", **entries):
    array = np.zeros(shape, kind)
    for value, place in entries.values():
        array[place] = value
    return array


HEADERS = {
    "one dimension": (
        numbers(6),
        (
            "mine/audio.npy: has shape (6,), expected (samples, features) or (samples, steps, features); "
            "for one number per sample use array.reshape(-1, 1)"
        ),
    ),
    "four dimensions": (
        numbers((6, 2, 2, 2)),
        "mine/audio.npy: has shape (6, 2, 2, 2), expected (samples, features) or (samples, steps, features)",
    ),
    "a row too few": (
        numbers((5, 3)),
        (
            "mine/audio.npy: has 5 rows, but labels.csv lists 6 samples; "
            "row k of an array belongs to the k-th sample of labels.csv"
        ),
    ),
    "no features": (
        numbers((6, 0)),
        "mine/audio.npy: has shape (6, 0), so its samples are empty; expected at least one feature",
    ),
    "complex": (numbers((6, 3), "complex64"), "mine/audio.npy: holds type complex64, expected real numbers"),
    "text": (numbers((6, 3), "U4"), "mine/audio.npy: holds type <U4, expected real numbers"),
    "dates": (numbers((6, 3), "M8[s]"), "mine/audio.npy: holds type datetime64[s], expected real numbers"),
    "records": (
        numbers((6, 3), [("x", "f4")]),
        "mine/audio.npy: holds type [('x', '<f4')], expected real numbers",
    ),
}


@pytest.mark.parametrize("fault", HEADERS)
def test_what_the_header_shows_is_found_without_loading(folder, fault):
    array, words = HEADERS[fault]
    np.save(folder / "audio.npy", array)
    assert message(inspect, folder) == words


LENGTHS = {
    "fractions": (np.zeros(6), "mine/video_lengths.npy: holds type float64, expected integers"),
    "truth values": (np.zeros(6, bool), "mine/video_lengths.npy: holds type bool, expected integers"),
    "too many": (
        np.zeros(7, int),
        (
            "mine/video_lengths.npy: has 7 rows, but labels.csv lists 6 samples; "
            "row k of an array belongs to the k-th sample of labels.csv"
        ),
    ),
    "two dimensions": (
        np.zeros((6, 1), int),
        "mine/video_lengths.npy: has shape (6, 1), expected one integer per sample: (6,)",
    ),
}


@pytest.mark.parametrize("fault", LENGTHS)
def test_lengths_of_a_wrong_form_are_found_without_loading(folder, fault):
    array, words = LENGTHS[fault]
    np.save(folder / "video_lengths.npy", array)
    assert message(inspect, folder) == words


def test_lengths_without_sequences(folder):
    np.save(folder / "audio_lengths.npy", np.ones(6, int))
    assert (
        message(inspect, folder)
        == "mine/audio_lengths.npy: audio.npy holds no sequences, shape (6, 3); remove the lengths"
    )


def test_lengths_without_a_modality(folder):
    (folder / "video.npy").unlink()
    assert message(inspect, folder) == "mine/video_lengths.npy: there is no video.npy that it could belong to"


VALUES = {
    "nan": (
        "audio",
        numbers((6, 3), first=(np.nan, (4, 2))),
        "mine/audio.npy: row 4 (id 'e', line 6 of labels.csv) holds nan at [2], expected finite float32 numbers",
    ),
    "infinite": (
        "audio",
        numbers((6, 3), first=(-np.inf, (5, 0))),
        "mine/audio.npy: row 5 (id 'f', line 7 of labels.csv) holds -inf at [0], expected finite float32 numbers",
    ),
    "too large for float32": (
        "audio",
        numbers((6, 3), "float64", first=(1e39, (1, 1))),
        "mine/audio.npy: row 1 (id 'b', line 3 of labels.csv) holds 1e+39 at [1], expected finite float32 numbers",
    ),
    "nan in the padding": (
        "video",
        numbers((6, 4, 2), first=(np.nan, (1, 3, 0))),
        (
            "mine/video.npy: row 1 (id 'b', line 3 of labels.csv) holds nan at [3, 0], expected finite float32 "
            "numbers; steps after a sample's length must be finite too"
        ),
    ),
    "too long": (
        "video_lengths",
        np.array([4, 4, 5, 4, 4, 9]),
        (
            "mine/video_lengths.npy: row 2 (id 'c', line 4 of labels.csv) has length 5, expected 0 to 4, "
            "the number of steps in video.npy"
        ),
    ),
    "negative length": (
        "video_lengths",
        np.array([4, 4, 4, 4, 4, -1]),
        (
            "mine/video_lengths.npy: row 5 (id 'f', line 7 of labels.csv) has length -1, expected 0 to 4, "
            "the number of steps in video.npy"
        ),
    ),
}


@pytest.mark.parametrize("piece", [1, 2**22])
@pytest.mark.parametrize("fault", VALUES)
def test_case_42_values_that_cannot_be_used(folder, fault, piece, monkeypatch):
    monkeypatch.setattr(rows, "PIECE", piece)
    name, array, words = VALUES[fault]
    np.save(folder / f"{name}.npy", array)
    assert message(load, folder) == words


def test_case_42_objects_are_never_unpickled(folder, tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "opened"), "w"))

    np.save(folder / "audio.npy", np.array([[Bomb()]] * 6), allow_pickle=True)
    words = message(load, folder)
    assert words == "mine/audio.npy: holds Python objects, which are never loaded, expected real numbers"
    assert not (tmp_path / "opened").exists()


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"PK\3\4 an archive", pickle.dumps([1, 2]), b"0.1,0.2\n"])
def test_files_that_numpy_did_not_write(folder, content):
    (folder / "audio.npy").write_bytes(content)
    words = message(inspect, folder)
    assert words.startswith("mine/audio.npy: is not a whole .npy file (")
    assert words.endswith("); write it with numpy.save(path, array)")


def test_a_file_that_was_cut_short(folder):
    path = folder / "audio.npy"
    path.write_bytes(path.read_bytes()[:-8])
    assert message(inspect, folder).startswith("mine/audio.npy: is not a whole .npy file (")


def whole():
    file = io.BytesIO()
    np.save(file, np.zeros((6, 3)))
    return file.getvalue()


@given(st.data())
@pytest.mark.fuzz
@settings(max_examples=300)
def test_a_damaged_header_never_ends_in_a_traceback(tmp_path_factory, data):
    content = bytearray(whole())
    start = data.draw(st.integers(0, 127))
    junk = data.draw(st.one_of(st.binary(max_size=12), st.text("(){}[]-0123456789'", max_size=12).map(str.encode)))
    content[start : start + len(junk)] = junk
    folder = tmp_path_factory.mktemp("damaged", numbered=True)
    (folder / "audio.npy").write_bytes(content)
    try:
        stored = open_modality(folder, "audio", 6)
    except DataError:
        return
    assert stored.array.shape[0] == 6


def test_a_missing_folder(folder):
    assert message(inspect, folder / "nowhere").startswith(
        "mine/nowhere: not found; expected a folder with labels.csv"
    )


def test_paths_are_shown_as_one_would_type_them(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    with pytest.raises(DataError, match=r"^mine/nowhere: not found"):
        inspect(ArraysParams(path=folder / ".." / "mine" / "nowhere"))


def test_a_folder_whose_name_no_file_can_have(folder):
    assert message(inspect, folder / "a\0b").startswith("mine/a\0b: not found; expected a folder")


def test_a_modality_of_the_spec_that_has_no_file(folder):
    words = message(inspect, folder, modalities=["adio"])
    assert words == "mine: there is no adio.npy for the modality 'adio'; did you mean 'audio'?"


def test_a_file_in_the_place_of_the_folder(folder):
    with pytest.raises(DataError, match=r"labels\.csv: is a file; name the folder that holds labels\.csv"):
        inspect(ArraysParams(path=folder / "labels.csv"))


def test_a_folder_without_arrays(folder):
    for path in folder.glob("*.npy"):
        path.unlink()
    assert message(inspect, folder) == "mine: there is no <modality>.npy; expected one file per modality"


@pytest.mark.parametrize("name", ["labels", "fused", "my audio", "été"])
def test_a_file_whose_name_is_no_modality(folder, name):
    np.save(folder / f"{name}.npy", np.zeros((6, 1)))
    words = message(inspect, folder)
    assert words.startswith(f"mine/{name}.npy: a modality cannot be named {name!r}: ")
    assert words.endswith("; rename the file, or list the modalities to use in the spec")
