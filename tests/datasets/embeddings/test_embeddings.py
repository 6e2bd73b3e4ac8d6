"""Embeddings in files of columns."""

import re
from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alharness import DataError, Samples, Task
from alharness.api.samples import Splits
from alharness.datasets.embeddings import arrow
from alharness.datasets.embeddings.opening import open_source
from alharness.datasets.embeddings.params import EmbeddingsParams
from alharness.datasets.embeddings.reader import load, look
from alharness.engine.soundness import require_sound

N, D = 10, 3
X = np.arange(N * D, dtype=np.float32).reshape(N, D)
IDS = [f"r{i}" for i in range(N)]
LABELS = ["a", "b", None, "a", "b", "a", "b", "a", None, "b"]


def parquet(path, **columns):
    table = {"id": IDS, "label": LABELS, "text": pa.FixedSizeListArray.from_arrays(X.ravel(), D), **columns}
    pq.write_table(pa.table({name: column for name, column in table.items() if column is not None}), path)
    return path


def make(path, **params):
    params = EmbeddingsParams(path=path, **params)
    facts, dataset = look(params), load(params)
    assert facts.modalities == dataset.modalities
    assert facts.unlabeled == len(dataset.unlabeled or ())
    return facts, dataset


def numbers(inputs, modality):
    return np.asarray(inputs.arrays[modality])


KNOWN = [i for i, label in enumerate(LABELS) if label]


@pytest.mark.parametrize("kind", ["fixed", "list", "float64", "several"])
def test_parquet(tmp_path, kind):
    path = tmp_path / "x.parquet"
    if kind == "several":
        path = tmp_path / "x"
        path.mkdir()
        for part in (range(4), range(4, N)):
            columns = {"id": [IDS[i] for i in part], "label": [LABELS[i] for i in part]}
            pq.write_table(
                pa.table({**columns, "text": [X[i].tolist() for i in part]}), path / f"{part[0]}.parquet"
            )
    else:
        text = {"fixed": pa.FixedSizeListArray.from_arrays(X.ravel(), D), "list": X.tolist()}
        parquet(path, text=text.get(kind, [row.astype(float) for row in X]))
    facts, dataset = make(path)
    require_sound(dataset, lambda _: None)
    assert isinstance(dataset.content, Samples)
    assert dataset.classes == ("a", "b")
    assert dataset.content.ids == tuple(IDS[i] for i in KNOWN)
    assert numbers(dataset.content.inputs, "text").tolist() == X[KNOWN].tolist()
    assert dataset.unlabeled.ids == ("r2", "r8")
    assert isinstance(dataset.content.inputs.arrays["text"].base, np.memmap)
    assert sum(facts.sizes) == 8


def test_columns_of_numbers_are_one_modality(tmp_path):
    path = tmp_path / "x.csv"
    rows = [f"{IDS[i]},{LABELS[i] or ''},{X[i, 0]},{X[i, 1]}" for i in range(N)]
    path.write_text("\n".join(["id,label,x_1,x_2", *rows]))
    _, dataset = make(path)
    assert numbers(dataset.content.inputs, "features").tolist() == X[KNOWN, :2].tolist()
    _, dataset = make(path, modalities={"two": ["x_2", "x_1"], "all": "x_*"})
    assert numbers(dataset.unlabeled, "two").tolist() == X[[2, 8]][:, [1, 0]].tolist()
    assert dataset.unlabeled.arrays["all"].shape == (2, 2)


@pytest.mark.parametrize("order", "CF")
def test_npz(tmp_path, order):
    path = tmp_path / "x.npz"
    labels = np.array([{"a": 1.0, "b": 2.0}.get(label, np.nan) for label in LABELS])
    np.savez_compressed(path, text=np.array(X, order=order), label=labels, weights=X[:, 0])
    _, dataset = make(path)
    assert dataset.classes == ("1", "2")
    assert dataset.content.ids == tuple(str(i) for i in KNOWN)
    assert numbers(dataset.content.inputs, "text").tolist() == X[KNOWN].tolist()


def test_arrays_of_an_archive_that_are_no_columns(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, text=X, names=np.array(["a", "b"]), version=np.array(3))
    assert make(path)[1].modalities == ("text",)
    np.savez(path, text=X, image=X[1:])
    assert refusal(path) == "x.npz: image has 9 rows, and text has 10"


