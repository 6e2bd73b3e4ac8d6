"""Rows of the inputs as tensors: once if they are few, else batch by batch."""

import warnings

import numpy as np
import pytest
import torch

from alharness import Feature, Inputs
from alharness.engine import extraction
from alharness.engine.batches import RepeatedBatches, batches
from alharness.engine.dropout import dropout_on
from alharness.engine.extraction import DRAW_BATCH, Extractor
from alharness.engine.measure import Clock
from alharness.engine.views import ModelView

CPU = torch.device("cpu")
N = 10
BYTES = N * (4 * 3 + 4 * 5 * 2 + 8)
"""Of a vector of 3 numbers, a sequence of 5 steps of 2, and its length, for every row."""


class Spied(np.ndarray):
    """An array that notes how many rows were taken out of it at a time."""

    taken: list[int]

    def __getitem__(self, rows):
        self.taken.append(len(rows))
        return np.asarray(self)[rows]


@pytest.fixture
def inputs():
    rng = np.random.default_rng(0)
    sequence = rng.normal(size=(N, 5, 2)).astype(np.float32).view(Spied)
    sequence.taken = []
    return Inputs(
        ids=tuple("abcdefghij"),
        arrays={"vector": rng.normal(size=(N, 3)).astype(np.float32), "sequence": sequence},
        lengths={"sequence": rng.integers(1, 6, N)},
    )


def repeated(inputs, limit):
    rows = RepeatedBatches(inputs, np.arange(N)[::-1].copy(), 4, CPU, limit)
    return [list(rows) for _ in range(3)], inputs.arrays["sequence"].taken


def test_rows_within_the_limit_are_gathered_once(inputs):
    assert repeated(inputs, BYTES)[1] == [4, 4, 2]


def test_rows_beyond_the_limit_are_gathered_anew_a_batch_at_a_time(inputs):
    assert repeated(inputs, BYTES - 1)[1] == 3 * [4, 4, 2]


@pytest.mark.parametrize("limit", [BYTES, 0])
def test_every_round_has_the_same_rows_in_their_order(inputs, limit):
    for parts in repeated(inputs, limit)[0]:
        for name, array in inputs.arrays.items():
            found = torch.cat([part.inputs[name] for part in parts]).numpy()
            assert np.array_equal(found, np.asarray(array)[::-1])
        lengths = torch.cat([part.lengths["sequence"] for part in parts]).numpy()
        assert np.array_equal(lengths, inputs.lengths["sequence"][::-1])


def test_a_batch_of_a_file_can_be_written_to_and_the_file_stays(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((N, 3), np.float32))
    stored = np.load(tmp_path / "x.npy", mmap_mode="r")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (batch,) = batches(Inputs(ids=tuple("abcdefghij"), arrays={"x": stored}), np.arange(N), N, CPU)
    batch.inputs["x"].zero_()
    assert (stored == 1).all()


@pytest.mark.parametrize("limit", [0, 2**28])
def test_draws_have_the_masks_of_a_fresh_pass_whatever_fits(make_trainer, make_samples, monkeypatch, limit):
    monkeypatch.setattr(extraction, "DRAW_MEMORY", limit)
    samples = make_samples(2 * DRAW_BATCH + 100).pooled()
    fitted = make_trainer(epochs=1).fit(samples.take(np.arange(50)), 0)
    clock, rows = Clock(CPU, rest="selection"), np.arange(7, len(samples))
    view = ModelView(Extractor(fitted, 4096, frozenset({Feature.MC_DRAWS}), clock, 11), samples.inputs, rows)
    draws = list(view.mc_draws(3, "text"))

    for number, draw in enumerate(draws):
        with dropout_on(fitted.model, 11 + number), torch.no_grad():
            parts = [rows[start : start + DRAW_BATCH] for start in range(0, len(rows), DRAW_BATCH)]
            fresh = [next(batches(samples.inputs, part, DRAW_BATCH, CPU)) for part in parts]
            expected = torch.cat([fitted.model(batch)["text"].log_softmax(1) for batch in fresh])
        assert torch.equal(draw, expected)
