"""What every tracker promises, as tests to inherit."""

from __future__ import annotations

import copy
import math
import threading
from contextlib import chdir, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from unittest import SkipTest

from pydantic import SecretStr

from alharness.api.dataset import DatasetFacts
from alharness.api.records import Cell, CycleRecord, Outcome, Outcomes, Plan, Schedule
from alharness.api.tracker import Tracker, TrackerContext
from alharness.api.vocabulary import Task
from alharness.registry.discovery import make_manager, register
from alharness.runs.journal import Journal

from .kit import Conformance

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from alharness.api.records import Status
    from alharness.api.tracker import TrackerPlugin

FACTS = DatasetFacts(task=Task.CLASSIFICATION, modalities=("audio", "text"), sizes=(60, 10, 30))
SIZES = (2, 2)
"""Of the queries of a cell."""


class TrackerConformance(Conformance):
    """Inherit, name the plugin, and pytest runs one test per promise.

    Each test lets the tracker see a made-up run, whose journals are there, in an empty folder that is the current
    one. Its results are really kept: name a place for them in `params` that may be thrown away.

    >>> from alharness import Params, Tracker, TrackerPlugin, hookimpl
    >>> from alharness.testing import TrackerConformance
    >>> class Counting(Tracker):
    ...     @hookimpl
    ...     def alharness_cycle_finished(self, cycle): ...
    >>> class TestCounting(TrackerConformance):
    ...     plugin = TrackerPlugin(name="counting", params=Params, make=lambda params, context: Counting())
    >>> TestCounting().test_its_review_warns_in_words()

    Attributes:
        plugin: the tracker's plugin.
    """

    plugin: TrackerPlugin

    def test_its_review_warns_in_words(self) -> None:
        """`alharness check` shows them. These parameters must serve a data set of two classes."""
        said = [*self.plugin.review(self._params(), FACTS)] if self.plugin.review else []
        assert all(isinstance(warning, str) and warning for warning in said), f"it warns by {said!r}"

    def test_it_sees_a_run(self, tmp_path: Path) -> None:
        """By hooks that alharness knows, with arguments that there are; it raises and warns of nothing."""
        with made_up(tmp_path) as run, self._tracking() as seen:
            run.shown_to(seen)
            assert not seen.warnings, f"it warns: {' '.join(seen.warnings)}"

    def test_it_names_the_place_of_its_results_in_one_line(self, tmp_path: Path) -> None:
        """The last lines of a run show it."""
        with made_up(tmp_path) as run, self._tracking() as seen:
            run.shown_to(seen)
            where = seen.tracker.where()
        assert isinstance(where, str), f"where() returned {where!r}, expected a text"
        assert where.isprintable(), f"where() returned {where!r}; give one line"

    def test_it_sees_a_run_that_is_continued(self, tmp_path: Path) -> None:
        """By a new object, from the cycle on that is not finished; the end has all cycles."""
        with made_up(tmp_path) as run:
            with self._tracking() as seen:
                run.shown_to(seen, until=1, status="interrupted")
            with self._tracking() as seen:
                run.shown_to(seen, since=1)

    def test_it_sees_a_run_that_is_finished_already(self, tmp_path: Path) -> None:
        """Twice: the same command may be given again."""
        with made_up(tmp_path) as run:
            for since in (0, 3, 3):
                with self._tracking() as seen:
                    run.shown_to(seen, since=since)

    def test_cells_that_fail_do_no_harm(self, tmp_path: Path) -> None:
        """Also before their first cycle, or in the middle."""
        with made_up(tmp_path) as run:
            for until in (0, 1):
                with self._tracking() as seen:
                    run.shown_to(seen, until=until, status="failed")

    def test_figures_that_are_not_finite_do_no_harm(self, tmp_path: Path) -> None:
        """A correlation of a constant is NaN."""
        with made_up(tmp_path, metrics={"f1": math.nan, "loss": math.inf}) as run, self._tracking() as seen:
            run.shown_to(seen)

    def test_names_of_any_script_do_no_harm(self, tmp_path: Path) -> None:
        """Labels, ids and folders come from users."""
        with made_up(tmp_path / "läufe – 実験", label="µ-边际, 'q'") as run, self._tracking() as seen:
            run.shown_to(seen)

    def test_records_stay_as_they_are(self, tmp_path: Path) -> None:
        """Other observers see the same objects."""
        with made_up(tmp_path) as run, self._tracking() as seen:
            before = copy.deepcopy(run)
            run.shown_to(seen)
            assert run == before, "it changed a record that it was given; change a copy"

    def test_no_thread_keeps_the_program_from_ending(self, tmp_path: Path) -> None:
        """What is to be written is written when the hook of the end returns."""
        before = {*threading.enumerate()}
        with made_up(tmp_path) as run, self._tracking() as seen:
            run.shown_to(seen)
            left = [thread.name for thread in threading.enumerate() if thread not in before and not thread.daemon]
        assert not left, f"after the run it has the threads {', '.join(left)}; end them in alharness_run_finished"

    def test_secrets_are_not_shown(self, tmp_path: Path) -> None:
        """What it says, anyone may read."""
        secrets = [value.get_secret_value() for _, value in self._params() if isinstance(value, SecretStr)]
        if not any(secrets):
            raise SkipTest("there is no secret in these parameters (a field of type SecretStr)")
        with made_up(tmp_path) as run, self._tracking() as seen:
            run.shown_to(seen)
            said = [seen.tracker.where(), *seen.warnings]
        shown = [text for text in said for secret in secrets if secret and secret in text]
        assert not shown, f"it shows a secret: {' '.join(shown).replace(next(filter(None, secrets)), '***')}"

    @contextmanager
    def _tracking(self) -> Iterator[Seen]:
        """A tracker as a run makes it."""
        warnings: list[str] = []
        made = self.plugin.make(self._params(), TrackerContext(warn=warnings.append))
        assert isinstance(made, Tracker), f"`make` returned {type(made).__name__}, not an alharness.Tracker"
        manager = make_manager()
        register(manager, made)
        yield Seen(tracker=made, hook=manager.hook, warnings=warnings)


