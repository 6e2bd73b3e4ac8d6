"""The kit for data sets: one that keeps all promises passes, and one that breaks a promise fails that test."""

import random
import time
from itertools import count

import numpy as np
import pytest

from alharness import DataError, Dataset, DatasetFacts, DatasetPlugin, Inputs, Params, Samples, Splits, Task
from alharness.api.dataset import split_sizes
from alharness.testing import Conformance, DatasetConformance, examine
from alharness.testing import dataset as kits
from alharness.testing.kit import promises_of

N = 60


class SomeParams(Params):
    path: str = "here"
    """The folder."""


def inspect(params, **changes):
    if params.path != "here":
        raise DataError("get the files from https://example.org")
    facts = {"task": Task.CLASSIFICATION, "modalities": ("audio", "text"), "sizes": split_sizes(N)}
    return DatasetFacts(**facts | changes)


def samples(rng, n=N, first=0, labels=None):
    """Sequences of audio, and vectors of text."""
    arrays = {
        "audio": rng.normal(size=(n, 3, 4)).astype(np.float32),
        "text": rng.normal(size=(n, 5)).astype(np.float32),
    }
    ids = tuple(f"s{first + row:03}" for row in range(n))
    lengths = {"audio": 1 + np.arange(n) % 3}
    labels = np.arange(n) % 2 if labels is None else labels
    return Samples(inputs=Inputs(ids=ids, arrays=arrays, lengths=lengths), labels=labels)


def make(params=None, content=None, **about):
    content = samples(np.random.default_rng(0)) if content is None else content
    return Dataset(task=Task.CLASSIFICATION, content=content, classes=("no", "yes"), **about)


def parts():
    rng = np.random.default_rng(0)
    return Splits(train=samples(rng, 36), valid=samples(rng, 6, 36), test=samples(rng, 18, 42))


def kit(made=make, *, inspecting=inspect, **about):
    plugin = DatasetPlugin(name="toy", params=SomeParams, inspect=inspecting, make=made)
    return type("Kit", (DatasetConformance,), {"plugin": plugin, "missing": {"path": "nowhere"}} | about)


def slow(params):
    time.sleep(0.02)
    return inspect(params)


CALLS = count()


def changing(params):
    return inspect(params, warnings=(str(next(CALLS)),))


def drawn(_):
    return make(content=samples(np.random.default_rng(next(CALLS))))


def seeding(_):
    random.seed(3)
    return make()


def global_(_):
    state = np.random.get_state()
    return make(content=samples(np.random.RandomState(state[1][:4])))


def wrong_pooled(_):
    whole = samples(np.random.default_rng(0))
    other = whole.pooled()
    arrays = {**other.inputs.arrays, "audio": other.inputs.arrays["audio"] + 1}
    wrong = Samples(inputs=Inputs(ids=other.ids, arrays=arrays), labels=other.labels)
    return make(content=whole, pooled_content=wrong)


class Reversed(Samples):
    def take(self, positions):
        return super().take(np.sort(positions))


def not_by_position(_):
    whole = samples(np.random.default_rng(0))
    return make(content=Reversed(inputs=whole.inputs, labels=whole.labels))


class Unsplit(Dataset):
    """Its split depends on nothing that it should depend on."""

    def split(self, rng):
        return super().split(np.random.default_rng(0))


class Unseeded(Dataset):
    def split(self, rng):
        return super().split(np.random.default_rng(next(CALLS)))


class Overlapping(Dataset):
    def split(self, rng):
        found = super().split(rng)
        return Splits(train=found.train, valid=found.valid, test=found.train)


def of(kind):
    content = samples(np.random.default_rng(0))
    return lambda _: kind(task=Task.CLASSIFICATION, content=content, classes=("no", "yes"))


FAULTS = {
    "inspect_is_quick": kit(inspecting=slow),
    "inspect_says_the_same_twice": kit(inspecting=changing),
    "files_that_are_missing_are_a_data_error": kit(inspecting=lambda _: inspect(SomeParams())),
    "inspect_says_what_make_returns": kit(inspecting=lambda _: inspect(SomeParams(), modalities=("text",))),
    "inspect_says_how_many_samples_there_are": kit(inspecting=lambda _: inspect(SomeParams(), sizes=(60, 0, 0))),
    "samples_labels_and_classes_are_sound": kit(
        lambda _: make(content=samples(np.random.default_rng(0), labels=np.arange(N) % 3))
    ),
    "sequences_can_be_replaced_by_vectors": kit(wrong_pooled),
    "samples_can_be_taken_by_position": kit(not_by_position),
    "made_again_it_is_the_same": kit(drawn),
    "its_digest_is_that_of_its_content": kit(lambda _: make(stored_digest=b"bytes")),
    "the_global_random_state_is_untouched": kit(seeding),
    "the_global_random_state_does_not_matter": kit(global_),
    "parts_have_no_sample_in_common": kit(of(Overlapping)),
    "the_same_seed_gives_the_same_split": kit(of(Unseeded)),
    "seeds_have_splits_of_their_own_unless_it_brings_one": kit(of(Unsplit)),
    "the_test_part_can_be_measured": kit(
        lambda _: make(content=samples(np.random.default_rng(0), labels=np.zeros(N, np.int64)))
    ),
}


@pytest.mark.parametrize("promise", FAULTS)
def test_a_fault_is_found(promise, monkeypatch):
    monkeypatch.setattr(kits, "QUICK", 0.01)
    (verdict,) = examine(FAULTS[promise], only={f"test_{promise}"})
    assert verdict.status == "failed"


@pytest.mark.parametrize("content", [None, parts()], ids=["samples", "splits"])
def test_what_keeps_its_promises_passes(content):
    good = kit(lambda _: make(content=content))
    assert not [verdict for verdict in examine(good) if verdict.status != "passed"]


def test_every_promise_has_its_fault():
    promises = {*promises_of(DatasetConformance)} - {*promises_of(Conformance)}
    assert {f"test_{promise}" for promise in FAULTS} == promises
