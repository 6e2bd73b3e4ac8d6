"""What `alharness run` does with a batch system, and as one of its jobs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from alharness.text.words import command_line, counted

from .options import FILE, warn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from alharness.api.records import Plan
    from alharness.runs.batch import Batch
    from alharness.runs.jobs import Setting, Terms
    from alharness.spec import Spec


def batch_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Options of `run` that are about jobs."""
    options = [
        click.option("--submit", is_flag=True, help="With a batch system: return when the jobs are in its queue."),
        click.option(
            "--emit-sbatch",
            is_flag=True,
            help="Print the script of the jobs that are needed, by default for Slurm, and submit nothing.",
        ),
        click.option("--job", type=FILE, hidden=True, help="Run as a job whose terms are in this file."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def read_terms(path: Path | None) -> Terms | None:
    """Under which terms this is a job; None if it is none.

    Raises:
        RunError: they cannot be read.
        PluginError: something else is installed here than they ask for.
    """
    if path is None:
        return None
    from alharness.runs.jobs import Terms

    terms = Terms.read(path)
    terms.require()
    return terms


def queue(specs: Sequence[Spec], plans: Sequence[Plan], asked: Mapping[str, Any]) -> int:
    """Submit the jobs of what is to be run; the exit code.

    Args:
        specs: what is to be run.
        plans: their plans.
        asked: how; see `alharness.runs.run.Options`.
    """
    batch, settings = _batch("--submit", specs, plans, asked)
    at_work = batch.submit(settings)
    follow = command_line(*(word for word in sys.argv[1:] if word != "--submit"))
    if at_work:
        click.echo(
            f"{counted(len(at_work), 'cell')} in the queue or at work. This follows them to the end: {follow}"
        )
    else:
        click.echo(f"All cells are finished. This shows the results: {follow}")
    return 0


def print_script(
    specs: Sequence[Spec],
    plans: Sequence[Plan],
    asked: Mapping[str, Any],
    named: Mapping[Path, Path],
    assignments: Sequence[str],
    include: Sequence[Path],
) -> int:
    """Print a script of the jobs of what is to be run; the exit code.

    Args:
        specs: as in `queue`.
        plans: the same.
        asked: the same.
        named: file of a spec -> how the user has named it.
        assignments: values of `--set`.
        include: files of `--include`.
    """
    batch, settings = _batch("--emit-sbatch", specs, plans, asked)

    def words(setting: Setting) -> list[str]:
        """This command for one setting, as a job calls it."""
        assert setting.spec.path is not None
        values = [("--set", value) for value in assignments] + [("--include", str(path)) for path in include]
        values += [("--workdir", str(asked["workdir"]))]
        values += [("--stack", str(asked["stack"]))] if asked["stack"] else []
        values += [("--only", setting.spec.name)] if len(specs) > 1 else []
        flags = [f"--{name}" for name in ("restart", "keep") if asked[name]]
        pairs = (word for value in values for word in value)
        return ["run", str(named[setting.spec.path]), *pairs, *flags, "--no-tracking"]

    text = batch.script(settings, words)
    click.echo(text or "All cells are finished: there is nothing to submit.", nl=not text, err=not text)
    return 0


def _batch(
    option: str, specs: Sequence[Spec], plans: Sequence[Plan], asked: Mapping[str, Any]
) -> tuple[Batch, list[Setting]]:
    from alharness.attempts import make_batch, settings
    from alharness.runs.run import Options

    options = Options(**asked)
    batch = make_batch(specs, plans, options, click.echo, warn)
    if batch is None:
        raise click.UsageError(f"{option} needs a batch system, such as --executor slurm")
    return batch, settings(specs, plans, options)
