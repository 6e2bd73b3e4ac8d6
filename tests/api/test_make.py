"""`make` as a function, and as the name of one."""

import pickle
import re
import subprocess
import sys
from dataclasses import replace

import pytest

from alharness import DatasetPlugin, ModelPlugin, Params, PluginError, SamplerPlugin, TrackerPlugin


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package `harbor` with a sampler, which nothing has imported."""
    folder = tmp_path / "harbor"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "sampler.py").write_text(
        "SIZE = 3\n\n\nclass Margin:\n    def __init__(self, *given):\n        self.given = given\n"
    )
    (folder / "needy.py").write_text("import a_module_that_is_not_there\n\n\nclass Needy: ...\n")
    (folder / "stars.py").write_text("from harbor.sampler import *\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.split(".")[0] == "harbor"]:
        del sys.modules[name]


def plugin(make):
    return SamplerPlugin(name="margin", params=Params, make=make)


def test_a_name_is_called_as_a_function_would_be(package):
    params = Params()
    assert plugin("harbor.sampler:Margin").make(params).given == (params,)


def test_a_model_is_made_of_parameters_and_shape(package):
    model = ModelPlugin(name="net", params=Params, make="harbor.sampler:Margin")
    assert model.make("params", "shape").given == ("params", "shape")


def test_a_tracker_is_made_of_parameters_and_context(package):
    tracker = TrackerPlugin(name="lines", params=Params, make="harbor.sampler:Margin")
    assert tracker.make("params", "context").given == ("params", "context")


def test_a_data_set_is_made_of_parameters(package):
    data = DatasetPlugin(name="calls", params=Params, inspect=print, make="harbor.sampler:Margin")
    assert data.make("params").given == ("params",)


def test_a_function_is_kept_as_it_is():
    assert plugin(len).make is len


def test_a_plugin_without_make_is_refused():
    with pytest.raises(TypeError, match="make"):
        SamplerPlugin(name="margin", params=Params)


def test_it_is_imported_only_when_it_is_called(package):
    made = plugin("harbor.sampler:Margin")
    made.make.check()
    assert "harbor.sampler" not in sys.modules
    made.make(Params())
    assert "harbor.sampler" in sys.modules


def test_plugins_compare_copy_and_travel(package):
    made = plugin("harbor.sampler:Margin")
    assert made == plugin("harbor.sampler:Margin")
    assert made != plugin("harbor.sampler:Other")
    assert pickle.loads(pickle.dumps(made)) == replace(made) == made


@pytest.mark.parametrize(
    "path", ["harbor.sampler", "harbor.sampler.Margin", "harbor:", ":Margin", "a:b:c", "harbor/x:Y", "", 5, None]
)
def test_what_is_neither_a_function_nor_names_one_is_refused_at_once(path):
    with pytest.raises(PluginError, match="the sampler 'margin' has make=.*'module:name'"):
        plugin(path)


WRONG = {
    "harbor.sampler:Margim": "the module harbor.sampler has no class or function 'Margim'; did you mean 'Margin'?",
    "harbor.samplre:Margin": "there is no module 'harbor.samplre'; did you mean 'sampler'?",
    "harbour.sampler:Margin": "there is no module 'harbour.sampler'",
    "harbor.sampler.deep:Margin": "there is no module 'harbor.sampler.deep'",
}


@pytest.mark.parametrize("path", WRONG)
@pytest.mark.parametrize("when", ["checked", "called", "checked after an import"])
def test_what_is_not_there_is_named_with_the_plugin_and_a_close_name(package, path, when):
    make = plugin(path).make
    if when == "checked after an import":
        plugin("harbor.sampler:Margin").make(Params())
    with pytest.raises(PluginError) as caught:
        make(Params()) if when == "called" else make.check()
    assert str(caught.value) == f"the sampler 'margin' is made by {path!r}, and {WRONG[path]}"


def test_a_constant_makes_nothing(package):
    with pytest.raises(PluginError, match="has no class or function 'SIZE'"):
        plugin("harbor.sampler:SIZE").make(Params())


def test_a_module_that_is_missing_within_is_not_taken_for_the_one_that_was_named(package):
    make = plugin("harbor.needy:Needy").make
    make.check()
    with pytest.raises(ModuleNotFoundError, match="a_module_that_is_not_there"):
        make(Params())


def test_a_name_that_the_source_does_not_show_is_left_to_the_call(package):
    make = plugin("harbor.stars:Margin").make
    make.check()
    assert make(1).given == (1,)


def test_registering_the_samplers_that_are_installed_imports_no_torch():
    code = (
        "import sys\nfrom alharness import registry\nfrom alharness.api.make import Imported\n"
        "makes = [found.plugin.make for found in registry.load().samplers.values()]\n"
        "named = [make for make in makes if isinstance(make, Imported)]\n"
        "[make.check() for make in named]\nprint(len(named) > 0, 'torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["True", "False"]


def named(params):
    return SamplerPlugin(name="margin", params=params, make=len)


def test_params_that_are_named_are_imported_when_they_are_read(package):
    (package / "params.py").write_text("import alharness\n\n\nclass MarginParams(alharness.Params): ...\n")
    lazy = pickle.loads(pickle.dumps(named("harbor.params:MarginParams")))
    assert "harbor.params" not in sys.modules
    assert issubclass(lazy.params, Params)
    assert lazy.params is replace(lazy, name="other").params


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ("harbor.sampler:Margin", "params of the sampler 'margin' must be a subclass of alharness.Params"),
        (
            "harbor.sampler:Margins",
            "the sampler 'margin' has its parameters from 'harbor.sampler:Margins', and the",
        ),
        ("harbor.nowhere:Margin", "has its parameters from 'harbor.nowhere:Margin', and there is no module"),
        ("harbor", "the sampler 'margin' has params='harbor'; it may be a class, or 'module:name'"),
    ],
)
def test_params_that_are_named_wrongly(package, params, text):
    with pytest.raises(PluginError, match=re.escape(text)):
        named(params).params  # noqa: B018 - to read it is what is tested
