"""Which experiments of alharness a store holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alharness.errors import TrackingError
from alharness.text.redaction import redact
from alharness.text.words import did_you_mean

from . import dashboard
from .patience import within
from .store import opened

if TYPE_CHECKING:
    from collections.abc import Sequence

CHANGED = "alharness.changed"
"""Tag of an experiment: when a run last began or ended to write it, milliseconds since the epoch."""
MOST = 1000
"""Experiments that are asked for."""


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """An experiment in a store.

    Attributes:
        name: of the spec, or the one that it chose.
        id: MLflow's number.
        changed: when a run last began or ended to write it, milliseconds since the epoch.
        view: whether it has a dashboard.
    """

    name: str
    id: str
    changed: int
    view: bool

    def link(self, address: str) -> str:
        """Its page on the server at this address; for one that no browser can open, what it is called there."""
        return dashboard.place(address, self.id, self.name, view=self.view)


def find(uri: str) -> list[Tracked]:
    """The experiments of alharness in this store, the one that was changed last first.

    Raises:
        TrackingError: there is no such store, it cannot be read, or it has no experiment of alharness.
    """
    found = within(uri, lambda: _ask(uri))
    if not found:
        raise TrackingError(
            f"MLflow at {redact(uri)} has no experiment of alharness yet: `alharness run SPEC` makes one"
        )
    return sorted(found, key=lambda experiment: experiment.changed, reverse=True)


def _ask(uri: str) -> list[Tracked]:
    with opened(uri) as client:
        return [
            Tracked(
                name=experiment.name,
                id=str(experiment.experiment_id),
                changed=int(experiment.tags.get(CHANGED) or experiment.last_update_time or 0),
                view=dashboard.TAG in experiment.tags,
            )
            for experiment in client.search_experiments(
                filter_string="tags.`alharness.experiment` LIKE '%'", max_results=MOST
            )
        ]


def choose(experiments: Sequence[Tracked], name: str | None) -> Tracked:
    """The experiment of this name; without one, the first.

    Raises:
        TrackingError: there is none of this name.
    """
    if name is None:
        return experiments[0]
    names = [experiment.name for experiment in experiments]
    if name not in names:
        near = did_you_mean(name, names) or f"; there are: {', '.join(names)}"
        raise TrackingError(f"MLflow has no experiment of alharness named {name!r}{near}")
    return experiments[names.index(name)]
