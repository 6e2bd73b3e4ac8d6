import ast
import sys
from importlib.metadata import EntryPoint, distributions, version
from pathlib import Path

import pytest

from alharness import registry
from alharness.api.hooks import hookimpl
from alharness.errors import PluginError
from alharness.registry import elsewhere

ROOT = Path(__file__).parents[2]

SOUND = """
from alharness import Params, SamplerPlugin, hookimpl

@hookimpl
def alharness_samplers():
    return [SamplerPlugin(name=name, params=Params, make=Params, summary="fake") for name in {names}]
"""
IMPORTS = "from alharness import DatasetPlugin, ModelPlugin, Params, SamplerPlugin, hookimpl\n"


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for module in set(sys.modules) - before:
        if str(getattr(sys.modules[module], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[module]


@pytest.fixture
def install(site):
    def install(name, source, entry_point=None, *, version="1.0"):
        module = name.replace("-", "_")
        (site / f"{module}.py").write_text(source)
        info = site / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[alharness]\n{entry_point or name} = {module}\n")

    return install


@pytest.fixture
def load(site):
    def load(only=None):
        return registry.load([e for d in distributions(path=[str(site)]) for e in d.entry_points], only=only)

    return load


def sound(*names):
    return SOUND.format(names=names)


def test_case_44_provenance(install, load):
    install("foreign", sound("ours"), "door", version="2.3")

    found = load().sampler("ours")

    assert (found.distribution, found.version, found.entry_point) == ("foreign", "2.3", "door")
    assert found.origin == "foreign==2.3"


def test_a_plugin_that_moved_has_the_identity_of_before(install, load):
    more = "return [DatasetPlugin(name='d', params=Params, inspect=Params, make=Params, formerly='theirs')]\n"
    install("moved", IMPORTS + "@hookimpl\ndef alharness_datasets(): " + more, version="2.3")

    found = load().dataset("d")

    assert (found.origin, found.identity) == ("moved==2.3", "theirs==2.3")


def test_the_version_of_the_library_that_a_plugin_adapts_is_part_of_its_identity(install, load):
    made = "[SamplerPlugin(name=name, params=Params, make=Params, adapts=name) for name in ('pluggy', 'absent')]\n"
    install("adapter", IMPORTS + "@hookimpl\ndef alharness_samplers(): return " + made, version="2.3")

    found = load()

    assert found.sampler("pluggy").origin == f"adapter==2.3, pluggy=={version('pluggy')}"
    assert found.sampler("absent").identity == "adapter==2.3, absent==none"


def test_all_three_kinds(install, load):
    install(
        "kinds",
        IMPORTS
        + "@hookimpl\ndef alharness_models(): return [ModelPlugin(name='m', params=Params, make=Params)]\n"
        + "@hookimpl\ndef alharness_datasets():"
        + " return [DatasetPlugin(name='d', params=Params, inspect=Params, make=Params)]\n",
    )
    installed = load()

    assert (installed.model("m").plugin.name, installed.dataset("d").plugin.name) == ("m", "d")


SAMPLERS = IMPORTS + "@hookimpl\ndef alharness_samplers(): "


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("raise RuntimeError('two\\nlines')", "RuntimeError: two lines"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("raise BaseException('bare')", "BaseException: bare"),
        (
            "class Mute(Exception):\n    __str__ = lambda self: 1 / 0\nraise Mute",
            "Mute: (its text cannot be made: ZeroDivisionError)",
        ),
        ("def broken(:", "SyntaxError"),
        (SAMPLERS + "1 / 0", "ZeroDivisionError: division by zero"),
        (SAMPLERS + "return {}", "alharness_samplers returned dict, not a list of SamplerPlugin"),
        (SAMPLERS + "return ['x']", "alharness_samplers listed a str, not a SamplerPlugin"),
        (
            SAMPLERS + "return [SamplerPlugin(name='../x', params=Params, make=Params)]",
            "'../x' cannot be used: a name is 1 to 64 letters (A to Z)",
        ),
        (
            SAMPLERS + "return [SamplerPlugin(name='x', params=dict, make=Params)]",
            "must be a subclass of alharness.Params",
        ),
        (
            SAMPLERS + "return [SamplerPlugin(name='x', params=Params, make=Params, requires={'gradients'})]",
            "requires of the sampler 'x' has 'gradients'; it may have embeddings, representations",
        ),
        (
            SAMPLERS + "return [SamplerPlugin(name='x', params=Params, make=Params, tasks={'ranking'})]",
            "tasks of the sampler 'x' has 'ranking'",
        ),
        (
            IMPORTS + "@hookimpl\ndef alharness_sampler(): return []",
            "unknown hook 'alharness_sampler'; the hooks are alh",
        ),
        (
            IMPORTS + "@hookimpl\ndef alharness_run_started(ran): pass",
            "the hook alharness_run_started has no argument ran; it may take run",
        ),
        (IMPORTS + "@hookimpl\ndef alharness_samplers(config): return []", "no argument config; it takes none"),
        ("def alharness_samplers(): return []", "it has no hook; decorate one with alharness.hookimpl"),
    ],
)
def test_case_30_a_broken_plugin_is_isolated_and_named(install, load, source, reason):
    install("a-broken", source, version="0.9")
    install("b-sound", sound("good"))

    installed = load()

    assert list(installed.samplers) == ["good"]
    (broken,) = installed.broken
    assert (broken.entry_point, broken.distribution, broken.version) == ("a-broken", "a-broken", "0.9")
    assert reason in broken.reason


def test_a_broken_plugin_observes_nothing(install, load):
    install(
        "half",
        SAMPLERS + "return 3\n@hookimpl\ndef alharness_run_started(run): raise RuntimeError('still there')",
    )

    assert load().hook.alharness_run_started(run=None) == []


def test_metadata_is_read_once_however_many_plugins_a_distribution_has(site, monkeypatch):
    info = site / "many-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: many\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[alharness]\n" + "".join(f"p{i} = many_{i}\n" for i in range(20)))
    (many,) = distributions(path=[str(site)])
    read = []
    read_text = type(many).read_text
    monkeypatch.setattr(type(many), "read_text", lambda _, name: read.append(name) or read_text(many, name))
    registry.load(many.entry_points)
    assert read.count("METADATA") == 1


