"""Training one by one, with a generator for all that a model draws."""

import pytest
import torch

from alharness import Batch, MultimodalModel, Task
from alharness.engine.alone import train_alone
from alharness.engine.batches import as_batch
from alharness.engine.recipe import Fit, Validation
from alharness.guard import fingerprint
from alharness.models.late_fusion.network import LateFusion


def validation(samples):
    batch = as_batch(samples, torch.device("cpu"))
    return Validation(batch=batch, contents=fingerprint.of_tensors(batch.tensors))


@pytest.mark.parametrize("task", list(Task))
def test_a_plain_loop_trains_the_same_model(make_recipe, make_samples, task):
    recipe, labeled = make_recipe(task, epochs=6, batch_size=8), make_samples(21, task).pooled()
    fitted = train_alone(recipe, Fit(labeled=labeled, seed=5))
    torch.manual_seed(5)
    model, batch = recipe.build(), as_batch(labeled, torch.device("cpu"))
    model.adapt(batch)
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2, weight_decay=1e-4)
    for _ in range(6):
        order = torch.randperm(21)
        for start in range(0, 21, 8):
            rows = order[start : start + 8]
            inputs = {m: torch.from_numpy(x)[rows] for m, x in labeled.inputs.arrays.items()}
            labels = dict.fromkeys((*inputs, "fused"), torch.from_numpy(labeled.labels)[rows])
            optimizer.zero_grad()
            model.loss(model.prepare(Batch(inputs=inputs, labels=labels))).backward()
            optimizer.step()
    for name, value in model.state_dict().items():
        assert torch.allclose(fitted.model.state_dict()[name], value, rtol=1e-4, atol=1e-5), name


def test_a_models_own_derivative_is_taken(make_recipe, make_samples, monkeypatch):
    sizes, differentiate = [], MultimodalModel.differentiate
    note = lambda self, batch: sizes.append(len(batch)) or differentiate(self, batch)
    monkeypatch.setattr(LateFusion, "differentiate", note)
    train_alone(make_recipe(epochs=2, batch_size=8), Fit(labeled=make_samples(20).pooled(), seed=0))
    assert sizes == [8, 8, 4] * 2


def test_samples_are_prepared_once_in_a_training(make_recipe, make_samples, monkeypatch):
    sizes, prepare = [], LateFusion.prepare
    note = lambda self, samples: sizes.append(len(samples)) or prepare(self, samples)
    monkeypatch.setattr(LateFusion, "prepare", note)
    labeled, valid = make_samples(20).pooled(), validation(make_samples(30, seed=1).pooled())
    train_alone(make_recipe(batch_size=8, stop_on="loss"), Fit(labeled=labeled, seed=0, valid=valid))
    assert sizes == [20, 30]


def test_the_loss_of_validation_samples_is_a_mean_over_all_of_them(make_recipe, make_samples):
    """Parts of 7 samples, the last of which is smaller: a mean over parts would have another best epoch."""
    labeled, valid = make_samples(40).pooled(), validation(make_samples(41, seed=5).pooled())
    fits = [
        train_alone(
            make_recipe(epochs=30, patience=30, stop_on="loss", inference_batch=size),
            Fit(labeled=labeled, seed=0, valid=valid),
        )
        for size in (7, 41)
    ]
    one, other = (fitted.model.state_dict() for fitted in fits)
    assert all(torch.equal(one[name], other[name]) for name in one)
