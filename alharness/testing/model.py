"""What every task model promises, as tests to inherit."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar
from unittest import SkipTest

import numpy as np
import torch

from alharness.api.dataset import DatasetFacts
from alharness.api.fitting import FittingModel
from alharness.api.sampler import Sampler
from alharness.api.samples import Inputs, Samples
from alharness.api.vocabulary import FUSED, PROVIDED, Feature, ModelShape, Task
from alharness.engine.extraction import predict
from alharness.engine.pool import Oracle, Pool
from alharness.engine.recipe import Fit, model_border
from alharness.engine.selection import ask
from alharness.engine.training import Trainer, stored
from alharness.errors import SpecError
from alharness.spec.settings import TrainingSettings

from .kit import Conformance, refuses
from .network import CLASSES, INPUTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from numpy.typing import NDArray

    from alharness.api.model import ModelPlugin
    from alharness.api.sampler import Query, View
    from alharness.engine.recipe import Fitted

STEPS = 4
"""Of a sequence."""
SAMPLES = 64


class ModelConformance(Conformance):
    """Inherit, name the plugin, and pytest runs one test per promise, for each task that the plugin serves.

    Models are trained and read by the harness, on small made-up samples of three modalities.

    >>> from alharness.models.late_fusion.plugin import alharness_models
    >>> from alharness.testing import ModelConformance
    >>> class TestLateFusion(ModelConformance):
    ...     plugin = alharness_models()[0]
    >>> TestLateFusion().test_the_defaults_are_valid_parameters()

    Attributes:
        plugin: the model's plugin.
        tasks: the tasks that these parameters serve; None for all that the plugin serves. Another one its review
            must refuse, with SpecError.
        epochs: so many are enough to learn what is easy.
    """

    plugin: ModelPlugin
    tasks: ClassVar[AbstractSet[Task] | None] = None
    epochs: ClassVar[int] = 30

    def arguments(self) -> Mapping[str, Sequence[Any]]:
        """Each task that is served."""
        return {"task": sorted(self._served())}

    def supposed(self) -> Mapping[str, Any]:
        """Which tasks its review lets pass."""
        self._require_known((*INPUTS, FUSED))
        served = {task for task in self.plugin.tasks if not self._is_refused(task)}
        return {"tasks": served} if served else {}

    # What the plugin says

    def test_a_task_that_these_parameters_do_not_serve_is_refused(self) -> None:
        """By its review, before anything is trained."""
        assert self._served() <= self.plugin.tasks, "`tasks` names one that the plugin does not serve"
        for task in self.plugin.tasks - self._served():
            with refuses(SpecError):
                self._review(task)

    def test_its_review_lets_it_pass(self, task: Task) -> None:
        """With warnings for a user, or without: the data have audio, text and vision."""
        said = self._review(task)
        assert all(isinstance(warning, str) and warning for warning in said), f"it warns by {said!r}"

    def test_it_says_whether_it_fits_itself(self, task: Task) -> None:
        """Then settings of `training` such as epochs have no effect, of which users are warned."""
        found = isinstance(self._trainer(task, 1).initialize(0), FittingModel)
        assert found == self.plugin.fits_itself, f"write ModelPlugin(fits_itself={found})"

    # What it learns

    def test_it_learns_what_is_easy(self, task: Task) -> None:
        """Better than the one answer that fits best: the labels follow from the inputs."""
        samples = made_up(self.plugin, task)
        found = self._predicted(self._fitted(task), samples)
        if task == Task.CLASSIFICATION:
            share = float((found.argmax(1) == samples.labels).mean())
            assert share > 0.6, f"of its training samples it predicts {share:.0%} rightly, of {CLASSES} classes"
            return
        error = float(np.abs(found[:, 0] - samples.labels).mean())
        constant = float(np.abs(np.median(samples.labels) - samples.labels).mean())
        assert error < 0.7 * constant, f"its error is {error:.3g}, and that of one value for all {constant:.3g}"

    def test_one_label_is_enough(self, task: Task) -> None:
        """The smallest initial pool."""
        self._require_finite(task, lambda samples: samples.take(np.arange(1)))

    def test_labels_that_are_all_alike_are_enough(self, task: Task) -> None:
        """As often in a small pool of rare classes."""
        self._require_finite(task, lambda samples: replace(samples, labels=np.zeros_like(samples.labels)))

    def test_classes_without_a_label_are_not_mixed_up_with_others(self, task: Task) -> None:
        """Predictions have a column for each class, in their order, whichever were seen. Of classification."""
        if task != Task.CLASSIFICATION:
            return
        samples = made_up(self.plugin, task)
        some = samples.take(np.flatnonzero(samples.labels % 2))
        found = self._predicted(self._trainer(task, self.epochs).fit(some, 0), some)
        share = float((found.argmax(1) == some.labels).mean())
        assert share > 0.75, f"trained with two of {CLASSES} classes, it predicts {share:.0%} of these rightly"

    def test_inputs_that_are_all_alike_do_no_harm(self, task: Task) -> None:
        """There is no spread to divide by."""
        self._require_finite(task, lambda samples: _with_inputs(samples, np.zeros_like))

    def test_inputs_of_any_scale_do_no_harm(self, task: Task) -> None:
        """Some data sets are not standardized; features reach from 0 to thousands."""
        self._require_finite(task, lambda samples: _with_inputs(samples, lambda x: x * 1000))

    # What it depends on

    def test_the_same_seed_trains_the_same(self, task: Task) -> None:
        """To the last bit: paired seeds and continued runs rest on it."""
        samples = made_up(self.plugin, task)
        one, two = (self._predicted(self._fitted(task, epochs=2, again=again), samples) for again in (0, 1))
        assert np.array_equal(one, two), "draw from torch's generator alone, which is seeded for each training"

    def test_several_are_trained_as_each_alone(self, task: Task) -> None:
        """Cells of a group are trained together."""
        samples, trainer = made_up(self.plugin, task), self._trainer(task, 2)
        rows = [np.arange(32), np.arange(8, 40), np.arange(3, 32)]
        requests = [Fit(labeled=samples.take(some), seed=seed) for seed, some in enumerate(rows)]
        for request, together in zip(requests, trainer.fit_many(requests), strict=True):
            if isinstance(together, BaseException):
                raise together
            alone = self._predicted(trainer.fit(request.labeled, request.seed), samples)
            assert np.allclose(self._predicted(together, samples), alone, rtol=1e-3, atol=1e-3), (
                "a model that was trained with others predicts otherwise than the same alone"
            )

    def test_what_is_stored_is_the_whole_model(self, task: Task) -> None:
        """A model of cycle 0 is kept as its `state_dict`: what it remembers must be parameters or buffers."""
        samples, fitted = made_up(self.plugin, task), self._fitted(task)
        if (content := stored(fitted)) is None:
            raise SkipTest("it says that its fits are not to be stored")
        restored = self._trainer(task, 1).restore(content, 7)
        same = np.allclose(
            self._predicted(restored, samples), self._predicted(fitted, samples), rtol=1e-5, atol=1e-6
        )
        assert same, "restored from its state_dict, it predicts otherwise; keep what adapt finds in buffers"

    def test_samples_do_not_matter_to_each_other(self, task: Task) -> None:
        """The batch of inference is chosen to fit the memory."""
        samples, fitted = made_up(self.plugin, task), self._fitted(task)
        whole = self._predicted(fitted, samples)
        for batch in (1, 7):
            found = self._predicted(fitted, samples, batch)
            assert np.allclose(found, whole, rtol=1e-4, atol=1e-5), (
                "its prediction of a sample depends on which others are in the batch"
            )

    def test_steps_beyond_the_length_do_not_matter(self, task: Task) -> None:
        """What is there is padding. Of models that read sequences."""
        if self.plugin.inputs != "sequences":
            raise SkipTest("it reads vectors")
        samples, fitted = made_up(self.plugin, task), self._fitted(task)
        lengths = samples.inputs.lengths
        arrays = {m: np.array(x) for m, x in samples.inputs.arrays.items()}
        for modality, array in arrays.items():
            array[np.arange(STEPS) >= lengths[modality][:, None]] = 9
        padded = replace(samples, inputs=replace(samples.inputs, arrays=arrays))
        same = np.allclose(self._predicted(fitted, padded), self._predicted(fitted, samples), rtol=1e-4, atol=1e-5)
        assert same, "what is beyond the length of a sequence changes its predictions"

    def test_modalities_that_samples_lack_do_no_harm(self, task: Task) -> None:
        """Also if no labeled sample has one. Of models that say they understand this."""
        if not self.plugin.incomplete:
            raise SkipTest("it does not say that it understands samples which lack a modality")
        self._require_finite(task, _without_audio)
        fitted = self._trainer(task, 2).fit(_without_audio(made_up(self.plugin, task)), 0)
        z = self._read(fitted, task, lambda query: query.unlabeled.representations("audio"), _without_audio)
        assert bool((z == z[0]).all()), "representations of samples that lack a modality differ"

    def test_the_process_is_left_as_it_was(self, task: Task) -> None:
        """Switches of torch and NumPy, warnings, logging, environment, files."""
        reported = self._fitted(task).border.reported
        assert not reported, f"it changed {', '.join(sorted(reported))}; put back what you change"

    # What samplers read

    def test_it_provides_what_it_says(self, task: Task) -> None:
        """Each feature, of every source, with a row of finite numbers for each sample."""
        readers: dict[Feature, Callable[[View, str], torch.Tensor]] = {
            Feature.PREDICTIONS: lambda view, source: view.predictions(source),
            Feature.EMBEDDINGS: lambda view, source: view.embeddings(source),
            Feature.REPRESENTATIONS: lambda view, source: view.representations(source),
            Feature.MC_DRAWS: lambda view, source: next(iter(view.mc_draws(1, source))),
        }

        def reading(feature: Feature, source: str) -> Callable[[Query], torch.Tensor]:
            return lambda query: readers[feature](query.unlabeled, source)

        for feature in sorted(self._provided() & readers.keys()):
            for source in INPUTS if feature == Feature.REPRESENTATIONS else (*INPUTS, FUSED):
                found = self._read(self._fitted(task), task, reading(feature, source))
                assert found.ndim == 2, f"{feature} of {source}: the shape {tuple(found.shape)} is not (n, d)"
                assert bool(found.isfinite().all()), f"{feature} of {source} are not finite"

    def test_dropout_draws_differ_and_come_again(self, task: Task) -> None:
        """Two of a query are not alike; those of the next query with the same seed are the same."""
        self._need(Feature.MC_DRAWS)

        def read(query: Query) -> torch.Tensor:
            return torch.stack([*query.unlabeled.mc_draws(2)])

        one, again = (self._read(self._fitted(task), task, read) for _ in range(2))
        assert torch.equal(one, again), "its draws do not follow from the seed; draw from torch's generator"
        assert not torch.equal(one[0], one[1]), "its draws are alike; without dropout it has no Feature.MC_DRAWS"

    def test_decoded_representations_are_its_predictions(self, task: Task) -> None:
        """`decode(encode(x))` is what it predicts, and differentiable: samplers take gradients there."""
        self._need(Feature.DECODE, Feature.REPRESENTATIONS, Feature.PREDICTIONS)

        def read(query: Query) -> tuple[torch.Tensor, ...]:
            view = query.unlabeled
            z = {m: view.representations(m).clone().requires_grad_() for m in query.modalities}
            with torch.enable_grad():
                decoded = query.decode({**view.context(), **z})[FUSED]
                gradients = torch.autograd.grad(decoded.square().sum(), [*z.values()], allow_unused=True)
            return decoded.detach(), view.predictions(), *(g for g in gradients if g is not None)

        decoded, predicted, *gradients = self._read(self._fitted(task), task, read)
        wanted = decoded.log_softmax(1) if task == Task.CLASSIFICATION else decoded
        assert torch.allclose(wanted, predicted, rtol=1e-4, atol=1e-4), "decode gives other predictions"
        assert gradients, "no representation has a gradient; let decode be differentiable"
        assert all(bool(g.isfinite().all()) for g in gradients), "gradients at the representations are not finite"

    # How the tests ask

    def _served(self) -> AbstractSet[Task]:
        return self.plugin.tasks if self.tasks is None else self.tasks

    def _review(self, task: Task) -> list[str]:
        """What the plugin says of data with three modalities."""
        facts = DatasetFacts(task=task, modalities=tuple(INPUTS), sizes=(SAMPLES, 0, SAMPLES))
        return [*self.plugin.review(self._params(), facts)] if self.plugin.review else []

    def _is_refused(self, task: Task) -> bool:
        try:
            self._review(task)
        except SpecError:
            return True
        except Exception:  # noqa: BLE001 - a test says so
            return False
        return False

    def _provided(self) -> AbstractSet[Feature]:
        return self.plugin.features(self._params()) & PROVIDED

    def _need(self, *features: Feature) -> None:
        if lacking := {*features} - self._provided():
            raise SkipTest(f"it does not provide {', '.join(sorted(lacking))}")

    def _trainer(self, task: Task, epochs: int) -> Trainer:
        kit: Any = type(self)
        return _trainer(kit, task, epochs)

    def _fitted(self, task: Task, *, epochs: int | None = None, again: int = 0) -> Fitted:
        """Trained with all samples; `again` is the number of the attempt, each of which trains another one."""
        kit: Any = type(self)
        return _fitted(kit, task, epochs or self.epochs, again)

    def _predicted(self, fitted: Fitted, samples: Samples, batch: int = 1000) -> NDArray[np.float32]:
        return predict(fitted, samples.inputs, batch)

    def _require_finite(self, task: Task, change: Callable[[Samples], Samples]) -> None:
        """Trained with changed samples, it predicts finite numbers for these and for plain ones."""
        samples = made_up(self.plugin, task)
        fitted = self._trainer(task, 3).fit(change(samples), 0)
        for asked in (change(samples), samples):
            assert np.isfinite(self._predicted(fitted, asked)).all(), "its predictions are not finite"

    def _read(
        self,
        fitted: Fitted,
        task: Task,
        read: Callable[[Query], Any],
        change: Callable[[Samples], Samples] = lambda samples: samples,
    ) -> Any:
        """What a sampler reads of it in a query."""
        samples = change(made_up(self.plugin, task))
        pool = Pool(samples.ids).draw(8, np.random.default_rng(0))
        reading = _Reading(read)
        labeled = Oracle(samples).reveal(pool)
        features = frozenset(self._provided())
        ask(
            reading,
            fitted,
            samples.inputs,
            labeled,
            pool,
            size=1,
            cycle=0,
            cycles=1,
            seed=0,
            batch=16,
            features=features,
            classes=classes_of(task),
        )
        return reading.found


class _Reading(Sampler):
    def __init__(self, read: Callable[[Query], Any]) -> None:
        self._read = read

    def select(self, query: Query) -> list[int]:
        self.found = self._read(query)
        return [0]


def made_up(plugin: ModelPlugin, task: Task) -> Samples:
    """Samples whose labels follow from each of three modalities; sequences for a model that reads them."""
    rng = np.random.default_rng(0)
    classes = np.arange(SAMPLES) % CLASSES
    labels = classes.astype(np.int64) if task == Task.CLASSIFICATION else (classes - 1.5).astype(np.float32) / 2
    shape = (SAMPLES, STEPS) if plugin.inputs == "sequences" else (SAMPLES,)
    arrays = {}
    for modality, features in INPUTS.items():
        centers = 2 * rng.normal(size=(CLASSES, features))[classes]
        centers = centers[:, None] if len(shape) > 1 else centers
        arrays[modality] = (centers + rng.normal(size=(*shape, features)) / 4).astype(np.float32)
    lengths = {m: 1 + np.arange(SAMPLES) % STEPS for m in arrays} if len(shape) > 1 else {}
    ids = tuple(f"s{number:03}" for number in range(SAMPLES))
    return Samples(inputs=Inputs(ids=ids, arrays=arrays, lengths=lengths), labels=labels)


def classes_of(task: Task) -> tuple[str, ...]:
    """Their names."""
    return tuple("abcd"[:CLASSES]) if task == Task.CLASSIFICATION else ()


def _with_inputs(samples: Samples, change: Callable[[Any], Any]) -> Samples:
    arrays = {m: change(x) for m, x in samples.inputs.arrays.items()}
    return replace(samples, inputs=replace(samples.inputs, arrays=arrays))


def _without_audio(samples: Samples) -> Samples:
    """All of them lack audio, and none lacks another."""
    arrays = {**samples.inputs.arrays, "audio": np.zeros_like(samples.inputs.arrays["audio"])}
    present = {"audio": np.zeros(len(samples), bool)}
    return replace(samples, inputs=replace(samples.inputs, arrays=arrays, present=present))


@cache  # what many tests train is trained once; the kit is a class of models
def _trainer(kit: Any, task: Task, epochs: int) -> Trainer:
    steps = dict.fromkeys(INPUTS, STEPS) if kit.plugin.inputs == "sequences" else {}
    outputs = CLASSES if task == Task.CLASSIFICATION else 1
    shape = ModelShape(features=INPUTS, task=task, outputs=outputs, steps=steps)
    params = kit.plugin.params(**kit.params)
    settings = TrainingSettings(epochs=epochs, batch_size=16, device="cpu")
    border = model_border(kit.plugin.name, lambda _: None)
    return Trainer(lambda: kit.plugin.make(params, shape), settings, border=border, classes=classes_of(task))


@cache
def _fitted(kit: Any, task: Task, epochs: int, again: int) -> Fitted:
    del again
    return _trainer(kit, task, epochs).fit(made_up(kit.plugin, task), 0)
