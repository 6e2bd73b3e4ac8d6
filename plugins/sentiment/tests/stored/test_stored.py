"""What was written is what is read, and nothing is read before it is needed."""

import json

import numpy as np
import pytest

from alharness.api.samples import Inputs
from alharness.api.vocabulary import Task
from alharness.errors import DataError
from alharness_sentiment.stored.manifest import import_again, read_manifest
from alharness_sentiment.stored.reader import StoredFolder, open_stored
from alharness_sentiment.stored.writer import Writer


def test_sequences_are_read_as_they_were_written(made, folder):
    dataset = open_stored(folder, "toy")
    for split, part in dataset.parts.items():
        assert list(part.ids) == made.ids[split]
        assert np.array_equal(part.labels, made.labels[split])
        assert part.labels.dtype == np.float32
        assert {m: np.array_equal(y, -made.labels[split]) for m, y in part.unimodal_labels.items()} == {
            "audio": True
        }
        for m, x in part.inputs.arrays.items():
            assert np.array_equal(x, made.sequences[split, m])
        for m, n in part.inputs.lengths.items():
            assert np.array_equal(n, made.lengths[split, m])
        assert set(part.inputs.lengths) == {"audio", "vision"}


def test_sequences_are_memory_mapped_and_cannot_be_written(folder):
    array = open_stored(folder, "toy").parts["train"].inputs.arrays["vision"]
    assert isinstance(array, np.memmap)
    assert not array.flags.writeable


def test_the_stored_vectors_are_those_of_pooling_the_sequences(folder):
    dataset = open_stored(folder, "toy")
    for split, part in dataset.pooled().parts.items():
        again_pooled = dataset.parts[split].inputs.pooled()
        for m, x in part.inputs.arrays.items():
            assert x.dtype == np.float32
            assert np.array_equal(x, again_pooled.arrays[m])


def test_vectors_are_the_first_step_of_a_text_and_the_mean_over_the_valid_steps_of_the_rest(made, folder):
    pooled = open_stored(folder, "toy").pooled().parts["test"].inputs.arrays
    assert np.array_equal(pooled["text"], made.sequences["test", "text"][:, 0])
    steps = made.lengths["test", "audio"]
    mean = [x[:n].mean(0) for x, n in zip(made.sequences["test", "audio"], steps, strict=True)]
    np.testing.assert_allclose(pooled["audio"], mean, rtol=1e-5, atol=1e-7)


def test_a_model_of_vectors_never_opens_a_sequence(folder, monkeypatch):
    dataset = open_stored(folder, "toy")
    monkeypatch.setattr(Inputs, "pooled", None)
    for path in folder.glob("*/*.npy"):
        if path.name in ("text.npy", "audio.npy", "vision.npy"):
            path.unlink()
    assert dataset.modalities == ("text", "audio", "vision")
    assert len(dataset.digest) == 64
    assert len(dataset.pooled().split(np.random.default_rng(0)).train) == 8


def test_sequences_may_come_from_another_folder_that_is_made_when_they_are_needed(made, folder, tmp_path):
    vectors = tmp_path / "vectors"
    vectors.mkdir()
    made.write(vectors, sequences=False)
    calls = []
    dataset = open_stored(vectors, "toy", sequences=lambda: calls.append(1) or folder)
    assert dataset.pooled().parts["train"].inputs.arrays["text"].shape == (8, 6)
    assert calls == []
    assert np.array_equal(dataset.parts["valid"].inputs.arrays["audio"], made.sequences["valid", "audio"])
    assert calls == [1]


def test_vectors_alone_say_that_there_are_no_sequences(made, tmp_path):
    made.write(tmp_path, sequences=False)
    with pytest.raises(DataError, match=r"the manifest does not list train/text\.npy"):
        open_stored(tmp_path, "toy").parts  # noqa: B018


def test_facts_come_from_the_manifest_alone(folder):
    for path in folder.glob("*/*"):
        path.unlink()
    facts = read_manifest(folder, "toy").facts
    assert (facts.task, facts.modalities) == (Task.REGRESSION, ("text", "audio", "vision"))
    assert (facts.sizes, facts.synthetic) == ((8, 3, 4), False)


def test_made_up_data_says_so(made, tmp_path):
    made.write(tmp_path, synthetic=True)
    assert read_manifest(tmp_path, "toy").facts.synthetic
    assert open_stored(tmp_path, "toy").synthetic


def test_modalities_can_be_chosen(folder):
    dataset = open_stored(folder, "toy", modalities=("vision", "text"))
    assert dataset.modalities == ("vision", "text")
    assert tuple(dataset.parts["train"].inputs.arrays) == ("vision", "text")
    assert dataset.parts["train"].unimodal_labels == {}
    with pytest.raises(DataError, match="has no modality 'visoin'; did you mean 'vision'"):
        open_stored(folder, "toy", modalities=("visoin",))


def test_the_fused_label_can_serve_for_every_modality(folder):
    assert open_stored(folder, "toy", unimodal_labels="copy").parts["train"].unimodal_labels == {}


def test_the_digest_is_that_of_the_content_and_of_what_is_chosen_from_it(made, folder, tmp_path):
    def moved(name, made=made, **about):
        path = tmp_path / name
        path.mkdir()
        made.write(path, **about)
        return open_stored(path, "toy").digest

    other = type(made)(seed=1)
    found = [
        open_stored(folder, "toy").digest,
        open_stored(folder, "toy", unimodal_labels="copy").digest,
        open_stored(folder, "toy", modalities=("text",)).digest,
        moved("other", other),
        moved("synthetic", synthetic=True),
    ]
    assert len(set(found)) == len(found)
    assert moved("elsewhere", remarks=("said otherwise",)) == found[0]