def test_case_30_a_missing_attribute(load, site):
    installed = registry.load([EntryPoint(name="x", value="json:nothing", group="alharness")])

    assert installed.broken[0].reason.startswith("AttributeError")
    assert installed.broken[0].distribution == "unknown distribution"


def test_two_entry_points_of_one_module(install, load):
    install("twice", sound("good"), "a = twice\nb")

    installed = load()

    assert list(installed.samplers) == ["good"]
    assert installed.broken[0].reason == "another entry point leads to the same module already"


def test_case_30_a_clash_names_both_and_spares_the_rest(install, load):
    install("first", sound("shared", "one"), version="1.1")
    install("second", sound("shared", "two"), version="2.2")

    installed = load()

    assert sorted(installed.samplers) == ["one", "two"]
    with pytest.raises(PluginError, match=r"'shared' is offered by first 1\.1 and by second 2\.2; uninstall one"):
        installed.sampler("shared")


def test_the_same_name_of_two_kinds_is_no_clash(install, load):
    install(
        "kinds",
        sound("x") + "from alharness import ModelPlugin\n@hookimpl\ndef alharness_models():"
        " return [ModelPlugin(name='x', params=Params, make=Params)]\n",
    )

    assert load().clashes == ()


def test_entry_points_of_the_same_name_are_both_loaded(install, load):
    install("first", sound("one"), "door")
    install("second", sound("two"), "door")

    assert sorted(load().samplers) == ["one", "two"]


def test_case_30_a_missing_name_has_near_names(install, load):
    install("some", sound("grace", "entropy"))

    with pytest.raises(PluginError) as caught:
        load().sampler("grase")

    assert str(caught.value) == (
        "no sampler named 'grase' is installed; did you mean 'grace'? installed: entropy, grace"
    )


def test_members_of_a_family_are_named_to_those_who_ask_for_it(install, load):
    install("some", sound("grace", "kin/a", "kin/b"))

    with pytest.raises(PluginError, match=r"; installed: grace, 2 of kin/$"):
        load().sampler("zzz")
    with pytest.raises(PluginError, match=r"installed: grace, kin/a, kin/b$"):
        load().sampler("kin/zzz")


def test_a_missing_name_without_near_names(install, load):
    install("some", sound("grace"))

    with pytest.raises(PluginError, match=r"^no model named 'zzz' is installed; installed: none$"):
        load().model("zzz")


def test_a_missing_name_tells_of_the_broken_plugin(install, load):
    install("foreign", "import no_such_module", "wanted")

    with pytest.raises(PluginError, match=r"'wanted' of foreign 1\.0 is broken: ModuleNotFoundError"):
        load().sampler("wanted")


