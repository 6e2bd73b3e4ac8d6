"""`alharness docs`: the pages of the documentation that come with the package."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import click

from alharness.spec.finding import shipped
from alharness.text.terminal import plain
from alharness.text.words import did_you_mean

FOLDER = Path("docs")
LIST = FOLDER / "llms.txt"
"""Markdown by a convention that assistants know: a heading for each kind of page, and a line for each page."""

WIDE = 1000
"""Columns: each page is on one line, so that `grep` finds it."""


class Page(NamedTuple):
    """A line of the list."""

    name: str
    about: str


@click.command
@click.argument("page", required=False)
def docs(page: str | None) -> None:
    """List the pages of the documentation, or print PAGE as Markdown. It needs no network.

    Another word lists the pages that are about it.

    \b
        alharness docs
        alharness docs reference/spec
        alharness docs run-a-grid
        alharness docs label
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    sections = _sections(shipped(LIST).read_text(encoding="utf-8"))
    if page is None:
        click.echo(_list(sections), nl=False)
        return
    wanted = page.removesuffix(".md").strip("/")
    names = [known.name for pages in sections.values() for known in pages]
    found = next((name for name in names if wanted in {name, name.rpartition("/")[2]}), None)
    if found:
        click.echo(plain(shipped(FOLDER / f"{found}.md").read_text(encoding="utf-8")), nl=False)
        return
    about = {
        heading: [known for known in pages if wanted.lower() in " ".join(known).lower()]
        for heading, pages in sections.items()
    }
    if not any(about.values()):
        near = did_you_mean(wanted, [*names, *(name.rpartition("/")[2] for name in names)])
        raise click.UsageError(f"there is no page {page!r}{near or '; `alharness docs` lists them'}")
    click.echo(_list(about), nl=False)


def _list(sections: dict[str, list[Page]]) -> str:
    formatter = click.HelpFormatter(width=WIDE)
    for heading, pages in sections.items():
        if pages:
            with formatter.section(heading):
                formatter.write_dl([*pages], col_max=40)
    return plain(formatter.getvalue())


def _sections(text: str) -> dict[str, list[Page]]:
    """Heading -> its pages."""
    found: dict[str, list[Page]] = {}
    for line in text.splitlines():
        if line.startswith("## "):
            found[line.removeprefix("## ")] = pages = []
        elif link := re.fullmatch(r"- \[(.+)\]\((.+)\.md\): (.+)", line):
            title, name, about = link.groups()
            pages.append(Page(name, f"{title}: {about}"))
    return found
