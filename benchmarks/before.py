"""The version before stacks, which trained one by one: taken from the history, and run in processes of its own."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from .bench import Unavailable
from .commands import ROOT

COMMIT = "fa2f5d6755d9a656fe2e41aa1e58330fff88ab40"
NAME = "one by one, before stacks"
PACKAGES = "alharness", "plugins", "specs"


def root(given: Path | None) -> Path:
    """The folder with its code: a given one, or a temporary one that lasts as long as this process.

    Raises:
        Unavailable: there is none; with what is missing.
    """
    if given is None:
        return Path(_from_history().name)
    if not all((given / name).is_dir() for name in PACKAGES):
        raise Unavailable(f"needs a checkout of {COMMIT[:7]} at {given}")
    return given.resolve()


def environment(root: Path) -> dict[str, str]:
    """The environment of a Python that imports the packages from this folder, not the installed ones."""
    sources = [root, *sorted(root.glob("plugins/*/src")), *sorted(root.glob("plugins/*/*/src"))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sources)), "PYTHONSAFEPATH": "1"}


@cache
def _from_history() -> TemporaryDirectory[str]:
    try:
        packed = subprocess.run(  # noqa: S603 - our own command line
            ["git", "archive", COMMIT, *PACKAGES],  # noqa: S607 - the git that is installed
            cwd=ROOT,
            capture_output=True,
            check=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unavailable(
            f"needs commit {COMMIT[:7]} of this repository, which a shallow clone or a source distribution lacks: "
            "`git fetch --unshallow`, or `--before` with a folder that has it"
        ) from error
    folder = TemporaryDirectory(prefix="before-stacks-")
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder.name, filter="data")
    return folder
