"""A file in, a data set out; and what is said about a file that is not what it should be."""

import bz2
import gzip
import hashlib
import json
import lzma
import os
import pickle
import zipfile

import numpy as np
import pytest

from alharness.errors import DataError
from alharness_sentiment.mmsa import conversion, opcodes
from alharness_sentiment.mmsa.conversion import convert
from alharness_sentiment.mmsa.facts import CORPORA
from alharness_sentiment.mmsa.plugin import MMSA, ImportOptions
from alharness_sentiment.stored.manifest import read_manifest
from alharness_sentiment.stored.reader import open_stored

from .conftest import SIZES, make_content


def imported(path, empty, name="simsv2"):
    convert(CORPORA[name], path, empty)
    return open_stored(empty, name)


def refusal(path, empty, name="simsv2"):
    with pytest.raises(DataError) as caught:
        convert(CORPORA[name], path, empty)
    assert not (empty / "manifest.json").exists()
    return str(caught.value).removeprefix(f"{path}: ")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("large", [100, 2**20])
def test_arrays_labels_and_lengths_are_those_of_the_file_in_the_order_of_the_ids(
    content, write, empty, protocol, large, monkeypatch
):
    monkeypatch.setattr(opcodes, "LARGE", large)
    monkeypatch.setattr(conversion, "BLOCK", 2**16)
    dataset = imported(write(content, protocol), empty)
    for split, part in dataset.parts.items():
        given = content[split]
        assert list(part.ids) == sorted(given["id"])
        order = np.argsort(given["id"].astype(str))
        for modality, x in part.inputs.arrays.items():
            assert np.array_equal(x, given[modality][order].astype(np.float32))
        for modality in ("audio", "vision"):
            assert np.array_equal(part.inputs.lengths[modality], np.array(given[f"{modality}_lengths"])[order])
        assert part.inputs.lengths["text"].tolist() == [3] * SIZES[split]
        assert np.array_equal(part.labels, given["regression_labels"][order])
        for modality, suffix in {"text": "T", "audio": "A", "vision": "V"}.items():
            assert np.array_equal(part.unimodal_labels[modality], given[f"regression_labels_{suffix}"][order])
        tokens = np.load(empty / split / "text_bert.npy")
        assert np.array_equal(tokens, given["text_bert"][order])


def test_stored_vectors_are_the_cls_token_and_the_means_over_the_valid_steps(content, write, empty):
    pooled = imported(write(content), empty).pooled().parts["train"]
    given = content["train"]
    order = np.argsort(given["id"].astype(str))
    assert np.array_equal(pooled.inputs.arrays["text"], given["text"][order, 0].astype(np.float32))
    for row, position in enumerate(order):
        length = given["vision_lengths"][position]
        mean = given["vision"][position, :length].mean(axis=0)
        np.testing.assert_allclose(pooled.inputs.arrays["vision"][row], mean, rtol=1e-5, atol=1e-6)


def test_numbers_that_are_none_become_zero_and_are_counted(content, write, empty):
    train, test = content["train"], content["test"]
    train["audio"][2, 1, :3] = -np.inf, np.inf, np.nan
    train["vision"][0, 0, 0] = 1e39  # finite, but not in float32
    test["text"][1, 0, 5] = np.nan
    dataset = imported(write(content), empty)
    repairs = read_manifest(empty, "simsv2").repairs
    assert repairs["train"]["audio"].model_dump() == {"nan": 1, "inf": 2, "empty": 0, "cut": 0}
    assert repairs["train"]["vision"].inf == 1
    assert repairs["test"]["text"].nan == 1
    assert repairs["valid"]["text"].model_dump() == {"nan": 0, "inf": 0, "empty": 0, "cut": 0}
    rows = dataset.parts["train"]
    audio = rows.inputs.arrays["audio"][rows.ids.index(train["id"][2])]
    assert audio[1, :3].tolist() == [0, 0, 0]
    assert np.array_equal(audio[1, 3:], train["audio"][2, 1, 3:].astype(np.float32))
    for part in (*dataset.parts.values(), *dataset.pooled().parts.values()):
        assert all(np.isfinite(x).all() for x in part.inputs.arrays.values())


def test_lengths_of_zero_count_as_one_and_too_long_ones_as_full(content, write, empty):
    content["train"]["audio_lengths"][3] = 0
    content["train"]["audio_lengths"][4] = 100
    part = imported(write(content), empty).parts["train"]
    lengths = dict(zip(part.ids, part.inputs.lengths["audio"].tolist(), strict=True))
    assert (lengths[content["train"]["id"][3]], lengths[content["train"]["id"][4]]) == (1, 7)
    repairs = read_manifest(empty, "simsv2").repairs["train"]["audio"]
    assert (repairs.empty, repairs.cut) == (1, 1)


