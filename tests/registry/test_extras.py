"""Plugins that are not installed: files that are included, and objects of the caller's program."""

import importlib
import pickle
import subprocess
import sys
import threading
from types import ModuleType

import cloudpickle
import pytest
import torch

from alharness import Dataset, Feature, ModelPlugin, Params, Sampler, SamplerPlugin, Task, Tracker, registry
from alharness.errors import PluginError
from alharness.registry import Extras
from alharness.registry.sending import dumps

ONE_CLASS = '''
from alharness import Sampler

class Mine(Sampler):
    """Takes the first."""

    def __init__(self, start: int = 3) -> None:
        self.start = start

    def select(self, query):
        return range(self.start, self.start + query.size)
'''
HOOKED = """
from alharness import Params, Sampler, SamplerPlugin, hookimpl

class MyParams(Params):
    start: int = 0

class Mine(Sampler):
    def __init__(self, params):
        self.start = params.start
    def select(self, query):
        return range(query.size)

@hookimpl
def alharness_samplers():
    return [SamplerPlugin(name="by-hook", params=MyParams, make=Mine)]
"""


HOOK_BY_NAME = """
from alharness import Params, SamplerPlugin, hookimpl

@hookimpl
def alharness_samplers():
    return [SamplerPlugin(name="mine", params=Params, make="my_sampler:Mine")]
"""


@pytest.fixture
def main(monkeypatch):
    """Runs code as a notebook does: in a main module that is no file."""

    def run(code):
        module = ModuleType("__main__")
        monkeypatch.setitem(sys.modules, "__main__", module)
        exec(code, vars(module))
        return module

    return run


