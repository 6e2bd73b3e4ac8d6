"""A fault is that of the plugin whose code it is in, and a write is that of the plugin that made it."""

import time

import numpy as np
import pytest
import torch

from alharness import FUSED, Feature, ModelError, ModelShape, MultimodalModel, Sampler, SamplerError, Task
from alharness.engine.extraction import predict
from alharness.engine.recipe import model_border
from alharness.engine.training import Trainer
from alharness.errors import Diverged
from alharness.guard import border
from alharness.models.late_fusion.network import LateFusion
from alharness.models.late_fusion.plugin import LateFusionParams
from alharness.spec.settings import TrainingSettings
from alharness.testing import Scenario

ALL = frozenset(Feature)


def model_of(query):
    return query.decode.__self__._model


class Does(Sampler):
    def __init__(self, action):
        self.action = action

    def select(self, query):
        self.action(query)
        return range(query.size)


def weights(query):
    with torch.no_grad():
        next(model_of(query).parameters()).add_(1)


def weights_by_numpy(query):
    next(model_of(query).parameters()).detach().numpy()[0] = 7


def swapped_rows(query):
    values = next(p for p in model_of(query).parameters() if p.ndim == 2 and len(p) > 1).detach().numpy()
    values[:] = values[::-1].copy()


WRITES = {
    "weights": weights,
    "weights by numpy": weights_by_numpy,
    "swapped rows": swapped_rows,
    "train": lambda query: model_of(query).train(),
    "grad": lambda query: model_of(query).requires_grad_(),
    "hook": lambda query: model_of(query).register_forward_hook(lambda *_: None),
    "method": lambda query: setattr(model_of(query), "decode", None),
    "class": lambda query: setattr(type(model_of(query)), "spoiled", True),
    "predictions": lambda query: query.unlabeled.predictions().mul_(2),
    "embeddings": lambda query: query.labeled.embeddings()[0].zero_(),
    "labels": lambda query: query.labeled.targets().fill_(0),
    "representations": lambda query: query.unlabeled.representations("audio").T.add_(1),
}


@pytest.mark.parametrize("what", WRITES)
def test_case_28_a_sampler_that_writes_to_what_others_read_is_refused_by_its_name(what):
    try:
        with pytest.raises(SamplerError, match=r"scribe \(x 1.0\), cycle 0: it changed"):
            Scenario().ask(Does(WRITES[what]), ALL, "scribe (x 1.0)")
    finally:
        for kind in (
            LateFusion.__mro__,
            __import__("alharness.testing.network").testing.network.ExactNetwork.__mro__,
        ):
            if "spoiled" in vars(kind[0]):
                del kind[0].spoiled


def test_what_a_sampler_is_shown_and_may_do_is_no_write():
    def look(query):
        z = {m: query.unlabeled.representations(m).clone().requires_grad_() for m in query.modalities}
        query.decode({**z, **query.unlabeled.context()})[FUSED].sum().backward()
        list(query.unlabeled.mc_draws(2))
        query.unlabeled.embeddings(), query.labeled.predictions(), query.labeled.targets()

    assert Scenario().ask(Does(look), ALL).positions


def test_the_look_at_the_process_is_no_part_of_a_querys_time(monkeypatch):
    class Slow(border.Snapshot):
        def __init__(self):
            time.sleep(1)
            super().__init__()

    monkeypatch.setattr(border, "Snapshot", Slow)
    answer = Scenario().ask(Does(lambda query: None), ALL)
    assert answer.cost["query_seconds"] < 1


def test_an_error_in_a_sampler_is_the_samplers():
    with pytest.raises(SamplerError, match=r"scribe \(x 1.0\): ZeroDivisionError: division by zero, in cycle 0"):
        Scenario().ask(Does(lambda query: 1 / 0), ALL, "scribe (x 1.0)")


def test_representations_of_a_wrong_shape_are_the_samplers_fault():
    def decode(query):
        query.decode({m: torch.zeros(3, 99) for m in query.modalities})

    def ragged(query):
        z = {m: query.unlabeled.representations(m) for m in query.modalities}
        query.decode({**z, query.modalities[0]: z[query.modalities[0]][:2]})

    for action in (lambda query: (query.unlabeled.representations("audio"), decode(query)), ragged):
        with pytest.raises(SamplerError, match="called decode with tensors of shapes"):
            Scenario().ask(Does(action), ALL)


# Models


