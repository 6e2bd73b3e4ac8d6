"""The kit for models: the built-in one keeps all promises, and one that breaks a promise fails that test."""

import numpy as np
import pytest
import torch

from alharness import FUSED, Feature, FittingModel, ModelPlugin, SpecError, Task
from alharness.models.late_fusion.network import LateFusion
from alharness.models.late_fusion.plugin import alharness_models
from alharness.models.linear.plugin import alharness_models as linear_models
from alharness.testing import Conformance, ModelConformance, examine
from alharness.testing.kit import promises_of

(GOOD,) = alharness_models()


def kit(network=LateFusion, **about):
    given = {"params": GOOD.params, "incomplete": GOOD.incomplete, "provides": GOOD.provides}
    plugin = ModelPlugin(**{"name": "toy", "make": network} | given | about)
    return type("Kit", (ModelConformance,), {"plugin": plugin, "tasks": {Task.CLASSIFICATION}})


class LearnsNothing(LateFusion):
    def loss(self, batch):
        return super().loss(batch) * 0


class NeedsTwo(LateFusion):
    def adapt(self, labeled):
        super().adapt(labeled)
        self.shift.copy_(next(iter(labeled.inputs.values()))[:, 0].std())

    def __init__(self, params, shape):
        super().__init__(params, shape)
        self.register_buffer("shift", torch.zeros(()))

    def decode(self, z):
        return {source: x + self.shift for source, x in super().decode(z).items()}


class NeedsClasses(NeedsTwo):
    def adapt(self, labeled):
        LateFusion.adapt(self, labeled)
        self.shift.copy_(1 / labeled.labels["fused"].double().std())


class NeedsSpread(NeedsTwo):
    def adapt(self, labeled):
        LateFusion.adapt(self, labeled)
        self.shift.copy_(1 / next(iter(labeled.inputs.values())).std())


class Exponential(NeedsTwo):
    def adapt(self, labeled):
        LateFusion.adapt(self, labeled)
        self.shift.copy_(next(iter(labeled.inputs.values())).exp().mean())


class FromTheSystem(LateFusion):
    def __init__(self, params, shape):
        super().__init__(params, shape)
        with torch.no_grad():
            for weight in self.parameters():
                weight.add_(0.01 * float(np.random.default_rng().normal()))


class Counting(LateFusion):
    made = 0

    def __init__(self, params, shape):
        super().__init__(params, shape)
        Counting.made += 1
        with torch.no_grad():
            next(iter(self.parameters())).mul_(1 + Counting.made)


class Forgets(LateFusion):
    def adapt(self, labeled):
        super().adapt(labeled)
        self.forgotten = 1.0

    def decode(self, z):
        return {source: x + getattr(self, "forgotten", 0.0) for source, x in super().decode(z).items()}


class OfTheBatch(LateFusion):
    def decode(self, z):
        return {source: x - x.mean(0) for source, x in super().decode(z).items()}


class Sequences(LateFusion):
    """Takes the mean of all steps, also of those beyond the length."""

    def _pooled(self, batch):
        from dataclasses import replace

        return replace(batch, inputs={m: x.mean(1) for m, x in batch.inputs.items()}, lengths={})

    def adapt(self, labeled):
        super().adapt(self._pooled(labeled))

    def prepare(self, samples):
        return super().prepare(self._pooled(samples))

    def encode(self, batch):
        return super().encode(self._pooled(batch))


class OfWhatIsAbsent(LateFusion):
    def encode(self, batch):
        return {m: x + torch.arange(len(x))[:, None] for m, x in super().encode(batch).items()}


class Switches(LateFusion):
    def __init__(self, params, shape):
        super().__init__(params, shape)
        np.seterr(all="ignore")


class NotFinite(LateFusion):
    def encode(self, batch):
        return {m: x / 0 for m, x in super().encode(batch).items()}

    def decode(self, z):
        return super().decode({m: torch.zeros_like(x) for m, x in z.items()})


class Detached(LateFusion):
    def decode(self, z):
        return super().decode({m: x.detach() for m, x in z.items()})


class Nearest(FittingModel):
    """Classes by the nearest mean of their samples: it keeps its promises."""

    stackable = storable = True

    def __init__(self, params, shape):
        super().__init__(shape)
        sizes = [*shape.features.values(), sum(shape.features.values())]
        self.heads = torch.nn.ModuleList(torch.nn.Linear(size, shape.outputs) for size in sizes)

    def fit(self, labeled, valid):
        for source, x in self.joined(self.encode(labeled)).items():
            head = self.last_layer(source)
            head.weight.data.zero_()
            head.bias.data.fill_(-1e3)  # of classes that no sample has
            for label in labeled.labels[source].unique():
                mean = x[labeled.labels[source] == label].mean(0)
                head.weight.data[label], head.bias.data[label] = mean, -mean.square().sum() / 2

    def encode(self, batch):
        return dict(batch.inputs)

    def joined(self, z):
        return {**z, FUSED: torch.cat([z[m] for m in self.shape.modalities], dim=1)}

    def decode(self, z):
        return {source: self.last_layer(source)(x) for source, x in self.joined(z).items()}

    def last_layer(self, source):
        return self.heads[[*self.shape.modalities, FUSED].index(source)]


