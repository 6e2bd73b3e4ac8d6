import pytest
from pydantic import ValidationError

from alharness import Feature, Setting, SpecError, Task
from alharness_gcnal.plugin import GcnalParams, alharness_samplers


@pytest.fixture
def plugin():
    (plugin,) = alharness_samplers()
    return plugin


def test_is_known_as_gcnal_and_reads_embeddings(plugin):
    assert (plugin.name, plugin.requires, plugin.tasks) == ("gcnal", {Feature.EMBEDDINGS}, set(Task))


def test_defaults_are_those_of_the_paper():
    assert GcnalParams().model_dump() == {
        "variant": "core",
        "loss_weight": 1.2,
        "hidden": 128,
        "dropout": 0.3,
        "learning_rate": 1e-3,
        "weight_decay": 5e-4,
        "steps": 200,
        "margin": 0.1,
        "affinity": "auto",
        "subset": None,
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"variant": "linear"},
        {"loss_weight": -1},
        {"hidden": 0},
        {"dropout": 1},
        {"learning_rate": 0},
        {"weight_decay": -1},
        {"steps": -1},
        {"margin": 1.1},
        {"affinity": "euclidean"},
        {"subset": 0},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_refuses(wrong):
    with pytest.raises(ValidationError):
        GcnalParams(**wrong)


def test_a_subset_smaller_than_the_budget_is_a_mistake(plugin):
    setting = Setting(task=Task.REGRESSION, modalities=("audio",), unlabeled=(100, 60), sizes=(40, 20))
    assert plugin.review(GcnalParams(), setting) == []
    assert plugin.review(GcnalParams(subset=40), setting) == []
    with pytest.raises(SpecError, match="a subset of 39 samples cannot give the 40"):
        plugin.review(GcnalParams(subset=39), setting)
