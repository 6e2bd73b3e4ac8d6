import pickle
import resource
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alharness import Samples, Splits, Task
from alharness.api.metrics import REGRESSION
from alharness.api.rows import Rows
from alharness.errors import RunError
from alharness.runs import sharing


def share(dataset, folder):
    """The data set as another process has it."""
    return pickle.loads(pickle.dumps(sharing.share(dataset, folder))).open()


def same(one: Samples, other: Samples):
    pairs = [(one.labels, other.labels)]
    for name in ("arrays", "lengths", "present"):
        mine, theirs = getattr(one.inputs, name), getattr(other.inputs, name)
        assert list(mine) == list(theirs)
        pairs += zip(mine.values(), theirs.values(), strict=True)
    for name in ("unimodal_labels", "truth"):
        mine, theirs = getattr(one, name), getattr(other, name)
        assert list(mine) == list(theirs)
        pairs += zip(mine.values(), theirs.values(), strict=True)
    assert all(np.array_equal(a, b) and a.dtype == b.dtype and a.shape == b.shape for a, b in pairs)
    return one.ids == other.ids and one.inputs.pooling == other.inputs.pooling


@pytest.fixture
def dataset(make_dataset):
    made = make_dataset(Task.REGRESSION)
    parts = made.parts
    train = replace(
        parts["train"],
        inputs=replace(parts["train"].inputs, pooling={"vision": "first"}, present={"audio": np.arange(120) > 7}),
        unimodal_labels={"audio": parts["train"].labels * 2},
        truth={"outlier": np.arange(120) % 9 == 0},
    )
    return replace(made, content=Splits(train=train, valid=parts["valid"], test=parts["test"]), metrics=REGRESSION)


def test_samples_without_a_label_stay_here(dataset, tmp_path):
    more = replace(dataset.parts["test"].inputs, ids=tuple(f"more-{i}" for i in range(len(dataset.parts["test"]))))
    assert share(replace(dataset, unlabeled=more), tmp_path).unlabeled is None


def test_what_another_process_opens_is_the_data_set(dataset, tmp_path):
    sent = sharing.share(dataset, tmp_path)
    opened = sent.open()
    assert all(same(dataset.parts[name], opened.parts[name]) for name in ("train", "valid", "test"))
    assert opened.digest == dataset.digest
    assert share(replace(dataset, stored_digest="known"), tmp_path).digest == "known"
    assert (opened.task, opened.metrics, opened.classes) == (dataset.task, dataset.metrics, dataset.classes)
    rows = len(dataset.parts["train"]) * 4 * (6 + 4 + 15)
    assert len(pickle.dumps(sent)) < rows / 2  # the ids, and no samples


def test_arrays_are_mapped_and_what_is_written_to_them_stays_with_the_writer(dataset, tmp_path):
    sent = sharing.share(dataset, tmp_path)
    one, other = (sent.open().parts["train"].inputs.arrays["audio"] for _ in range(2))
    assert isinstance(one, np.memmap)
    assert one.flags.writeable  # torch takes it without a copy
    one[:] = 7
    assert not (other == 7).any()


def test_what_is_mapped_already_stays_where_it_is(dataset, tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "shared").mkdir()
    parts = {}
    for name, samples in dataset.parts.items():
        path = tmp_path / "files" / f"{name}.npy"
        np.save(path, samples.inputs.arrays["vision"])
        arrays = {**samples.inputs.arrays, "vision": np.load(path, mmap_mode="r")}
        parts[name] = replace(samples, inputs=replace(samples.inputs, arrays=arrays))
    opened = share(replace(dataset, content=Splits(**parts)), tmp_path / "shared")
    assert all(same(dataset.parts[name], opened.parts[name]) for name in parts)
    vision = opened.parts["test"].inputs.arrays["vision"]
    assert Path(vision.filename).parent.name == "files"
    largest = max(path.stat().st_size for path in (tmp_path / "shared").iterdir())
    assert largest < dataset.parts["train"].inputs.arrays["vision"].nbytes


