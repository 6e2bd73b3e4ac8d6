import pytest
from pydantic import ValidationError

from alharness import Feature, Setting, Task
from alharness_bald.plugin import BaldParams, alharness_samplers


@pytest.fixture
def plugin():
    (plugin,) = alharness_samplers()
    return plugin


def test_is_known_as_bald_for_both_tasks_and_reads_draws(plugin):
    assert (plugin.name, plugin.requires, plugin.tasks) == ("bald", {Feature.MC_DRAWS}, set(Task))


def test_the_summary_says_how_it_ranks_in_regression(plugin):
    assert "regression: ranks as dbal" in plugin.summary


def test_25_draws_of_the_fused_head_are_the_default():
    assert (BaldParams().draws, BaldParams().source) == (25, "fused")


@pytest.mark.parametrize("draws", [2, 10_000])
def test_accepts_so_many_draws(draws):
    assert BaldParams(draws=draws).draws == draws


@pytest.mark.parametrize("draws", [1, 10_001])
def test_refuses_so_many_draws(draws):
    with pytest.raises(ValidationError, match="draws"):
        BaldParams(draws=draws)


def setting(task):
    return Setting(task=task, modalities=("audio",), unlabeled=(100,), sizes=(10,))


def test_says_before_training_that_it_ranks_as_dbal_in_regression(plugin):
    assert plugin.review(BaldParams(), setting(Task.CLASSIFICATION)) == []
    (warning,) = plugin.review(BaldParams(), setting(Task.REGRESSION))
    assert "ranks exactly as dbal" in warning