def test_a_number_that_is_missing_is_no_missing_modality(tmp_path):
    path = parquet(tmp_path / "x.parquet", text=None, a=[1, 2, None, *range(7)], b=[*range(10)])
    assert "row 2: a is nan, expected finite float32 numbers" in refusal(path, incomplete=["features"])


def test_a_csv_file_says_in_its_first_rows_what_is_a_number(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("id,name,a,b\n1,x,,1\n2,3,5,\n")
    assert dict(open_source(path).columns) == {"id": "numbers", "name": "texts", "a": "numbers", "b": "numbers"}
    path.write_text("id,a\n1,2,3\n")
    assert refusal(path).startswith("x.csv: has 2 names of columns, and 3 cells in a row below")
    path.write_text("")
    assert refusal(path).startswith("x.csv: is empty")


def test_data_and_folder_may_be_moved_together(tmp_path):
    (tmp_path / "here").mkdir()
    path = parquet(tmp_path / "here" / "x.parquet")
    make(path)
    path.parent.rename(tmp_path / "there")
    make(tmp_path / "there" / "x.parquet")
    assert len(list((tmp_path / "there" / ".alharness").iterdir())) == 2


def test_npy_with_a_file_of_labels(tmp_path):
    np.save(tmp_path / "clip.npy", X.astype(np.float16))
    (tmp_path / "labels.csv").write_text("label,id\n1.5,3\n,4\n2,7\n")
    _, dataset = make(tmp_path / "clip.npy", labels=tmp_path / "labels.csv", task=Task.REGRESSION)
    assert (dataset.content.ids, dataset.content.labels.tolist()) == (("3", "7"), [1.5, 2])
    assert len(dataset.unlabeled) == 8


def test_a_split_of_its_own(tmp_path):
    splits = ["train", "train", None, "valid", "test", "train", "test", "valid", "train", "test"]
    _, dataset = make(parquet(tmp_path / "x.parquet", split=splits))
    assert isinstance(dataset.content, Splits)
    assert dataset.content.train.ids == ("r0", "r1", "r5")


def test_half_precision_is_read_as_float32(tmp_path):
    _, dataset = make(parquet(tmp_path / "x.parquet"), precision="float16")
    rows = dataset.content.inputs.arrays["text"]
    assert (rows.base.dtype, rows.dtype, rows[[0]].dtype) == (np.float16, np.float32, np.float32)
    require_sound(dataset, lambda _: None)


def test_numbers_are_written_once_and_again_if_they_change(tmp_path):
    path = parquet(tmp_path / "x.parquet")
    make(path)
    files = {file: file.stat().st_mtime_ns for file in (tmp_path / ".alharness").iterdir()}
    make(path)
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / ".alharness").iterdir()} == files
    parquet(path, text=(X + 1).tolist())
    _, dataset = make(path)
    assert numbers(dataset.unlabeled, "text").tolist() == (X + 1)[[2, 8]].tolist()


def test_samples_may_lack_a_modality(tmp_path):
    text = [None if i == 3 else [np.nan] * D if i == 5 else X[i].tolist() for i in range(N)]
    path = parquet(tmp_path / "x.parquet", text=text, audio=X.tolist())
    _, dataset = make(path, incomplete=["text"])
    require_sound(dataset, lambda _: None)
    assert dataset.content.inputs.present["text"].tolist() == [i not in (3, 5) for i in KNOWN]
    with pytest.raises(
        DataError, match="row 3: text is empty; if samples may lack this modality, write incomplete"
    ):
        make(path)


def refusal(path, **params):
    with pytest.raises(DataError) as caught:
        make(path, **params)
    return str(caught.value).replace(f"{path.parent}/", "")


def test_the_nearest_column_is_named(tmp_path):
    path = parquet(tmp_path / "x.parquet")
    for params in ({"modalities": {"text": "tex"}}, {"modalities": {"text": ["tex"]}}):
        assert "x.parquet: there is no column 'tex' for text; did you mean 'text'?" in refusal(path, **params)
    assert "there is no column 'labl' for label; did you mean 'label'?" in refusal(path, label="labl")
    assert "no column of numbers is like 'im_*', for image" in refusal(path, modalities={"image": "im_*"})


