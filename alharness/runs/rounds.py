"""Seeds that run in rounds: after each block is seen which cells are needed next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from alharness.api.records import Cell, Look, Outcome, Plan

from . import saved
from .messages import SeedFacts

if TYPE_CHECKING:
    from collections.abc import Collection

Judge = Callable[[Plan, Sequence[Outcome]], Look]
"""What cells have decided: those that are complete, those that are missing since they failed, and pending ones."""
Draw = Callable[[Sequence[int]], Mapping[int, SeedFacts]]
"""What a run must know of more seeds."""


class Rounds:
    """The cells that a command runs: all at once, or, if seeds stop, what the next look needs, look after look.

    That depends on what is finished, and not on who finished it in which order.

    Args:
        plan: what is run.
        cells: those that this command may run. They count as pending, even if they are complete, until they end.
        judge: says what is needed; None if all cells are.
        seeds: what is known of each seed.
        draw: finds out the same of others, when they are needed.
        say: gets what was seen.

    Attributes:
        seeds: what is known of each seed by now.
        look: what was seen last.
    """

    def __init__(
        self,
        plan: Plan,
        cells: Collection[Cell],
        judge: Judge | None,
        seeds: Mapping[int, SeedFacts],
        draw: Draw,
        say: Callable[[Look], None],
    ) -> None:
        self._plan, self._cells, self._judge = plan, dict.fromkeys(cells), judge
        self._draw, self._say = draw, say
        self._said: set[str] = set()
        self.seeds = dict(seeds)
        self.look = Look(over=True)

    def next(self, ended: Mapping[Cell, Outcome]) -> list[Cell]:
        """The cells of the next round; none if this command can do no more.

        Args:
            ended: how cells of this command have ended.
        """
        needed: Collection[Cell] = self._cells
        if self._judge is not None:
            look = self._judge(self._plan, [self._outcome(cell, ended) for cell in self._plan.cells])
            self.look = replace(look, lines=tuple(line for line in look.lines if line not in self._said))
            self._said.update(look.lines)
            self._say(self.look)
            needed = look.needed
        found = [cell for cell in self._cells if cell in needed and cell not in ended]
        if new := {cell.seed for cell in found} - self.seeds.keys():
            self.seeds.update(self._draw(sorted(new)))
        return found

    @property
    def waits_for(self) -> list[str]:
        """Names of cells that the next look needs, and that this command does not run."""
        if self.look.over:
            return []
        others = [cell for cell in self._plan.cells if cell in self.look.needed and cell not in self._cells]
        found = (saved.outcome_of(self._plan, cell) for cell in others)
        return [outcome.cell.name for outcome in found if outcome.status != "ok"]

    def spared(self, outcomes: Mapping[Cell, Outcome]) -> dict[Cell, Outcome]:
        """The outcomes of cells that will never be needed, if there will be no further look."""
        if self._judge is None or not self.look.over:
            return {}
        pending = {cell: one for cell, one in outcomes.items() if one.status == "pending"}
        return {c: replace(one, status="spared") for c, one in pending.items() if c not in self.look.needed}

    def _outcome(self, cell: Cell, ended: Mapping[Cell, Outcome]) -> Outcome:
        if cell in ended:
            return ended[cell]
        # Another process may have finished it meanwhile.
        return Outcome(cell=cell, status="pending") if cell in self._cells else saved.outcome_of(self._plan, cell)


def blocks(plan: Plan, cells: Sequence[Cell]) -> list[list[Cell]]:
    """The cells of each round, if all are needed; all in one if seeds do not stop."""
    if plan.stopping is None:
        return [[*cells]]
    first, size = plan.stopping.at_least, plan.stopping.block
    number = {seed: index for index, seed in enumerate(dict.fromkeys(cell.seed for cell in plan.cells))}
    found: dict[int, list[Cell]] = {}
    for cell in cells:
        found.setdefault(max(0, (number[cell.seed] - first) // size + 1), []).append(cell)
    return [found[block] for block in sorted(found)]
