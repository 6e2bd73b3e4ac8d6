"""The table of labels: what it may look like, and one message for each way to get it wrong."""

import csv
import io

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alharness.api.vocabulary import Task
from alharness.datasets.arrays.labels import read_labels
from alharness.datasets.arrays.plugin import ArraysParams, inspect
from alharness.datasets.arrays.table import read_table
from alharness.errors import DataError

WHOLE = b"""\
id,split,label
a,train,sad
b,train,glad
c,train,sad
d,valid,glad
e,test,sad
f,test,glad
"""


def message(folder, content, **params):
    (folder / "labels.csv").write_bytes(content)
    with pytest.raises(DataError) as caught:
        inspect(ArraysParams(path=folder, **params))
    return str(caught.value).replace(f"{folder}/labels.csv", "labels.csv")


FAULTS = {
    "empty": (b"", "labels.csv: is empty; expected a header and one row per sample"),
    "only empty lines": (b"\n \n", "labels.csv: is empty; expected a header and one row per sample"),
    "no header": (
        WHOLE.partition(b"\n")[2],
        "labels.csv:1: expected the header id,split,label, but the file begins with a,train,sad",
    ),
    "no rows": (
        b"id,split,label\n",
        "labels.csv: lists no samples; expected one row per sample below the header",
    ),
    "no test rows": (
        WHOLE.replace(b"test", b"train"),
        (
            "labels.csv: no row has split 'test'; train and test need at least one each: "
            "give some rows the split 'test'"
        ),
    ),
    "semicolons": (
        WHOLE.replace(b",", b";"),
        "labels.csv:1: columns are separated by semicolons, expected commas",
    ),
    "tabs": (WHOLE.replace(b",", b"\t"), "labels.csv:1: columns are separated by tabs, expected commas"),
    "utf-16": (
        WHOLE.decode().encode("utf-16"),
        "labels.csv: is UTF-16 text, expected UTF-8; save it as 'CSV UTF-8'",
    ),
    "latin-1": (
        WHOLE.replace(b"glad", "fröhlich".encode("latin-1")),
        "labels.csv:3: the byte 0xf6 is not UTF-8; save it as 'CSV UTF-8'",
    ),
    "nul": (
        WHOLE.replace(b"d,valid", b"d\0,valid"),
        "labels.csv:5: holds a NUL byte, so it is not UTF-8 text; save it as 'CSV UTF-8'",
    ),
    "capitals": (
        WHOLE.replace(b"split", b"SPLIT"),
        (
            "labels.csv:1: unknown column 'SPLIT', expected id, split, label, label_audio, label_video; "
            "did you mean 'split'?"
        ),
    ),
    "no such modality": (
        WHOLE.replace(b"split,label", b"split,label_adio"),
        "labels.csv:1: unknown column 'label_adio': there is no adio.npy; did you mean 'label_audio'?",
    ),
    "an index": (
        WHOLE.replace(b"\n", b"\n0,").replace(b"id,split", b",id,split").removesuffix(b"0,"),
        "labels.csv:1: column 1 has no name; remove it (in pandas: index=False)",
    ),
    "no labels": (
        b"id,split\na,train\n",
        "labels.csv:1: there is no column 'label', expected id, split, label",
    ),
    "a column twice": (
        WHOLE.replace(b"id,split,label", b"id,split,split"),
        "labels.csv:1: the column 'split' occurs more than once",
    ),
    "a cell too many": (
        WHOLE.replace(b"b,train,glad", b"b,train,glad, very"),
        "labels.csv:3: 4 cells, but the header has 3; a value with a comma must be in double quotes",
    ),
    "a cell too few": (
        WHOLE.replace(b"b,train,glad", b"b"),
        "labels.csv:3: 1 cell, but the header has 3; a value with a comma must be in double quotes",
    ),
    "an open quote": (
        WHOLE.replace(b"c,train", b'"c,train'),
        "labels.csv:4: is not a CSV row (unexpected end of data)",
    ),
    "a line break in a cell": (
        WHOLE.replace(b"c,train", b'"c\nc",train').replace(b"d,valid", b",valid"),
        "labels.csv:4: 'c\\nc' holds a line break or another control character",
    ),
    "an empty id": (
        WHOLE.replace(b"d,valid", b" ,valid"),
        "labels.csv:5: the id is empty; every sample needs one",
    ),
    "an empty label": (
        WHOLE.replace(b"test,sad", b"test,"),
        (
            "labels.csv:6: the label is empty; every sample of test needs one, and only those of train can be "
            "labeled later"
        ),
    ),
    "an empty split": (
        WHOLE.replace(b"b,train", b"b,"),
        (
            "labels.csv:3: the split is empty, though others are not; write train, valid or test, or empty the "
            "whole column to have every seed draw its split"
        ),
    ),
    "an id twice": (
        WHOLE.replace(b"f,test", b"b,test"),
        "labels.csv:7: the id 'b' is already on line 3; ids must be distinct",
    ),
    "an unknown split": (
        WHOLE.replace(b"valid", b"val"),
        "labels.csv:5: split is 'val', expected train, valid or test; did you mean 'valid'?",
    ),
    "one class": (
        WHOLE.replace(b"glad", b"sad"),
        "labels.csv: every label of train is 'sad'; two classes are needed",
    ),
    "a class that train lacks": (
        WHOLE.replace(b"test,glad", b"test,angry"),
        (
            "labels.csv:7: label is 'angry', a class that no row of train has as its label, so that it cannot be "
            "learned; give train a sample of it, or drop this row"
        ),
    ),
    "an integer class that train lacks": (
        WHOLE.replace(b"test,glad", b"test,3").replace(b"glad", b"1").replace(b"sad", b"2"),
        (
            "labels.csv:7: label is '3', a class that no row of train has as its label, so that it cannot be "
            "learned; give train a sample of it, or drop this row"
        ),
    ),
    "a fault after a cell of two lines": (
        WHOLE.replace(b"b,train", b'"b\n",train').replace(b"valid", b"vald"),
        "labels.csv:6: split is 'vald', expected train, valid or test; did you mean 'valid'?",
    ),
    "measurements as classes": (
        WHOLE.replace(b"test,glad", b"test,0.25").replace(b"glad", b"1").replace(b"sad", b"2"),
        (
            "labels.csv:7: label is '0.25', a class that no row of train has as its label, so that it cannot be "
            "learned; give train a sample of it, or drop this row; to predict numbers set task: regression"
        ),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults(folder, fault):
    content, words = FAULTS[fault]
    assert message(folder, content) == words


def test_a_missing_table(folder):
    (folder / "labels.csv").unlink()
    with pytest.raises(
        DataError, match=r"labels\.csv: not found; it lists the samples: id, split and label of each"
    ):
        inspect(ArraysParams(path=folder))


def test_a_folder_in_the_place_of_the_table(folder):
    (folder / "labels.csv").unlink()
    (folder / "labels.csv").mkdir()
    with pytest.raises(DataError, match=r"labels\.csv: cannot be read: Is a directory"):
        inspect(ArraysParams(path=folder))


@pytest.mark.parametrize("text", ["glad", "nan", "inf", "1e39", "1_000", "1,5", "٣", "0x10", "9" * 5000])
def test_targets_must_be_numbers(folder, text):
    numbers = WHOLE.replace(b"glad", b"1").replace(b"sad", b"2")
    content = numbers.replace(b"test,2", f'test,"{text}"'.encode())
    assert message(folder, content, task="regression") == (
        f"labels.csv:6: label is {text[:80]!r}, expected a finite number with a decimal point; "
        "to predict classes set task: classification"
    )


def test_a_class_only_a_modality_has_is_refused(folder):
    content = WHOLE.replace(b"label", b"label,label_audio").replace(b"sad\n", b"sad,sad\n")
    content = content.replace(b"glad\n", b"glad,angry\n")
    assert message(folder, content).startswith(
        "labels.csv:3: label_audio is 'angry', a class that no row of train has as its label"
    )


def test_a_modality_with_text_where_the_label_has_integers(folder):
    content = (
        WHOLE.replace(b"label", b"label,label_audio").replace(b"sad\n", b"1,1\n").replace(b"glad\n", b"2,glad\n")
    )
    assert message(folder, content).startswith("labels.csv:3: label_audio is 'glad', a class that no row of train")


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + WHOLE,
        WHOLE.replace(b"\n", b"\r\n"),
        WHOLE.replace(b"\n", b"\r"),
        WHOLE.replace(b",", b" , "),
        WHOLE.replace(b"\n", b"\n\n") + b"  \n",
        WHOLE.removesuffix(b"\n"),
        WHOLE.replace(b"a,train", b'"a","train"'),
    ],
    ids=["byte order mark", "windows", "old mac", "spaces", "empty lines", "no last line end", "quotes"],
)
def test_what_spreadsheets_and_editors_do_is_harmless(tmp_path, content):
    path = tmp_path / "labels.csv"
    path.write_bytes(content)
    table = read_table(path, [])
    assert table.ids == tuple("abcdef")
    assert table.splits == ("train", "train", "train", "valid", "test", "test")
    assert table.labels == {"label": ("sad", "glad", "sad", "glad", "sad", "glad")}


