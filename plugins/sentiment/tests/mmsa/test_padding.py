"""Sequences padded at the start, at the end, or at both, with lengths and without: their steps come first."""

import numpy as np
import pytest

from alharness_sentiment.mmsa.conversion import convert
from alharness_sentiment.mmsa.facts import OWN
from alharness_sentiment.stored.reader import open_stored

STEPS = 9
SIZES = {"train": 12, "valid": 5, "test": 6}


def sequences(rng, n):
    """Real steps of n samples, 2 to 8 of 9, some of them full; none is blank."""
    lengths = rng.integers(2, STEPS, n)
    lengths[:2] = STEPS
    return [rng.normal(size=(length, 3)) + 5 for length in lengths]


def padded(rows, side, value=0.0):
    """(n, t, d) with the steps of each row at the front or at the end."""
    x = np.full((len(rows), STEPS, 3), value)
    for i, row in enumerate(rows):
        where = side if isinstance(side, str) else side[i]
        x[i, slice(STEPS - len(row), None) if where == "start" else slice(0, len(row))] = row
    return x


def lengths(rows):
    return [len(row) for row in rows]


@pytest.fixture
def imported(own, write, empty):
    """Imports a file with this audio; the parts, and the remarks."""

    def call(make, *, told=lengths, **more):
        rng = np.random.default_rng(0)
        rows = {}
        content = {}
        for split, n in SIZES.items():
            rows[split] = sequences(rng, n)
            content[split] = {
                "id": [f"{split}-{i:02}" for i in range(n)],
                "audio": make(rows[split]),
                "regression_labels": np.zeros(n),
                **{key: value(rows[split]) for key, value in more.items()},
            }
            if told is not None:
                content[split]["audio_lengths"] = told(rows[split])
        convert(OWN, write(content), empty)
        dataset = open_stored(empty, "mmsa")
        return rows, dataset.parts, "\n".join(dataset.remarks)

    return call


def check(rows, parts, modality="audio"):
    """Every sequence has its steps in front, zeros behind, and its length."""
    for split, part in parts.items():
        expected = padded(rows[split], "end").astype(np.float32)
        assert np.array_equal(np.asarray(part.inputs.arrays[modality]), expected)
        assert part.inputs.lengths[modality].tolist() == lengths(rows[split])


@pytest.mark.parametrize("told", [lengths, None])
@pytest.mark.parametrize("value", [0.0, -np.inf, np.nan])
@pytest.mark.parametrize("side", ["start", "end"])
def test_steps_come_first_whatever_the_side(imported, side, value, told):
    rows, parts, remarks = imported(lambda r: padded(r, side, value), told=told)
    check(rows, parts)
    moved = "audio: 17 of 17 sequences shorter than the array are padded at the start (train 10, valid 3, test 4)"
    assert (moved in remarks) == (side == "start")
    assert ("they were taken from the blank steps" in remarks) == (told is None)


@pytest.mark.parametrize("told", [lengths, None])
def test_a_file_with_both_sides_is_read_by_the_side_of_each_sequence_and_remarked(imported, told):
    def make(rows):
        return padded(rows, ["start" if i % 2 else "end" for i in range(len(rows))])

    rows, parts, remarks = imported(make, told=told)
    check(rows, parts)
    assert "audio: 8 of 17 sequences shorter than the array are padded at the start" in remarks
    assert "The others are padded at the end: make sure that the file is whole" in remarks


def test_splits_that_are_padded_on_different_sides(imported):
    rows, parts, remarks = imported(lambda r: padded(r, "start" if len(r) == SIZES["train"] else "end"), told=None)
    check(rows, parts)
    assert "(train 10, valid 0, test 0)" in remarks


def blank(make, position):
    """The same with a blank real step at the beginning or end of each sequence that has one to spare."""

    def change(rows):
        for row in rows:
            if len(row) > 2:
                row[position] = 0
        return make(rows)

    return change


@pytest.mark.parametrize("position", [0, -1])
@pytest.mark.parametrize("side", ["start", "end"])
def test_blank_steps_that_are_real_do_not_turn_the_side_of_known_lengths(imported, side, position):
    rows, parts, _ = imported(blank(lambda r: padded(r, side), position))
    check(rows, parts)


