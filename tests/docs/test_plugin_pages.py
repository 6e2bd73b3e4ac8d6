"""The plugins that the documentation writes: files taken from a page are an installed plugin that runs."""

import importlib
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from alharness import cli, registry
from alharness import spec as specs
from alharness.runs import run as runs
from alharness.scaffold import EXAMPLES, contents
from alharness.spec.plan import make_plan
from alharness.testing import DatasetConformance, ModelConformance, SamplerConformance
from alharness.testing.kit import promises_of

DOCS = Path(__file__).parents[2] / "docs"


def install(page, site):
    """Write each fenced block that begins with `# path` as that file, and what pip writes of the distribution."""
    text = (DOCS / page).read_text(encoding="utf-8")
    for name, content in re.findall(r"```(?:toml|python|yaml)\n# (\S+\.\w+)\n(.*?)```", text, re.DOTALL):
        path = site / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    project = tomllib.loads((site / "pyproject.toml").read_text())["project"]
    package = project["name"].replace("-", "_")
    if (site / package).is_dir():
        (site / package / "__init__.py").touch()
    info = site / f"{package}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    points = project["entry-points"]["alharness"].items()
    (info / "entry_points.txt").write_text("[alharness]\n" + "".join(f"{k} = {v}\n" for k, v in points))
    return project["name"]


PAGES = {
    "sampler": "tutorial/write-a-sampler.md",
    "model": "how-to/write-a-model.md",
    "dataset": "how-to/write-a-data-set.md",
    "tracker": "how-to/write-a-tracker.md",
    "executor": "how-to/write-an-executor.md",
}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_code_of_a_page_is_what_alharness_new_writes(kind):
    text = (DOCS / PAGES[kind]).read_text(encoding="utf-8")
    shown = dict(re.findall(r"```(?:toml|python|yaml)\n# (\S+\.\w+)\n(.*?)```", text, re.DOTALL))
    made = contents(kind, EXAMPLES[kind])
    code = {
        path: content for path, content in made.items() if content and path.endswith((".py", ".toml", ".yaml"))
    }
    assert {path: shown.get(path) for path in code} == code


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def run(site, spec):
    installed = registry.load()
    loaded = specs.load(site / spec, installed, ["training.epochs=2", "seeds=1"])
    _, record = runs.run(loaded, installed, runs.Options(workdir=site), print)
    assert {cell.status for cell in record.cells} == {"ok"}
    return installed, make_plan(loaded), record


def own_tests(site):
    """How many of the page's tests passed: all of them."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={site}", "tests"]
    ended = subprocess.run(command, cwd=site, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout
    return int(re.search(r"(\d+) passed", ended.stdout)[1])


def test_the_sampler_runs(site):
    install("tutorial/write-a-sampler.md", site)
    installed, plan, record = run(site, "my_margin.yaml")
    assert installed.sampler("my_margin").distribution == "my-margin"
    assert len(plan.cells) == 3
    assert all(len(cell.cycles[0].scores) == 20 for cell in record.cells if cell.cell.sampler == "my_margin")


def test_the_sampler_passes_its_tests(site):
    install("tutorial/write-a-sampler.md", site)
    assert own_tests(site) >= len(promises_of(SamplerConformance)) + 2


def test_the_tutorial_names_every_attribute_of_the_kit():
    page = (DOCS / "tutorial" / "write-a-sampler.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|", page.partition("## Test it")[2], re.MULTILINE)
    assert set(rows) == set(SamplerConformance.__annotations__) - {"plugin"} | {"params"}


def test_the_data_set_runs(site):
    install("how-to/write-a-data-set.md", site)
    importlib.import_module("my_clips.example").write(site / "data")
    _, plan, _ = run(site, "my_clips.yaml")
    assert plan.facts.modalities == ("audio", "text")


def test_the_data_set_passes_its_tests(site):
    install("how-to/write-a-data-set.md", site)
    assert own_tests(site) == len(promises_of(DatasetConformance))


@pytest.mark.slow
def test_the_model_passes_its_tests(site):
    install("how-to/write-a-model.md", site)
    assert own_tests(site) > len(promises_of(ModelConformance))


def test_the_model_runs(site):
    install("how-to/write-a-model.md", site)
    _, plan, record = run(site, "my_network.yaml")
    assert not plan.skips
    assert len(record.cells) == 2


def test_the_model_that_fits_itself_runs(site):
    install("how-to/write-a-model.md", site)
    (spec,) = specs.Spec.load_all(
        str(site / "my_network.yaml"),
        set={"model": "NearestMeans", "samplers": ["random", "coreset", "bald"]},
        include=site / "nearest_means.py",
    )
    installed = registry.load(extras=spec.extras)
    _, record = runs.run(spec, installed, runs.Options(workdir=site), print)
    assert [cell.status for cell in record.cells] == ["ok", "ok"]
    (skip,) = make_plan(spec).skips
    assert skip.reason.startswith(
        "it needs mc_draws, which the model 'NearestMeans' does not provide; models that"
    )


@pytest.fixture
def run_command(site, fresh_store, monkeypatch, capsys):
    """`alharness run`; gives the exit code and what was printed."""
    (site / "mlflow.db").write_bytes(fresh_store)
    monkeypatch.chdir(site)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            cli.main(["run", "--set", "training.epochs=2", *arguments])
        printed = capsys.readouterr()
        return ended.value.code, printed.out + printed.err

    return run


@pytest.mark.slow
def test_the_tracker_keeps_a_run_next_to_mlflow(run_command, site):
    install("how-to/write-a-tracker.md", site)
    code, out = run_command("my_lines.yaml")
    assert code == 0, out
    lines = [json.loads(line) for line in (site / "lines.jsonl").read_text().splitlines()]
    assert [(line["cell"], line["labels"]) for line in lines] == [("random-s0", labels) for labels in (20, 40, 60)]
    assert f"\nmy_lines: {site / 'lines.jsonl'}\n" in out
    assert "\nMLflow:   " in out
    # A tracker that fails costs a warning, unless it is required; without tracking there is none.
    lost = "tracking=[{name: my_lines, params: {path: missing/lines.jsonl}}]"
    code, out = run_command("my_lines.yaml", "--set", "seeds=2", "--set", lost)
    assert (code, out.count("FileNotFoundError")) == (0, 1)
    assert "warning: the tracker 'my_lines' of my-lines==0.1.0: alharness_cycle_finished: FileNotFoundError" in out
    code, out = run_command("my_lines.yaml", "--set", "seeds=3", "--set", lost, "--require-tracking")
    assert code == 6
    assert "error: the tracker 'my_lines' of my-lines==0.1.0: alharness_cycle_finished: FileNotFoundError" in out
    code, out = run_command("my_lines.yaml", "--set", "seeds=3", "--set", lost, "--no-tracking")
    assert (code, "FileNotFoundError" in out, "lines.jsonl" in out) == (0, False, False)