class Odd(LateFusion):
    """`late_fusion` with one thing wrong."""

    def __init__(self, shape, fault):
        super().__init__(LateFusionParams(hidden=8, representation=4, fusion=4), shape)
        self.fault = fault

    differentiate = MultimodalModel.differentiate

    def loss(self, batch):
        loss = super().loss(batch)
        match self.fault:
            case "loss of rows":
                return loss * torch.ones(len(batch))
            case "loss is a float":
                return loss.item()
            case "loss without gradient":
                return loss.detach()
            case "loss raises":
                raise KeyError("lost")
            case "writes labels":
                batch.labels[FUSED].zero_()
            case "nan loss":
                return loss * float("nan")
        return loss

    def adapt(self, labeled):
        super().adapt(labeled)
        if self.fault == "writes labels by numpy":
            labeled.labels[FUSED].numpy()[:] = 0

    def encode(self, batch):
        z = super().encode(batch)
        match self.fault:
            case "writes inputs":
                batch.inputs["audio"].add_(1)
            case "writes inputs by numpy" if not self.training:
                batch.inputs["audio"].numpy()[:] += 1
            case "encode forgets" if not self.training:
                del z["text"]
            case "encode raises" if not self.training:
                raise ValueError("no encoder")
            case "encode gives 3-D" if not self.training:
                z["text"] = z["text"][:, None]
        return z

    def decode(self, z):  # noqa: PLR0911
        out = super().decode(z)
        match self.fault:
            case "C + 1":
                return {source: torch.cat([x, x[:, :1]], 1) for source, x in out.items()}
            case "no heads":
                return {FUSED: out[FUSED]}
            case "no dict":
                return out[FUSED]
            case "integers":
                return {source: x.argmax(1, keepdim=True).expand(-1, 3) for source, x in out.items()}
            case "fewer rows":
                return {source: x[:-1] for source, x in out.items()}
            case "nan":
                return {source: x * float("nan") for source, x in out.items()}
        return out


@pytest.fixture
def trained(make_samples):
    def train(fault, valid=True):
        shape = ModelShape(features={"audio": 6, "text": 4, "vision": 3}, task=Task.CLASSIFICATION, outputs=3)
        settings = TrainingSettings(epochs=1, device="cpu")
        border = model_border("the model 'odd' of x==1.0", pytest.fail)
        trainer = Trainer(lambda: Odd(shape, fault), settings, border=border)
        given = trainer.validation(make_samples(20, seed=3).pooled()) if valid else None
        return trainer.fit(make_samples(12).pooled(), 0, given)

    return train


def evaluated(trained, make_samples, fault):
    fitted = trained(fault, valid=False)
    return predict(fitted, make_samples(20, seed=5).pooled().inputs, 8)


TRAINING = {
    "loss of rows": r"loss gave a tensor of shape \(12,\)",
    "loss is a float": "loss gave float",
    "loss without gradient": "does not depend on any parameter",
    "loss raises": "KeyError: 'lost', in training",
    "C + 1": r"shape \(20, 4\), expected \(20, 3\): 20 samples, 3 classes",
    "no heads": "decode gave nothing for audio, text, vision",
    "no dict": "decode gave a tensor .* expected a dictionary",
    "writes labels by numpy": "it wrote to the labels that were bought",
    "writes inputs by numpy": "it wrote to the validation samples",
}
EVALUATION = {
    "C + 1": r"expected \(8, 3\)",
    "no heads": "decode gave nothing for",
    "integers": "torch.int64, expected floating-point numbers",
    "fewer rows": r"shape \(7, 3\), expected \(8, 3\)",
    "encode raises": "ValueError: no encoder",
    "writes inputs": "it wrote to what it was given",
}


@pytest.mark.parametrize("fault", TRAINING)
def test_a_fault_in_training_names_the_model(trained, fault):
    with pytest.raises(ModelError, match=rf"the model 'odd' of x==1.0.*: .*{TRAINING[fault]}"):
        trained(fault)


@pytest.mark.parametrize("fault", EVALUATION)
def test_a_fault_in_evaluation_names_the_model(trained, make_samples, fault):
    with pytest.raises(ModelError, match=rf"the model 'odd' of x==1.0.*: .*{EVALUATION[fault]}"):
        evaluated(trained, make_samples, fault)


def test_predictions_that_are_not_finite_are_a_training_that_diverged(trained, make_samples):
    with pytest.raises(Diverged, match="20 of 20 predictions of test samples are NaN"):
        evaluated(trained, make_samples, "nan")
    with pytest.raises(Diverged, match="the training loss became nan"):
        trained("nan loss")


def test_what_is_no_model_is_named():
    with pytest.raises(ModelError, match="its plugin made Linear, expected a MultimodalModel"):
        Trainer(lambda: torch.nn.Linear(2, 2), TrainingSettings(device="cpu"))


def test_a_fault_of_the_model_in_a_query_names_the_model(make_samples, trained):
    from alharness.engine.extraction import Extractor
    from alharness.engine.measure import Clock
    from alharness.engine.views import ModelView

    for fault, message in (
        ("encode raises", "ValueError: no encoder"),
        ("encode forgets", "encode gave nothing for text"),
        ("encode gives 3-D", r"encode gave 'text' of shape \(3, 1, 4\), expected \(3, d\)"),
    ):
        fitted = trained(fault, valid=False)
        extractor = Extractor(fitted, 8, ALL, Clock(fitted.device, rest="selection"), 0)
        view = ModelView(extractor, make_samples(20).pooled().inputs, np.arange(3))
        with pytest.raises(ModelError, match=f"the model 'odd' of x==1.0: .*{message}"):
            view.predictions()
