"""`alharness schema`: the JSON schema of specs, for editors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from alharness import registry
from alharness.errors import SpecError
from alharness.spec.schema import schema_text

from .options import FILE

if TYPE_CHECKING:
    from pathlib import Path


@click.command
@click.option("--out", type=FILE, metavar="FILE", help="Write it here.")
def schema(out: Path | None) -> None:
    """Print the JSON schema of specs with the parameters of all installed plugins, or write it to FILE.

    An editor that knows YAML then completes and checks a spec that begins with the line

    \b
        # yaml-language-server: $schema=schema.json

    For example:

    \b
        alharness schema --out specs/schema.json
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    text = schema_text(registry.load())
    if out is None:
        click.echo(text, nl=False)
    else:
        try:
            out.write_text(text, encoding="utf-8")
        except OSError as error:
            raise SpecError(f"{out} cannot be written: {error.strerror}") from None
        click.echo(f"{out} is written")
