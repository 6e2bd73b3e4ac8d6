"""Features of a large pool are in a mapped file, with the same numbers."""

import os

import numpy as np
import pytest
import torch

from alharness import Feature
from alharness.engine import gathering
from alharness.engine.extraction import Extractor
from alharness.engine.gathering import Gathered
from alharness.engine.measure import Clock
from alharness.engine.views import ModelView
from alharness.errors import RunError

READS = {
    "embeddings": lambda view: view.embeddings(),
    "predictions": lambda view: view.predictions(),
    "representations": lambda view: view.representations("audio"),
    "inputs": lambda view: view.inputs("vision"),
}


@pytest.fixture
def mapped(monkeypatch):
    """How many arrays are mapped from now on; all, however small."""
    made = []
    whole = np.memmap

    def spy(*args, **named):
        made.append(whole(*args, **named))
        return made[-1]

    def start():
        monkeypatch.setattr(gathering, "IN_MEMORY", 0)
        monkeypatch.setattr(gathering.np, "memmap", spy)
        return made

    return start


@pytest.mark.parametrize("read", READS)
def test_what_is_mapped_is_what_would_be_in_memory(make_trainer, make_samples, mapped, read):
    samples = make_samples(40)
    fitted = make_trainer(epochs=1).fit(samples.pooled(), 0)
    found = []
    for number in range(2):
        made = mapped() if number else []
        extractor = Extractor(fitted, 7, frozenset(Feature), Clock(fitted.device, rest="selection"), 0)
        inputs = samples.inputs if read == "inputs" else samples.pooled().inputs
        found.append(READS[read](ModelView(extractor, inputs, np.arange(0, 40, 3))))
    assert torch.equal(*found)
    assert made
    found[1].add_(1)  # a sampler may; that it did is seen


def test_a_file_that_finds_no_room_says_so(monkeypatch, mapped, tmp_path):
    mapped()
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(RunError, match=r"there is no room for 0.0 GiB of features \(No space left.*TMPDIR"):
        Gathered(4).add(torch.ones(2, 3))