def test_a_sequence_with_blank_steps_at_both_ends_goes_with_the_others(imported):
    def hollow(rows):
        rows[4][:] = 0
        rows[4][len(rows[4]) // 2] = 7  # one step in the middle: both sides would do
        return padded(rows, "start")

    rows, parts, _ = imported(hollow)
    check(rows, parts)


def test_sequences_that_are_all_blank_keep_their_lengths_and_show_no_side(imported):
    def empty(rows):
        for row in rows[1:]:
            row[:] = 0
        return padded(rows, "start")

    rows, parts, remarks = imported(empty)
    check(rows, parts)
    assert "padded at the start" not in remarks


def test_full_sequences_have_no_side_and_no_lengths_are_made_up(imported):
    _, parts, remarks = imported(lambda r: np.ones((len(r), STEPS, 3)), told=None)
    assert parts["train"].inputs.lengths == {}
    assert "audio: the file has no lengths; every sequence counts as full" in remarks


def test_real_blank_steps_at_the_beginning_are_no_padding_without_lengths(imported):
    def late(rows):
        x = padded(rows, "end")
        x[0, 0] = 0  # a full sequence
        return x

    rows, parts, remarks = imported(late, told=None)
    assert not np.asarray(parts["train"].inputs.arrays["audio"])[0, 0].any()
    assert parts["train"].inputs.lengths["audio"].tolist() == lengths(rows["train"])
    assert "padded at the start" not in remarks


def test_values_outside_of_the_lengths_are_counted(imported):
    rows, parts, remarks = imported(lambda r: padded(r, "end", 3.0))
    assert parts["test"].inputs.lengths["audio"].tolist() == lengths(rows["test"])
    assert "audio: 17 of 17 sequences shorter than the array hold values outside their length" in remarks


def test_lengths_that_are_too_small_by_a_step_do_not_hide_the_side(imported):
    rows, parts, _ = imported(lambda r: padded(r, "start"), told=lambda r: [len(x) - (len(x) < STEPS) for x in r])
    for split, part in parts.items():
        for x, row in zip(np.asarray(part.inputs.arrays["audio"]), rows[split], strict=True):
            if len(row) < STEPS:
                assert np.array_equal(x[: len(row) - 1], row[1:].astype(np.float32))


def test_vectors_are_means_over_the_real_steps(imported, empty):
    rows, _, _ = imported(lambda r: padded(r, "start"))
    vectors = open_stored(empty, "mmsa").pooled().parts["valid"].inputs.arrays["audio"]
    np.testing.assert_allclose(vectors, [row.mean(axis=0) for row in rows["valid"]], rtol=1e-6)


def tokens(side):
    """text_bert (n, 3, t): ids 7, an attention mask, segments 0."""

    def make(rows):
        bert = np.zeros((len(rows), 3, STEPS), np.int64)
        mask = padded(rows, side)[:, :, 0] != 0
        bert[:, 0], bert[:, 1] = np.where(mask, 7 + np.arange(STEPS), 0), mask
        return bert

    return make


@pytest.mark.parametrize("form", [lambda x: x, lambda x: x.transpose(0, 2, 1)])
@pytest.mark.parametrize("side", ["start", "end"])
def test_texts_and_their_tokens_are_placed_by_the_attention_mask(imported, empty, side, form):
    made = tokens(side)
    rows, parts, _ = imported(
        lambda r: padded(r, "end"), text=lambda r: padded(r, side), text_bert=lambda r: form(made(r))
    )
    check(rows, parts, "text")
    for split, part in parts.items():
        bert = np.load(empty / split / "text_bert.npy")
        assert np.array_equal(bert[:, 1].sum(axis=1), part.inputs.lengths["text"])
        assert (bert[:, 1, 0] == 1).all()
        assert bert[2, 0, : lengths(rows[split])[2]].min() >= 7
    pooled = open_stored(empty, "mmsa").pooled().parts["test"].inputs.arrays["text"]
    assert np.array_equal(pooled, np.array([row[0] for row in rows["test"]], np.float32))


def test_lengths_of_texts_go_before_the_mask(imported):
    rows, parts, remarks = imported(
        lambda r: padded(r, "end"),
        text=lambda r: padded(r, "end"),
        text_bert=lambda r: np.ones((len(r), 3, STEPS)),
        text_lengths=lengths,
    )
    check(rows, parts, "text")
    words = (
        "text_lengths and the attention mask in text_bert differ in 10 of 12 samples of train; text_lengths count"
    )
    assert words in remarks


def test_lengths_that_one_split_lacks_are_found_there(imported):
    rows, parts, remarks = imported(
        lambda r: padded(r, "start"), told=lambda r: None if len(r) == SIZES["test"] else lengths(r)
    )
    check(rows, parts)
    assert "audio: in test there are no lengths; they were taken from the blank steps" in remarks


def test_texts_without_tokens_have_their_own_lengths_and_the_mean_as_vector(imported, empty):
    rows, parts, remarks = imported(
        lambda r: padded(r, "end"), text=lambda r: padded(r, "start"), text_lengths=lengths
    )
    check(rows, parts, "text")
    vectors = open_stored(empty, "mmsa").pooled().parts["valid"].inputs.arrays["text"]
    np.testing.assert_allclose(vectors, [row.mean(axis=0) for row in rows["valid"]], rtol=1e-6)
    assert "the vector of a text is the mean of its steps, without text_bert" in remarks
    assert "no lengths" not in remarks
