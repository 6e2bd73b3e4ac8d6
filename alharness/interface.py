"""What users of Python call: `alharness.run` and `alharness.load`."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from alharness import registry
from alharness.attempts import carry_out, make_batch
from alharness.errors import HarnessWarning, SpecError
from alharness.results.results import Results
from alharness.runs.finding import WORKDIR, find_runs
from alharness.runs.groups import stack_size
from alharness.runs.processes import start_server
from alharness.spec import Spec
from alharness.spec.executor import choose_executor, is_batch
from alharness.spec.grid import make_plans, select
from alharness.text.words import several

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import FrameType

    from alharness.api.plan import Statistics
    from alharness.attempts import Attempt
    from alharness.runs.run import Options
    from alharness.tracking.console import ConsoleProgress

INTERRUPTED = "the run was interrupted; nothing that was finished is lost, and the same call continues it"
PACKAGE = __name__.partition(".")[0]


def run(
    spec: str | Path | Mapping[str, Any] | Spec,
    *,
    workdir: str | Path = "runs",
    set: Mapping[str, Any] | Iterable[str] | None = (),  # noqa: A002 - as the option of the command line
    only: str | Iterable[str] | None = (),
    jobs: int | None = None,
    executor: str | None = None,
    executor_params: Mapping[str, Any] | None = None,
    stack: int | Literal["auto"] = "auto",
    restart: bool = False,
    keep: bool = False,
    retime: bool = False,
    tracking: bool = True,
    require_tracking: bool = False,
    include: str | Path | Iterable[str | Path] | None = (),
    samplers: Any = (),
    models: Any = (),
    datasets: Any = (),
    trackers: Any = (),
    progress: bool = True,
) -> Results:
    """Run every cell (sampler x seed) of a spec that is not finished yet, and return the results of all.

    A first comparison, on data that needs no download:

    >>> import alharness
    >>> spec = {
    ...     "name": "first",
    ...     "dataset": "digits",
    ...     "training": {"epochs": 5},
    ...     "active_learning": {"initial_pool": 20, "budget": 20, "cycles": 2},
    ...     "samplers": ["random"],
    ...     "seeds": 3,
    ... }
    >>> results = alharness.run(spec)
    >>> axes = results.plot()
    >>> results.cycles.groupby("sampler")["f1"].count()
    sampler
    random    9
    Name: f1, dtype: int64

    and of a sampler of your own with it:

    >>> class Margin(alharness.ScoringSampler):
    ...     def score(self, query):
    ...         top = query.unlabeled.predictions().exp().topk(2, dim=1).values
    ...         return top[:, 1] - top[:, 0]
    >>> alharness.run(spec, samplers=[Margin]).cells["sampler"].unique().tolist()
    ['random', 'Margin']

    What is finished is kept in `workdir`, and the same call continues from there: after an interruption, in a new
    kernel, or with more seeds or samplers. Models are trained in processes of their own. They know objects of this
    program by their code: an edited class is another sampler, whose cells begin again. A script needs no
    `if __name__ == "__main__":`.

    Args:
        spec: a YAML file; the name of one in ./specs or of one that alharness ships; the same as a mapping, whose
            relative paths start at the current folder; or a `Spec`.
        workdir: the folder of run directories.
        set: values that replace those of the spec, such as `{"training.epochs": 10, "samplers.0.params.k": 3}`.
        only: run only these labels of samplers, names of cells (`grace-s0`) or names of settings.
        jobs: groups of cells to run at a time; by default 1, or what the executor has. Several share the cores,
            and their query times are marked as shared.
        executor: name of what starts the workers, or of a batch system, whose jobs it waits for; by default
            `"processes"`, on this machine.
        executor_params: its parameters, such as `{"gpus": 0.5}`.
        stack: most cells of a group, whose models train together; `"auto"` takes as many as help on the device and
            fit into its memory. No result depends on it.
        restart: begin cells again that cannot be continued, or were finished under other conditions.
        keep: leave cells as they are that were finished under other conditions.
        retime: measure the queries of finished cells again, alone; run nothing.
        tracking: use the trackers of the spec, by default MLflow.
        require_tracking: fail if a tracker cannot keep the results.
        include: Python files with samplers, models or data sets.
        samplers: one or several samplers, each a subclass of `Sampler`, an object of one, or a `SamplerPlugin`; a
            mapping gives them names, otherwise the name of the class serves. What the constructor takes are the
            sampler's parameters in a spec. Those that the spec does not name are added to its samplers.
        models: the same of models: subclasses of `MultimodalModel`, whose constructor takes a `ModelShape` first,
            estimators as those of scikit-learn, or `ModelPlugin`. The spec names one of them: `model: Name`.
        datasets: a mapping of names to data sets: `Dataset` or `DatasetPlugin`. The spec names one of them.
        trackers: the same of trackers: objects or subclasses of `Tracker`, or `TrackerPlugin`. They are used in
            addition to those of the spec, and with `tracking=False` in their place.
        progress: show how far the run is: in a notebook as an output that renews itself, otherwise on stderr.

    Raises:
        HarnessError: the spec is wrong, or nothing can be started; the message says where, and what to do. For a
            mapping it begins with the path of the value: `active_learning.budget: ...`.
        KeyboardInterrupt: the run was interrupted. All processes have ended, and finished cycles are on disk.

    A cell that fails does not stop the others: a `HarnessWarning` names it, and `results.cells` says why.
    """
    asked = Spec.load_all(
        spec,
        set=set,
        include=include,
        samplers=samplers,
        models=models,
        datasets=datasets,
        trackers=trackers,
    )
    if keep and restart:
        raise SpecError("keep and restart exclude each other")
    if require_tracking and not tracking:
        raise SpecError("require_tracking=True and tracking=False exclude each other")
    if jobs is not None and not (hasattr(jobs, "__index__") and jobs >= 1):
        raise SpecError(f"jobs: expected a whole number from 1 on, but it is {jobs!r:.60}")
    try:
        together = stack_size(stack)
    except ValueError as error:
        raise SpecError(f"stack: {error}") from None
    if not isinstance(workdir, str | Path):
        raise SpecError(f"workdir: expected a path, but it is {workdir!r:.60}")
    folder = Path(workdir)
    plugins = registry.load(extras=asked[0].extras)
    if executor_params and executor is None:
        raise SpecError("executor_params: name the executor that they are for, as in executor='ray'")
    chosen = choose_executor(executor, executor_params, plugins) if executor is not None else None
    asked, some = select(asked, tuple(map(str, several(only, "only"))))
    plans = make_plans(asked, folder)
    if not is_batch(chosen):
        start_server()  # once the spec is known to be right: it imports torch while this process does other things
    from alharness.runs import saved
    from alharness.runs.run import Options

    options = Options(
        workdir=folder,
        only=some,
        restart=restart,
        keep=keep,
        jobs=None if jobs is None else int(jobs),
        executor=chosen,
        stack=together,
        retime=retime,
        again="alharness.run(..., {}=True)".format,
    )
    show, interrupted = _progress if progress else None, False
    try:
        batch = make_batch(asked, plans, options, _say if progress else lambda _: None, warn)
        attempts = carry_out(
            asked, plans, plugins, options, warn, show, tracking=tracking, required=require_tracking, batch=batch
        )
        for attempt in attempts:
            interrupted = attempt.interrupted
            if not interrupted:
                _warn_of(attempt, alone=len(asked) == 1)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(INTERRUPTED) from None
    if interrupted:
        raise KeyboardInterrupt(INTERRUPTED)
    begun = [plan.folder for plan in plans if (plan.folder / saved.NAME).exists()]
    if attempt.error and not begun:
        raise attempt.error
    return Results.load(*begun)


def _warn_of(attempt: Attempt, *, alone: bool) -> None:
    """What went wrong; an error is raised if the setting is the only one."""
    if attempt.error and alone:
        raise attempt.error
    where = "" if alone else f"{attempt.plan.name}: "
    if attempt.error:
        warn(f"{where}{attempt.error}")
    elif attempt.outcomes and (failed := attempt.outcomes.failed):
        names = ", ".join(outcome.cell.name for outcome in failed)
        count = f"{len(failed)} of {len(attempt.outcomes.cells)}"
        warn(f"{where}{count} cells failed: {names}; results.cells says why")


def load(*runs: str | Path, workdir: str | Path = WORKDIR, statistics: Statistics | None = None) -> Results:
    """The results of one or several runs, from their run directories alone.

    >>> import alharness
    >>> from pathlib import Path
    >>> results = alharness.load("first")  # the one run in ./runs of the spec of this name
    >>> same = alharness.load(*Path("runs").glob("first-*"))

    Args:
        runs: run directories; or names or files of specs, each with one run in `workdir`.
        workdir: where runs are looked for by name.
        statistics: `blocks` or `paired_t`, in place of what the specs say: whose noise tests of differences take.

    Raises:
        RunError: there is no such run, or there are several of that name; or one cannot be read.
    """
    folders = [folder for one in runs for folder in find_runs(one, Path(workdir), warn)]
    return Results.load(*folders, statistics=statistics)


def warn(text: str) -> None:
    """A warning that shows the line which called alharness."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - warnings itself counts frames so
    level = 2
    while frame is not None and _is_ours(frame.f_globals.get("__name__", "")):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, HarnessWarning, stacklevel=level)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _progress(title: str, options: Options) -> ConsoleProgress:
    from alharness.tracking.console import ConsoleProgress
    from alharness.tracking.notebook import NotebookProgress, in_notebook

    if in_notebook():
        return NotebookProgress(only=options.only, title=title)
    from rich.console import Console

    console = Console(stderr=True, markup=False, highlight=False, emoji=False, force_jupyter=False)
    return ConsoleProgress(console, only=options.only, title=title)


def _is_ours(module: str) -> bool:
    """Whether a module is of alharness, or of one of its distributions."""
    return module.partition(".")[0].partition("_")[0] == PACKAGE
