"""Training as a stack, and one by one: what is asked of both."""

import math
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch

from alharness import Task
from alharness.api.metrics import metrics_of
from alharness.engine.batches import as_batch
from alharness.engine.extraction import predict
from alharness.engine.metrics import evaluate
from alharness.engine.recipe import Fit
from alharness.engine.stack.stack import Stack
from alharness.engine.stopping import Patience
from alharness.engine.training import stored
from alharness.errors import Diverged
from alharness.models.late_fusion.network import LateFusion

WARNING = "the model cannot be trained as a stack"


@pytest.fixture(
    params=[
        pytest.param("stack", marks=pytest.mark.filterwarnings(f"error:{WARNING}")),
        pytest.param("alone", marks=pytest.mark.filterwarnings(f"ignore:{WARNING}")),
    ]
)
def make_trainer(make_trainer, monkeypatch, request):
    monkeypatch.setattr(LateFusion, "stackable", request.param == "stack")
    return make_trainer


def weights(fitted):
    return torch.cat([value.flatten() for value in fitted.model.state_dict().values()])


def test_equal_seeds_train_equal_models_whatever_the_global_generator(make_trainer, make_samples):
    trainer, labeled = make_trainer(), make_samples(40).pooled()
    torch.manual_seed(1)
    one = weights(trainer.fit(labeled, 7))
    torch.manual_seed(2)
    assert torch.equal(one, weights(trainer.fit(labeled, 7)))
    assert not torch.equal(one, weights(trainer.fit(labeled, 8)))


def test_training_leaves_the_global_generator_and_the_threads_alone(make_trainer, make_samples):
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    make_trainer(threads=2).fit(make_samples(20).pooled(), 0)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.get_num_threads() == threads


def test_several_fits_are_what_each_is_alone(make_trainer, make_samples):
    trainer, requests = make_trainer(epochs=3), [Fit(labeled=make_samples(n).pooled(), seed=n) for n in (12, 30)]
    together = trainer.fit_many(requests)
    for fitted, request in zip(together, requests, strict=True):
        assert torch.equal(weights(fitted), weights(trainer.fit(request.labeled, request.seed)))
    assert trainer.fit_many([]) == []


def test_a_fit_that_diverges_takes_no_other_along(make_trainer, make_samples):
    trainer, good = make_trainer(epochs=2), make_samples(12).pooled()
    bad = make_samples(12).pooled()
    bad = replace(bad, inputs=replace(bad.inputs, arrays={m: x * np.nan for m, x in bad.inputs.arrays.items()}))
    first, diverged, last = trainer.fit_many([Fit(labeled=samples, seed=1) for samples in (good, bad, good)])
    assert isinstance(diverged, Diverged)
    assert torch.equal(weights(first), weights(last))


def test_a_stored_fit_is_the_one_that_was_trained(make_trainer, make_samples):
    trainer = make_trainer(epochs=2)
    first = trainer.fit(make_samples(20).pooled(), 3)
    again = trainer.restore(stored(first), 3)
    assert torch.equal(weights(first), weights(again))
    assert (again.epochs, again.cost) == (first.epochs, {**first.cost, "train_reused": 1.0})
    assert not again.model.training
    assert not any(p.requires_grad for p in again.model.parameters())


@pytest.mark.parametrize(
    "content",
    [
        {"weights": {}, "epochs": 1},
        {"weights": {"x": torch.zeros(1)}, "epochs": 1, "cost": {}},
        {"weights": {}, "epochs": "1", "cost": {}},
        {"weights": {}, "epochs": 1, "cost": {"train_seconds": math.nan}},
        {"weights": {}, "epochs": 1, "cost": ["train_seconds"]},
        [1, 2],
    ],
)
def test_case_43_bytes_that_hold_no_fit_are_refused(make_trainer, content):
    found = BytesIO()
    torch.save(content, found)
    with pytest.raises(ValueError, match=r"\S"):
        make_trainer().restore(found.getvalue(), 0)


