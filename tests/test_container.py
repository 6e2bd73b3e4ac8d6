"""What can be known of the Dockerfile without Docker: what it names is here, and it leaves nothing out."""

import re
import shlex
import subprocess
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
import versions

ROOT = Path(__file__).parents[1]
TEXT = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text())
IGNORED = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]


def ignored(name):
    parts = Path(name).parts
    above = ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
    return any(fnmatch(path, pattern.removeprefix("**/")) for pattern in IGNORED for path in above)


def test_every_distribution_is_built():
    found = re.search(r"\$\((find [^)]+)\)", TEXT)[1]
    listed = subprocess.run(shlex.split(found), cwd=ROOT, capture_output=True, text=True, check=True).stdout
    folders = [path.parent.relative_to(ROOT).as_posix() for path in versions.manifests(ROOT)[1:]]
    assert sorted(listed.split()) == sorted(folders)


def test_files_that_it_names_are_here():
    named = {*re.findall(r"type=bind,source=([\w./-]+)", TEXT), *re.findall(r"-r ([\w./-]+)", TEXT)}
    assert len(named) == 2
    assert all((ROOT / name).is_file() and not ignored(name) for name in named)


def test_it_starts_our_command():
    command = re.search(r'^ENTRYPOINT \["(\w+)"\]', TEXT, flags=re.MULTILINE)[1]
    assert command in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]


def test_what_wheels_are_made_of_is_not_ignored():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    assert [name for name in listed.stdout.splitlines() if ignored(name)] == []
