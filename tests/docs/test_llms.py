"""What coding assistants read: the list of pages, and the skill. Their blocks are tested with all others."""

import re
from pathlib import Path

import pytest
import yaml
from click import Context, Group

from alharness.cli import cli
from alharness.cli.docs import _sections
from alharness.cli.init import SKILL

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MADE = "{eval-rst}", "{include}"
"""Directives of pages that the build makes from code and other files: in Markdown they have nothing to read."""
LISTED = [page.name for pages in _sections((DOCS / "llms.txt").read_text()).values() for page in pages]


def test_every_page_is_in_the_list_once():
    written = {
        path.relative_to(DOCS).with_suffix("").as_posix()
        for path in DOCS.rglob("*.md")
        if "_build" not in path.parts and not any(word in path.read_text() for word in MADE)
    }
    assert sorted(LISTED) == sorted({*written, "reference/hooks"} - {"index"})


def test_every_line_of_the_list_is_understood():
    lines = [line for line in (DOCS / "llms.txt").read_text().splitlines() if line.startswith("-")]
    assert len(lines) == len(LISTED)


def test_the_short_names_of_pages_are_unambiguous():
    assert len({name.rpartition("/")[2] for name in LISTED}) == len(LISTED)


def test_the_skill_has_the_form_that_assistants_expect():
    _, head, body = (ROOT / SKILL).read_text().split("---\n", 2)
    about = yaml.safe_load(head)

    assert about["name"] == SKILL.parent.name
    assert 0 < len(about["description"]) <= 1024
    assert body.count("\n") < 500


@pytest.mark.parametrize("path", [SKILL, Path("docs/llms.txt")], ids=str)
def test_commands_options_and_pages_in_its_sentences_exist(path):
    """Those in blocks are tested with all others."""
    for code in re.findall(r"`(alharness [^`]+|--[a-z-]+[^`]*)`", re.sub(r"\s+", " ", (ROOT / path).read_text())):
        first, *rest = code.split()
        options = {option for command in commands() for param in command.params for option in param.opts}
        if first == "alharness":
            assert rest[0] in cli.list_commands(None) or rest[0] in {"SPEC", "COMMAND"}, code
        assert {word for word in code.split() if word.startswith("--")} <= {*options, "--help"}, code
        if rest[:1] == ["docs"] and len(rest) > 1 and rest[1] != "PAGE":
            assert rest[1] in LISTED, code


def commands():
    for name in cli.list_commands(None):
        command = cli.get_command(Context(cli), name)
        yield command
        if isinstance(command, Group):
            yield from command.commands.values()
