import pytest
from pydantic import ValidationError

from alharness import Feature, SamplerError, Setting, Task
from alharness_dbal.plugin import DbalParams, alharness_samplers


@pytest.fixture
def plugin():
    (plugin,) = alharness_samplers()
    return plugin


def test_is_known_as_dbal_for_both_tasks_and_reads_draws(plugin):
    assert (plugin.name, plugin.requires, plugin.tasks) == ("dbal", {Feature.MC_DRAWS}, set(Task))


def test_the_summary_says_what_it_ranks_by_in_regression(plugin):
    assert "regression: variance" in plugin.summary


def test_25_draws_of_the_fused_head_are_the_default():
    assert (DbalParams().draws, DbalParams().source) == (25, "fused")


@pytest.mark.parametrize("draws", [2, 10_000])
def test_accepts_so_many_draws(draws):
    assert DbalParams(draws=draws).draws == draws


@pytest.mark.parametrize("draws", [1, 10_001])
def test_refuses_so_many_draws(draws):
    with pytest.raises(ValidationError, match="draws"):
        DbalParams(draws=draws)


def test_predictive_entropy_is_the_default():
    assert DbalParams().acquisition == "entropy"


def test_refuses_an_unknown_acquisition():
    with pytest.raises(ValidationError, match="acquisition"):
        DbalParams(acquisition="votes")


def setting(task):
    return Setting(task=task, modalities=("audio",), unlabeled=(100,), sizes=(10,))


def test_an_acquisition_of_classes_is_refused_in_regression_before_training(plugin):
    params = DbalParams(acquisition="mean_std")
    assert plugin.review(params, setting(Task.CLASSIFICATION)) == []
    assert plugin.review(DbalParams(), setting(Task.REGRESSION)) == []
    with pytest.raises(SamplerError, match="leave `acquisition` out"):
        plugin.review(params, setting(Task.REGRESSION))
