"""A made-up tree of JSON lists and feature files, imported and read again."""

import json
import shutil

import numpy as np
import pytest

from alharness import registry
from alharness.api.vocabulary import Task
from alharness.errors import DataError
from alharness_sentiment.cherma.facts import CLASSES, ImportOptions
from alharness_sentiment.cherma.features import padded
from alharness_sentiment.cherma.importer import convert
from alharness_sentiment.cherma.index import Utterance
from alharness_sentiment.stored.manifest import read_manifest
from alharness_sentiment.stored.plugin import StoredParams

PLUGIN = registry.load().dataset("cherma").plugin

NAMES = list(CLASSES)
SIZES = {"train": 6, "dev": 3, "test": 4}
FEATURES = {"text": 12, "audio": 5, "visual": 7}


@pytest.fixture
def root(tmp_path):
    """A tree of the released form, small; audio of 2 to 9 steps, texts of 10 and 11, 4 frames."""
    rng = np.random.default_rng(0)
    root = tmp_path / "CHERMA0723"
    for split, n in SIZES.items():
        entries = []
        for i in range(n):
            name = f"{split}_{n - i}"
            keys = ("txt_label", "audio_label", "visual_label", "video_label")
            entries.append(
                {"audio_file": f"{name}.wav", "video_file": f"{name}.mp4"}
                | {key: NAMES[rng.integers(7)] for key in keys}
            )
            steps = {"text": 10 + i % 2, "audio": 2 + (3 * i) % 8, "visual": 4}
            for kind, d in FEATURES.items():
                folder = root / kind / split
                folder.mkdir(parents=True, exist_ok=True)
                ending = ".mp4.npy" if kind == "visual" else ".npy"
                np.save(folder / f"{name}{ending}", rng.normal(size=(steps[kind], d)).astype(np.float32))
        (root / f"{split}.json").write_text(json.dumps(entries, ensure_ascii=False), encoding="utf-8")
    return root


