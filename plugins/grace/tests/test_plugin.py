import subprocess
import sys

import pytest
from pydantic import ValidationError

from alharness import Feature, Task
from alharness_grace.plugin import GraceParams, alharness_samplers
from alharness_grace.sampler import Grace


@pytest.fixture
def plugin():
    (plugin,) = alharness_samplers()
    return plugin


def test_is_known_as_grace(plugin):
    assert plugin.name == "grace"


def test_makes_the_sampler(plugin):
    assert isinstance(plugin.make(plugin.params()), Grace)


def test_needs_what_any_of_its_options_reads(plugin):
    assert plugin.requires == {Feature.REPRESENTATIONS, Feature.DECODE, Feature.EMBEDDINGS, Feature.MC_DRAWS}


def test_serves_both_tasks(plugin):
    assert plugin.tasks == set(Task)


@pytest.mark.parametrize(
    "params", [{"alpha0": -0.1}, {"alpha_decay": -0.1}, {"alpha_decay": "exponential"}, {"alpha": 0.2}]
)
def test_refuses_wrong_parameters(params):
    with pytest.raises(ValidationError):
        GraceParams(**params)


def test_every_parameter_is_described():
    assert all(field.description for field in GraceParams.model_fields.values())


def test_importing_the_plugin_imports_no_torch():
    code = "import sys, alharness_grace.plugin; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
