import subprocess
import sys

import numpy as np
import pytest
from pydantic import ValidationError

from alharness.api import rows
from alharness.api.rows import Rows
from alharness.api.samples import Splits
from alharness.api.vocabulary import Task
from alharness.datasets.arrays.plugin import ArraysParams, alharness_datasets

(PLUGIN,) = alharness_datasets()


def make(folder, **params):
    return PLUGIN.make(ArraysParams(path=folder, **params))


def relabel(folder, **replaced):
    text = (folder / "labels.csv").read_text()
    for old, new in replaced.items():
        text = text.replace(old, new)
    (folder / "labels.csv").write_text(text)


def test_facts_are_those_of_the_loaded_data(folder):
    facts = PLUGIN.inspect(ArraysParams(path=folder))
    dataset = make(folder)
    assert facts.task == dataset.task == Task.CLASSIFICATION
    assert facts.modalities == dataset.modalities == ("audio", "video")
    assert facts.sizes == tuple(len(part) for part in dataset.parts.values()) == (3, 1, 2)


def test_content_is_the_split_of_the_table(folder):
    content = make(folder).content
    assert isinstance(content, Splits)
    assert (content.train.ids, content.valid.ids, content.test.ids) == (("a", "b", "c"), ("d",), ("e", "f"))


def test_row_k_of_an_array_belongs_to_row_k_of_the_table(folder):
    relabel(folder, **{"b,train": "b,test", "e,test,sad": "e,train,glad"})
    dataset = make(folder)
    train, test = dataset.content.train, dataset.content.test
    assert (train.ids, test.ids) == (("a", "c", "e"), ("b", "f"))
    assert train.inputs.arrays["audio"][:, 0].tolist() == [0, 6, 12]
    assert test.inputs.arrays["video"][:, 0, 0].tolist() == [8, 40]
    assert test.inputs.lengths["video"].tolist() == [1, 0]
    assert [dataset.classes[label] for label in test.labels] == ["glad", "glad"]


@pytest.mark.parametrize("kind", ["float64", "float16", ">f4", "int64", "uint8", "bool"])
def test_every_real_type_becomes_float32(folder, kind):
    array = (np.arange(18).reshape(6, 3) % 2).astype(kind)
    np.save(folder / "audio.npy", array)
    loaded = make(folder).content.test.inputs.arrays["audio"]
    assert loaded.dtype == np.float32
    assert loaded.tolist() == array[4:].tolist()


def test_an_array_in_fortran_order_is_read_the_same(folder):
    np.save(folder / "video.npy", np.asfortranarray(np.load(folder / "video.npy")))
    assert make(folder).content.train.inputs.arrays["video"][1].tolist() == [[8, 9], [10, 11], [12, 13], [14, 15]]


def test_a_split_that_lies_together_stays_on_disk(folder):
    loaded = make(folder).content.train.inputs.arrays["video"]
    assert isinstance(loaded.base, np.memmap)


def test_so_does_one_that_is_scattered(folder):
    relabel(folder, **{"b,train": "b,test", "e,test,sad": "e,train,glad"})
    loaded = make(folder).content.train.inputs.arrays["video"]
    assert isinstance(loaded, Rows)
    assert isinstance(loaded.base, np.memmap)


def test_a_long_array_is_gathered_piece_by_piece(folder, monkeypatch):
    monkeypatch.setattr(rows, "PIECE", 3)
    assert make(folder).content.train.inputs.arrays["audio"].tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


def test_classes_are_sorted_names(folder):
    dataset = make(folder)
    assert dataset.classes == ("glad", "sad")
    assert dataset.content.train.labels.dtype == np.int64
    assert dataset.content.train.labels.tolist() == [1, 0, 1]


def test_integer_classes_are_sorted_as_numbers(folder):
    relabel(folder, glad="10", sad="9")
    dataset = make(folder)
    assert dataset.classes == ("9", "10")
    assert dataset.content.train.labels.tolist() == [0, 1, 0]


def test_one_class_that_is_no_integer_makes_all_of_them_names(folder):
    relabel(folder, **{"c,train,sad": "c,train,x"}, glad="10", sad="9")
    assert make(folder).classes == ("10", "9", "x")


def test_padded_integers_are_the_same_class(folder):
    relabel(folder, **{"a,train,sad": "a,train,07", "sad": "7", "glad": "-1"})
    assert make(folder).classes == ("-1", "7")


def test_regression_targets_are_float32_numbers(folder):
    relabel(folder, glad="-1.5e-1", sad="2")
    dataset = make(folder, task="regression")
    assert (dataset.task, dataset.classes) == (Task.REGRESSION, ())
    assert dataset.content.train.labels.dtype == np.float32
    assert dataset.content.train.labels.tolist() == [2, np.float32(-0.15), 2]


def test_a_modality_can_have_labels_of_its_own(folder):
    rows = ["id,split,label_audio,label", "a,train,1,2", "b,train,2,1", "c,train,1,1", "d,valid,2,2", "e,test,1,1"]
    (folder / "labels.csv").write_text("\n".join([*rows, "f,test,2,2"]))
    train = make(folder).content.train
    assert train.labels.tolist() == [1, 0, 0]
    assert {m: labels.tolist() for m, labels in train.unimodal_labels.items()} == {"audio": [0, 1, 0]}


def test_the_spec_chooses_and_orders_the_modalities(folder):
    np.save(folder / "extra.npy", np.zeros((6, 1)))
    dataset = make(folder, modalities=["video", "audio"])
    assert dataset.modalities == ("video", "audio")


def test_labels_of_a_modality_that_is_not_chosen_are_left_out(folder):
    relabel(folder, **{"split,label": "split,label,label_video", "sad\n": "sad,sad\n", "glad\n": "glad,sad\n"})
    assert make(folder, modalities=["audio"]).content.train.unimodal_labels == {}


def test_hidden_files_are_no_modalities(folder):
    (folder / "._audio.npy").write_bytes(b"\0\5\26\7")
    assert make(folder).modalities == ("audio", "video")


def test_files_that_are_not_chosen_are_not_opened(folder):
    (folder / "broken one.npy").write_bytes(b"")
    assert make(folder, modalities=("audio",)).modalities == ("audio",)


def test_a_relative_path_starts_at_the_spec():
    params = ArraysParams.model_validate({"path": "../data"}, context={"folder": "specs"})
    assert params.path.as_posix() == "specs/../data"


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["fused"], "it means all modalities together"),
        (["labels"], "the labels would become inputs of the model"),
        (["video_lengths"], "names that end in _lengths are those of lengths"),
        (["../audio"], "expected 1 to 64 letters, digits"),
        (["a" * 65], "expected 1 to 64 letters, digits"),
        (["audio", "audio"], "'audio' is named more than once"),
        ([], "name at least one modality"),
    ],
)
def test_bad_names_in_the_spec_are_refused(names, words):
    with pytest.raises(ValidationError, match=words):
        ArraysParams(path=".", modalities=names)


def test_inspecting_imports_no_more_than_numpy(folder):
    code = (
        "import sys; from alharness.datasets.arrays.plugin import ArraysParams, inspect;"
        "early = 'numpy' in sys.modules; inspect(ArraysParams(path=sys.argv[1]));"
        "print(early, sorted({'torch', 'sklearn', 'scipy', 'mlflow'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False []"