@dataclass(frozen=True)
class Seen:
    """A tracker with what calls it, and what it has warned of."""

    tracker: Tracker
    hook: Any
    warnings: list[str]


@dataclass(frozen=True)
class MadeUp:
    """A run of two cells with three cycles each."""

    plan: Plan
    cycles: tuple[CycleRecord, ...]
    started: int = 1_699_999_999_000

    def shown_to(self, seen: Seen, since: int = 0, until: int = 3, status: Status = "ok") -> None:
        """Let a tracker see it.

        Args:
            seen: the tracker.
            since: so many cycles of each cell were finished before.
            until: so many are there in the end.
            status: how each cell ends.
        """
        plan = replace(self.plan, finished={cell.name: since for cell in self.plan.cells if since})
        outcomes = [self._outcome(cell, until, status) for cell in plan.cells]
        seen.hook.alharness_run_started(run=plan)
        for outcome in outcomes:
            book = Journal(plan.folder / "cells" / outcome.cell.folder, {"x": 1}, now=self.started)
            for cycle in outcome.cycles[since:]:
                if cycle.cycle >= len(book.cycles):
                    book.append(cycle)
                seen.hook.alharness_cycle_finished(run=plan, cell=outcome.cell, cycle=cycle)
            if since < 3:
                seen.hook.alharness_cell_ended(run=plan, record=outcome)
        ended = Outcomes(cells=tuple(outcomes), interrupted=status == "interrupted")
        seen.hook.alharness_run_finished(run=plan, record=ended)

    def _outcome(self, cell: Cell, until: int, status: Status) -> Outcome:
        error = "the training loss became nan" if status == "failed" else ""
        cycles = self.cycles[:until]
        return Outcome(
            cell=cell, status=status, cycles=cycles, started=self.started, error=error, context={"x": 1}
        )


@contextmanager
def made_up(folder: Path, label: str = "mine", metrics: Mapping[str, float] | None = None) -> Iterator[MadeUp]:
    """A run whose directory is in this folder, which is the current one meanwhile."""
    cells = tuple(
        Cell(label=name, sampler=name, params={"start": 3}, distribution="toy==1.0", seed=0, key=key * 16)
        for name, key in ((label, "a"), ("random", "b"))
    )
    cycles = tuple(
        CycleRecord(
            cycle=number,
            labeled=10 + 2 * number,
            metrics=metrics or {"f1": 0.5 + 0.1 * number, "accuracy": 0.25},
            diagnostics={"alpha": 0.2},
            utilisation={"share/text": 0.6, "drop/text": -0.01},
            chosen=(f"{label} {number}", f"s{number}") if number < len(SIZES) else (),
            scores=(0.9, 0.8) if number < len(SIZES) else (),
            cost={"query_seconds": 1.5, "train_seconds": 4.0},
            at=1_700_000_000_000 + 1000 * number,
        )
        for number in range(len(SIZES) + 1)
    )
    plan = Plan(
        name="kit",
        experiment="kit-1a2b3c4d",
        folder=folder / "runs" / "kit-1a2b3c4d",
        facts=FACTS,
        schedule=Schedule(initial_pool=10, sizes=SIZES),
        pool=60,
        cells=cells,
        metric="f1",
        params={"dataset": "toy", "model": "late_fusion", "budget": 2},
        environment={"torch": "2"},
        spec_text="name: kit\n",
    )
    folder.mkdir(parents=True, exist_ok=True)
    with chdir(folder):
        yield MadeUp(plan, cycles)