@pytest.fixture
def empty(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def imported(root, empty, **options):
    convert(root, empty, ImportOptions(**options))
    return PLUGIN.make(StoredParams(path=empty))


def refusal(root, empty, **options):
    with pytest.raises(DataError) as caught:
        convert(root, empty, ImportOptions(**options))
    assert not (empty / "manifest.json").exists()
    return str(caught.value).removeprefix(f"{root}")


def change(root, split, entry, **values):
    path = root / f"{split}.json"
    entries = json.loads(path.read_text(encoding="utf-8"))
    entries[entry] |= values
    path.write_text(json.dumps(entries), encoding="utf-8")


def test_every_file_is_a_row_padded_with_zeros(root, empty):
    dataset = imported(root, empty)
    for split, upstream in {"train": "train", "valid": "dev", "test": "test"}.items():
        part = dataset.parts[split]
        assert list(part.ids) == sorted(f"{upstream}_{i + 1}" for i in range(SIZES[upstream]))
        for modality, kind in {"text": "text", "audio": "audio", "vision": "visual"}.items():
            for row, name in enumerate(part.ids):
                ending = ".mp4.npy" if kind == "visual" else ".npy"
                given = np.load(root / kind / upstream / f"{name}{ending}")
                found = part.inputs.arrays[modality][row]
                assert np.array_equal(found[: len(given)], given)
                assert not found[len(given) :].any()
                assert part.inputs.lengths[modality][row] == len(given)
    shapes = {m: x.shape for m, x in dataset.parts["train"].inputs.arrays.items()}
    longest = max(2 + (3 * i) % 8 for i in range(6))
    assert shapes == {"text": (6, 11, 12), "audio": (6, longest, 5), "vision": (6, 4, 7)}


def test_labels_are_mapped_by_their_text(root, empty):
    dataset = imported(root, empty)
    assert dataset.task == Task.CLASSIFICATION
    assert dataset.classes == ("anger", "disgust", "fear", "happy", "neutral", "sad", "surprise")
    entries = {e["audio_file"][:-4]: e for e in json.loads((root / "dev.json").read_text(encoding="utf-8"))}
    part = dataset.parts["valid"]
    assert part.labels.dtype == np.int64
    keys = {"text": "txt_label", "audio": "audio_label", "vision": "visual_label"}
    for row, name in enumerate(part.ids):
        assert dataset.classes[part.labels[row]] == CLASSES[entries[name]["video_label"]]
        for modality, key in keys.items():
            assert dataset.classes[part.unimodal_labels[modality][row]] == CLASSES[entries[name][key]]


def test_longer_sequences_are_cut_and_counted(root, empty):
    dataset = imported(root, empty, audio_steps=3, text_steps=8)
    part = dataset.parts["train"]
    assert part.inputs.arrays["audio"].shape == (6, 3, 5)
    assert part.inputs.arrays["text"].shape == (6, 8, 12)
    assert part.inputs.lengths["audio"].max() == 3
    given = np.load(root / "audio" / "train" / f"{part.ids[1]}.npy")
    assert np.array_equal(part.inputs.arrays["audio"][1][: len(given)], given[:3])
    repairs = read_manifest(empty, "cherma").repairs["train"]
    assert repairs["text"].cut == 6
    assert repairs["audio"].cut == sum(2 + (3 * i) % 8 > 3 for i in range(6))
    assert dataset.remarks[-1] == "steps kept of the longest sequence: text 8 of 11, audio 3 of 9, vision 4 of 4"


def test_defaults_are_those_of_the_documentation():
    assert ImportOptions().model_dump() == {"text_steps": 80, "audio_steps": 100, "vision_steps": 64}


def test_stored_vectors_are_those_of_pooling_the_sequences(root, empty):
    dataset = imported(root, empty, audio_steps=3)
    for split, part in dataset.pooled().parts.items():
        assert part.inputs.arrays["text"].shape[1] == 12
        for m, x in dataset.parts[split].inputs.pooled().arrays.items():
            assert np.array_equal(part.inputs.arrays[m], x)


def test_empty_sequences_and_bad_numbers_are_mended(root, empty):
    values = np.full((2, 5), 1.0)
    values[1, 2:4] = np.nan, np.inf
    np.save(root / "audio" / "test" / "test_1.npy", values)
    np.save(root / "visual" / "test" / "test_2.mp4.npy", np.zeros((0, 7), np.float32))
    part = imported(root, empty).parts["test"]
    repairs = read_manifest(empty, "cherma").repairs["test"]
    assert (repairs["audio"].nan, repairs["audio"].inf, repairs["vision"].empty) == (1, 1, 1)
    assert part.inputs.arrays["audio"][0, 1].tolist() == [1, 1, 0, 0, 1]
    assert part.inputs.lengths["vision"][1] == 1


@pytest.mark.parametrize("name", ["../../secret.wav", "/etc/passwd", "a/../../b.wav", "a\\b.wav", "a\0b", ".wav"])
def test_a_path_that_leads_out_of_the_tree_is_refused_before_anything_is_read(root, empty, name):
    shutil.rmtree(root / "audio")
    change(root, "train", 2, audio_file=name)
    expected = f"/train.json: entry 3: audio_file is {name.removesuffix('.wav')!r}, a path that leads out of the"
    assert refusal(root, empty).startswith(expected)


def test_a_folder_below_is_no_obstacle(root, empty):
    change(root, "test", 0, audio_file="tv/a.wav")
    for kind, ending in {"text": ".npy", "audio": ".npy", "visual": ".mp4.npy"}.items():
        (root / kind / "test" / "tv").mkdir()
        (root / kind / "test" / f"test_4{ending}").rename(root / kind / "test" / "tv" / f"a{ending}")
    assert "tv/a" in imported(root, empty).parts["test"].ids


def test_an_unknown_label_is_named(root, empty):
    change(root, "dev", 1, txt_label="Freude")
    assert refusal(root, empty) == (
        "/dev.json: entry 2: txt_label is 'Freude', expected one of 愤怒, 厌恶, 恐惧, 高兴, 平静, 悲伤, 惊奇"
    )


def test_a_missing_key_is_named(root, empty):
    change(root, "dev", 1, visual_label=None)
    assert refusal(root, empty) == "/dev.json: entry 2 has no text under 'visual_label'"


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_a_list_that_is_not_json(root, empty, text):
    (root / "dev.json").write_text(text)
    assert refusal(root, empty) == "/dev.json: is not JSON; get it again"


@pytest.mark.parametrize("text", ["[]", "{}", "3"])
def test_a_list_without_utterances(root, empty, text):
    (root / "dev.json").write_text(text)
    assert refusal(root, empty) == "/dev.json: expected a list of utterances, and at least one"


def test_an_entry_that_is_no_mapping(root, empty):
    (root / "dev.json").write_text("[3]")
    assert refusal(root, empty) == "/dev.json: entry 1 is no mapping"


def test_a_missing_list(root, empty):
    (root / "dev.json").unlink()
    assert refusal(root, empty) == (
        "/dev.json: cannot be read: No such file or directory; name the folder that holds train.json, dev.json, "
        "test.json"
    )


def test_a_missing_feature_file_is_named(root, empty):
    (root / "visual" / "test" / "test_2.mp4.npy").unlink()
    assert refusal(root, empty) == "/visual/test/test_2.mp4.npy: cannot be read: No such file or directory"


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((3, 6), np.float32), "has 6 features a step, but"),
        (np.zeros(5, np.float32), "holds float32 of shape (5,), expected numbers of shape (steps, features)"),
        (np.zeros((3, 5), "U2"), "holds <U2 of shape (3, 5), expected numbers"),
        (np.full((3, 5), None), "holds object of shape (3, 5), expected numbers"),
    ],
)
def test_a_feature_file_of_another_form_is_named(root, empty, array, words):
    np.save(root / "audio" / "test" / "test_2.npy", array, allow_pickle=True)
    assert refusal(root, empty).startswith(f"/audio/test/test_2.npy: {words}")