class InTheOrderOfTheLabels(Nearest):
    """Its columns are the classes that it saw, as those of many libraries are."""

    def fit(self, labeled, valid):
        super().fit(labeled, valid)
        seen = labeled.labels[FUSED].unique()
        for head in self.heads:
            for values in (head.weight.data, head.bias.data):
                values[: len(seen)] = values[seen]


class TheFirstForAll(Nearest):
    @classmethod
    def fit_all(cls, models, labeled, valid):
        for model in models:
            model.fit(labeled[0], valid[0])


class DrawsWithoutASeed(Nearest):
    def fit(self, labeled, valid):
        super().fit(labeled, valid)
        self.heads[-1].bias.data += float(np.random.default_rng().normal())


class KeepsItElsewhere(Nearest):
    def fit(self, labeled, valid):
        super().fit(labeled, valid)
        self.scale = 2.0

    def decode(self, z):
        return {source: x * getattr(self, "scale", 1.0) for source, x in super().decode(z).items()}


def refusing(params, facts):
    raise SpecError("it needs one modality")


FAULTS = {
    "its_review_lets_it_pass": kit(review=refusing),
    "a_task_that_these_parameters_do_not_serve_is_refused": kit(),
    "it_says_whether_it_fits_itself": kit(Nearest),
    "it_learns_what_is_easy": kit(LearnsNothing),
    "one_label_is_enough": kit(NeedsTwo),
    "labels_that_are_all_alike_are_enough": kit(NeedsClasses),
    "classes_without_a_label_are_not_mixed_up_with_others": kit(InTheOrderOfTheLabels),
    "inputs_that_are_all_alike_do_no_harm": kit(NeedsSpread),
    "inputs_of_any_scale_do_no_harm": kit(Exponential),
    "the_same_seed_trains_the_same": kit(FromTheSystem),
    "several_are_trained_as_each_alone": kit(Counting),
    "what_is_stored_is_the_whole_model": kit(Forgets),
    "samples_do_not_matter_to_each_other": kit(OfTheBatch),
    "steps_beyond_the_length_do_not_matter": kit(Sequences, inputs="sequences"),
    "modalities_that_samples_lack_do_no_harm": kit(OfWhatIsAbsent),
    "the_process_is_left_as_it_was": kit(Switches),
    "it_provides_what_it_says": kit(NotFinite),
    "dropout_draws_differ_and_come_again": kit(
        lambda params, shape: LateFusion(params.model_copy(update={"dropout": 0.0}), shape)
    ),
    "decoded_representations_are_its_predictions": kit(Detached),
}


@pytest.mark.parametrize("promise", FAULTS)
@pytest.mark.filterwarnings("ignore")
def test_a_fault_is_found(promise):
    (verdict,) = examine(FAULTS[promise], only={f"test_{promise}"})
    assert verdict.status == "failed"


@pytest.mark.parametrize(
    ("network", "promise"),
    [
        (TheFirstForAll, "several_are_trained_as_each_alone"),
        (DrawsWithoutASeed, "the_same_seed_trains_the_same"),
        (KeepsItElsewhere, "what_is_stored_is_the_whole_model"),
    ],
)
def test_a_fault_of_a_model_that_fits_itself_is_found(network, promise):
    (verdict,) = examine(kit(network), only={f"test_{promise}"})
    assert verdict.status == "failed"


@pytest.mark.slow
def test_what_keeps_its_promises_passes():
    good = type("Kit", (ModelConformance,), {"plugin": GOOD})
    left = {verdict.test: verdict for verdict in examine(good) if verdict.status != "passed"}
    assert {name: verdict.status for name, verdict in left.items()} == {
        "test_steps_beyond_the_length_do_not_matter": "skipped"
    }


def test_every_promise_has_its_fault():
    assert {f"test_{promise}" for promise in FAULTS} == {*promises_of(ModelConformance)} - {
        *promises_of(Conformance)
    }


def test_what_it_serves_is_found_out():
    def review(params, facts):
        if facts.task == Task.REGRESSION:
            raise SpecError("it needs classes")
        return []

    plugin = ModelPlugin(name="toy", params=GOOD.params, make=Nearest, review=review)
    assert ModelConformance.of(plugin, {}).tasks == {Task.CLASSIFICATION}


def test_what_it_provides_may_depend_on_its_parameters():
    found = kit(Nearest, provides=lambda params: {Feature.PREDICTIONS})
    (verdict,) = examine(found, only={"test_dropout_draws_differ_and_come_again"})
    assert (verdict.status, verdict.reason) == ("skipped", "it does not provide mc_draws")


def test_a_modality_that_the_kit_does_not_have_is_refused():
    (linear,) = linear_models()
    with pytest.raises(SpecError, match=r"modalities\.0: the samples of the kit have no 'top'; name one of audio"):
        ModelConformance.of(linear, {"modalities": ("top",)})


def test_a_model_says_what_it_provides():
    without = kit(provides=GOOD.provides - {Feature.MC_DRAWS})
    (verdict,) = examine(without, only={"test_dropout_draws_differ_and_come_again"})
    assert (verdict.status, verdict.reason) == ("skipped", "it does not provide mc_draws")
