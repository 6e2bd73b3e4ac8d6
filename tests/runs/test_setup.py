from dataclasses import replace

import pytest

from alharness import DataError, ModelPlugin, Task
from alharness.api.metrics import CLASSIFICATION
from alharness.api.records import Schedule
from alharness.errors import ModelError
from alharness.models.late_fusion.plugin import LateFusionParams, make
from alharness.runs.setup import Setup, pool_if_needed, validation
from alharness.spec.settings import TrainingSettings


@pytest.fixture
def set_up(make_dataset):
    def build(task=Task.CLASSIFICATION, metrics=None, **training):
        model = ModelPlugin(name="m", params=LateFusionParams, make=make)
        return Setup(
            pool_if_needed(replace(make_dataset(task), metrics=metrics), model),
            model,
            LateFusionParams(),
            TrainingSettings(device="cpu", **training),
            Schedule(initial_pool=10, sizes=(5,)),
        )

    return build


def test_every_seed_has_its_own_initial_pool_and_gets_it_again(set_up):
    setup = set_up()
    pools = []
    for seed in (0, 1, 0):
        setup.keep_only(())
        pools.append(setup.seed_data(seed).initial.labeled)
    assert pools[0] == pools[2] != pools[1]
    assert len(set(pools[0])) == 10


@pytest.mark.parametrize(("task", "outputs"), [(Task.CLASSIFICATION, 3), (Task.REGRESSION, 1)])
def test_the_model_is_built_for_the_data(set_up, task, outputs):
    setup = set_up(task)
    setup.seed_data(0)
    shape = setup.trainer.initialize(0).shape
    assert (dict(shape.features), shape.outputs) == ({"audio": 6, "text": 4, "vision": 3}, outputs)


def test_a_model_of_pooled_inputs_never_sees_a_sequence(set_up):
    data = set_up().seed_data(0)
    assert all(array.ndim == 2 for array in data.oracle.inputs.arrays.values())
    assert data.test.inputs.arrays["vision"].max() < 100  # nor the padding


@pytest.mark.parametrize("valid", ["full", "none"])
def test_a_model_that_cannot_be_made_fails_with_the_first_data(make_dataset, valid):
    def unmakable(*_):
        raise KeyError("no such layer")

    model = ModelPlugin(name="m", params=LateFusionParams, make=unmakable)
    training = TrainingSettings(device="cpu", valid=valid)
    setup = Setup(make_dataset(), model, LateFusionParams(), training, Schedule(initial_pool=10, sizes=(5,)))
    with pytest.raises(ModelError, match="no such layer"):
        setup.seed_data(0)


def test_validation_samples_are_those_that_were_asked_for(make_samples):
    valid = make_samples(30)
    assert validation(valid, "full", 0) is valid
    assert validation(valid, "none", 0) is None
    some = validation(valid, "budgeted:7", 0)
    assert len(some) == 7
    assert list(some.ids) == sorted(some.ids)
    assert some.ids != validation(valid, "budgeted:7", 1).ids


def test_validation_samples_that_are_not_there_are_refused(make_samples):
    with pytest.raises(DataError, match="budgeted:31 asks for more than the 30"):
        validation(make_samples(30), "budgeted:31", 0)
    with pytest.raises(DataError, match="set training.valid to none"):
        validation(make_samples(0), "full", 0)


OWN = replace(CLASSIFICATION, name="own", primary="accuracy")


@pytest.mark.parametrize(("given", "metrics"), [(None, CLASSIFICATION), (OWN, OWN)])
def test_the_data_set_says_what_is_measured(set_up, given, metrics):
    setup = set_up(metrics=given)
    data = setup.seed_data(0)
    assert (data.metrics, data.classes) == (metrics, ("a", "b", "c"))
    recipe = setup.trainer._recipe
    assert (recipe.metrics, recipe.classes) == (metrics, ("a", "b", "c"))
