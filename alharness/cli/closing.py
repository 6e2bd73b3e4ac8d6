"""What `alharness run` ends with: the table of a setting and its pictures, or what a shard leaves to others."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

from alharness.errors import HarnessError
from alharness.runs.finding import enough
from alharness.text.terminal import safe
from alharness.text.words import NOTICE, command_line

from . import FAILED, show_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from alharness.api.records import Outcomes, Plan
    from alharness.attempts import Attempt
    from alharness.results.run import RunResults
    from alharness.runs.shards import Shard
    from alharness.tracking.trackers import SafeTracker

    from .console import PageConsole


TOLD = 3
"""Answers that a run ends with: which sampler, how sure, how many labels it saves."""


def import_what_is_needed() -> None:
    """For the table and the pictures, while other processes compute the last cells."""
    for module in (
        "alharness.report.answers",
        "alharness.report.curves",
        "alharness.report.tables",
        "matplotlib.figure",
    ):
        import_module(module)


def without(words: Iterable[str], *options: str) -> list[str]:
    """Words of a command line without these options and their values."""
    rest, found = iter(words), list[str]()
    for word in rest:
        if word in options:
            next(rest, "")
        elif not word.startswith(tuple(option if option[1] != "-" else f"{option}=" for option in options)):
            found.append(word)
    return found


def show_attempt(page: PageConsole, attempt: Attempt, *, part: bool, alone: bool, report: bool = False) -> int:
    """What became of a setting, and its exit code; of a part of a larger command only what failed.

    Args:
        page: the console.
        attempt: what was run.
        part: whether it is a part of a larger command.
        alone: whether it is the only setting.
        report: whether to write the page of a setting that is alone.

    Raises:
        HarnessError: nothing could be run, and it is the only setting.
    """
    if attempt.error:
        if alone:
            raise attempt.error
        show_error(f"{attempt.plan.name}: {attempt.error}")
        return attempt.error.exit_code
    if attempt.outcomes is None:
        page.print(f"{attempt.title}: finished before", style="bold")
        return 0
    if part:
        _show_failures(page, attempt.outcomes)
    else:
        report = report and not attempt.interrupted
        _close(page, attempt.plan, attempt.outcomes, attempt.trackers, alone=alone, report=report)
    return FAILED if attempt.outcomes.failed else 0


def close_shard(page: PageConsole, shard: Shard, begun: Sequence[Plan]) -> None:
    """What became of a shard, and what to do when all have ended."""
    if not begun:
        page.say(f"shard {shard}: there are fewer cells than shards, and none is left for this one")
        return
    whole = without(sys.argv[1:], "--shard")
    page.say(
        f"shard {shard} has ended. How far all are: {command_line('status', *(plan.folder for plan in begun))}"
    )
    page.say(f"When all have ended, this shows the results: {command_line(*whole)}")


def _show_failures(page: PageConsole, outcomes: Outcomes) -> None:
    for failure in outcomes.failed:
        page.say(f"{failure.status}: {failure.cell.name}: {safe(failure.error or 'stopped')}", style="red")


def _close(
    page: PageConsole,
    plan: Plan,
    outcomes: Outcomes,
    trackers: Sequence[SafeTracker],
    *,
    alone: bool,
    report: bool,
) -> None:
    """The table, what it shows, the pictures, what went wrong, and where everything is."""
    from alharness.report.curves import draw
    from alharness.report.tables import closing_table, paper_table
    from alharness.results.run import RunResults

    page.print()
    results = RunResults(run=plan, records=outcomes.cells)
    page.print(closing_table(results))
    if beside := paper_table(results):
        page.print(beside)
    elif plan.paper and plan.synthetic:
        page.say(f"{plan.paper.source}: its figures are shown with results on real data only")
    if any(found.timing == "shared" for found in outcomes.cells if not found.cell.reference):
        here = without(sys.argv[2:], "--executor", "--executor-param", "-x")  # a queue is no place to measure
        again = command_line("run", *(word for word in here if word != "--retime"), "--retime")
        page.say(f"Query times were measured while other cells were running; alone: {again}")
    if seeds := enough(outcomes.cells):
        page.say(f"{seeds}.")
    for skip in plan.skips:
        page.say(f"skipped: {skip.label}: {safe(skip.reason)}")
    _show_failures(page, outcomes)
    picture = plan.folder / "curves.png"
    drawn = False
    with _harmless(page, f"{picture} is not drawn"):
        drawn = draw(results, picture)
    if drawn and alone:  # otherwise a report over all settings follows
        _tell(page, results, report=report)
    if drawn:
        page.say(f"Curves:   {picture}")
    if drawn and alone and not report:
        page.say(f"Report:   {command_line('report', plan.folder)}")
    page.say(f"Journals: {plan.folder / 'cells'}")
    for tracker in trackers:
        if where := tracker.where():
            page.say(f"{safe(tracker.title) + ':':<9} {safe(where)}")
    if plan.synthetic and not (report and drawn):  # the words of the page began with it
        page.say(NOTICE, style="bold yellow")


def _tell(page: PageConsole, results: RunResults, *, report: bool) -> None:
    """What the table shows, in words: in full with the page that shows all of it, or in short."""
    from alharness.report.answers import answers
    from alharness.report.build import page_of
    from alharness.results.run import RunResults

    from .report import publish, show_answers

    if report:
        whole = page_of(results.run.folder)
        with _harmless(page, f"{whole} is not drawn"):
            publish(page, [RunResults.read(results.run.folder)], whole.parent)
    else:
        with _harmless(page, "what the table shows is not said"):
            show_answers(page, [replace(one, reasons=one.reasons[:1]) for one in answers(results)[:TOLD]])


@contextmanager
def _harmless(page: PageConsole, what: str) -> Iterator[None]:
    """What is complete stays complete: what cannot be drawn is a warning, and costs no exit code."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - a full disk, a folder that matplotlib cannot write to
        why = str(error) if isinstance(error, HarnessError) else f"{type(error).__name__}: {error}"
        page.say(f"warning: {what}: {safe(why)}", style="yellow")
