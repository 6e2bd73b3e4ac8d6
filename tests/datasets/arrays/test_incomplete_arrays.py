"""Rows that are NaN throughout: samples that lack a modality."""

import numpy as np
import pytest

from alharness.datasets.arrays.plugin import ArraysParams, inspect
from alharness.datasets.arrays.reader import load
from alharness.engine.soundness import require_sound
from alharness.errors import DataError


@pytest.fixture
def lacking(folder):
    audio, video = np.load(folder / "audio.npy"), np.load(folder / "video.npy")
    audio[1] = np.nan
    video[4] = np.nan
    np.save(folder / "audio.npy", audio)
    np.save(folder / "video.npy", video)
    return folder


def test_rows_of_nan_are_absent_and_zero(lacking):
    params = ArraysParams(path=lacking, incomplete=("video", "audio"))
    assert inspect(params).incomplete == ("audio", "video")
    dataset = load(params)
    require_sound(dataset, pytest.fail)
    train, test = dataset.parts["train"].inputs, dataset.parts["test"].inputs
    assert train.present["audio"].tolist() == [True, False, True]
    assert np.asarray(train.arrays["audio"])[1].tolist() == [0, 0, 0]
    assert test.present["video"].tolist() == [False, True]
    assert not np.asarray(test.arrays["video"])[0].any()
    assert np.asarray(test.arrays["video"])[1].all()


def test_a_modality_that_no_sample_lacks_may_be_named(folder):
    dataset = load(ArraysParams(path=folder, incomplete=("audio",)))
    assert dataset.incomplete == ("audio",)
    assert dataset.parts["train"].inputs.present["audio"].all()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, r"audio.npy: row 1 \(id 'b', line 3 .*holds nan .*if samples may lack.*incomplete: \[audio\]"),
        ({"incomplete": ("audio",)}, r"video.npy: row 4 .*write incomplete: \[video\]"),
        ({"incomplete": ("audi",)}, r"incomplete names 'audi', which is no modality in use; did you mean 'audio'"),
        ({"incomplete": ("video",), "modalities": ("audio",)}, "'video', which is no modality in use"),
    ],
)
def test_what_was_not_said_is_an_error(lacking, params, message):
    with pytest.raises(DataError, match=message):
        load(ArraysParams(path=lacking, **params))


def test_a_row_with_a_single_nan_is_an_error_still(lacking):
    audio = np.load(lacking / "audio.npy")
    audio[2, 1] = np.nan
    np.save(lacking / "audio.npy", audio)
    with pytest.raises(DataError, match=r"row 2 .* holds nan at \[1\], expected finite float32 numbers$"):
        load(ArraysParams(path=lacking, incomplete=("audio", "video")))
