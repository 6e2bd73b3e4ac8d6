"""`alharness init`: what a folder of comparisons begins with."""

from __future__ import annotations

from pathlib import Path

import click

from alharness import registry
from alharness.errors import SpecError
from alharness.runs import files
from alharness.spec.finding import ENDINGS, FOLDER, shipped
from alharness.spec.schema import schema_text
from alharness.text.terminal import plain
from alharness.text.words import command_line, counted

from . import options

SKILL = Path(".agents", "skills", "alharness", "SKILL.md")
"""Where coding assistants look for it."""


@click.command
@click.argument("folder", type=options.FOLDER, default=Path(), metavar="[FOLDER]")
@click.option("--skill", is_flag=True, help="Also copy the skill from which coding assistants learn alharness.")
def init(folder: Path, *, skill: bool) -> None:
    """Copy the specs that alharness ships into FOLDER, by default this one: to run, to read and to change.

    They come into FOLDER/specs, with the JSON schema of all that is installed, by which editors complete and check
    specs. --skill adds .agents/skills/alharness/SKILL.md, which coding assistants read.

    A file that is there already stays as it is, and is named if it differs from the one that is shipped. For
    example:

    \b
        alharness init
        alharness init comparisons --skill
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    installed = registry.load()
    names = [*_specs(), *([SKILL] if skill else [])]
    differing = [path for name in names if not _copy(shipped(name), path := folder / name)]
    _write(folder / FOLDER / "schema.json", schema_text(installed).encode())
    number = counted(sum(name.parent == FOLDER for name in names), "spec")
    click.echo(plain(f"{folder / FOLDER} has the {number} of alharness, and schema.json for your editor"))
    for path in differing:
        click.echo(
            plain(f"{path} stays: it differs from the one that is shipped; to get that, delete it and repeat this")
        )
    first = "openclipart" if "openclipart" in installed.datasets else "digits_quick"
    command = command_line("run", folder / FOLDER / f"{first}.yaml", "--report")
    click.echo(plain(f"Run one:  {command}"))


def _specs() -> list[Path]:
    """All that are shipped, and what they extend."""
    start = shipped()
    return sorted(FOLDER / path.relative_to(start) for path in start.rglob("*") if path.suffix in ENDINGS)


def _copy(source: Path, target: Path) -> bool:
    """Copy a file unless there is one already. Returns whether both are the same now."""
    content = source.read_bytes()
    try:
        there = target.read_bytes()
    except FileNotFoundError:
        _write(target, content)
        return True
    except OSError as error:
        raise SpecError(f"{target} cannot be read: {error.strerror}") from None
    return there == content


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, content)
    except OSError as error:
        raise SpecError(f"{path} cannot be written: {error.strerror}") from None
