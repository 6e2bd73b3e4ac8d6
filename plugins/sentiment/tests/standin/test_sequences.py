"""Sequences follow from the pooled vectors, row by row, and dirt is corrected as an import corrects it."""

import numpy as np
import pytest

from alharness.api.importing import pool
from alharness_sentiment.standin import sequences
from alharness_sentiment.standin.sequences import Sequences
from alharness_sentiment.stored.importing import Cleaner

MODALITIES = ("text", "audio", "vision")


@pytest.fixture(scope="module")
def made(small):
    """Modality -> sequences of the test split and all their blocks together."""
    standin = small()
    found = {m: Sequences(standin, "test", m) for m in MODALITIES}
    return standin, {m: (s, np.concatenate(list(s.blocks()))) for m, s in found.items()}


@pytest.mark.parametrize(
    ("modality", "shape"), [("text", (50, 768)), ("audio", (925, 25)), ("vision", (232, 177))]
)
def test_sequences_have_the_published_shapes_and_are_padded_with_zeros(made, modality, shape):
    sequence, array = made[1][modality]
    assert array.shape == sequence.shape == (21, *shape)
    assert array.dtype == np.float32
    assert len(set(sequence.lengths.tolist())) > 10
    assert 1 <= sequence.lengths.min() < sequence.lengths.max() <= shape[0]
    for row, length in zip(array, sequence.lengths, strict=True):
        assert (row[length:] == 0).all()
        assert (row[:length] != 0).all()


@pytest.mark.parametrize("modality", ["audio", "vision"])
def test_the_mean_over_valid_steps_is_the_pooled_vector(made, modality):
    standin, found = made
    sequence, array = found[modality]
    vectors = standin.parts["test"].features[modality]
    assert (sequence.vectors() == vectors).all()
    means = np.stack(
        [row[:n].mean(axis=0, dtype=np.float64) for row, n in zip(array, sequence.lengths, strict=True)]
    )
    largest = np.abs(array).max(axis=1)
    assert (np.abs(means - vectors) <= 2**-23 * largest).all()  # the rounding of float32
    assert np.abs(array - vectors[:, None]).max(axis=1).min() > 0  # and not merely because all steps are equal


def test_the_first_step_of_text_is_the_pooled_vector(made):
    standin, found = made
    sequence, array = found["text"]
    assert (array[:, 0] == standin.parts["test"].features["text"]).all()
    assert (sequence.vectors() == array[:, 0]).all()
    assert not (array[:, 1] == array[:, 0]).any()


def test_noise_follows_the_step_before(made):
    standin, found = made
    sequence, array = found["audio"]
    row = int(sequence.lengths.argmax())
    noise = array[row, : sequence.lengths[row]] - standin.parts["test"].features["audio"][row]
    correlations = [np.corrcoef(column[1:], column[:-1])[0, 1] for column in noise.T]
    assert np.mean(correlations) == pytest.approx(0.8, abs=0.05)
    spread = noise.std(axis=0) / standin.scales["audio"]
    assert np.median(spread) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("dirty", [False, True])
@pytest.mark.parametrize("modality", MODALITIES)
def test_rows_do_not_depend_on_the_size_of_blocks(small, monkeypatch, modality, dirty):
    standin = small(dirty=dirty, share=0.05)
    whole = np.concatenate(list(Sequences(standin, "test", modality).blocks()))
    monkeypatch.setattr(sequences, "BLOCK", 1)
    one_by_one = list(Sequences(standin, "test", modality).blocks())
    assert len(one_by_one) == len(whole) == 52
    assert np.concatenate(one_by_one).tobytes() == whole.tobytes()
    rows, _ = Sequences(standin, "test", modality).raw(np.array([7, 3]))
    if not dirty:
        assert (rows == whole[[7, 3]]).all()


@pytest.fixture(scope="module")
def soiled(small):
    standin = small(dirty=True, share=0.2)
    return standin, {m: Sequences(standin, "train", m) for m in MODALITIES}


def test_dirt_is_what_published_files_hold(soiled):
    _, found = soiled
    raw = {m: s.raw(np.arange(s.shape[0])) for m, s in found.items()}
    assert np.isfinite(raw["text"][0]).all()
    for modality, bad in (("audio", np.isneginf), ("vision", np.isnan)):
        array, lengths = raw[modality]
        rows = bad(array).any(axis=(1, 2))
        assert 3 <= rows.sum() <= 30
        assert (bad(array) == ~np.isfinite(array)).all()
        assert 1 <= (lengths == 0).sum() <= 20
        assert (array[lengths == 0] == 0).all()


def test_repairs_are_those_of_an_import(soiled):
    _, found = soiled
    for sequence in found.values():
        cleaner = Cleaner()
        array, lengths = sequence.raw(np.arange(sequence.shape[0]))
        mended = cleaner.values(array)
        clamped = cleaner.lengths(lengths, sequence.shape[1])
        assert sequence.repairs() == cleaner.repairs
        assert (np.concatenate(list(sequence.blocks())) == mended).all()
        assert (sequence.lengths == clamped).all()
    assert found["audio"].repairs().inf > 0
    assert found["vision"].repairs().nan > 0
    assert found["vision"].repairs().empty > 0


def test_vectors_of_dirty_rows_follow_from_the_mended_sequence(soiled):
    standin, found = soiled
    for modality in ("audio", "vision"):
        sequence = found[modality]
        array = np.concatenate(list(sequence.blocks()))
        vectors, clean = sequence.vectors(), standin.parts["train"].features[modality]
        assert np.isfinite(vectors).all()
        differ = (vectors != clean).any(axis=1)
        assert 5 <= differ.sum() <= 50
        assert (vectors[differ] == pool(array, sequence.lengths, "mean")[differ]).all()


def test_clean_sequences_need_no_repair(made):
    for sequence, array in made[1].values():
        assert sequence.repairs() == Cleaner().repairs
        assert np.isfinite(array).all()