@pytest.fixture
def write(tmp_path):
    def write(text, name="my_sampler.py"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def included(path):
    return registry.load([], extras=Extras.collect(include=path))


def given(**objects):
    return registry.load([], extras=Extras.collect(**objects))


def test_a_file_with_a_class_offers_it_by_its_name(write):
    found = included(write(ONE_CLASS)).sampler("Mine")

    assert found.plugin.summary == "Takes the first."
    assert found.plugin.make(found.plugin.params(start=5)).start == 5
    assert found.distribution == "my_sampler.py"


def test_a_file_with_hooks_offers_what_they_say(write):
    installed = included(write(HOOKED))

    assert list(installed.samplers) == ["by-hook"]


def test_the_version_of_a_file_is_that_of_its_content(write):
    first = included(write(ONE_CLASS)).sampler("Mine")
    again = included(write(ONE_CLASS, "copy.py")).sampler("Mine")
    edited = included(write(ONE_CLASS.replace("= 3", "= 4"))).sampler("Mine")

    assert first.version == again.version != edited.version
    assert edited.plugin.params().start == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n", "my_sampler.py: offers nothing; define a subclass of alharness.Sampler"),
        ("x = 1\n\nprint(y)\n", "my_sampler.py:3: NameError: name 'y' is not defined"),
        ("x = 1\ndef f(:\n", "my_sampler.py:2: SyntaxError"),
        ("def f():\n    1 / 0\n\nf()\n", "my_sampler.py:2: ZeroDivisionError"),
        ("raise SystemExit(0)", "my_sampler.py:1: SystemExit"),
        ("def alharness_samplers():\n    return []\n", "alharness_samplers is not a hook; decorate it"),
        (ONE_CLASS.replace("def select", "def elect"), "offers nothing"),
        (ONE_CLASS.replace("start: int = 3", "*starts"), "takes \\*starts; a spec can only name arguments"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_place(write, text, message):
    with pytest.raises(PluginError, match=message):
        included(write(text))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(PluginError, match=r"nope.py: there is no such file$"):
        included(tmp_path / "nope.py")
    with pytest.raises(PluginError, match="include the file itself"):
        included(tmp_path)


def test_a_module_next_to_a_file_is_not_included_with_it(write, tmp_path):
    (tmp_path / "helper_of_mine.py").touch()
    with pytest.raises(PluginError, match=r"py:1: .*'helper_of_mine'; helper_of_mine.py is next to it, but"):
        included(write("import helper_of_mine"))


def test_a_name_that_is_taken(write):
    extras = Extras.collect(include=write(ONE_CLASS.replace("Mine", "random")))

    with pytest.raises(PluginError, match=r"'random' of my_sampler.py has the name of one of alharness-random"):
        registry.load(extras=extras)


def test_two_objects_of_one_class_need_names(write):
    mine = included(write(ONE_CLASS)).samplers["Mine"].plugin

    with pytest.raises(PluginError, match=r'give it another name: samplers=\{"name": ...\}$'):
        registry.load(extras=Extras.collect(samplers=[mine, mine]))


def test_another_process_knows_files_before_parameters_of_their_classes(write, tmp_path):
    extras = Extras.collect(include=write(HOOKED))
    params = registry.load([], extras=extras).sampler("by-hook").plugin.params(start=7)
    (tmp_path / "sent").write_bytes(cloudpickle.dumps((extras, params)))
    (tmp_path / "my_sampler.py").write_text("this is no Python")

    code = """
import pickle, sys
from alharness import registry
extras, params = pickle.loads(open(sys.argv[1], "rb").read())
plugin = registry.load(extras=extras).sampler("by-hook").plugin
assert type(params) is plugin.params
assert plugin.make(params).start == 7
"""
    subprocess.run([sys.executable, "-c", code, tmp_path / "sent"], check=True)


def test_a_class_of_a_main_module_reaches_another_process(main, tmp_path):
    extras = Extras.collect(samplers=main(ONE_CLASS).Mine)
    params = registry.load([], extras=extras).sampler("Mine").plugin.params(start=7)
    (tmp_path / "sent").write_bytes(cloudpickle.dumps((extras, params)))

    code = """
import pickle, sys
from alharness import registry
extras, params = pickle.loads(open(sys.argv[1], "rb").read())
assert registry.load(extras=extras).sampler("Mine").plugin.make(params).start == 7
"""
    subprocess.run([sys.executable, "-c", code, tmp_path / "sent"], check=True)


def test_a_cached_function_of_a_main_module_reaches_another_process(main, tmp_path):
    text = ONE_CLASS.replace(
        "class Mine", "import functools\n\n@functools.cache\ndef f(n): return n\n\nclass Mine"
    )
    extras = Extras.collect(samplers=main(text.replace("self.start, self", "f(self.start), self")).Mine)
    (tmp_path / "sent").write_bytes(dumps(extras))

    code = """
import pickle, sys, types
from alharness import registry
extras = pickle.loads(open(sys.argv[1], "rb").read())
plugin = registry.load(extras=extras).sampler("Mine").plugin
query = types.SimpleNamespace(size=2)
assert list(plugin.make(plugin.params(start=7)).select(query)) == [7, 8]
"""
    subprocess.run([sys.executable, "-c", code, tmp_path / "sent"], check=True)


def test_a_class_of_a_module_is_sent_as_it_was_imported(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "edited_later.py").write_text(ONE_CLASS)
    module = importlib.import_module("edited_later")
    (tmp_path / "edited_later.py").write_text("this is no Python")

    (tmp_path / "sent").write_bytes(cloudpickle.dumps(Extras.collect(samplers=module.Mine)))

    code = """
import pickle, sys
from alharness import registry
extras = pickle.loads(open(sys.argv[1], "rb").read())
plugin = registry.load(extras=extras).sampler("Mine").plugin
assert plugin.make(plugin.params(start=7)).start == 7
"""
    subprocess.run([sys.executable, "-c", code, tmp_path / "sent"], check=True, cwd=tmp_path)


def test_what_stands_for_a_sampler(main):
    module = main(ONE_CLASS)
    plugin = SamplerPlugin(name="own", params=Params, make=module.Mine)

    installed = given(samplers={"cls": module.Mine, "object": module.Mine(start=9), "renamed": plugin})

    assert sorted(installed.samplers) == ["cls", "object", "renamed"]
    assert installed.sampler("object").plugin.make(Params()).start == 9
    assert list(given(samplers=[plugin]).samplers) == ["own"]


def test_the_attributes_of_a_class_say_what_it_needs_and_serves(main):
    text = ONE_CLASS.replace(
        "def __init__", "requires = {'predictions'}\n    tasks = {'regression'}\n    def __init__"
    )

    plugin = given(samplers=main(text).Mine).sampler("Mine").plugin

    assert plugin.features(Params()) == {Feature.PREDICTIONS}
    assert plugin.tasks == {Task.REGRESSION}


def test_a_constructor_that_takes_params_gets_them_whole(main):
    text = HOOKED.replace("(self, params)", "(self, params: MyParams)")

    plugin = given(samplers=main(text).Mine).sampler("Mine").plugin

    assert plugin.make(plugin.params(start=2)).start == 2


INHERITED = """
from alharness import Params, Sampler

class MyParams(Params):
    start: int = 4

class Mine(Sampler):
    params: MyParams
    def select(self, query):
        return range(self.params.start, self.params.start + query.size)

class Bare(Sampler):
    def select(self, query):
        return range(query.size)
"""


def test_a_sampler_without_a_constructor_has_the_parameters_that_it_annotates(main):
    module = main(INHERITED)

    plugin = given(samplers=module.Mine).sampler("Mine").plugin

    assert plugin.params is module.MyParams
    assert plugin.make(plugin.params(start=2)).params.start == 2


def test_a_sampler_that_annotates_none_has_no_parameters(main):
    plugin = given(samplers=main(INHERITED).Bare).sampler("Bare").plugin

    assert plugin.params is Params
    assert plugin.make(Params()).params == Params()


def test_a_model_class_is_made_with_the_shape(main):
    text = """
from alharness import MultimodalModel

class Net(MultimodalModel):
    def __init__(self, shape, width: int = 8):
        super().__init__(shape)
        self.width = width
    encode = decode = last_layer = loss = None
"""
    plugin = given(models=main(text).Net).model("Net").plugin

    assert isinstance(plugin, ModelPlugin)
    made = plugin.make(plugin.params(width=4), "a shape")
    assert (made.shape, made.width) == ("a shape", 4)


def test_a_data_set_that_is_loaded(make_dataset):
    dataset = make_dataset(sizes=(12, 3, 6))

    found = given(datasets={"mine": dataset}).dataset("mine")

    assert found.plugin.inspect(Params()).sizes == (12, 3, 6)
    assert isinstance(found.plugin.make(Params()), Dataset)


def test_workers_are_not_sent_data_sets(make_dataset, main):
    extras = Extras.collect(samplers=main(ONE_CLASS).Mine, datasets={"mine": make_dataset()})

    assert [one.kind for one in extras.without("dataset").given] == ["sampler"]


class Lines(Tracker):
    def __init__(self, context, size: int = 3):
        self.context, self.size = context, size
        self.lock = threading.Lock()  # a tracker stays in this process, and may hold what cannot be sent


@pytest.mark.parametrize("tracker", [Lines, Lines("context")])
def test_what_stands_for_a_tracker(tracker):
    plugin = given(trackers=tracker).tracker("Lines").plugin

    made = plugin.make(plugin.params(), "context")

    assert (type(made), made.context, made.size) == (Lines, "context", 3)


def test_an_object_of_a_tracker_is_the_one_that_is_used():
    mine = Lines("context")
    plugin = given(trackers={"mine": mine}).tracker("mine").plugin

    assert plugin.make(plugin.params(), "other") is mine


def test_make_may_name_the_included_file_itself(write):
    plugin = included(write(f"{ONE_CLASS}{HOOK_BY_NAME}")).sampler("mine").plugin

    assert type(plugin.make(plugin.params())).__name__ == "Mine"


def test_make_of_an_included_file_names_what_is_near(write):
    with pytest.raises(PluginError, match="has no class or function 'Mime'; did you mean 'Mine'"):
        included(write(f"{ONE_CLASS}{HOOK_BY_NAME.replace(':Mine', ':Mime')}"))


class Locked(Sampler):
    def __init__(self):
        import threading

        self.lock = threading.Lock()

    def select(self, query):
        return range(query.size)


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        ({"samplers": [3]}, "samplers: expected a sampler, that is a Sampler or its class, .* is of type int"),
        ({"samplers": "random"}, "of type str; a sampler that is installed is named in the spec"),
        ({"samplers": {"x": dict}}, r"samplers\['x'\]: expected a sampler, .* the object is dict"),
        (
            {"samplers": {"a b": Locked}},
            "the sampler name 'a b' cannot be used: a name is 1 to 64 letters .*; did you mean 'a-b'\\?",
        ),
        ({"samplers": Locked()}, "it cannot be sent to another process, .*lock"),
        ({"samplers": Sampler}, "the class Sampler is abstract: define select"),
        ({"models": Locked}, "models: expected a model"),
        ({"models": {"x": torch.nn.Linear}}, r"the object is Linear; give an object, Linear\(...\), in place of"),
        ({"trackers": 3}, "trackers: expected a tracker, that is a Tracker or its class, or a TrackerPlugin, but"),
        ({"datasets": {"x": 1}}, r"datasets\['x'\]: expected a dataset, that is a Dataset"),
    ],
)
def test_what_is_no_plugin_is_refused(objects, message):
    with pytest.raises(PluginError, match=message):
        given(**objects)


def test_a_data_set_needs_a_name(make_dataset):
    with pytest.raises(PluginError, match='give it one: datasets={"name": data_set}'):
        given(datasets=make_dataset())


def test_two_collections_are_joined(write, main):
    extras = Extras.collect(include=write(ONE_CLASS), samplers={"x": main(ONE_CLASS).Mine})

    assert extras + extras == extras
    assert pickle.loads(cloudpickle.dumps(extras)).files == extras.files
