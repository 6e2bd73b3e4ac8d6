"""The distributions belong together, the core knows no sampler, and no list of them is kept by hand."""

import ast
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import alharness

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tools"))  # after everything that is installed

import versions

PLUGINS = [path.parent for path in versions.manifests(ROOT)[1:]]
OFFERED = ("alharness.kernels", "alharness.testing")
"""Packages that distributions may import from, next to the names that `alharness` itself offers."""


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