def test_lines_and_manifest_say_what_was_done_on_which_terms(content, write, empty):
    content["train"]["audio"][0, 0, 0] = np.nan
    path = write(content)
    lines = "\n".join(convert(CORPORA["simsv2"], path, empty))
    assert "9 train, 4 valid, 5 test; text, audio, vision" in lines
    assert "train, audio: 1 NaN values set to 0" in lines
    assert "Terms: none stated" in lines
    assert "Please cite: Y. Liu" in lines
    manifest = json.loads((empty / "manifest.json").read_text())
    assert manifest["source"] == {
        "name": "file.pkl",
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    assert manifest["synthetic"] is False
    for name, listed in manifest["files"].items():
        assert hashlib.sha256((empty / name).read_bytes()).hexdigest() == listed["sha256"]
    assert {path.name for path in empty.rglob("*.npy")} >= {"text.npy", "text.pooled.npy", "audio.lengths.npy"}


def test_other_splits_are_left_out_with_a_remark(content, write, empty):
    content["train_mix"] = {"mask": np.ones(3)}
    dataset = imported(write(content), empty)
    assert "train_mix was left out: it is none of the splits" in dataset.remarks
    assert set(dataset.parts) == {"train", "valid", "test"}


@pytest.mark.parametrize("name", list(CORPORA))
def test_every_corpus_of_the_format(name, write, empty):
    dataset = imported(write(make_content(name)), empty, name)
    sizes = {m: x.shape[2] for m, x in dataset.parts["train"].inputs.arrays.items()}
    assert sizes == CORPORA[name].features
    assert bool(dataset.parts["train"].unimodal_labels) == (name in ("simsv2", "sims"))


def test_mosi_has_no_labels_of_a_modality_and_aligned_files_no_lengths(write, empty):
    content = make_content("mosi")
    for part in content.values():
        for key in ("audio_lengths", "vision_lengths", "text_bert", "raw_text", "annotations"):
            del part[key]
    dataset = imported(write(content), empty, "mosi")
    assert dataset.parts["train"].unimodal_labels == {}
    assert dataset.parts["train"].inputs.lengths == {}
    assert "no modality has labels of its own; the fused ones serve for all" in dataset.remarks
    for modality in ("text", "audio", "vision"):
        assert f"{modality}: the file has no lengths; every sequence counts as full" in dataset.remarks


def test_ids_and_labels_may_be_lists_and_labels_may_be_columns(content, write, empty):
    for part in content.values():
        part["id"] = part["id"].tolist()
        part["regression_labels"] = part["regression_labels"].tolist()
        part["regression_labels_T"] = part["regression_labels_T"][:, None]
    assert len(imported(write(content), empty).parts["train"]) == 9


def test_a_file_of_another_size_than_the_published_one_is_remarked(content, write, empty):
    remarks = imported(write(content), empty).remarks
    assert (
        "the published file has (2722, 647, 1034) samples in train, valid and test; this has (9, 4, 5)" in remarks
    )


def without(key, split="train"):
    def change(content):
        del content[split][key]

    return change


def put(key, value, split="train"):
    def change(content):
        content[split][key] = value

    return change


def shorten(key):
    def change(content):
        content["valid"][key] = content["valid"][key][:-1]

    return change


def share(content):
    content["test"]["id"][:2] = content["train"]["id"][:2]


def double(content):
    content["test"]["id"][0] = content["test"]["id"][1]


def label(value):
    def change(content):
        content["valid"]["regression_labels_A"][2] = value

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without("audio"), "train has no 'audio', only raw_text, id"),
        (without("regression_labels", "test"), "test has no 'regression_labels', only"),
        (
            lambda c: c.pop("valid"),
            "has train, test, expected the splits train, valid, test; is it ch-simsv2s.pkl?",
        ),
        (
            put("vision", np.zeros((9, 6, 20))),
            "train has features text 768, audio 25, vision 20, but 'simsv2' has",
        ),
        (
            put("vision", np.zeros((9, 177))),
            "train: vision has shape (9, 177), expected (samples, steps, features)",
        ),
        (put("vision", np.zeros((9, 0, 177))), "train: vision has shape (9, 0, 177), expected"),
        (put("vision", ["a"]), "train: vision is no array of numbers, but a list of 1; expected one numpy array"),
        (put("text", np.full((9, 5, 768), "a")), "train: text is no array of numbers"),
        (
            shorten("audio"),
            "valid: the numbers of rows disagree: id 4, text 4, audio 3, vision 4; get the file again",
        ),
        (shorten("id"), "valid: the numbers of rows disagree: id 3, text 4, audio 4, vision 4"),
        (
            shorten("regression_labels"),
            "valid: regression_labels has shape (3,), expected one number for each of 4",
        ),
        (shorten("vision_lengths"), "valid: vision_lengths has shape (3,), expected one number for each of 4"),
        (label(1.2), "is 1.2 (1 such), expected -1 to 1"),
        (label(np.nan), "is nan (1 such), expected -1 to 1"),
        (put("regression_labels", ["a"] * 9), "train: regression_labels are not numbers"),
        (put("audio_lengths", [2.5] * 9), "train: audio_lengths number 1 is 2.5, expected a number of steps"),
        (
            put("audio_lengths", [3, -1] + [2] * 7),
            "train: audio_lengths number 2 is -1, expected a number of steps",
        ),
        (put("id", [3] * 9), "train: ids belong to more than one sample: 3"),
        (put("id", "abc"), "train: id is no list"),
        (double, "test: ids belong to more than one sample: video_test$_$"),
        (share, "2 samples are in train and in test, so that a test would be no test: video_train$_$"),
        (lambda c: c.update(train=[1]), "train is no mapping, but a list of 1; is the file ch-simsv2s.pkl?"),
    ],
)
def test_what_does_not_fit_is_named(content, write, empty, change, words):
    change(content)
    assert words in refusal(write(content), empty)


