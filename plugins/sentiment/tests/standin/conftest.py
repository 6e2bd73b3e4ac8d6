import numpy as np
import pytest
import torch

from alharness import Inputs, ModelShape, Samples, Task
from alharness.api.metrics import CLASSIFICATION
from alharness.engine.batches import as_batch
from alharness.engine.metrics import evaluate
from alharness.engine.recipe import Fit
from alharness.engine.training import Trainer
from alharness.models.late_fusion.plugin import LateFusionParams, make
from alharness.spec.settings import TrainingSettings
from alharness_sentiment.standin.generator import generate
from alharness_sentiment.standin.settings import StandInSettings

CPU = torch.device("cpu")


@pytest.fixture(scope="session")
def simsv2():
    """The stand-in for simsv2 with all defaults."""
    return generate("simsv2", StandInSettings())


@pytest.fixture(scope="session")
def small():
    """Make a small stand-in."""

    def make(name="simsv2", share=0.02, **settings):
        return generate(name, StandInSettings(share=share, **settings))

    return make


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The folder of stored stand-ins."""
    monkeypatch.setenv("ALHARNESS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "stand-ins"


class Lab:
    """A stand-in, and models trained on it with the settings that its figures are quoted for.

    Args:
        standin: made by the generator.
        seeds: how many seeds a fit with all labels is made for, and one with fewer labels.
    """

    def __init__(self, standin, seeds=(2, 3)):
        self._seeds = seeds
        sentiment = standin.recipe.design.sentiment
        self.extent = sentiment.extent if sentiment else None
        self.task = Task.REGRESSION if sentiment else Task.CLASSIFICATION
        self.classes = standin.recipe.design.classes
        self.parts = standin.parts
        own = sentiment is None or sentiment.own
        self.splits = {
            split: Samples(
                inputs=Inputs(ids=part.population.ids, arrays=part.features),
                labels=part.labels.fused,
                unimodal_labels=part.labels.own if own else {},
            )
            for split, part in standin.parts.items()
        }
        self.train, self.valid, self.test = self.splits.values()
        self._trained = self._trainer(self.train, self.valid)
        self._fits = {}

    def fit(self, labels=None, seed=0):
        """A model trained on this many labels drawn at random (all by default), and the positions of the rest.

        With it, as one stack, those of other seeds that tests ask for.
        """
        seeds = range(self._seeds[labels is not None])
        orders = {s: np.random.default_rng(s).permutation(len(self.train)) for s in (seed, *seeds)}
        labels = len(self.train) if labels is None else labels
        if (labels, seed) not in self._fits:
            trainer, valid = self._trained
            asked = [Fit(labeled=self.train.take(orders[s][:labels]), seed=s, valid=valid) for s in seeds]
            for s, fitted in zip(seeds, trainer.fit_many(asked), strict=True):
                self._fits[labels, s] = fitted.model
        return self._fits[labels, seed], np.sort(orders[seed][labels:])

    def errors(self, model, samples, source="fused"):
        """(n,) absolute errors of the clipped predictions, or negative log-likelihoods."""
        output, labels = self._output(model, samples)[source], self._labels(samples, source)
        if self.task == Task.REGRESSION:
            return np.abs(output[:, 0].clip(-self.extent, self.extent) - labels)
        return -torch.log_softmax(torch.tensor(output), 1).numpy()[np.arange(len(labels)), labels]

    def score(self, model, source="fused"):
        """Mean absolute error, or support-weighted F1, on the test split."""
        if self.task == Task.REGRESSION:
            return float(self.errors(model, self.test, source).mean())
        output = self._output(model, self.test)[source]
        return evaluate(CLASSIFICATION, output, self._labels(self.test, source))["f1"]

    def constant(self, source="fused"):
        """What the best constant scores: the median of train, or its most frequent class."""
        train, test = self._labels(self.train, source), self._labels(self.test, source)
        if self.task == Task.REGRESSION:
            return float(np.abs(test - np.median(train)).mean())
        output = np.eye(len(self.classes))[np.full(len(test), np.bincount(train).argmax())]
        return evaluate(CLASSIFICATION, output, test)["f1"]

    def predictions(self, model):
        """(n,) predictions of the test split."""
        return self._output(model, self.test)["fused"][:, 0]

    def norms(self, model, samples):
        """(n,) lengths of all z_u together."""
        return torch.cat(list(model.encode(as_batch(samples, CPU)).values()), dim=1).norm(dim=1).numpy()

    def score_alone(self, modality):
        """The score of a model that sees one modality and learns the fused labels from it."""

        def narrow(samples):
            inputs = Inputs(ids=samples.ids, arrays={modality: samples.inputs.arrays[modality]})
            return Samples(inputs=inputs, labels=samples.labels)

        train = narrow(self.train)
        trainer, valid = self._trainer(train, narrow(self.valid))
        model = trainer.fit(train, 0, valid).model
        output = model(as_batch(narrow(self.test), CPU))["fused"].numpy()
        if self.task == Task.REGRESSION:
            return float(np.abs(output[:, 0].clip(-self.extent, self.extent) - self.test.labels).mean())
        return evaluate(CLASSIFICATION, output, self.test.labels)["f1"]

    @property
    def settings(self):
        """How all models are trained."""
        return TrainingSettings(epochs=60, batch_size=32, learning_rate=1e-3, patience=8, device="cpu")

    def _trainer(self, train, valid):
        """For such samples, and what it validates with."""
        shape = ModelShape(
            features={m: array.shape[1] for m, array in train.inputs.arrays.items()},
            task=self.task,
            outputs=len(self.classes) or 1,
        )
        trainer = Trainer(lambda: make(LateFusionParams(), shape), self.settings)
        return trainer, trainer.validation(valid)

    def _output(self, model, samples):
        return {source: output.detach().numpy() for source, output in model(as_batch(samples, CPU)).items()}

    @staticmethod
    def _labels(samples, source):
        return samples.unimodal_labels.get(source, samples.labels)


@pytest.fixture(scope="session")
def lab(simsv2):
    """Models on the stand-in for simsv2."""
    return Lab(simsv2)


@pytest.fixture(scope="session")
def make_lab():
    """Models on another stand-in."""
    return lambda name, seeds, **settings: Lab(generate(name, StandInSettings(**settings)), seeds)
