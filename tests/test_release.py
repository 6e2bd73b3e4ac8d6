"""`tools/release.py` on a small repository whose wheels are quickly made."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = Path("docs", "page.md")
RANGE = 'dependencies = ["alharness>=0.1,<0.2"]\n'


def run(*command, where):
    return subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)


@pytest.fixture
def repository(tmp_path):
    """A core, a distribution, a fragment, and a Makefile: all committed on main."""
    shutil.copytree(ROOT / "tools", tmp_path / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    towncrier = '[tool.towncrier]\nname = "x"\ndirectory = "changelog.d"\nfilename = "CHANGELOG.md"\n'
    files = {
        "pyproject.toml": f'[project]\nname = "alharness"\nversion = "0.1.0"\n{towncrier}',
        "plugins/some/kind/pyproject.toml": f'[project]\nname = "alharness-kind"\nversion = "0.1.0"\n{RANGE}',
        PAGE: f"# A page\n{RANGE}",
        "CITATION.cff": "title: x\nversion: 0.1.0\n",
        "CHANGELOG.md": "# Changelog\n\n<!-- towncrier release notes start -->\n",
        "changelog.d/+new.feature.md": "There is something new.\n",
        "Makefile": "wheels:\n\tmkdir dist\n\ttouch dist/x.whl\n",
        ".gitignore": "dist/\n__pycache__/\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    git = ("git", "-c", "init.defaultBranch=main")
    for command in (
        [*git, "init", "--quiet"],
        ["git", "config", "user.name", "Someone"],
        ["git", "config", "user.email", "someone@example.org"],
        ["git", "add", "--all"],
        ["git", "commit", "--quiet", "--message=Begin"],
    ):
        assert run(*command, where=tmp_path).returncode == 0
    return tmp_path


@pytest.fixture
def release(repository):
    return lambda *flags: run(sys.executable, "tools/release.py", *flags, where=repository)


def state(repository):
    """Commits, tags, and what git sees of the files."""
    return [
        run("git", *question, where=repository).stdout
        for question in (["log", "--format=%s"], ["tag"], ["status", "--porcelain", "--ignored"])
    ]


def test_a_dry_run_makes_everything_and_changes_nothing(repository, release):
    before = state(repository)
    done = release("0.2.0", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "Commit: Release 0.2.0" in done.stdout
    assert "x.whl" in done.stdout
    assert state(repository) == before


def test_a_release_has_a_commit_a_tag_one_version_everywhere_and_its_files(repository, release):
    done = release("0.2.0")
    assert done.returncode == 0, done.stderr
    commits, tags, _ = state(repository)
    assert (commits.splitlines(), tags.split()) == (["Release 0.2.0", "Begin"], ["v0.2.0"])
    assert (repository / "dist" / "x.whl").exists()
    for path in ("pyproject.toml", "plugins/some/kind/pyproject.toml"):
        assert tomllib.loads((repository / path).read_text())["project"]["version"] == "0.2.0"
    for path in ("plugins/some/kind/pyproject.toml", PAGE):
        assert RANGE.replace(">=0.1,<0.2", ">=0.2,<0.3") in (repository / path).read_text()
    assert "version: 0.2.0\n" in (repository / "CITATION.cff").read_text()
    assert "There is something new." in (repository / "CHANGELOG.md").read_text()
    assert not list((repository / "changelog.d").glob("*.md"))


def test_wheels_whose_tests_fail_are_not_released(repository, release):
    (repository / "Makefile").write_text("wheels:\n\tmkdir dist\n\tfalse\n")
    run("git", "commit", "--quiet", "--all", "--message=Break", where=repository)
    before = state(repository)
    done = release("0.2.0")
    assert done.returncode == 1
    assert "make wheels failed: nothing here has changed" in done.stderr
    assert state(repository) == before


@pytest.mark.parametrize(
    ("version", "command", "complaint"),
    [
        ("0.2", ["true"], "0.2 is not a version"),
        ("0.2.0", ["touch", "new.py"], "commit these first"),
        ("0.2.0", ["git", "switch", "--quiet", "--create", "topic"], "this is topic"),
        ("0.1.9", ["git", "tag", "v0.1.9"], "the tag v0.1.9 exists"),
        ("0.1.9", ["git", "tag", "v0.1.10"], "0.1.9 is not newer than v0.1.10"),
    ],
)
def test_what_cannot_be_released_is_refused(repository, release, version, command, complaint):
    run(*command, where=repository)
    done = release(version)
    assert done.returncode == 1
    assert complaint in done.stderr
