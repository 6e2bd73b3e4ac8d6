"""Models that fit themselves: by which road they are trained, and what is asked of them."""

import warnings

import pytest
import torch
from torch import nn

from alharness import FittingModel, Task
from alharness.engine.recipe import Fit
from alharness.engine.training import Trainer, stored
from alharness.errors import ModelError


class Means(FittingModel):
    """Predicts the mean label of its samples, and a number that it drew."""

    calls: list = []

    def __init__(self, shape):
        super().__init__(shape)
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("drawn", torch.rand(()))
        self.embedded = nn.Identity()

    def fit(self, labeled, valid):
        self.calls.append((len(labeled), None if valid is None else len(valid)))
        self.mean.copy_(labeled.labels["fused"].float().mean())
        self.drawn.copy_(torch.rand(()))

    def encode(self, batch):
        return dict(batch.inputs)

    def decode(self, z):
        found = self.embedded(next(iter(z.values())))[:, :1] * 0 + self.mean
        return dict.fromkeys([*z, "fused"], found.expand(-1, self.shape.outputs))

    def last_layer(self, source):
        return self.embedded


class Together(Means):
    stackable = True

    @classmethod
    def fit_all(cls, models, labeled, valid):
        cls.calls.append(f"{len(models)} at once")
        for model, samples in zip(models, labeled, strict=True):
            if (samples.labels["fused"] > 99).any():
                raise ValueError("a label above 99")
            model.mean.copy_(samples.labels["fused"].float().mean())


@pytest.fixture
def trainer(make_recipe, monkeypatch):
    """Makes a trainer of models of a class, and the list of their calls."""

    def make(kind, task=Task.REGRESSION):
        recipe = make_recipe(task)
        monkeypatch.setattr(kind, "calls", calls := [])
        shape = recipe.made().shape
        return Trainer(lambda: kind(shape), recipe.settings), calls

    return make


def test_a_model_fits_itself_with_its_samples_and_those_that_may_stop_it(trainer, make_samples):
    made, calls = trainer(Means)
    labeled, valid = make_samples(12, Task.REGRESSION).pooled(), make_samples(9, Task.REGRESSION).pooled()
    fitted = made.fit(labeled, 0, made.validation(valid))
    made.fit(labeled, 0)
    assert calls == [(12, 9), (12, None)]
    assert fitted.model.mean.item() == pytest.approx(labeled.labels.mean(), rel=1e-5)
    assert fitted.epochs == 0
    assert fitted.cost["train_seconds"] > 0
    assert not fitted.model.training


def test_a_model_that_reads_no_validation_samples_gets_none(trainer, make_samples, monkeypatch):
    monkeypatch.setattr(Means, "validates", False)
    made, calls = trainer(Means)
    samples = make_samples(12, Task.REGRESSION).pooled()
    assert made.validation(samples) is None
    made.fit(samples, 0, made.validation(samples))
    assert calls == [(12, None)]


def test_random_numbers_are_those_of_the_seed(trainer, make_samples):
    made, _ = trainer(Means)
    labeled = make_samples(12, Task.REGRESSION).pooled()
    requests = [Fit(labeled=labeled, seed=seed) for seed in (3, 4, 3)]
    drawn = [fitted.model.drawn.item() for fitted in made.fit_many(requests)]
    assert drawn[0] == drawn[2] != drawn[1]


def test_a_class_that_can_fits_all_members_of_a_group_at_once(trainer, make_samples):
    made, calls = trainer(Together)
    requests = [Fit(labeled=make_samples(n, Task.REGRESSION).pooled(), seed=0) for n in (12, 9, 12)]
    found = made.fit_many(requests)
    assert calls == ["2 at once", (9, None)]
    assert [fitted.cost.get("train_stacked") for fitted in found] == [2, None, 2]
    assert found[0].cost["train_seconds"] == found[2].cost["train_seconds"]


def test_one_that_fails_takes_no_other_along(trainer, make_samples, monkeypatch):
    made, _ = trainer(Together)
    monkeypatch.setattr(Together, "fit", lambda self, labeled, valid: self.fit_all([self], [labeled], [valid]))
    good = make_samples(12, Task.REGRESSION).pooled()
    bad = good.take(range(12))
    good.labels[:], bad.labels[:] = 1, 100
    first, second = made.fit_many([Fit(labeled=good, seed=0), Fit(labeled=bad, seed=0)])
    assert first.model.mean == 1
    assert isinstance(second, ModelError)
    assert "a label above 99" in str(second)


def test_a_class_that_says_so_and_cannot_is_fitted_one_by_one(trainer, make_samples, monkeypatch):
    made, calls = trainer(Together)
    monkeypatch.setattr(Together, "fit_all", classmethod(lambda cls, models, labeled, valid: 1 / 0))
    labeled = make_samples(12, Task.REGRESSION).pooled()
    with pytest.warns(UserWarning, match=r"one by one.*division by zero"):
        made.fit_many([Fit(labeled=labeled, seed=seed) for seed in (0, 1)])
    assert calls == [(12, None)] * 2


def test_what_a_library_warns_of_is_told_once(trainer, make_samples, monkeypatch):
    made, _ = trainer(Means)
    monkeypatch.setattr(Means, "fit", lambda self, labeled, valid: warnings.warn("no\nend", stacklevel=1))
    labeled = make_samples(12, Task.REGRESSION).pooled()
    with pytest.warns(UserWarning, match="the model warned as it was fitted: UserWarning: no end"):
        made.fit_many([Fit(labeled=labeled, seed=seed) for seed in (0, 1)])
    with warnings.catch_warnings(record=True) as again:
        made.fit(labeled, 2)
    assert again == []


def test_a_model_that_writes_to_its_labels_is_blamed(trainer, make_samples, monkeypatch):
    made, _ = trainer(Means)
    monkeypatch.setattr(Means, "fit", lambda self, labeled, valid: labeled.labels["fused"].zero_())
    with pytest.raises(ModelError, match="wrote to the labels"):
        made.fit(make_samples(12, Task.REGRESSION).pooled(), 0)


def test_a_fit_that_may_hold_more_than_tensors_is_not_stored(trainer, make_samples):
    made, _ = trainer(Means)
    assert stored(made.fit(make_samples(12, Task.REGRESSION).pooled(), 5)) is None


def test_others_are_stored(trainer, make_samples, monkeypatch):
    made, _ = trainer(Means)
    monkeypatch.setattr(Means, "storable", True)
    fitted = made.fit(make_samples(12, Task.REGRESSION).pooled(), 5)
    again = made.restore(stored(fitted), 5)
    assert again.model.mean == fitted.model.mean
    assert again.cost["train_reused"] == 1