def test_case_43_what_a_stored_fit_names_is_never_called(make_trainer, tmp_path):
    class Runs:
        def __reduce__(self):
            return Path.touch, (tmp_path / "called",)

    found = BytesIO()
    torch.save({"weights": {}, "epochs": Runs(), "cost": {}}, found)
    with pytest.raises(ValueError, match="weights_only|Unsupported|unsafe"):
        make_trainer().restore(found.getvalue(), 0)
    assert not (tmp_path / "called").exists()


@pytest.mark.parametrize("task", list(Task))
def test_ten_samples_can_be_learned_by_heart(make_trainer, make_samples, task):
    labeled = make_samples(10, task).pooled()
    params = {"hidden": 32, "representation": 16, "fusion": 16, "dropout": 0.0}
    fitted = make_trainer(task, params=params, epochs=400).fit(labeled, 0)
    metrics = evaluate(metrics_of(task), predict(fitted, labeled.inputs, 100), labeled.labels)
    if task == Task.CLASSIFICATION:
        assert metrics["accuracy"] == 1
    else:
        assert metrics["mae"] < 0.1 * labeled.labels.std()


def test_statistics_come_from_the_labeled_samples_alone(make_trainer, make_samples):
    labeled, valid = make_samples(25).pooled(), make_samples(30, seed=5).pooled()
    fitted = make_trainer(valid=valid).fit(labeled, 0)
    mean = fitted.model.scales[1].mean.numpy()
    assert np.allclose(mean, labeled.inputs.arrays["text"].mean(axis=0), rtol=1e-5)


def test_validation_stops_early_and_the_best_epoch_is_kept(make_trainer, make_samples):
    labeled, valid = make_samples(40).pooled(), make_samples(40, seed=5).pooled()
    short = make_trainer(valid=valid, epochs=200, patience=3).fit(labeled, 0)
    assert short.epochs < 200
    # As many epochs, stopped by their number: the run is the same, so the weights must be as well.
    again = make_trainer(valid=valid, epochs=short.epochs, patience=200).fit(labeled, 0)
    assert torch.equal(weights(short), weights(again))
    last = make_trainer(epochs=short.epochs).fit(labeled, 0)
    assert not torch.equal(weights(short), weights(last))


def test_the_models_schedule_takes_a_step_after_every_epoch(make_trainer, make_samples, monkeypatch):
    rates = []

    class Watched(torch.optim.lr_scheduler.LambdaLR):
        def step(self, *args):
            rates.append(self.optimizer.param_groups[0]["lr"])
            super().step(*args)

    monkeypatch.setattr(LateFusion, "schedule", lambda self, optimizer: Watched(optimizer, lambda e: 1 / (e + 1)))
    make_trainer(epochs=3, learning_rate=0.3, batch_size=4).fit(make_samples(20).pooled(), 0)
    assert rates[1:] == pytest.approx([0.3, 0.15, 0.1])  # the first is a step of its making


def test_mixed_precision_rounds_and_still_learns(make_trainer, make_samples):
    labeled = make_samples(30, Task.REGRESSION).pooled()
    exact, rounded = (
        make_trainer(Task.REGRESSION, epochs=60, precision=precision).fit(labeled, 0)
        for precision in ("float32", "bfloat16")
    )
    assert not torch.equal(weights(exact), weights(rounded))
    assert weights(rounded).dtype == torch.float32
    samples = as_batch(labeled, torch.device("cpu"))
    untrained = make_trainer(Task.REGRESSION).initialize(0)
    untrained.adapt(samples)
    batch = untrained.prepare(samples)
    before, after, best = (m.eval().loss(batch).item() for m in (untrained, rounded.model, exact.model))
    assert after < 0.5 * before
    assert after == pytest.approx(best, rel=0.5)


def test_without_validation_every_epoch_is_trained(make_trainer, make_samples):
    assert make_trainer(epochs=7).fit(make_samples(20).pooled(), 0).epochs == 7


def test_case_25_a_loss_that_is_not_finite_is_told_with_its_epoch(make_trainer, make_samples):
    labeled = make_samples(20).pooled()
    labeled.inputs.arrays["audio"][3, 2] = np.nan
    with pytest.raises(Diverged, match="the training loss became nan in epoch 1 on 20 labels"):
        make_trainer().fit(labeled, 0)


