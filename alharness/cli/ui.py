"""`alharness ui`: the dashboard of an experiment, in MLflow's own interface."""

from __future__ import annotations

import signal
import webbrowser
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import click

from .page import make_console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from alharness.tracking.mlflow.experiments import Tracked

    from .console import PageConsole

MOST_OTHERS = 20
"""Other experiments that are listed with the one that is shown."""


@click.command
@click.argument("experiment", required=False)
@click.option(
    "--store",
    metavar="URI",
    help="The MLflow store. [default: what MLFLOW_TRACKING_URI says, or sqlite:///mlflow.db here]",
)
@click.option(
    "--port", type=click.IntRange(1, 65535), help="The server's port. [default: 5000, or one that is free]"
)
@click.option("--open", "browse", is_flag=True, help="Open the page in a browser.")
def ui(experiment: str | None, store: str | None, port: int | None, *, browse: bool) -> None:
    """Show the dashboard of EXPERIMENT, or of the one that ran last, in MLflow's interface.

    For a local store it starts MLflow's server, on this machine only, and prints the link; Ctrl-C ends it.
    If the store is a server already, only the link is printed. For example:

    \b
        alharness ui --open
        alharness ui openclipart --port 5005
        alharness ui --store sqlite:////data/mlflow.db
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    page = make_console()
    with _busy(page, "Reading the store"):
        from alharness.tracking.mlflow import addresses, experiments  # MLflow takes a second or two
        from alharness.tracking.mlflow import store as stores
        from alharness.tracking.mlflow.server import serving

        uri = stores.resolve(store)
        found = experiments.find(uri)
        chosen = experiments.choose(found, experiment)
    if addresses.is_server(uri):
        if port is not None:
            raise click.UsageError(
                "--port is for a server that this command starts, and this store has one already"
            )
        _show(page, chosen, found, uri, browse=browse)
        return
    with _stop_requests() as asked_to_stop, serving(uri, port) as server:
        with _busy(page, "Starting MLflow's server"):
            server.wait_until_ready(asked_to_stop)
        if not asked_to_stop():
            _show(page, chosen, found, server.address, browse=browse)
            page.print("Ctrl-C ends the server.")
            server.wait(asked_to_stop)
    page.print("The server has ended.")


def _show(page: PageConsole, chosen: Tracked, found: list[Tracked], address: str, *, browse: bool) -> None:
    """The link to one experiment, and those to the others."""
    link = chosen.link(address)
    page.say(f"{chosen.name}: {link}", style="bold")
    if not chosen.view:
        page.say("It has no ready dashboard: the command that ran it makes one when it runs again.")
    others = [other for other in found if other is not chosen]
    if others:
        page.say("Other experiments:")
    for other in others[:MOST_OTHERS]:
        page.say(f"  {other.name}: {other.link(address)}")
    if len(others) > MOST_OTHERS:
        page.say(f"  and {len(others) - MOST_OTHERS} more, by name: alharness ui NAME")
    if browse and not webbrowser.open(link):
        page.say("No browser could be opened here: open the link yourself.", style="yellow")


def _busy(page: PageConsole, text: str) -> AbstractContextManager[object]:
    """Something that moves on a terminal; elsewhere a line."""
    if page.is_terminal:
        return page.status(f"{text} ...")
    page.print(f"{text} ...")
    return nullcontext()


@contextmanager
def _stop_requests() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C, SIGTERM or SIGHUP came: nothing is interrupted halfway, so that nothing is left behind."""
    met: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    # nohup, and a shell that starts a job in the background, have some of them ignored.
    heeded = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, lambda number, _: met.append(number)) for number in heeded}
    try:
        yield lambda: bool(met)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
