"""The kit for models: the built-in one keeps all promises, and one that breaks a promise fails that test."""

import numpy as np
import pytest
import torch

from alharness import Feature, ModelPlugin, SpecError, Task
from alharness.models.late_fusion.network import LateFusion
from alharness.models.late_fusion.plugin import alharness_models
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


def refusing(params, facts):
    raise SpecError("it needs one modality")


FAULTS = {
    "its_review_lets_it_pass": kit(review=refusing),
    "it_learns_what_is_easy": kit(LearnsNothing),
    "one_label_is_enough": kit(NeedsTwo),
    "labels_that_are_all_alike_are_enough": kit(NeedsClasses),
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


@pytest.mark.slow
def test_what_keeps_its_promises_passes():
    good = type("Kit", (ModelConformance,), {"plugin": GOOD})
    left = {verdict.test: verdict for verdict in examine(good) if verdict.status != "passed"}
    assert {name: verdict.status for name, verdict in left.items()} == {
        "test_steps_beyond_the_length_do_not_matter": "skipped"
    }


def test_every_promise_has_its_fault():
    known = {*promises_of(Conformance), "test_the_defaults_are_valid_parameters"}  # which samplers prove
    assert {f"test_{promise}" for promise in FAULTS} == {*promises_of(ModelConformance)} - known


def test_a_model_says_what_it_provides():
    without = kit(provides=GOOD.provides - {Feature.MC_DRAWS})
    (verdict,) = examine(without, only={"test_dropout_draws_differ_and_come_again"})
    assert (verdict.status, verdict.reason) == ("skipped", "it does not provide mc_draws")