FAULTS = {
    "not finite": (
        {"text": [*X[:9].tolist(), [1, np.inf, 2]]},
        {},
        "row 9: text[1] is inf, expected finite float32",
    ),
    "too large": (
        {"text": (X * 1e4).tolist()},
        {"precision": "float16"},
        "row 2: text[1] is 70000.0, expected finite float16 numbers; set precision: float32",
    ),
    "ragged": ({"text": [*X[:9].tolist(), [1]]}, {}, "row 9: text has 1 numbers, and 3 in other rows"),
    "an id twice": ({"id": ["r0", *IDS[:9]]}, {}, "row 1: the id 'r0' is already in row 0"),
    "an empty id": ({"id": [None, *IDS[1:]]}, {}, "row 0: the id is empty"),
    "texts as inputs": (
        {},
        {"modalities": {"text": "id"}},
        "'id' cannot be the modality text: it holds string, expected numbers",
    ),
    "labels as inputs": (
        {"label": [0, 1] * 5},
        {"modalities": {"y": "label"}},
        "'label' cannot be an input as well",
    ),
    "no vectors": ({"text": None}, {}, "no column holds numbers, or lists of as many numbers in each row"),
    "nested": ({"text": [[[1.0]]] * N}, {}, "are text (list<element: list<element: double>>)"),
    "no row": ({"text": [[]] * 9 + [None]}, {}, "are text (list<element: null>)"),
    "no row of numbers": (
        {"text": pa.nulls(N, pa.list_(pa.float32())), "audio": X.tolist()},
        {"incomplete": ["text"]},
        "every row of text is empty",
    ),
    "labels that are lists": (
        {"label": [["a"]] * N},
        {},
        "'label' holds list<element: string>, and cannot be the",
    ),
    "a line break": ({"id": ["a\nb", *IDS[1:]]}, {}, "row 0: the id 'a\\nb' holds a line break"),
    "no such modality": ({}, {"incomplete": ["tex"]}, "incomplete names 'tex', which is no modality in use"),
    "a bad name": ({"text": None, "my text": X.tolist()}, {}, "name it in modalities: {NAME: 'my text'}"),
    "no label of test": ({"split": ["train", "valid", "test"] * 3 + ["test"]}, {}, "row 2: the label is empty"),
    "no such class": ({}, {"classes": ["a", "c"]}, "row 1: label is 'b', which is none of classes"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults(tmp_path, fault):
    columns, params, words = FAULTS[fault]
    assert words in refusal(parquet(tmp_path / "x.parquet", **columns), **params)


SAMPLES = [f"{row},{'ab'[row % 2]},{row}" for row in range(150)]
CSV = {
    "semicolons": ("id;label;x\n1;a;2,5", "x.csv:1: columns are separated by semicolons"),
    "an index": (",id,x\n0,a,1", "x.csv:1: column 1 has no name; remove it (in pandas: index=False)"),
    "a column twice": ("id,x,x\n0,1,2", "x.csv:1: the column 'x' occurs more than once"),
    "lists": ('id,x\n0,"[1, 2]"', "x (lists that are written as text, such as '[1, 2]'; write a parquet file)"),
    "a late text": (
        "\n".join(["id,label,x", *SAMPLES, "150,a,many"]),
        "x.csv:152: x is 'many', expected a number",
    ),
    "too late": ("\n".join(["id,label,x", *SAMPLES, "150,a,1,2"]), "x.csv: CSV parse error: Row #152"),
    "a gap": ("\n".join(["id,label,x", *SAMPLES, "150,a,NA"]), "row 150: features is empty"),
    "header": ("id,label,x\n", "x.csv: has no rows"),
}


@pytest.mark.parametrize("fault", CSV)
def test_faults_of_csv(tmp_path, fault):
    content, words = CSV[fault]
    (tmp_path / "x.csv").write_text(content)
    assert words in refusal(tmp_path / "x.csv")


def test_spaces_and_missing_numbers_of_csv(tmp_path):
    (tmp_path / "x.csv").write_text("id, label, a, b\n1, x, 2.5, 1\n2, y, NA, 1\n3, x, 1, 1\n")
    source = open_source(tmp_path / "x.csv")
    assert source.texts("label") == ["x", "y", "x"]
    assert np.isnan(next(source.pieces(["a", "b"]))[0]).tolist() == [[False, False], [True, False], [False, False]]


ARCHIVES = {
    "objects": (
        {"label": np.array(["a", None] * 5, object)},
        "'label' holds Python objects (save texts with .astype",
    ),
    "too few labels": ({"label": np.arange(9)}, "'label' holds int64 of shape (9,), and cannot be the label"),
    "labels as vectors": ({"label": np.zeros((N, 1))}, "'label' holds float64 of shape (10, 1), and cannot be"),
    "sequences": ({"text": X[:, None]}, "of shape (samples, features), but text (float32 of shape (10, 1, 3))"),
}


@pytest.mark.parametrize("fault", ARCHIVES)
def test_faults_of_npz(tmp_path, fault):
    arrays, words = ARCHIVES[fault]
    np.savez(tmp_path / "x.npz", **{"text": X, **arrays})
    assert words in refusal(tmp_path / "x.npz")


@pytest.mark.parametrize("name", ["x.npz", "x.parquet"])
def test_a_file_that_is_damaged(tmp_path, name):
    path = tmp_path / name
    np.savez(path, text=X) if name == "x.npz" else parquet(path)
    content = bytearray(path.read_bytes())
    place = content.index(X[2:4].tobytes()) if name == "x.npz" else len(b"PAR1")
    content[place : place + 20] = b"?" * 20
    path.write_bytes(content)
    assert re.match(rf"{name}: is (damaged|no whole)", refusal(path))


def test_the_first_rows_may_lack_a_modality(tmp_path, monkeypatch):
    monkeypatch.setattr(arrow, "BATCH", 4)
    path = parquet(tmp_path / "x.parquet", text=[[], *[None] * 5, *X[6:].tolist()])
    _, dataset = make(path, incomplete=["text"])
    assert dataset.content.inputs.present["text"].tolist() == [i > 5 for i in KNOWN]


def test_a_column_that_could_be_the_labels_is_named(tmp_path):
    facts, dataset = make(parquet(tmp_path / "x.parquet", label=None, Labels=LABELS))
    assert facts.warnings == dataset.remarks
    assert facts.warnings[0].endswith(
        "x.parquet: nothing has a label; if 'Labels' holds them, write label: Labels"
    )


def test_columns_that_are_not_used_are_named_if_nothing_has_a_label(tmp_path):
    path = parquet(tmp_path / "x.parquet", label=None, kind=LABELS, note=LABELS)
    facts, _ = make(path)
    assert "nothing has a label, and 'kind', 'note' are not used; the parameters label and id" in facts.warnings[0]
    facts, _ = make(path, label="kind")
    assert facts.warnings == ()


def test_columns_of_other_kinds(tmp_path):
    days = [None if label is None else date(2020, 1, 1 + (label == "b")) for label in LABELS]
    sizes, index = [Decimal("1.5")] * N, [*range(N)]
    path = parquet(tmp_path / "x.parquet", text=None, label=days, size=sizes, __index_level_0__=index)
    _, dataset = make(path)
    assert dataset.classes == ("2020-01-01", "2020-01-02")
    assert numbers(dataset.unlabeled, "features").tolist() == [[1.5]] * 2


def test_files_that_are_none(tmp_path):
    assert "not found; did you mean 'x.parquet'?" in refusal(parquet(tmp_path / "x.parquet").with_name("x.parqet"))
    for name in ("x.parquet", "x.npz", "x.npy"):
        (tmp_path / name).write_bytes(b"something else")
        assert f"{name}: is no whole" in refusal(tmp_path / name)
    (tmp_path / "x.txt").write_text("")
    assert "expected a file .parquet, .npz, .npy or .csv" in refusal(tmp_path / "x.txt")


def test_labels_of_unknown_ids(tmp_path):
    (tmp_path / "labels.csv").write_text("id,label\nr1,a\nr33,b\n")
    path = parquet(tmp_path / "x.parquet", label=None)
    assert refusal(path, labels=tmp_path / "labels.csv") == (
        "labels.csv:3: x.parquet has no sample 'r33'; did you mean 'r3'?"
    )