def test_one_labeled_sample_is_enough(make_trainer, make_samples):
    fitted = make_trainer(valid=make_samples(20, seed=1).pooled()).fit(make_samples(1).pooled(), 0)
    assert torch.isfinite(weights(fitted)).all()


def test_a_fitted_model_is_frozen_and_its_cost_is_known(make_trainer, make_samples):
    fitted = make_trainer().fit(make_samples(20).pooled(), 0)
    assert not fitted.model.training
    assert not any(p.requires_grad for p in fitted.model.parameters())
    assert fitted.cost["train_seconds"] > 0
    assert fitted.cost["train_cpu_peak_mib"] > 0


def test_the_weights_are_those_of_the_best_epoch(make_trainer, make_samples, monkeypatch):
    scores, improved = [], Patience.improved
    monkeypatch.setattr(Patience, "improved", lambda self, score: scores.append(score) or improved(self, score))
    labeled, valid = make_samples(40).pooled(), make_samples(41, seed=5).pooled()
    fitted = make_trainer(valid=valid, epochs=40, patience=40, stop_on="loss").fit(labeled, 0)
    assert len(scores) == 40
    assert max(scores) > scores[-1]  # else the last ones would pass as well
    batch = fitted.model.prepare(as_batch(valid, torch.device("cpu")))
    assert -fitted.model.loss(batch).item() == pytest.approx(max(scores), rel=1e-5)


def test_training_can_stop_on_the_loss_of_all_heads(make_trainer, make_samples):
    labeled, valid = make_samples(40).pooled(), make_samples(41, seed=5).pooled()
    by_loss = make_trainer(valid=valid, epochs=60, patience=60, stop_on="loss").fit(labeled, 0)
    by_metric = make_trainer(valid=valid, epochs=60, patience=60).fit(labeled, 0)
    assert not by_loss.model.training
    batch = by_loss.model.prepare(as_batch(valid, torch.device("cpu")))
    assert by_loss.model.loss(batch).item() < by_metric.model.loss(batch).item()


def test_dropout_is_on_in_every_epoch_and_off_in_validation(make_trainer, make_samples, monkeypatch):
    modes, loss, decode = {"loss": set(), "decode": set()}, LateFusion.loss, LateFusion.decode

    def note(what, model):
        modes[what].add(model.training)

    monkeypatch.setattr(LateFusion, "loss", lambda self, batch: note("loss", self) or loss(self, batch))
    monkeypatch.setattr(LateFusion, "decode", lambda self, z: note("decode", self) or decode(self, z))
    make_trainer(epochs=3, valid=make_samples(20, seed=1).pooled()).fit(make_samples(20).pooled(), 0)
    assert modes == {"loss": {True}, "decode": {False}}


def test_float32_is_float32_unless_asked(make_trainer, make_samples, monkeypatch):
    seen = []
    note = lambda: (torch.backends.fp32_precision, torch.is_autocast_enabled("cpu"))
    loss, epoch = LateFusion.loss, Stack.epoch
    if LateFusion.stackable:  # mixed precision is in what is recorded
        monkeypatch.setattr(Stack, "epoch", lambda self: seen.append(note()) or epoch(self))
    else:
        monkeypatch.setattr(LateFusion, "loss", lambda self, batch: seen.append(note()) or loss(self, batch))
    for precision in ("float32", "tf32", "bfloat16"):
        make_trainer(epochs=1, precision=precision).fit(make_samples(20).pooled(), 0)
        assert note() == ("ieee", False)
    assert seen == [("ieee", False), ("tf32", False), ("ieee", not LateFusion.stackable)]


def test_trainings_with_equal_validation_samples_share_them(make_trainer, make_samples):
    trainer = make_trainer()
    first, again, other = (trainer.validation(make_samples(20, seed=seed).pooled()) for seed in (1, 1, 2))
    assert first is again
    assert first is not other
