"""The tutorial's files, taken from the page as they stand, are a working plugin."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from alharness import registry
from alharness import spec as specs
from alharness.runs import app
from alharness.spec.plan import make_plan
from alharness.testing import SamplerConformance

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "write-a-sampler.md"


@pytest.fixture
def tutorial(tmp_path, monkeypatch):
    """Each fenced block is a file, named in its first line."""
    blocks = re.findall(r"```(?:toml|python|yaml)\n# (\S+)\n(.*?)```", PAGE.read_text(), re.DOTALL)
    for name, content in blocks:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    (tmp_path / "my_margin" / "__init__.py").touch()
    project = tomllib.loads((tmp_path / "pyproject.toml").read_text())["project"]
    info = tmp_path / "my_margin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    points = project["entry-points"]["alharness"].items()
    (info / "entry_points.txt").write_text("[alharness]\n" + "".join(f"{k} = {v}\n" for k, v in points))
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_the_tutorial_is_a_sampler_that_runs(tutorial):
    installed = registry.load()
    assert installed.sampler("my_margin").distribution == "my-margin"
    spec = specs.load(tutorial / "margin.yaml", installed, ["training.epochs=2"])
    assert len(make_plan(spec).cells) == 2
    _, record = app.run(spec, installed, app.Options(workdir=tutorial), print)
    assert [cell.status for cell in record.cells] == ["ok", "ok"]
    assert all(len(cell.cycles[0].scores) == 20 for cell in record.cells)


def test_the_tutorial_passes_its_tests(tutorial):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={tutorial}", "tests"]
    run = subprocess.run(command, cwd=tutorial, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout
    promises = [name for name in dir(SamplerConformance) if name.startswith("test_")]
    assert int(re.search(r"(\d+) passed", run.stdout)[1]) >= len(promises) + 2


def test_the_tutorial_names_every_attribute_of_the_kit():
    rows = re.findall(r"^\| `(\w+)` \|", PAGE.read_text().partition("## Test it")[2], re.MULTILINE)
    assert set(rows) == set(SamplerConformance.__annotations__) - {"plugin"}