@pytest.mark.parametrize(
    ("view", "stays"),
    [
        (lambda a: a[3:], True),
        (lambda a: np.asarray(a[3:9])[1:], True),
        (lambda a: Rows.of(a, np.array([5, 1, 2])), True),
        (lambda a: Rows.of(np.asarray(a[3:]), np.array([5, 1, 2])), True),
        (lambda a: a[::-1], False),
        (lambda a: a[:, 1:], False),
        (np.asfortranarray, False),
        (lambda a: a.astype(">f4"), False),
        (lambda a: Rows.of(np.array(a), np.array([5, 1, 2])), False),
        (lambda a: Rows.of(a[::-1], np.array([5, 1, 2])), False),
    ],
)
def test_pieces_of_a_mapped_file_stay_there_and_other_views_are_written_as_they_read(
    dataset, tmp_path, view, stays
):
    (tmp_path / "shared").mkdir()
    np.save(tmp_path / "whole.npy", dataset.parts["train"].inputs.arrays["audio"])
    audio = view(np.load(tmp_path / "whole.npy", mmap_mode="r"))
    samples = dataset.parts["train"].take(np.arange(len(audio)))
    samples = replace(samples, inputs=replace(samples.inputs, arrays={"audio": audio}, lengths={}, pooling={}))
    opened = share(replace(dataset, content=samples), tmp_path / "shared").parts["all"].inputs.arrays["audio"]
    assert np.array_equal(opened, audio)
    base = opened.base if isinstance(opened, Rows) else opened
    assert Path(base.filename).parent.name == (tmp_path.name if stays else "shared")
    written = [np.load(path).shape for path in (tmp_path / "shared").iterdir()]
    assert (audio.shape in written) is not stays


def test_what_was_written_to_a_copy_on_write_map_is_shared(dataset, tmp_path):
    (tmp_path / "shared").mkdir()
    np.save(tmp_path / "whole.npy", dataset.parts["train"].inputs.arrays["audio"])
    audio = np.load(tmp_path / "whole.npy", mmap_mode="c")
    audio[2] = 7
    samples = dataset.parts["train"]
    samples = replace(samples, inputs=replace(samples.inputs, arrays={"audio": audio}, lengths={}, pooling={}))
    opened = share(replace(dataset, content=samples), tmp_path / "shared").parts["all"].inputs.arrays["audio"]
    assert (opened[2] == 7).all()


def test_an_empty_part_is_empty(dataset, tmp_path):
    nobody = dataset.parts["valid"].take(np.array([], dtype=int))
    content = Splits(train=dataset.parts["train"], valid=nobody, test=dataset.parts["test"])
    opened = share(replace(dataset, content=content), tmp_path)
    assert same(nobody, opened.parts["valid"])


def test_rows_are_sorted_once_for_all(dataset, tmp_path):
    mixed = dataset.parts["train"].take(np.arange(len(dataset.parts["train"]))[::-1])
    opened = share(replace(dataset, content=replace_train(dataset, mixed)), tmp_path)
    assert same(dataset.parts["train"], opened.parts["train"])
    assert isinstance(opened.split(np.random.default_rng(0)).train.inputs.arrays["audio"], np.memmap)


def test_the_splits_of_all_seeds_read_one_copy_of_the_samples(dataset, tmp_path):
    whole = dataset.parts["train"]
    shared = share(replace(dataset, content=whole), tmp_path)
    for seed in range(2):
        splits = shared.split(np.random.default_rng(seed))
        plain = replace(dataset, content=whole).split(np.random.default_rng(seed))
        for name in ("train", "valid", "test"):
            part = getattr(splits, name)
            assert same(part, getattr(plain, name))
            for modality, rows in part.inputs.arrays.items():
                assert np.shares_memory(rows.base, shared.parts["all"].inputs.arrays[modality])


def replace_train(dataset, train):
    return Splits(train=train, valid=dataset.parts["valid"], test=dataset.parts["test"])


def test_case_11_samples_that_a_full_disk_does_not_take_are_told(make_dataset, tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(RunError, match="npy: samples cannot be written for processes to share .*; make room"):
            share(make_dataset(), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