def test_the_message_about_a_label_names_the_sample(content, write, empty):
    label(7)(content)
    expected = f"valid: regression_labels_A of {content['valid']['id'][2]!r} is 7 (1 such), expected -1 to 1"
    assert refusal(write(content), empty) == expected


def test_the_file_of_another_corpus_is_told_apart(write, empty):
    words = refusal(write(make_content("mosei")), empty)
    assert words == (
        "train has features text 768, audio 74, vision 35, but 'simsv2' has text 768, audio 25, vision 177; "
        "those are the features of 'mosei': alharness data import mosei"
    )


def zipped(content):
    import io

    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("file.pkl", content)
    return memory.getvalue()


@pytest.mark.parametrize(
    ("disguise", "words"),
    [
        (lambda _: b"", "is empty; get it again"),
        (lambda _: b"\n <!DOCTYPE html><title>Sign in</title>", "is a web page, perhaps that of a login"),
        (
            lambda _: b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
            "is a git-lfs pointer, not the file itself; fetch that with: git lfs pull",
        ),
        (zipped, "is a zip archive; extract the .pkl file and name that"),
        (bz2.compress, "is compressed with bzip2; extract the .pkl file and name that"),
        (lzma.compress, "is compressed with xz; extract the .pkl file and name that"),
        (lambda _: b"id,label\na,1\n", "is not a pickle of protocol 2 or later"),
        (lambda _: pickle.dumps({"train": 1}, 0), "One of protocol 0 or 1 that you trust, since this runs it, is"),
        (gzip.compress, "is compressed with gzip; extract the .pkl file and name that"),
        (lambda content: content[2:], "is not a pickle of protocol 2 or later"),
        (lambda content: content[: len(content) // 2], "ends in the middle, after"),
        (lambda content: content[:-1], "ends in the middle, after"),
        (
            lambda _: pickle.dumps([1, 2]),
            "holds no mapping, but a list of 2, expected the splits train, valid, test",
        ),
    ],
)
def test_case_41_what_is_often_found_in_the_place_of_the_file(content, write, empty, disguise, words):
    path = write(content)
    path.write_bytes(disguise(path.read_bytes()))
    assert words in refusal(path, empty)


def test_a_missing_file_and_a_folder(tmp_path, empty):
    assert refusal(tmp_path / "gone.pkl", empty) == "cannot be read: No such file or directory"
    assert refusal(tmp_path, empty) == "is a folder; name the .pkl file in it"


def test_nothing_is_downloaded():
    with pytest.raises(
        DataError, match=r"simsv2 cannot be downloaded by alharness: get ch-simsv2s\.pkl, from the"
    ):
        MMSA[0].plugin.fetch(None, None, ImportOptions())


@pytest.mark.parametrize("name", list(CORPORA))
def test_terms_and_paper_are_known(name):
    published = CORPORA[name].published
    assert "DOI 10." in published.citation
    assert published.terms
    assert published.where


def test_a_pipe_is_no_file(tmp_path, empty):
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe", empty) == (
        "is no file but a pipe or a device; write the content to a file and name that"
    )
