"""The distributions belong together, the core knows no sampler, and no list of them is kept by hand."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import entry_points, packages_distributions
from pathlib import Path

import pytest
import versions

import alharness
from alharness import registry
from alharness.registry import elsewhere

ROOT = Path(__file__).parents[1]

PLUGINS = [path.parent for path in versions.manifests(ROOT)[1:]]
CLUSTERS = {"ray"}
"""Extras that users of a cluster ask for by name: `all` leaves them out."""
PROVIDERS = cache(packages_distributions)
OFFERED = (
    "alharness.kernels",
    "alharness.testing",
    "alharness.worlds",
    # Helpers, by modules: too many, and too special, to be offered by name.
    "alharness.api.dataset",
    "alharness.api.executor",
    "alharness.api.importing",
    "alharness.api.layers",
    "alharness.api.metrics",
    "alharness.api.staging",
)
"""What distributions may import from, next to the names that `alharness` itself offers."""


def project(folder):
    return tomllib.loads((folder / "pyproject.toml").read_text())["project"]


def package(folder):
    return f"alharness_{folder.name}"


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
def test_a_plugins_distribution_is_in_step_with_the_core(folder):
    core, plugin = project(ROOT), project(folder)
    assert plugin["name"] == f"alharness-{folder.name}"
    assert plugin["requires-python"] == core["requires-python"]
    assert f"alharness{versions.compatible(core['version'])}" in plugin["dependencies"]
    modules = {value.partition(":")[0] for value in plugin["entry-points"]["alharness"].values()}
    assert all(module.startswith(f"{package(folder)}.") for module in modules)
    assert (folder / "README.md").read_text().startswith(f"# alharness-{folder.name}\n")
    assert (folder / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    assert (folder / "src" / package(folder) / "py.typed").exists()


def test_what_is_installed_is_what_the_source_says():
    declared = {
        name: value
        for folder in [ROOT, *PLUGINS]
        for name, value in project(folder)["entry-points"]["alharness"].items()
    }
    ours = {e.name: e.value for e in entry_points(group="alharness") if e.dist.name.startswith("alharness")}
    assert ours == declared, "install again: make clean, then make test"


def imported(path):
    """The modules that a file imports, and the names that it takes from each."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from ((node.module, alias.name) for alias in node.names)


def allowed(module, name, own):
    """Whether a distribution with the package `own` may import this."""
    if not module.startswith("alharness") or f"{module}.".startswith(f"{own}."):
        return True
    if module == "alharness":
        return name is None or name in alharness.__all__ or f"{module}.{name}" in OFFERED
    return f"{module}.".startswith(tuple(f"{offered}." for offered in OFFERED))


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
def test_a_distribution_imports_only_what_alharness_offers_to_everybody(folder):
    found = [
        (path.name, module, name)
        for path in (folder / "src").rglob("*.py")
        for module, name in imported(path)
        if not allowed(module, name, package(folder))
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "import alharness.engine.loop",
        "from alharness import spec",
        "from alharness.api.sampler import Query",
        "from alharness_other import sampler",
        "from alharness_grace_more import sampler",
    ],
)
def test_other_imports_are_found(tmp_path, line):
    path = tmp_path / "sampler.py"
    path.write_text(f"def make():\n    {line}\n")
    assert not any(allowed(module, name, "alharness_grace") for module, name in imported(path))


def test_all_versions_are_the_roots():
    stale = versions.stale(ROOT, versions.of(ROOT))
    assert list(stale) == [], "run: python tools/versions.py"


def needed(folder):
    """Distribution -> a file that imports it, for what the code of this folder imports when it runs."""
    providers = PROVIDERS()
    for path in sorted(folder.rglob("*.py")):
        tree = ast.parse(path.read_text())
        for_types = {
            id(node)
            for branch in ast.walk(tree)
            if isinstance(branch, ast.If) and ast.unparse(branch.test) == "TYPE_CHECKING"
            for statement in branch.body
            for node in ast.walk(statement)
        }
        for node in ast.walk(tree):
            if id(node) in for_types:
                continue
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                modules = [node.module]
            for module in modules:
                top = module.partition(".")[0]
                if top not in sys.stdlib_module_names:
                    yield path.relative_to(folder), [normal(name) for name in providers.get(top, [top])]


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(folder):
    """The distributions that this one asks for, also with its extras, and itself."""
    made = project(folder)
    requirements = [
        *made["dependencies"],
        *(r for extra in made.get("optional-dependencies", {}).values() for r in extra),
    ]
    return {normal(re.match(r"[\w.-]+", requirement)[0]) for requirement in [made["name"], *requirements]}


def undeclared(folder, code):
    return [(str(path), names) for path, names in needed(code) if not declared(folder) & set(names)]


@pytest.mark.parametrize("folder", [ROOT, *PLUGINS], ids=lambda folder: folder.name)
def test_a_distribution_declares_what_it_imports(folder):
    assert undeclared(folder, ROOT / "alharness" if folder == ROOT else folder / "src") == []


def test_an_undeclared_import_is_found(tmp_path):
    (tmp_path / "x.py").write_text(
        "from __future__ import annotations\nimport json\nfrom typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import scipy\n\ndef late():\n    import yaml.reader, absent, pydantic_core\n"
    )
    assert undeclared(PLUGINS[0], tmp_path) == [
        ("x.py", ["pyyaml"]),
        ("x.py", ["absent"]),
        ("x.py", ["pydantic-core"]),
    ]


def test_an_error_can_name_every_distribution_of_ours():
    """For each name that they offer, `pyproject.toml` says which extra installs it."""
    installed = registry.load()
    offered = {
        name: known.distribution
        for plugins in (installed.samplers, installed.models, installed.datasets, installed.executors)
        for name, known in plugins.items()
        if known.distribution in {f"alharness-{folder.name}" for folder in PLUGINS}
    }
    found = {name: elsewhere.find(name) for name in offered}
    assert {name: there.distribution for name, there in found.items()} == offered
    extras = project(ROOT)["optional-dependencies"]
    for name, distribution in offered.items():
        needed = extras[found[name].extra]
        assert f"{distribution}{versions.compatible(project(ROOT)['version'])}" in needed
    listed = {name for extra in extras for name in project(ROOT)["entry-points"].get(f"alharness.{extra}", ())}
    assert listed == {name.partition("/")[0] for name in offered}


def test_the_page_on_installation_lists_every_extra_and_what_is_built_in():
    page = (ROOT / "docs/how-to/install.md").read_text()
    rows = dict(re.findall(r"^\| ([`\w, ]+) \| (.+) \|$", page, re.MULTILINE))
    installed = registry.load()
    built_in = {
        name
        for plugins in (installed.models, installed.datasets)
        for name, known in plugins.items()
        if known.distribution == "alharness"
    }

    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == {*project(ROOT)["optional-dependencies"]} - {"all"}
    assert set(re.findall(r"`(\w+)`", rows["none"])) == built_in


def test_the_extras_install_every_distribution():
    fits = versions.compatible(project(ROOT)["version"])
    extras = project(ROOT)["optional-dependencies"]
    ours = {extra: needed for extra, needed in extras.items() if any(r.startswith("alharness-") for r in needed)}
    assert sorted(r for needed in ours.values() for r in needed) == sorted(
        f"alharness-{folder.name}{fits}" for folder in PLUGINS
    ), "every distribution is in one extra of the root's pyproject.toml"
    assert extras["all"] == [f"alharness[{','.join(extra for extra in ours if extra not in CLUSTERS)}]"]