def test_pickles_inside_are_not_loaded_even_if_a_file_changes_during_the_import(root):
    np.save(root / "audio" / "test" / "a.npy", np.full((3, 5), None), allow_pickle=True)
    utterance = Utterance(name="a", label=0, unimodal={})
    with pytest.raises(DataError, match=r"a\.npy: is not a whole \.npy file"):
        next(padded(root, "audio", "test", [utterance], (3, 5)))


@pytest.mark.parametrize("cut", [0, 20, 100, 140])
def test_a_feature_file_that_was_cut_is_named(root, empty, cut):
    path = root / "audio" / "test" / "test_2.npy"
    path.write_bytes(path.read_bytes()[:cut])
    assert refusal(root, empty).startswith("/audio/test/test_2.npy: is not a")


def test_an_utterance_in_two_lists_is_named(root, empty):
    change(root, "test", 0, audio_file="train_3.wav")
    assert refusal(root, empty) == (
        ": 1 utterances are in train.json and in test.json, so that a test would be no test: train_3"
    )


def test_an_utterance_that_stands_twice_is_named(root, empty):
    change(root, "test", 0, audio_file="test_1.wav")
    assert refusal(root, empty) == "/test.json: the utterance 'test_1' occurs more than once"


def test_a_root_that_is_no_folder(root, empty):
    with pytest.raises(DataError, match=r"train\.json: is no folder; name the one that holds train\.json, dev"):
        convert(root / "train.json", empty, ImportOptions())


def test_nothing_is_downloaded():
    with pytest.raises(DataError, match="cherma cannot be downloaded by alharness: get CHERMA0723, from the link"):
        PLUGIN.fetch(None, None, ImportOptions())


def test_it_is_installed_under_its_name():
    assert registry.load().dataset("cherma").origin.startswith("alharness-sentiment==")


def test_a_feature_file_that_announces_more_than_it_holds_is_named(root, empty):
    path = root / "audio" / "test" / "test_2.npy"
    with path.open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (2**40, 5)}
        np.lib.format.write_array_header_1_0(file, header)
    assert refusal(root, empty) == "/audio/test/test_2.npy: is not a whole .npy file; get it again"
