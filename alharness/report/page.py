"""A document as files: one page that needs nothing else, pictures as PNG and SVG, tables as CSV."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup

from alharness.errors import RunError

from .document import PAGE
from .pictures import render
from .typesetting import as_csv

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .document import Document

PICTURES, TABLES = "pictures", "tables"


@dataclass(frozen=True, kw_only=True)
class Written:
    """The files of a report.

    Attributes:
        page: the page.
        pictures: how many pictures there are, each as PNG and SVG.
        tables: how many tables, each as CSV.
    """

    page: Path
    pictures: int
    tables: int


def write(document: Document, folder: Path, on_write: Callable[[str], None] = lambda _: None) -> Written:
    """Write page, pictures and tables, in the place of older ones.

    Args:
        document: what to write.
        folder: the folder to write to; made if needed.
        on_write: called with the name of what is being written.

    Raises:
        RunError: the folder cannot be written to.
    """
    pictures = [picture for section in document.sections for picture in section.pictures]
    tables = [table.sheet for section in document.sections for table in section.tables]
    tables += [sheet for section in document.sections for sheet in section.sheets]
    notice = document.notice.partition(":")[0].lower()
    notice += "; not comparable with the paper" if notice else ""
    shown: dict[str, bytes] = {}
    try:
        for name in (PICTURES, TABLES):
            (folder / name).mkdir(parents=True, exist_ok=True)
        for picture in pictures:
            on_write(picture.title)
            shown[picture.name], png = render(picture, notice)
            (folder / PICTURES / f"{picture.name}.svg").write_bytes(shown[picture.name])
            (folder / PICTURES / f"{picture.name}.png").write_bytes(png)
        for table in tables:
            (folder / TABLES / f"{table.name}.csv").write_text(as_csv(table), encoding="utf-8", newline="")
        (folder / PAGE).write_text(as_html(document, shown), encoding="utf-8")
    except OSError as error:
        raise RunError(
            f"{error.filename or folder}: cannot be written: {error.strerror}; choose another folder "
            "with `alharness report --out`"
        ) from error
    return Written(page=folder / PAGE, pictures=len(pictures), tables=len(tables))


def as_html(document: Document, pictures: dict[str, bytes]) -> str:
    """The page, which loads nothing from anywhere. Everything that comes from a run is escaped.

    Args:
        document: what to show.
        pictures: name of a picture -> SVG.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__, "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def source(name: str) -> str:
        # As an image of its own: names inside one SVG cannot clash with those of another.
        return f"data:image/svg+xml;base64,{base64.b64encode(pictures[name]).decode()}"

    # Its own script is known by its digest, and the browser runs no other.
    script = files(__package__).joinpath("page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("page.html").render(
        document=document,
        source=source,
        script=Markup(script),  # noqa: S704 - a file of ours
        digest=digest,
        switches=max((len(section.legend) for section in document.sections), default=0),
        version=version("alharness"),
    )
