"""The command `alharness`: a table of commands, each imported when it is used, and one place that shows errors."""

from __future__ import annotations

import gc
import os
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from alharness.errors import HarnessError
from alharness.text.terminal import guarded_streams, safe
from alharness.text.words import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

FAILED = 1
BUG = 3
"""Exit code of what is neither the user's nor a plugin's mistake."""
INTERRUPTED = 130
STOPPED = 75
"""What asked for a stop is to run the command again: `EX_TEMPFAIL` of sysexits.h."""


COMMANDS = {
    "init": "Copy the specs that alharness ships into a folder.",
    "run": "Run a spec; the same command continues it.",
    "check": "Check a spec and show its plan, without training.",
    "runs": "List runs with their progress.",
    "status": "Say how far runs are that other processes work on.",
    "report": "Write a page on a run: curves, tests, labels saved, costs.",
    "power": "Say how many seeds a run needs to answer what it leaves open.",
    "export": "Write results as CSV, Parquet, LaTeX or Markdown.",
    "ui": "Show results in MLflow: curves, areas and costs.",
    "sync": "Write a run's results to MLflow, from its journals.",
    "merge": "Join run directories that were made apart, if they agree.",
    "plugins": "List what is installed, or describe one plugin.",
    "new": "Write a plugin of your own, to begin with.",
    "data": "List and describe data sets, and import those that need it.",
    "query": "Choose what to label next in data of your own.",
    "compare": "Compare two runs: did a sampler change?",
    "bench": "Show how query time and memory grow with the pool.",
    "docs": "List the pages of the documentation, or print one.",
    "schema": "Print the JSON schema of specs, for editors.",
}
"""What each command does in a few words. Its module and its function have its name."""


class LazyGroup(click.Group):
    """Commands by name, imported one by one, so that `--help` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table, which is that of a first day's use."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """Import a command. Raises UsageError if there is no such command."""
        if cmd_name not in COMMANDS:
            near = did_you_mean(cmd_name, COMMANDS) or f"; commands: {', '.join(COMMANDS)}"
            raise click.UsageError(f"no command named {cmd_name!r}{near}", ctx)
        command = getattr(import_module(f"{__name__}.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table's own words, so that help imports nothing."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([*COMMANDS.items()])


@click.group(cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="alharness")
@click.pass_context
def cli(context: click.Context) -> None:
    """Compare samplers of deep active learning on multimodal data.

    A first run, on data that needs no download:

    \b
        alharness init
        alharness check specs/openclipart.yaml
        alharness run specs/openclipart.yaml

    Exit codes: 0 all is well, 1 some cells failed, 2 usage or spec, 3 a bug of alharness, 4 a plugin is missing or
    broken, 5 data, 6 tracking, 130 interrupted.
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code; only a bug shows a traceback.

    What is printed never changes the code, unless a file that should take it cannot: a full disk, say.
    """
    # What a start creates, stays: to look for garbage would take 3 % of `alharness check`. To look for plugins of
    # pydantic in all installed distributions would take another 3 %.
    gc.set_threshold(50_000)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    with guarded_streams() as out:
        code = _run(arguments)
        out.flush()
        if out.failure is not None:
            show_error(f"not everything could be printed: {out.failure.strerror or out.failure}")
            code = code or FAILED
    sys.exit(code)


def _run(arguments: Sequence[str] | None) -> int | str | None:
    """Exit code of a command line."""
    try:
        result = cli.main(arguments, prog_name="alharness", standalone_mode=False)
        code = result if isinstance(result, int) else 0
    except HarnessError as error:
        show_error(str(error))
        code = error.exit_code
    except click.ClickException as error:
        if isinstance(error, click.UsageError) and error.ctx is not None:
            click.echo(error.ctx.get_usage(), err=True)
        show_error(error.format_message())
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        show_error("interrupted")
        code = INTERRUPTED
    except SystemExit as leaving:  # as click does for --help, and for a command that calls ctx.exit
        return leaving.code
    except Exception as error:  # noqa: BLE001  the traceback is shown, and the exit code differs from that of a failed cell
        from alharness.runs.files import explain, is_full

        if isinstance(error, OSError) and is_full(error):
            show_error(explain(error, Path(error.filename or "a file")))
            code = FAILED
        else:
            click.echo(safe(traceback.format_exc()), err=True, nl=False)
            code = BUG
    return code


def show_error(message: str) -> None:
    """Print `error: ...` to stderr, without credentials and control characters."""
    click.echo(f"{click.style('error:', fg='red', bold=True)} {safe(message)}", err=True)
