"""`mmsa`: files of the family with sizes of their own, MMSA-FET's too; what is said of what was left out."""

import json

import numpy as np
import pytest

from alharness import registry
from alharness.api.metrics import REGRESSION
from alharness.api.vocabulary import Task
from alharness.datasets.description import describe
from alharness.errors import DataError
from alharness_sentiment.metrics import SIMS
from alharness_sentiment.mmsa.conversion import convert
from alharness_sentiment.mmsa.facts import CORPORA, OWN
from alharness_sentiment.mmsa.plugin import OwnParams
from alharness_sentiment.stored.reader import open_stored

PLUGIN = registry.load().dataset("mmsa").plugin


def refusal(write, content, empty, corpus=OWN):
    path = write(content)
    with pytest.raises(DataError) as caught:
        convert(corpus, path, empty)
    return str(caught.value).removeprefix(f"{path}: ")


def remarks(write, content, empty, corpus=OWN):
    convert(corpus, write(content), empty)
    return open_stored(empty, corpus.name).remarks


def extracted(rng, n, split):
    """What run_dataset of MMSA-FET writes: arrays all over, texts and tokens padded as audio and vision are."""
    bert = np.zeros((n, 3, 6))
    bert[:, 1, 2:] = bert[:, 0, 2:] = 1
    text = rng.normal(size=(n, 6, 8))
    text[:, :2] = 0
    audio = rng.normal(size=(n, 7, 33))
    audio[:, :3] = 0
    return {
        "id": np.array([f"{split}$_${i}" for i in range(n)]),
        "audio": audio,
        "vision": rng.normal(size=(n, 5, 17)),
        "raw_text": np.array(["a"] * n),
        "text": text,
        "text_bert": bert,
        "audio_lengths": np.array([4] * n),
        "vision_lengths": np.array([5] * n),
        "annotations": np.array(["Positive"] * n),
        "regression_labels": rng.uniform(-5, 5, n),
        "regression_labels_A": rng.uniform(-5, 5, n),
    }


@pytest.fixture
def fet():
    rng = np.random.default_rng(0)
    return {split: extracted(rng, n, split) for split, n in (("train", 8), ("valid", 3), ("test", 4))}


def test_a_file_of_mmsa_fet_is_imported_inspected_and_loaded(fet, write, empty):
    lines = convert(OWN, write(fet), empty)
    assert lines[0] == "8 train, 3 valid, 4 test; text, audio, vision"
    params = OwnParams(path=empty)
    facts, dataset = PLUGIN.inspect(params), PLUGIN.make(params)
    assert facts.task == dataset.task == Task.REGRESSION
    assert facts.modalities == dataset.modalities == ("text", "audio", "vision")
    assert facts.sizes == (8, 3, 4)
    train = dataset.parts["train"]
    assert {m: x.shape[1:] for m, x in train.inputs.arrays.items()} == {
        "text": (6, 8),
        "audio": (7, 33),
        "vision": (5, 17),
    }
    assert np.array_equal(train.inputs.arrays["audio"][0, :4], fet["train"]["audio"][0, 3:].astype(np.float32))
    assert np.array_equal(
        dataset.pooled().parts["train"].inputs.arrays["text"], fet["train"]["text"][:, 2].astype("f4")
    )
    assert set(train.unimodal_labels) == {"audio"}
    assert describe(dataset)
    assert "all" in PLUGIN.verify(params)[0]


def test_it_is_installed_and_needs_its_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert registry.load().dataset("mmsa").plugin.name == "mmsa"
    with pytest.raises(
        DataError, match="data/mmsa: not found; import your file with: alharness data import mmsa FILE"
    ):
        PLUGIN.inspect(OwnParams())


def test_modalities_and_metrics_are_chosen(own, write, empty):
    convert(OWN, write(own), empty)
    params = OwnParams(path=empty, modalities=("vision",), scoring="sims")
    assert PLUGIN.inspect(params).modalities == PLUGIN.make(params).modalities == ("vision",)
    assert PLUGIN.make(params).metrics == SIMS
    assert PLUGIN.make(OwnParams(path=empty)).metrics == REGRESSION


def test_missing_files_and_modalities_are_found_before_a_run(own, write, empty):
    for part in own.values():
        del part["vision"]
    convert(OWN, write(own), empty)
    with pytest.raises(DataError, match="vision"):
        PLUGIN.inspect(OwnParams(path=empty, modalities=("vision",)))
    lost = next(empty.rglob("*.npy"))
    lost.unlink()
    with pytest.raises(DataError, match=lost.name.replace(".", r"\.")):
        PLUGIN.inspect(OwnParams(path=empty))


def test_a_single_modality_and_vectors_will_do(own, write, empty):
    for part in own.values():
        del part["vision"]
        part["audio"] = part["audio"][:, 0]
        del part["audio_lengths"]
    convert(OWN, write(own), empty)
    dataset = open_stored(empty, "mmsa")
    assert {m: x.shape for m, x in dataset.parts["test"].inputs.arrays.items()} == {"audio": (4, 1, 2)}


def test_labels_may_have_any_finite_size(own, write, empty):
    own["train"]["regression_labels"][0] = 4000
    convert(OWN, write(own), empty)
    own["train"]["regression_labels"][1] = np.inf
    assert "train: regression_labels of 'train1' is inf (1 such), expected finite numbers" in refusal(
        write, own, empty
    )


def older(part):
    """The names of older files."""
    return {
        "ids": part["id"],
        "feature_A": part["audio"],
        "feature_V": part["vision"],
        "label_M": part["regression_labels"],
        "label_T": part["regression_labels"],
        "label_A": -part["regression_labels"],
    }