def test_the_order_of_installation_does_not_matter(install, site):
    install("b-broken", "raise ValueError")
    install("a-broken", "raise ValueError")
    install("c-broken", "raise ValueError")
    found = sorted((e for d in distributions(path=[str(site)]) for e in d.entry_points), reverse=True)

    assert [broken.entry_point for broken in registry.load(found).broken] == ["a-broken", "b-broken", "c-broken"]


def test_only_some(install, load):
    install("first", sound("one"))
    install("second", sound("two"))

    installed = load(only=["second"])

    assert list(installed.samplers) == ["two"]
    with pytest.raises(
        PluginError, match="'first' is installed, but left out: ALHARNESS_PLUGINS does not list it"
    ):
        installed.sampler("first")


def test_case_44_only_some_are_imported(install, load):
    install("first", "raise SystemExit")
    install("second", sound("two"))

    assert load(only=["second"]).broken == ()


def test_only_must_be_there(install, load):
    install("first", sound("one"))

    with pytest.raises(
        PluginError, match="ALHARNESS_PLUGINS lists 'fist', which is not installed; did you mean 'first'"
    ):
        load(only=["fist"])


def test_the_variable_spares_the_harness_itself(install, monkeypatch):
    install("foreign", sound("ours"))
    monkeypatch.setenv(registry.ONLY, " foreign, ")

    installed = registry.load()

    assert list(installed.samplers) == ["ours"]
    assert installed.model("late_fusion").origin == f"alharness=={version('alharness')}"


def test_an_observer_sees_the_run(install, load):
    class Observer:
        seen = ()

        @hookimpl
        def alharness_run_started(self, run):
            self.seen = (*self.seen, run)

    installed, observer = load(), Observer()
    installed.register(observer)
    installed.hook.alharness_run_started(run="run")

    assert observer.seen == ("run",)


def test_case_30_an_observer_with_a_misspelt_hook(load):
    class Observer:
        @hookimpl
        def alharness_run_start(self, run):
            raise AssertionError

    installed = load()
    with pytest.raises(PluginError, match="unknown hook 'alharness_run_start'"):
        installed.register(Observer())
    assert not installed.manager.get_plugins()


def test_the_core_names_no_sampler():
    found = [path.parent for path in (ROOT / "plugins").rglob("pyproject.toml")]
    folders = {folder.name for folder in found if folder.parent.name != "executors"}
    # `random` is a module of Python's own as well, and a control is a kind of sampler before it is one.
    forbidden = (folders - {"random", "control"}) | {f"alharness_{name}" for name in folders}
    # What a user gets who names nothing.
    defaults = {("init.py", "openclipart"), ("defaults.py", "badge"), ("defaults.py", "coreset")}
    named = []
    for path in (ROOT / "alharness").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):  # an executor's time of grace, for example
                continue
            words = [getattr(node, attribute, None) for attribute in ("value", "module", "name")]
            found_here = {w for w in words if isinstance(w, str) and w.split(".")[0] in forbidden}
            named += [f"{path}: {w}" for w in found_here if (path.name, w) not in defaults]

    assert {"grace", "coreset"} <= folders
    assert not named


@pytest.fixture
def elsewhere_is(monkeypatch):
    """Let one of the project's other distributions offer `theirs`."""

    def place(package):
        found = elsewhere.Elsewhere(package=package, extra="things")
        monkeypatch.setattr(elsewhere, "find", lambda name: found if name == "theirs" else None)

    return place


def test_what_another_distribution_of_ours_offers_says_how_to_install_it(elsewhere_is, load):
    elsewhere_is("alharness_nowhere")
    with pytest.raises(PluginError) as caught:
        load().dataset("theirs")
    assert str(caught.value) == (
        "the dataset 'theirs' is part of alharness-nowhere, which is not installed; install it with: "
        "pip install 'alharness[things]'"
    )


def test_what_is_installed_but_not_of_this_kind_is_not_installed_again(elsewhere_is, load):
    elsewhere_is("alharness")
    with pytest.raises(PluginError, match="no model named 'theirs' is installed"):
        load().model("theirs")


def test_a_distribution_of_ours_that_is_broken_or_left_out_is_not_missing(elsewhere_is, install, load):
    elsewhere_is("alharness_others")
    install("others", "import no_such_module")
    with pytest.raises(PluginError, match="because the plugin 'others' of others 1.0 is broken"):
        load().dataset("theirs")
