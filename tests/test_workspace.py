"""The distributions belong together, and the core knows no sampler."""

import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PLUGINS = sorted([ROOT / "plugins" / "grace", *(ROOT / "plugins" / "baselines").iterdir()])


def project(folder):
    return tomllib.loads((folder / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
def test_a_plugins_distribution_is_in_step_with_the_core(folder):
    core, plugin = project(ROOT), project(folder)
    major, minor, _ = core["version"].split(".")
    assert plugin["name"] == f"alharness-{folder.name}"
    assert plugin["version"] == core["version"]
    assert plugin["requires-python"] == core["requires-python"]
    assert plugin["dependencies"] == [f"alharness>={major}.{minor},<{major}.{int(minor) + 1}"]
    assert plugin["entry-points"] == {"alharness": {folder.name: f"alharness_{folder.name}.plugin"}}
    assert (folder / "README.md").read_text().startswith(f"# alharness-{folder.name}\n")
    assert (folder / "src" / f"alharness_{folder.name}" / "py.typed").exists()


def test_what_is_installed_is_what_the_source_says():
    declared = {
        name: value
        for folder in [ROOT, *PLUGINS]
        for name, value in project(folder)["entry-points"]["alharness"].items()
    }
    ours = {e.name: e.value for e in entry_points(group="alharness") if e.dist.name.startswith("alharness")}
    assert ours == declared, "install again: make clean, then make test"


def test_every_plugin_is_checked_by_the_type_checker():
    files = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["files"]
    assert {str(folder.relative_to(ROOT) / "src") for folder in PLUGINS} <= set(files)


def test_every_plugin_is_in_the_matrix():
    matrix = (ROOT / "tox.ini").read_text()
    assert all(matrix.count(f" {folder.relative_to(ROOT)}") == 2 for folder in PLUGINS)
    assert all(f"alharness-{folder.name}" in matrix for folder in PLUGINS)


def test_the_versions_in_the_papers_are_one():
    version = project(ROOT)["version"]
    assert f"version: {version}\n" in (ROOT / "CITATION.cff").read_text()
