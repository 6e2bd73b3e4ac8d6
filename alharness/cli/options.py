"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

workdir_option = click.option(
    "--workdir",
    type=click.Path(path_type=Path, file_okay=False),
    default="runs",
    show_default=True,
    help="Where run directories are kept.",
)
