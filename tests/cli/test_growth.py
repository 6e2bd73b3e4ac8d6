import math

import numpy as np
import pytest

from alharness import Feature, Params, Sampler, SamplerPlugin, Task
from alharness.cli.growth import CLASSES, MODALITIES, Workload, exponent, measure, synthetic
from alharness.models.late_fusion.plugin import alharness_models

SEEN = []


class Reader(Sampler):
    def select(self, query):
        SEEN.append((len(query.unlabeled), len(query.labeled), query.size, query.unlabeled.predictions().shape[1]))
        return range(query.size)


READER = SamplerPlugin(name="reader", params=Params, make=lambda _: Reader(), requires={Feature.PREDICTIONS})


@pytest.mark.parametrize(("task", "outputs"), [(Task.CLASSIFICATION, CLASSES), (Task.REGRESSION, 1)])
def test_every_size_is_queried_once_after_a_query_that_does_not_count(task, outputs):
    SEEN.clear()
    work = Workload(sizes=(50, 80), labeled=20, budget=5, task=task)
    points = list(measure([READER], alharness_models()[0], work))
    assert [(point.sampler, point.size) for point in points] == [("reader", 50), ("reader", 80)]
    assert [(50, 20, 5, outputs), (50, 20, 5, outputs), (80, 20, 5, outputs)] == SEEN
    assert all(point.cost["query_inference_seconds"] > 0 for point in points)


def test_the_exponent_of_a_known_law():
    sizes = [1000, 2000, 4000]
    assert exponent(sizes, [3e-6 * n**2 for n in sizes]) == pytest.approx(2)
    assert exponent(sizes, [5.0] * 3) == pytest.approx(0, abs=1e-9)
    assert math.isnan(exponent([10], [1.0]))


def test_the_pool_is_made_again_and_its_modalities_tell_the_class():
    one, again = (synthetic(300, Task.CLASSIFICATION, 0) for _ in range(2))
    assert np.array_equal(one.inputs.arrays["text"], again.inputs.arrays["text"])
    assert {m: a.shape[1] for m, a in one.inputs.arrays.items()} == MODALITIES
    text, labels = one.inputs.arrays["text"], one.labels
    within = np.mean([text[labels == c].std(axis=0).mean() for c in range(CLASSES)])
    assert text.std(axis=0).mean() > 1.2 * within
