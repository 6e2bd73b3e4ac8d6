"""Models that cannot be trained as a stack: found, reported with a reason, and trained one by one."""

import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from alharness import FUSED, MultimodalModel, Task
from alharness.engine.alone import train_alone
from alharness.errors import ModelError


class Net(MultimodalModel):
    """With dropout, batch norm, and a layer that is not trained."""

    def __init__(self, shape):
        super().__init__(shape)
        self.frozen = nn.Linear(6, 6).requires_grad_(requires_grad=False)
        self.encoders = nn.ModuleDict({m: nn.Linear(d, 5) for m, d in shape.features.items()})
        self.norm = nn.BatchNorm1d(5)
        self.dropout = nn.Dropout(0.3)
        self.heads = nn.ModuleDict({m: nn.Linear(5, shape.outputs) for m in shape.features})
        self.fused = nn.Linear(5 * len(shape.features), shape.outputs)

    def encode(self, batch):
        inputs = {**batch.inputs, "audio": self.frozen(batch.inputs["audio"])}
        return {m: self.encoders[m](inputs[m]) for m in self.shape.modalities}

    def decode(self, z):
        hidden = {m: self.dropout(torch.sigmoid(self.norm(z[m]))) for m in self.shape.modalities}
        outputs = {m: self.heads[m](h) for m, h in hidden.items()}
        return {**outputs, FUSED: self.fused(torch.cat([*hidden.values()], dim=1))}

    def last_layer(self, source):
        return self.fused if source == FUSED else self.heads[source]

    def loss(self, batch):
        if self.shape.task == Task.REGRESSION:
            return sum((o.squeeze(1) - batch.labels[s]).abs().mean() for s, o in self(batch).items())
        return sum(functional.cross_entropy(o, batch.labels[s]) for s, o in self(batch).items())


class RewritesBuffer(Net):
    def __init__(self, shape):
        super().__init__(shape)
        self.register_buffer("seen", torch.zeros(()))

    def loss(self, batch):
        self.seen = self.seen + 1
        return super().loss(batch) / self.seen


class Counts(Net):
    _steps = 0

    def loss(self, batch):
        self._steps += 1
        return super().loss(batch) / self._steps


class CountsInDictionary(Net):
    def __init__(self, shape):
        super().__init__(shape)
        self.counts = {"steps": 0}

    def loss(self, batch):
        self.counts["steps"] += 1
        return super().loss(batch) / min(2 * self.counts["steps"], 2)


class OwnTensor(Net):
    """Drawn with the weights, and no buffer."""

    def __init__(self, shape):
        super().__init__(shape)
        self.own = torch.rand(5)

    def encode(self, batch):
        return {m: z * self.own for m, z in super().encode(batch).items()}


class OwnStatistics(Net):
    """Of the labeled samples, and no buffer."""

    def adapt(self, labeled):
        self.mean = labeled.inputs["audio"].mean(0)

    def loss(self, batch):
        return super().loss(batch) + self.mean.abs().sum() * self.fused.bias.sum()


class OwnNumber(OwnStatistics):
    def adapt(self, labeled):
        self.mean = labeled.inputs["text"].mean().item() * torch.ones(1)


class Branches(Net):
    def loss(self, batch):
        loss = super().loss(batch)
        return loss if loss < 2 else 2 * loss


class DrawsFromNumpy(Net):
    def loss(self, batch):
        return super().loss(batch) * (1 + 0 * np.random.rand())


class DrawsFromPython(Net):
    def loss(self, batch):
        return super().loss(batch) if random.random() < 2 else None


class DrawsOtherwise(Net):
    def loss(self, batch):
        return super().loss(batch) * torch.poisson(torch.ones(())) if self.training else super().loss(batch)


class DrawsInEvaluation(Net):
    def decode(self, z):
        noise = 0.0 if self.training else 1e-9 * torch.rand(())
        return {source: o + noise for source, o in super().decode(z).items()}


class ComputesByNumpy(Net):
    def decode(self, z):
        outputs = super().decode(z)
        if not self.training:
            outputs[FUSED] = torch.from_numpy(1 + np.abs(outputs[FUSED].detach().numpy()))
        return outputs


class Declares(Net):
    stackable = False


class Differentiates(Net):
    def differentiate(self, batch):
        return super().differentiate(batch)


class HooksGradient(Net):
    def __init__(self, shape):
        super().__init__(shape)
        self.fused.weight.register_hook(lambda gradient: 2 * gradient)