def test_the_names_of_older_files_and_forks_are_understood_and_remarked(own, write, empty):
    found = remarks(
        write, {"train": older(own["train"]), "dev": older(own["valid"]), "test": older(own["test"])}, empty
    )
    assert "dev was taken as valid" in found
    assert any("feature_A was taken as audio, feature_V was taken as vision" in remark for remark in found)
    part = open_stored(empty, "mmsa").parts["valid"]
    assert part.unimodal_labels["audio"].tolist() == [-0.5, -1, 1, 0]
    assert part.labels.tolist() == [0.5, 1, -1, 0]


def test_labels_as_arrays_of_one_number_each(own, write, empty):
    own["train"]["regression_labels"] = own["train"]["regression_labels"].reshape(4, 1, 1)
    own["valid"]["regression_labels"] = [np.array([0.5]), [1], np.float32(-1), "0"]
    convert(OWN, write(own), empty)
    parts = open_stored(empty, "mmsa").parts
    assert parts["train"].labels.tolist() == parts["valid"].labels.tolist() == [0.5, 1, -1, 0]


def test_everything_that_is_left_out_is_named_with_its_splits(own, write, empty):
    own["train"] |= {"classification_labels": [1] * 4, "glove": np.zeros((4, 3, 300)), "mask": [1] * 4}
    own["test"] |= {"classification_labels": [1] * 4, "text": np.zeros((4, 3, 8))}
    own |= {"train_mix": {}, 7: None}
    found = remarks(write, own, empty)
    assert found[:5] == (
        "train_mix was left out: it is none of the splits",
        "7 was left out: it is none of the splits",
        "left out: raw_text",
        "left out of train and test: classification_labels",
        "left out of train: glove, mask",
    )
    assert "left out of test: text" in found


def test_own_labels_that_some_splits_lack_are_kept_in_the_others(content, write, empty):
    del content["test"]["regression_labels_T"]
    found = remarks(write, content, empty, CORPORA["simsv2"])
    assert "text has no labels of its own (regression_labels_T) in test; the fused ones serve there" in found
    dataset = open_stored(empty, "simsv2")
    assert "text" in dataset.parts["train"].unimodal_labels
    assert "text" not in dataset.parts["test"].unimodal_labels
    (labels,) = [table for table in describe(dataset) if table.headings[0] == "labels of"]
    assert {row[-1] for row in labels.rows if row[0] == "text"} == {"-"}


def test_lengths_of_texts_are_read(content, write, empty):
    for part in content.values():
        part["text_lengths"] = [2] * len(part["id"])
        del part["text_bert"]
    found = remarks(write, content, empty, CORPORA["simsv2"])
    assert open_stored(empty, "simsv2").parts["train"].inputs.lengths["text"].tolist() == [2] * 9
    assert not [remark for remark in found if "no lengths" in remark]


def test_tokens_in_another_form_are_left_out_with_a_remark(content, write, empty):
    for split, value in (("train", np.zeros((9, 3, 4))), ("test", np.zeros((5, 2, 5)))):
        content[split]["text_bert"] = value
    found = remarks(write, content, empty, CORPORA["simsv2"])
    assert "text_bert of train has 4 steps, but text has 5; it gives no lengths" in found
    assert "text_bert of test is not (samples, 3, steps) of whole numbers, so it gives no lengths" in found


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda c: {"audio": np.zeros((7, 2)), "vision": np.zeros((7, 2))},
            "holds features of one video or one set of samples (audio, vision), without splits and labels",
        ),
        (
            lambda c: {"train": c["train"], "test": c["test"]},
            "has train, test, expected the splits train, valid, test",
        ),
        (
            lambda c: c | {"valid": {}},
            "no modality is in every split, expected text, audio or vision; train has id",
        ),
        (
            lambda c: c | {"test": c["test"] | {"vision": np.zeros((4, 3, 5))}},
            "test has features audio 2, vision 5, but train has audio 2, vision 2; extract them for all splits",
        ),
        (
            lambda c: c | {"test": c["test"] | {"vision": [np.zeros((3, 2))] * 4}},
            "test: vision is no array of numbers, but a list of 4; expected one numpy array (samples, steps,",
        ),
    ],
)
def test_what_is_no_file_of_the_family_is_told_in_words(own, write, empty, change, words):
    assert words in refusal(write, change(own), empty)


def test_sizes_that_no_corpus_has_lead_to_mmsa(fet, write, empty):
    words = refusal(write, fet, empty, CORPORA["simsv2"])
    assert words.endswith("for features of your own: alharness data import mmsa")


def test_torch_tensors_are_refused_with_what_to_do(own, write, empty):
    torch = pytest.importorskip("torch")
    own["train"]["audio"] = torch.zeros(4, 3, 2)
    words = refusal(write, own, empty)
    assert "an object of torch" in words
    assert "return_type='np'" in words


def test_the_manifest_has_the_remarks(own, write, empty):
    found = remarks(write, own, empty)
    assert json.loads((empty / "manifest.json").read_text())["remarks"] == list(found)


@pytest.mark.parametrize("nothing", [None, [], ()])
def test_columns_that_are_empty_are_none(own, write, empty, nothing):
    own["train"] |= {
        "audio_lengths": nothing,
        "regression_labels_A": nothing,
        "text": nothing,
        "text_bert": nothing,
    }
    found = remarks(write, own, empty)
    assert "left out of train: audio_lengths, regression_labels_A, text, text_bert" in found
    assert "no modality has labels of its own; the fused ones serve for all" in found


def test_own_labels_that_are_all_nan_are_none(content, write, empty):
    content["valid"]["regression_labels_V"] = np.full(4, np.nan)
    found = remarks(write, content, empty, CORPORA["simsv2"])
    assert "vision has no labels of its own (regression_labels_V) in valid; the fused ones serve there" in found
