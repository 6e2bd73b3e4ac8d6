"""How much a model uses each modality, against definitions written out again, and models whose use is known."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import torch

from alharness import FUSED, Inputs, ModelShape, MultimodalModel, Task
from alharness.api.metrics import metrics_of
from alharness.engine.recipe import Fitted
from alharness.engine.utilisation import ROWS, coalitions, utilisation, withhold

DEVICE = torch.device("cpu")
CLASSES = ("no", "yes")


class Sum(MultimodalModel):
    """z_u is the input; the fused value a weighted sum of its columns, of classes the logit of the second."""

    def __init__(self, weights, task=Task.REGRESSION, product=False):
        outputs = 2 if task == Task.CLASSIFICATION else 1
        super().__init__(ModelShape(features=dict.fromkeys(weights, 1), task=task, outputs=outputs))
        self.weights, self.product, self.decoded = weights, product, 0

    def encode(self, batch):
        z = {
            m: x.where(batch.present[m][:, None], 7) if m in batch.present else x for m, x in batch.inputs.items()
        }
        return {**z, "rest": torch.ones(len(batch), 1, 1)}

    def decode(self, z):
        self.decoded = max(self.decoded, len(z["rest"]))
        parts = [weight * z[m] for m, weight in self.weights.items()]
        y = torch.stack(parts).prod(0) if self.product else torch.stack(parts).sum(0)
        y = torch.cat([torch.zeros_like(y), y], 1) if self.shape.outputs == 2 else y
        return dict.fromkeys((*self.weights, FUSED), y)

    def last_layer(self, source):
        raise NotImplementedError

    def loss(self, batch):
        raise NotImplementedError


def inputs(modalities, rows, seed=0):
    rng = np.random.default_rng(seed)
    arrays = {m: rng.normal(size=(rows, 1)).astype(np.float32) for m in modalities}
    return Inputs(ids=tuple(f"{seed}-{i}" for i in range(rows)), arrays=arrays)


def use(model, test, labeled=None, labels=None, batch=1000):
    labeled = labeled or inputs(model.weights, 30, seed=1)
    found = withhold(Fitted(model=model, device=DEVICE, epochs=1), test, labeled, batch)
    classes = CLASSES if model.shape.outputs == 2 else ()
    labels = np.zeros(len(test), np.int64 if classes else np.float32) if labels is None else labels
    return found, utilisation(found, labels, metrics_of(model.shape.task), classes)


@pytest.mark.parametrize("number", [2, 3, 5, 6])
def test_values_are_the_mean_of_what_a_modality_adds_over_all_orders(number):
    sets, weights = coalitions(number)
    worth = np.random.default_rng(0).normal(size=len(sets))
    of = {frozenset(np.flatnonzero(one)): value for one, value in zip(sets, worth, strict=True)}
    orders = [*permutations(range(number))]
    expected = np.zeros(number)
    for order in orders:
        for place, m in enumerate(order):
            expected[m] += (of[frozenset(order[: place + 1])] - of[frozenset(order[:place])]) / len(orders)
    np.testing.assert_allclose(weights @ worth, expected, atol=1e-12)


def test_of_many_modalities_sums_and_pairs_are_exact_and_values_add_up():
    sets, weights = coalitions(9)
    assert len(sets) < 200
    alone = np.arange(9.0)
    np.testing.assert_allclose(weights @ (sets @ alone), alone, atol=1e-12)
    both = sets[:, 2] & sets[:, 7]  # each of the two has half of it: one order in two has it come second
    np.testing.assert_allclose((weights @ both)[[2, 7]], 0.5)
    worth = np.random.default_rng(0).normal(size=len(sets))
    whole, none = sets.all(1).argmax(), (~sets.any(1)).argmax()
    assert (weights @ worth).sum() == pytest.approx(worth[whole] - worth[none])


@pytest.mark.parametrize("task", Task)
def test_an_ignored_modality_has_no_share_moves_nothing_and_costs_nothing(task):
    model = Sum({"text": 1.0, "vision": 0.0, "audio": 2.0}, task)
    test = inputs(model.weights, 200)
    labels = (test.arrays["text"] + 2 * test.arrays["audio"])[:, 0]
    labels = (labels > 0).astype(np.int64) if task == Task.CLASSIFICATION else labels
    _, found = use(model, test, labels=labels)
    assert [found[f"{measure}/vision"] for measure in ("share", "moved", "drop")] == pytest.approx(
        [0, 0, 0], abs=1e-7
    )
    assert found["share/audio"] > found["share/text"] > 0
    assert found["drop/audio"] > found["drop/text"] > 0
    assert sum(value for name, value in found.items() if name.startswith("share/")) == pytest.approx(1)


def test_of_a_sum_a_value_is_the_distance_from_the_mean_of_the_labeled_samples():
    model = Sum({"text": 1.0, "audio": -3.0})
    test, labeled = inputs(model.weights, 50), inputs(model.weights, 20, seed=2)
    _, found = use(model, test, labeled)
    apart = {m: w * (test.arrays[m] - labeled.arrays[m].mean())[:, 0] for m, w in model.weights.items()}
    sizes = {m: np.abs(x).mean() for m, x in apart.items()}
    assert found["moved/text"] == pytest.approx(sizes["text"], rel=1e-5)
    assert found["share/text"] == pytest.approx(sizes["text"] / sum(sizes.values()), rel=1e-5)


def test_predictions_of_classes_move_by_what_changes_sides():
    model = Sum({"text": 1.0, "audio": 1.0}, Task.CLASSIFICATION)
    test, labeled = inputs(model.weights, 40), inputs(model.weights, 20, seed=2)
    x, mean = {m: a[:, 0] for m, a in test.arrays.items()}, labeled.arrays["text"].mean()
    whole, without = 1 / (1 + np.exp(-np.array([x["text"] + x["audio"], mean + x["audio"]])))
    assert use(model, test, labeled)[1]["moved/text"] == pytest.approx(np.abs(whole - without).mean(), rel=1e-5)


def test_what_two_modalities_do_together_is_divided_between_them():
    model = Sum({"text": 1.0, "audio": 1.0}, product=True)
    test = inputs(model.weights, 50)
    labeled = Inputs(ids=("a",), arrays=dict.fromkeys(model.weights, np.zeros((1, 1), np.float32)))
    assert use(model, test, labeled)[1]["share/text"] == pytest.approx(0.5)


def test_an_error_is_worse_without_a_modality_by_as_much_as_it_grows():
    model = Sum({"text": 1.0, "audio": 0.0})
    test = inputs(model.weights, 60)
    labeled = Inputs(ids=("a",), arrays=dict.fromkeys(model.weights, np.zeros((1, 1), np.float32)))
    _, found = use(model, test, labeled, labels=test.arrays["text"][:, 0])
    assert found["drop/text"] == pytest.approx(np.abs(test.arrays["text"]).mean(), rel=1e-5)


def test_a_modality_that_samples_may_lack_is_withheld_as_the_model_knows_it():
    model = Sum({"text": 1.0, "audio": 1.0})
    test, labeled = inputs(model.weights, 8), inputs(model.weights, 5, seed=2)
    there = np.arange(8) < 6
    test, labeled = (
        replace(one, arrays={**one.arrays, "text": one.arrays["text"] * here[:, None]}, present={"text": here})
        for one, here in ((test, there), (labeled, np.ones(5, bool)))
    )
    moved = (
        np.abs(test.arrays["text"][:, 0] - 7)[there].sum() / 8
    )  # 7 is what the model takes for one that lacks it
    assert use(model, test, labeled)[1]["moved/text"] == pytest.approx(moved, rel=1e-5)


def test_batches_do_not_change_it():
    model = Sum({"text": 1.0, "audio": 0.5, "vision": -2.0}, Task.CLASSIFICATION)
    test = inputs(model.weights, 70)
    whole, parts = use(model, test)[1], use(model, test, batch=13)[1]
    assert parts == pytest.approx(whole)
    assert use(Sum(model.weights), test, batch=1)[1].keys() == whole.keys()


def test_of_a_large_test_set_some_samples_are_read_from_its_beginning_to_its_end():
    model = Sum(dict.fromkeys("abcd", 1.0))
    withheld, _ = use(model, inputs(model.weights, 5000), batch=10**6)
    assert model.decoded <= ROWS
    assert (withheld.some.shape[1], len(withheld.rows)) == (ROWS // 16, ROWS // 5)
    assert (withheld.rows[0], withheld.rows[-1]) == (0, 4999)


def test_there_is_nothing_to_say_of_one_modality_or_of_predictions_that_nothing_changes():
    assert (
        withhold(Fitted(model=Sum({"x": 1.0}), device=DEVICE, epochs=1), inputs("x", 5), inputs("x", 5), 9) is None
    )
    for task in Task:
        found = use(Sum({"a": 0.0, "b": 0.0}, task), inputs("ab", 5))[1]
        assert found == {"moved/a": 0, "moved/b": 0, "drop/a": 0, "drop/b": 0}


def test_what_is_not_finite_is_left_out():
    model = Sum({"a": 1.0, "b": 1.0})
    labeled = Inputs(ids=("x",), arrays={m: np.full((1, 1), np.inf, np.float32) for m in "ab"})
    with np.errstate(invalid="ignore"):
        assert use(model, inputs("ab", 5), labeled)[1] == {}
