"""Settings run one after the other, each with its observers: what the command and `alharness.run` share."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from alharness.errors import HarnessError, PluginError, SpecError, TrackingError, blaming
from alharness.spec.executor import is_batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from alharness.api.records import Cell, Outcomes, Plan
    from alharness.registry import Registry
    from alharness.runs.batch import Batch
    from alharness.runs.jobs import Setting
    from alharness.runs.rounds import Judge
    from alharness.runs.run import Options
    from alharness.spec import Spec
    from alharness.tracking.console import ConsoleProgress
    from alharness.tracking.trackers import SafeTracker


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What became of a setting.

    Attributes:
        plan: what was asked for; what was run, if it was.
        outcomes: how its cells ended; None if nothing was run.
        trackers: those that saw it.
        error: why nothing was run; None if nothing was left to do.
        title: its name, after its number if it is one of several.
    """

    plan: Plan
    outcomes: Outcomes | None = None
    trackers: Sequence[SafeTracker] = ()
    error: HarnessError | None = None
    title: str = ""

    @property
    def interrupted(self) -> bool:
        """Whether the user ended it."""
        return self.outcomes is not None and self.outcomes.interrupted


def carry_out(
    specs: Sequence[Spec],
    plans: Sequence[Plan],
    plugins: Registry,
    options: Options,
    warn: Callable[[str], None],
    show: Callable[[str, Options], ConsoleProgress] | None,
    *,
    tracking: bool,
    required: bool,
    batch: Batch | None = None,
) -> Iterator[Attempt]:
    """Run settings one after the other; one that cannot be run does not stop the others, an interruption does.

    Of several, and of a shard, those that are complete are passed over: neither their data nor their trackers are
    looked at. Those of which a shard has no cells are left out.

    Args:
        specs: what to run.
        plans: their plans, as far as they are known before.
        plugins: what is known of it.
        options: how to run it.
        warn: called with what the user should know.
        show: makes what shows how far one is, from its options; of several also from its number and name.
        tracking: whether trackers of the specs are used; those that came with the call always are.
        required: whether it fails if one of them does.
        batch: submits all settings at once, and follows one after the other; None to run them here.

    Raises:
        TrackingError: a tracker that is required cannot be used, and would fail for the other settings, too.
    """
    from alharness.runs.run import is_finished

    parts = _parts(plans, options)
    if batch:
        batch.submit(settings(specs, plans, options))
    for number, (spec, plan, own) in enumerate(zip(specs, plans, parts, strict=True), 1):
        if own is None:
            continue
        title = f"{number}/{len(specs)} {plan.name}" if len(specs) > 1 else ""
        try:
            if (title or own.shard) and is_finished(spec, plan, own):
                yield Attempt(plan=plan, title=title or plan.name)
                continue
            progress = show(title, own) if show else None
            attempt = _carry_out(
                spec, plan, plugins, own, warn, progress, tracking=tracking, required=required, batch=batch
            )
        except TrackingError:
            raise
        except HarnessError as error:
            attempt = Attempt(plan=plan, error=error)
        yield attempt
        if attempt.interrupted:
            return


def _parts(plans: Sequence[Plan], options: Options) -> list[Options | None]:
    """How to run each setting; None for those of which a shard has no cells."""
    from alharness.runs.shards import share

    if options.shard is None:
        return [options] * len(plans)
    cells = share(_asked(plans, options), options.shard)
    return [replace(options, only=tuple(cell.name for cell in own)) if own else None for own in cells]


def _asked(plans: Sequence[Plan], options: Options) -> list[tuple[Plan, list[Cell]]]:
    """The cells of each setting that are asked for. Raises SpecError if there are none of a name."""
    from alharness.runs.run import wanted_cells

    asked: list[tuple[Plan, list[Cell]]] = []
    unknown: SpecError | None = None
    for plan in plans:
        try:
            asked.append((plan, wanted_cells(plan, options.only)))
        except SpecError as error:  # a setting may lack a sampler that others have
            unknown = unknown or error
            asked.append((plan, []))
    if unknown and not any(cells for _, cells in asked):
        raise unknown
    return asked


def make_batch(
    specs: Sequence[Spec],
    plans: Sequence[Plan],
    options: Options,
    say: Callable[[str], None],
    warn: Callable[[str], None],
) -> Batch | None:
    """The batch system that was asked for; None for an executor of another kind.

    Args:
        specs: what to run.
        plans: their plans.
        options: how to run it.
        say: shows a line to the user.
        warn: called with what the user should know.

    Raises:
        SpecError: it cannot do what was asked for.
        PluginError: it is broken.
    """
    chosen = options.executor
    if chosen is None or not is_batch(chosen):
        return None
    for warning in dict.fromkeys(warning for plan in plans for warning in plan.warnings):
        warn(warning)
    from alharness.api.batch import BatchSystem
    from alharness.api.executor import ExecutorContext
    from alharness.runs.batch import Batch
    from alharness.runs.executors import who

    refused = [name for name in ("retime", "shard") if getattr(options, name)]
    if refused:
        raise SpecError(f"{who(chosen)} makes jobs of its own, and cannot be used with {refused[0]}")
    context = ExecutorContext(folder=plans[0].folder, warn=warn, jobs=options.jobs)
    with blaming(who(chosen), PluginError, passing=(HarnessError,)):
        system = chosen.plugin.make(chosen.params, context)
        if not isinstance(system, BatchSystem):
            raise PluginError(f"make returned {type(system).__name__}, not BatchSystem")
    return Batch(chosen.name, system, options, _judge(specs), say, warn)


def _judge(specs: Sequence[Spec]) -> Judge | None:
    """What says which cells are needed, if seeds stop."""
    if not any(spec.stopping for spec in specs):
        return None
    from alharness.results import judge as judging

    return judging.judge


def settings(specs: Sequence[Spec], plans: Sequence[Plan], options: Options) -> list[Setting]:
    """What is to be run of each spec, for a batch system."""
    from alharness.runs.jobs import Setting

    asked = zip(specs, _asked(plans, options), strict=True)
    return [Setting(spec=spec, plan=plan, cells=cells) for spec, (plan, cells) in asked]


def _carry_out(
    spec: Spec,
    plan: Plan,
    plugins: Registry,
    options: Options,
    warn: Callable[[str], None],
    progress: ConsoleProgress | None,
    *,
    tracking: bool,
    required: bool,
    batch: Batch | None,
) -> Attempt:
    """Run one with its observers."""
    from alharness.runs import run as runs
    from alharness.tracking.trackers import make_trackers

    given = {given.plugin.name for given in spec.extras.given if given.kind == "tracker"}
    used = [tracker for tracker in spec.trackers if tracking or tracker.name in given]
    trackers = make_trackers(used, warn, required=required)
    with ExitStack() as stack:
        for observer in (*trackers, *([progress] if progress else [])):
            plugins.register(observer)
            stack.callback(plugins.manager.unregister, observer)  # the next setting has observers of its own
        if progress:
            stack.enter_context(progress.shown())
        if batch:
            (setting,) = settings([spec], [plan], options)
            plan, outcomes = batch.follow(setting, partial(runs.call_observers, plugins, warn))
        else:
            plan, outcomes = runs.run(spec, plugins, options, warn, _judge([spec]))
    return Attempt(plan=plan, outcomes=outcomes, trackers=trackers)
