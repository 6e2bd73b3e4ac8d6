"""A process that runs the cells it is given, and tells what becomes of them."""

from __future__ import annotations

import pickle
from contextlib import suppress
from functools import cache, partial
from typing import TYPE_CHECKING

import torch

from alharness import registry

from .directory import RunDirectory
from .messages import OUTPUT, Begun, Finished, Order, Samples, Told
from .outcome import outcome
from .processes import print_to, remove_empty
from .runner import Runner

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from alharness.api.records import CycleRecord, Timing

    from .experiment import Experiment


def work(
    connection: Connection, extras: registry.Extras, experiment: Experiment, threads: int | None, timing: Timing
) -> None:
    """Answer every `Order` by `Begun`, `Finished` cycles and at last `Ended`, until there is nobody to ask.

    Args:
        connection: to the process that asks. It sends `Samples` first.
        extras: plugins that are not installed. They come first: parameters may be of their classes.
        experiment: what cells share.
        threads: of torch, in queries and evaluation; None for torch's own choice, which is all cores.
        timing: whether a query has the machine to itself.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    installed = registry.load(extras=extras)
    directory = RunDirectory(experiment.folder)

    @cache
    def runner() -> Runner:
        dataset = pickle.loads(samples.pickled)  # noqa: S301 - of a process of this run
        return Runner(experiment, dataset, installed, lambda text: connection.send(Told(text=text)), timing=timing)

    def finished(cycle: CycleRecord) -> None:
        connection.send(Finished(cycle=cycle))
        if timing == "exclusive":
            connection.recv()  # Continue: while observers are at work, nothing is measured

    def carry_out(order: Order) -> None:
        if order.action == "retime":
            runner().retime(order.cell, finished)
        else:
            runner().run(order.cell, finished, restart=order.restart)

    with suppress(EOFError):  # nobody asks any more
        samples: Samples = connection.recv()
        while True:
            order: Order = connection.recv()
            folder = directory.cell(order.cell)
            with suppress(OSError):  # if it cannot be made, opening the journal tells
                folder.mkdir(parents=True, exist_ok=True)
            print_to(folder / OUTPUT)
            connection.send(Begun())
            ended = outcome(order.cell, folder, partial(carry_out, order))
            print_to(experiment.folder / OUTPUT)
            remove_empty(folder / OUTPUT)
            connection.send(ended)
