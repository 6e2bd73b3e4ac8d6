"""Every code block of the READMEs and the documentation works, and none is left out.

A block says what it is: `bash` holds commands, `yaml` a spec or a part of one, `python` runs, `toml` is parsed,
and `text` is output or a diagram. A `yaml` or `python` block whose first line is `# path` is a file; the tests of
its page use it, and here it is only read.
"""

import ast
import re
import shlex
import shutil
import tomllib
from itertools import pairwise
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner
from tryout import FILE, blocks

from alharness import registry
from alharness import spec as specs
from alharness.cli import cli

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for pattern in (
        "README.md",
        "CONTRIBUTING.md",
        "RELEASING.md",
        "docs/**/*.md",
        "docs/llms.txt",
        ".agents/**/*.md",
        "plugins/**/*.md",
    )
    for path in ROOT.glob(pattern)
    if "_build" not in path.parts
)
BASE = {
    "name": "example",
    "dataset": "digits",
    "active_learning": {"initial_pool": 20, "budget": 20, "cycles": 1},
    "samplers": ["random"],
}
PROGRAMS = {
    "apt-get",
    "cd",
    "diff",
    "docker",
    "export",
    "git",
    "jq",
    "mlflow",
    "pip",
    "pre-commit",
    "pytest",
    "python",
    "python3",
    "ray",
    "sbatch",
    "source",
    "towncrier",
}
"""What commands of the documentation may begin with, other than alharness and make."""
EXECUTED = (
    ("check",),
    ("docs",),
    ("init",),
    ("plugins",),
    ("schema",),
    ("data", "list"),
    ("data", "describe", "digits"),
)
"""Commands that are quick, and need nothing but the specs: they are executed."""


BLOCKS = [block for page in PAGES for block in blocks(page)]


def of(language):
    return pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == language], ids=str)


@pytest.fixture(scope="session")
def installed():
    return registry.load()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder like a checkout: commands find the specs there."""
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    shutil.copytree(ROOT / "specs", (found := tmp_path_factory.mktemp("shared")) / "specs")
    return found


@pytest.fixture
def shared(copied, monkeypatch):
    """Such a folder, for tests that do nothing with it but read."""
    monkeypatch.chdir(copied)
    return copied


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_says_what_it_is(block):
    assert block.language in {"bash", "yaml", "python", "toml", "text"} or block.language.startswith("{")


@of("text")
def test_no_command_hides_in_a_text(block):
    assert not re.search(r"^\$ |^(alharness|make|pip) (?!.* +\d)", block.text, flags=re.MULTILINE)


@of("toml")
def test_toml(block):
    assert tomllib.loads(block.text)


@of("yaml")
def test_yaml_is_a_spec_or_a_part_of_one(block, installed, shared):
    if FILE.match(block.text):
        assert yaml.safe_load(block.text)
        return
    path = shared / "specs" / "example.yaml"
    path.write_text(block.text if block.text.lstrip().startswith("name:") else complete(block.text))
    assert all(setting.samplers for setting in specs.load_all(path, installed))


def complete(text):
    """A part of a spec, and around it what a spec must have."""
    part = yaml.safe_load(text)
    return yaml.safe_dump({**BASE, **part}, sort_keys=False)


def programs():
    """Pages with Python. Those that run a comparison take a while."""
    for page in PAGES:
        if code := "".join(block.text for block in blocks(page) if block.language == "python"):
            yield pytest.param(page, id=page.name, marks=[pytest.mark.slow] if "alharness.run(" in code else [])


@pytest.mark.parametrize("page", list(programs()))
def test_python_runs_in_the_order_of_its_page(page, folder):
    names = {"__name__": "__main__"}
    for block in (block for block in blocks(page) if block.language == "python"):
        if FILE.match(block.text):
            assert ast.parse(block.text).body
        else:
            exec(compile(block.text, str(block), "exec"), names)


def commands(block):
    """Its commands as lists of words, without comments, loops, prompts and what follows a pipe."""
    for line in re.sub(r"\\\n", " ", block.text).splitlines():
        words = shlex.split(line, comments=True)
        if re.fullmatch(r"for \w+ in .*; do|done", line):
            continue
        while words:
            end = next((i for i, word in enumerate(words) if word in {"|", "&&", ">", "&"}), len(words))
            command = words[:end]
            while command and re.fullmatch(r"[A-Z_]+=\S*", command[0]):
                command.pop(0)
            if command:
                yield command
            words = words[end + 1 :] if end < len(words) and words[end] == "&&" else []


@of("bash")
def test_commands_exist(block, installed, shared, monkeypatch):
    # Folders and files of an example need not exist here. Specs that are in the checkout are looked at below.
    monkeypatch.setattr(click.Path, "convert", lambda self, value, param, context: Path(value))
    found = list(commands(block))
    assert found
    for program, *rest in found:
        words = [re.sub(r"\$\w+", "1", word) for word in rest]  # a variable of a job script is a number
        if program == "make":
            targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
            assert next(word for word in words if "=" not in word) in targets
        elif Path(program).name == "alharness":
            parse(words)
            spec = next((word for word in words if re.fullmatch(r"specs/\w+\.yaml", word)), None)
            if spec and not written(block.page, spec):
                changes = [b for a, b in pairwise(words) if a == "--set"]
                assert specs.load_all(ROOT / spec, installed, changes)[0].samplers
        else:
            assert program in PROGRAMS, program


def parse(words):
    """Raises what click says of commands, options and arguments that do not exist."""
    command, words = cli, list(words)
    while isinstance(command, click.Group):
        name = words.pop(0)
        command = command.get_command(click.Context(command), name)
    command.make_context(name, words)


def written(page, spec):
    """Whether a page has the reader write this spec."""
    return f"`{spec}`" in page.read_text(encoding="utf-8") and not (ROOT / spec).exists()


def has_quick(block):
    return block.language == "bash" and any(" ".join(("alharness", *quick)) in block.text for quick in EXECUTED)


@pytest.mark.parametrize("block", filter(has_quick, BLOCKS), ids=str)
def test_quick_commands_succeed(block, folder):
    for other in blocks(block.page):
        if file := FILE.match(other.text):
            path = folder / file[0].removeprefix("# ").strip()
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(other.text)
    new = set(re.findall(r"^alharness new \w+ (\w+)", block.page.read_text(encoding="utf-8"), re.MULTILINE))
    for program, *words in commands(block):
        if program == "alharness" and any(tuple(words[: len(quick)]) == quick for quick in EXECUTED):
            if new & {*words} or any(re.fullmatch(r"[A-Z]+", word) for word in words):
                continue  # a plugin that the page writes, which is not installed here; or a placeholder
            ended = CliRunner().invoke(cli, words)
            assert ended.exit_code == 0, ended.output