def test_what_was_mended_is_remarked(folder):
    assert open_stored(folder, "toy").remarks == (
        "train, audio: 1,200 NaN values set to 0, 2 sequences of length 0 taken as length 1",
        "train_mix was left out",
    )


@pytest.mark.parametrize("name", ["test/ids.json", "test/labels.npy", "test/text.pooled.npy"])
def test_a_flipped_bit_in_what_is_loaded_is_found(folder, name):
    content = bytearray((folder / name).read_bytes())
    content[-3] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        open_stored(folder, "toy").pooled().parts  # noqa: B018
    assert str(caught.value) == (
        f"{folder / name}: damaged (its sha256 is not the one in manifest.json); make the data set again with: "
        f"alharness data import toy SOURCE --force --out {folder}"
    )


def test_a_sequence_file_that_is_too_short_is_found_before_it_is_needed(folder):
    path = folder / "train" / "vision.npy"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(DataError, match=r"vision\.npy: has 444 bytes, expected 448; make the data set again"):
        open_stored(folder, "toy")


def test_a_missing_file_is_named(folder):
    (folder / "train" / "vision.npy").unlink()
    with pytest.raises(DataError, match=r"vision\.npy: cannot be read: No such file or directory; make the data"):
        open_stored(folder, "toy")


def test_a_missing_or_cut_file_is_known_before_any_is_opened(folder):
    stored = StoredFolder.open(folder, "toy")
    stored.check_sizes()
    path = folder / "train" / "vision.npy"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"vision\.npy: has [\d,]+ bytes, expected [\d,]+; make the data"):
        stored.check_sizes()
    path.unlink()
    with pytest.raises(DataError, match=r"vision\.npy: cannot be read: No such file or directory; make the data"):
        stored.check_sizes()


@pytest.mark.parametrize("array", [np.zeros((8, 5, 3), np.float32), np.zeros((8, 5, 2), np.float64)])
def test_an_array_of_another_shape_or_type_is_refused(folder, array):
    np.save(folder / "train" / "vision.npy", array)
    with pytest.raises(DataError, match=r"vision\.npy: holds .*, expected float32 of shape \(8, 5, 2\)"):
        open_stored(folder, "toy")


@pytest.mark.parametrize("content", [b"", b"<html>", b"\x93NUMPY\x01\x00"])
def test_what_is_no_array_is_refused(folder, content):
    (folder / "train" / "vision.npy").write_bytes(content)
    with pytest.raises(DataError, match=r"vision\.npy: is not a whole \.npy file"):
        open_stored(folder, "toy")


def test_pickles_are_never_loaded(folder):
    objects = np.full((8, 5, 2), None, dtype=object)
    np.save(folder / "train" / "vision.npy", objects, allow_pickle=True)
    with pytest.raises(DataError, match=r"vision\.npy: holds object of shape"):
        open_stored(folder, "toy")


def test_a_folder_without_a_manifest_is_no_data_set(folder):
    (folder / "manifest.json").unlink()
    with pytest.raises(DataError, match=r"toy: is not a converted data set \(it has no manifest\.json\)"):
        read_manifest(folder, "toy")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', "[" * 100_000, '{"format": 1, "files": 3}'])
def test_a_damaged_manifest_is_named(folder, text):
    (folder / "manifest.json").write_text(text)
    with pytest.raises(DataError, match=r"manifest\.json: damaged; make the data set again with: alharness data"):
        read_manifest(folder, "toy")


def test_a_later_format_is_refused(folder):
    content = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(content | {"format": 2}))
    with pytest.raises(DataError, match="is in format 2, and this version of alharness reads format 1"):
        read_manifest(folder, "toy")


def test_another_data_set_is_refused(folder):
    with pytest.raises(DataError, match="holds the data set 'toy', not 'simsv2'"):
        read_manifest(folder, "simsv2")


def test_made_up_data_is_not_imported_again(made, tmp_path):
    made.write(tmp_path, synthetic=True)
    (tmp_path / "train" / "vision.npy").unlink()
    with pytest.raises(DataError, match="remove .*, and it is made again when it is needed"):
        open_stored(tmp_path, "toy")


@pytest.mark.parametrize("ids", [["b", "a"], ["a", "a"]])
def test_ids_are_sorted_and_distinct(tmp_path, ids):
    with pytest.raises(DataError, match="train: ids must be sorted and distinct"):
        Writer(tmp_path).ids("train", ids)


@pytest.mark.parametrize("changed", ["ids", "labels"])
def test_a_folder_of_other_samples_is_no_source_of_sequences(made, folder, tmp_path, changed):
    other = tmp_path / "other"
    other.mkdir()
    getattr(made, changed)["test"] = made.ids["valid"] + ["z"] if changed == "ids" else made.labels["test"] / 2
    made.write(other)
    with pytest.raises(DataError, match="does not hold the same samples"):
        open_stored(folder, "toy", sequences=lambda: other).parts  # noqa: B018


def test_advice_can_be_pasted(tmp_path):
    assert import_again(tmp_path / "my data", "toy").endswith(f"--out '{tmp_path}/my data'")
