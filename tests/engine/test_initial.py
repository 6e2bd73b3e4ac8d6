"""An initial pool that a sampler chooses."""

import numpy as np
import pytest
import torch

from alharness import Feature, Inputs, Sampler, Task
from alharness.engine.initial import choose
from alharness.errors import SamplerError


def make_inputs(n=30):
    rng = np.random.default_rng(0)
    text = rng.normal(size=(n, 4)).astype(np.float32)
    video = rng.normal(size=(n, 5, 2)).astype(np.float32)
    return Inputs(ids=tuple(f"s{i:02}" for i in range(n)), arrays={"text": text, "video": video})


class Largest(Sampler):
    def select(self, query):
        assert len(query.labeled) == len(query.labeled.targets()) == len(query.labeled.bought()) == 0
        assert query.labeled.inputs("text").shape == (0, 4)
        x = torch.cat([query.unlabeled.inputs(m) for m in query.modalities], 1).sum(1)
        return x.argsort(descending=True)[: query.size]


def test_it_sees_the_inputs_of_all_samples_and_no_label():
    inputs = make_inputs()
    expected = inputs.arrays["text"].sum(1) + inputs.arrays["video"].mean(1).sum(1)
    chosen = choose(Largest(), inputs, size=5, seed=0, task=Task.REGRESSION)
    assert list(chosen.positions) == np.argsort(-expected)[:5].tolist()


class Drawn(Sampler):
    def select(self, query):
        return query.rng.permutation(len(query.unlabeled))[: query.size]


def test_the_seed_names_what_it_draws():
    first, again, other = (
        choose(Drawn(), make_inputs(), size=5, seed=seed, task=Task.CLASSIFICATION, classes=("a", "b")).positions
        for seed in (1, 1, 2)
    )
    assert first == again != other


class Curious(Sampler):
    def select(self, query):
        return query.unlabeled.predictions().argsort(0).flatten()[: query.size]


def test_a_model_that_is_not_there_cannot_be_read():
    with pytest.raises(SamplerError, match="curious, initial pool: it read predictions"):
        choose(
            Curious(),
            make_inputs(),
            size=2,
            seed=0,
            task=Task.REGRESSION,
            features=frozenset({Feature.PREDICTIONS}),
            who="curious",
        )
