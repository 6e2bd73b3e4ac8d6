"""`alharness new`: what is written, and what is refused. That it works, tests/docs/test_plugin_pages.py says."""

import errno
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from alharness import cli, registry
from alharness.scaffold import EXAMPLES, contents


@pytest.fixture
def new(tmp_path, monkeypatch, capsys):
    """Code and output of `alharness new` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def new(*arguments):
        with pytest.raises(SystemExit) as ended:
            cli.main(["new", *arguments])
        printed = capsys.readouterr()
        return ended.value.code or 0, " ".join((printed.out + printed.err).split())

    return new


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_plugin_has_its_own_name_everywhere(kind):
    made = contents(kind, "smallest_gap")
    left = [path for path, text in made.items() if re.search(r"my[_-]|My|YEAR|dot_|\.txt\b", path + text)]
    assert left == []
    for path, text in made.items():
        if path.endswith(".py"):
            compile(text, path, "exec")
    project = tomllib.loads(made["pyproject.toml"])
    assert project["project"]["name"] == "smallest-gap"
    assert [*project["project"]["entry-points"]["alharness"]] == ["smallest_gap"]
    assert {"README.md", "LICENSE", ".gitignore", ".github/workflows/tests.yml"} <= made.keys()
    assert "tests/test_smallest_gap.py" in made


def test_it_is_written_into_a_folder_of_its_own_and_says_what_to_do_next(new, tmp_path):
    code, said = new("sampler", "smallest-gap")
    assert code == 0
    written = {str(path.relative_to(tmp_path / "smallest-gap")) for path in tmp_path.rglob("*") if path.is_file()}
    assert written == contents("sampler", "smallest_gap").keys()
    assert "pip install -e smallest-gap" in said
    assert "check --plugin smallest_gap" in said
    assert "run smallest-gap/smallest_gap.yaml" in said


def test_what_is_there_stays(new, tmp_path):
    (tmp_path / "smallest-gap").mkdir()
    code, said = new("sampler", "smallest_gap")
    assert code == 2
    assert "smallest-gap is there already, and nothing was written" in said
    assert [*(tmp_path / "smallest-gap").iterdir()] == []


def test_a_full_disk_leaves_nothing(new, tmp_path, monkeypatch):
    write = Path.write_text

    def full(path, *args, **kwargs):
        if path.name == "README.md":
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, *args, **kwargs)

    monkeypatch.setattr(Path, "write_text", full)
    code, said = new("sampler", "smallest_gap")
    assert code == 2
    assert "smallest-gap cannot be written: No space left on device; choose another --out" in said
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Smallest", "use small letters"),
        ("2nd", "use small letters"),
        ("a__b", "use small letters"),
        ("../up", "use small letters"),
        ("", "use small letters"),
        ("class", "has something of this name"),
        ("random", "alharness-random==0.1.0 has a sampler of this name already"),
        ("json", "has something of this name"),
        ("tests", "has something of this name"),
        ("query", "its class would be Query, which is something else there"),
        ("torch", "a module 'torch' is installed already"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused(new, tmp_path, name, reason):
    code, said = new("sampler", name)
    assert code in (2, 4)
    assert reason in said
    assert [*tmp_path.iterdir()] == []


def test_a_kind_that_there_is_not_is_refused(new):
    code, said = new("samplers", "smallest_gap")
    assert code == 2
    assert "'sampler', 'model', 'dataset', 'tracker', 'executor'" in said


@pytest.mark.slow
def test_what_is_written_can_be_installed_and_is_listed(new, tmp_path):
    pytest.importorskip("hatchling")
    names = [f"their_{kind}" for kind in EXAMPLES]
    for kind, name in zip(EXAMPLES, names, strict=True):
        assert new(kind, name)[0] == 0
    site = tmp_path / "site"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--target",
        site,
    ]
    subprocess.run([*pip, *(tmp_path / name.replace("_", "-") for name in names)], check=True)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), *sys.path])}
    command = [sys.executable, "-m", "alharness", "plugins"]
    listed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert re.findall(r"^  their_\w+ .*\((their-\w+) 0\.1\.0\)$", listed, re.MULTILINE) == [
        name.replace("_", "-") for name in names
    ]


def test_every_kind_of_plugin_can_be_written():
    assert EXAMPLES.keys() == registry.discovery.KINDS.keys()
