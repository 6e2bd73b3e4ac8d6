"""Rows whose label is empty, and tables that say no split."""

import numpy as np
import pytest
from pydantic import ValidationError

from alharness import DataError, Samples, Task
from alharness.api.samples import Splits
from alharness.datasets.arrays.params import ArraysParams
from alharness.datasets.arrays.reader import load, look

BLANK = "id,split,label\na,train,sad\nb,,\nc,train,glad\nd,valid,glad\ne,test,sad\nf,train,\n"
DRAWN = "id,label\na,1\nb,\nc,2\nd,1\ne,2\nf,\n"


def make(folder, table, **params):
    (folder / "labels.csv").write_text(table)
    params = ArraysParams(path=folder, **params)
    facts, dataset = look(params), load(params)
    assert facts.unlabeled == len(dataset.unlabeled or ())
    return facts, dataset


def test_rows_without_a_label_are_in_no_part(folder):
    facts, dataset = make(folder, BLANK)
    assert isinstance(dataset.content, Splits)
    assert dataset.content.train.ids == ("a", "c")
    assert facts.sizes == (2, 1, 1)
    assert dataset.unlabeled.ids == ("b", "f")
    assert dataset.unlabeled.arrays["audio"][:, 0].tolist() == [3, 15]
    assert dataset.unlabeled.lengths["video"].tolist() == [1, 0]


def test_there_may_be_no_validation(folder):
    facts, dataset = make(folder, BLANK.replace("valid", "train"))
    assert facts.sizes == (3, 0, 1)
    assert len(dataset.content.valid) == 0


def test_classes_may_be_those_of_the_test_alone(folder):
    facts, dataset = make(folder, "id,split,label\na,train,\nb,,\nc,train,\nd,test,glad\ne,test,sad\nf,train,\n")
    assert facts.sizes == (0, 0, 2)
    assert dataset.classes == ("glad", "sad")


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_both_sides_are_rows_of_one_array(folder, kind):
    np.save(folder / "audio.npy", np.load(folder / "audio.npy").astype(kind))
    _, dataset = make(folder, BLANK)
    known, unknown = (side.arrays["audio"] for side in (dataset.content.train.inputs, dataset.unlabeled))
    assert known.base is unknown.base
    assert isinstance(known.base, np.memmap) == (kind == np.float32)


def test_the_digest_does_not_know_them(folder):
    _, before = make(folder, BLANK)
    digest = before.digest
    audio = np.load(folder / "audio.npy")
    audio[1] = 7
    np.save(folder / "audio.npy", audio)
    assert make(folder, BLANK)[1].digest == digest


def test_sequences_of_unlabeled_samples_are_pooled_too(folder):
    _, dataset = make(folder, BLANK)
    assert dataset.pooled().unlabeled.arrays["video"].shape == (2, 2)


@pytest.mark.parametrize("table", [DRAWN, DRAWN.replace("id,", "split,id,").replace("\n", "\n,")[:-1]])
def test_without_splits_every_seed_draws_its_own(folder, table):
    facts, dataset = make(folder, table)
    assert isinstance(dataset.content, Samples)
    assert dataset.content.ids == ("a", "c", "d", "e")
    splits = [dataset.split(np.random.default_rng(seed)) for seed in range(8)]
    assert len({split.train.ids for split in splits}) > 1
    assert facts.sizes == (len(splits[0].train), len(splits[0].valid), len(splits[0].test))


def test_nothing_is_labeled_yet(folder):
    facts, dataset = make(folder, "id,label\n" + "".join(f"{name},\n" for name in "abcdef"))
    assert (facts.sizes, facts.unlabeled) == ((0, 0, 0), 6)
    assert (dataset.classes, len(dataset.content), len(dataset.unlabeled)) == ((), 0, 6)


def test_targets_may_be_empty(folder):
    _, dataset = make(folder, DRAWN, task=Task.REGRESSION)
    assert dataset.content.labels.tolist() == [1, 2, 1, 2]


def test_classes_may_be_named_before_they_have_a_label(folder):
    _, dataset = make(folder, DRAWN, classes=["2", 1, 7])
    assert dataset.classes == ("2", "1", "7")
    assert dataset.content.labels.tolist() == [1, 0, 1, 0]


def message(folder, table, **params):
    with pytest.raises(DataError) as caught:
        make(folder, table, **params)
    return str(caught.value).replace(f"{folder}/", "")


def test_a_label_that_is_none_of_the_classes(folder):
    assert message(folder, BLANK, classes=["sad", "gladly"]) == (
        "labels.csv:4: label is 'glad', which is none of classes; did you mean 'gladly'? correct it, or add it to "
        "classes (in a project: --class)"
    )


def test_one_class_so_far(folder):
    table = DRAWN.replace("2\n", "1\n")
    assert message(folder, table) == (
        "labels.csv: every label is '1'; two classes are needed; if others are to come, name all of them in "
        "classes: [...]"
    )


def test_a_label_of_a_modality_alone_must_not_be_empty(folder):
    table = "id,label,label_audio\na,1,1\nb,,\nc,2,\nd,1,1\ne,2,2\nf,,1\n"
    assert message(folder, table) == (
        "labels.csv:4: the label_audio is empty; every sample with a label needs one"
    )


def test_regression_has_no_classes(folder):
    assert message(folder, DRAWN, task="regression", classes=["1", "2"]).startswith("classes: there are none")


@pytest.mark.parametrize(
    ("classes", "words"), [(["a"], "two classes or more"), (["a", "a"], "more than once"), (["a", " b"], "spaces")]
)
def test_bad_names_of_classes(classes, words):
    with pytest.raises(ValidationError, match=words):
        ArraysParams(path=".", classes=classes)