cell = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=8).map(str.strip).filter(bool)
others = st.lists(st.tuples(st.sampled_from(["train", "valid", "test"]), cell), max_size=8)


@given(ids=st.lists(cell, min_size=11, max_size=11, unique=True), classes=st.tuples(cell, cell), more=others)
@pytest.mark.fuzz
@settings(max_examples=100)
@example(ids=[f"#{i}" for i in range(11)], classes=("a,b", '"'), more=[])
def test_any_text_survives(tmp_path_factory, ids, classes, more):
    first, second = classes
    rows = [("train", first), ("valid", second), ("test", first), *more]
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(["label", "id", "split"])
    writer.writerows([label, name, split] for name, (split, label) in zip(ids, rows, strict=False))
    path = tmp_path_factory.mktemp("table", numbered=True) / "labels.csv"
    path.write_bytes(file.getvalue().encode())
    table = read_table(path, [])
    assert list(zip(table.splits, table.labels["label"], strict=True)) == rows
    assert list(table.ids) == ids[: len(rows)]


@given(st.binary(max_size=60) | st.text('idsplt,label\n"train;12.', max_size=60).map(str.encode))
@pytest.mark.fuzz
@settings(max_examples=200)
@example(b"id,split,label\n\xff")
def test_any_bytes_end_in_a_message(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("bytes", numbered=True) / "labels.csv"
    path.write_bytes(content)
    try:
        assert len(read_table(path, ["audio"]))
    except DataError as error:
        assert "labels.csv" in str(error)  # noqa: PT017 - either of the two


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=3, max_size=20))
@pytest.mark.fuzz
@settings(max_examples=100)
def test_any_float32_survives(tmp_path_factory, targets):
    splits = ["valid", "test", *["train"] * (len(targets) - 2)]
    path = tmp_path_factory.mktemp("targets", numbered=True) / "labels.csv"
    lines = [f"{row},{split},{target!r}" for row, (split, target) in enumerate(zip(splits, targets, strict=True))]
    path.write_text("\n".join(["id,split,label", *lines]))
    read = read_labels(read_table(path, []), Task.REGRESSION).columns["label"]
    assert np.array(read, np.float32).tolist() == targets
