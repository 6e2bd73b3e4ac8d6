"""Plugins that say what is not so."""

from good import Good, plugin, refuse_regression
from pydantic import Field, field_validator

from alharness import Feature, Params, Task
from alharness.testing import SamplerConformance


class Required(Params):
    weight: float
    """Has no default."""


class TestADefaultIsMissing(SamplerConformance):
    plugin = plugin(Good, params=Required)
    params = {"weight": 1}
    fails = {"test_the_defaults_are_valid_parameters"}


class Doubled(Params):
    weight: float = Field(1, description="Half of what it becomes, each time.")

    @field_validator("weight")
    @classmethod
    def double(cls, value):
        return 2 * value


class TestADefaultIsAnotherValueWhenItIsGiven(SamplerConformance):
    plugin = plugin(Good, params=Doubled)
    fails = {"test_the_defaults_are_valid_parameters"}


class Nested(Params):
    bare: int = 0


class Undescribed(Params):
    nested: Nested = Nested()
    """Its own field has no description."""


class TestAParameterIsNotDescribed(SamplerConformance):
    plugin = plugin(Good, params=Undescribed)
    fails = {"test_every_parameter_has_a_description"}


class TestThePluginImportsTorch(SamplerConformance):
    plugin = plugin(Good, module="torch")
    fails = {"test_importing_the_plugin_imports_no_torch"}


class TestDeclaresMoreThanItReads(SamplerConformance):
    plugin = plugin(Good, requires=(Feature.PREDICTIONS, Feature.DECODE))
    fails = {"test_reads_what_it_declares"}


class TestServesATaskThatItShouldRefuse(SamplerConformance):
    plugin = plugin(Good, tasks=Task)
    tasks = {Task.CLASSIFICATION}
    fails = {"test_a_task_that_these_parameters_do_not_serve_is_refused"}


class TestServesATaskThatItsPluginDoesNot(SamplerConformance):
    plugin = plugin(Good)
    tasks = set(Task)
    fails = {"test_a_task_that_these_parameters_do_not_serve_is_refused"}


class TestItsReviewRefusesWhatItServes(SamplerConformance):
    plugin = plugin(Good, tasks=Task, review=refuse_regression)
    fails = {"test_its_review_lets_it_pass"}


class TestItsReviewWarnsInNoWords(SamplerConformance):
    plugin = plugin(Good, review=lambda *_: [None])
    fails = {"test_its_review_lets_it_pass"}