REASONS = {
    RewritesBuffer: "its loss sets seen; of each model, a stack keeps parameters alone, and buffers",
    Counts: "its loss sets _steps;",
    CountsInDictionary: "its loss sets counts;",
    OwnTensor: "is another than that of the model by itself",
    OwnStatistics: "is another than that of the model by itself",
    OwnNumber: "is another than that of the model by itself",
    Branches: "what it does depends on the numbers in a tensor",
    DrawsFromNumpy: "it draws from Python's or numpy's global generator",
    DrawsFromPython: "it draws from Python's or numpy's global generator",
    DrawsOtherwise: "it draws by aten.poisson.default, which no stream of its own replaces",
    DrawsInEvaluation: "it draws random numbers in evaluation mode",
    ComputesByNumpy: "it carries out a computation with a tensor of its own",
    Declares: "its class says so (`stackable = False`)",
    Differentiates: "it brings its own `differentiate`",
    HooksGradient: "the gradient of fused.weight is another than that of the model by itself",
}


@pytest.mark.parametrize("kind", REASONS)
def test_a_model_that_cannot_be_stacked_is_trained_one_by_one(
    make_stacks, make_recipe, make_requests, make_samples, same, kind
):
    trainer, warnings = make_stacks(kind)
    valid = trainer.validation(make_samples(15, seed=50).pooled())
    requests = make_requests(3, valids=[valid])
    random.seed(0)
    np.random.seed(0)
    found = trainer.fit_many(requests)
    (warning,) = warnings
    assert warning.startswith(
        "the model cannot be trained as a stack and is trained one by one, which takes longer: "
    )
    assert REASONS[kind] in warning
    assert "\n" not in warning
    alone = make_recipe(kind=kind)
    assert all(same(found, [train_alone(alone, request) for request in requests]))
    assert not any("train_stacked" in fitted.cost for fitted in found)


def test_the_reason_is_told_once(make_stacks, make_requests):
    trainer, warnings = make_stacks(Counts)
    for labels in (10, 20):
        trainer.fit_many(make_requests(2, labels))
    assert len(warnings) == 1


class NotScalar(Net):
    def loss(self, batch):
        return super().loss(batch) * torch.ones(len(batch))


class Fails(Net):
    def loss(self, batch):
        raise KeyError("lost")


class FailsInValidation(Net):
    def decode(self, z):
        return {} if not self.training else super().decode(z)


FAULTS = {
    NotScalar: r"loss gave a tensor of shape \(20,\)",
    Fails: "KeyError: 'lost'",
    FailsInValidation: "decode gave nothing for",
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_that_a_model_has_by_itself_is_no_matter_of_stacks(make_stacks, make_requests, make_samples, kind):
    trainer, warnings = make_stacks(kind)
    valid = trainer.validation(make_samples(15, seed=50).pooled())
    for error in trainer.fit_many(make_requests(2, valids=[valid])):
        with pytest.raises(ModelError, match=FAULTS[kind]):
            raise error
    assert not warnings


class Clips(Net):
    """With an own optimizer whose hook needs the gradients of one model."""

    def optimizer(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9)
        optimizer.register_step_pre_hook(self.clip)
        return optimizer

    def clip(self, *_):
        nn.utils.clip_grad_norm_(self.parameters(), 0.1)


class Plain(Net):
    """No dropout: trained by itself it draws the same batches only by chance, so there is one batch."""

    def __init__(self, shape):
        super().__init__(shape)
        self.dropout = nn.Identity()


class PlainClips(Plain, Clips):
    pass


@pytest.mark.parametrize("kind", [Plain, PlainClips])
def test_a_stack_trains_what_a_model_is_by_itself(make_stacks, make_recipe, make_requests, kind):
    """Without dropout and with all samples in one batch nothing is drawn but weights, which come from the seed."""
    trainer, warnings = make_stacks(kind, epochs=5)
    requests = make_requests(3)
    found = trainer.fit_many(requests)
    assert not warnings
    for fitted, request in zip(found, requests, strict=True):
        assert fitted.cost["train_stacked"] == 3
        alone = train_alone(make_recipe(kind=kind, epochs=5), request).model.state_dict()
        for name, value in fitted.model.state_dict().items():
            torch.testing.assert_close(value, alone[name], rtol=2e-3, atol=2e-4, msg=name)


def test_a_model_with_dropout_batch_norm_and_an_own_optimizer_is_stacked(make_stacks, make_requests, same):
    trainer, warnings = make_stacks(Clips)
    together = trainer.fit_many(make_requests(3))
    assert not warnings
    assert [fitted.cost["train_stacked"] for fitted in together] == [3, 3, 3]
    alone, _ = make_stacks(Clips, stack=1)
    assert all(same(together, alone.fit_many(make_requests(3))))
