"""Actors that hold an object each, such as a part of a pool."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from alharness import RunError

from .losses import explain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .losses import Place

# OpenMP reads it when torch is imported: threads that wait by spinning slow all others down.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


class HeldInActors:
    """See `alharness.api.executor.Held`; an actor for each object, on as many nodes as there are.

    Args:
        makes: makes an object, in its actor.
        options: of each actor, such as its CPUs.
        threads: of torch in each actor.
        has_left: whether a node has left the cluster.
    """

    def __init__(
        self,
        makes: Sequence[Callable[[], Any]],
        options: dict[str, Any],
        threads: int,
        has_left: Callable[[str], bool],
    ) -> None:
        import ray

        actor = ray.remote(Holder).options(**options, scheduling_strategy="SPREAD")
        self._actors = [actor.remote() for _ in makes]
        self._has_left = has_left
        self._places: list[Place | None] = [None] * len(makes)
        self._places = self._answers([one.place.remote() for one in self._actors])
        self._answers([one.begin.remote(make, threads) for one, make in zip(self._actors, makes, strict=True)])

    def __len__(self) -> int:
        return len(self._actors)

    def call(self, name: str, *arguments: Sequence[Any]) -> list[Any]:
        """All actors work at the same time; what is the same for all reaches each node once."""
        import ray

        sent: list[Sequence[Any]] = []
        for each in arguments:
            same = all(value is each[0] for value in each)
            sent.append([ray.put(each[0])] * len(each) if same and each else each)
        calls = [actor.call.remote(name, *(each[i] for each in sent)) for i, actor in enumerate(self._actors)]
        return self._answers(calls)

    def _answers(self, calls: Sequence[Any]) -> list[Any]:
        """Of all, also if one raised: the next question must not meet an actor that works."""
        import ray

        answers: list[Any] = []
        first: Exception | None = None
        for i, call in enumerate(calls):
            try:
                answers.append(ray.get(call))
            except ray.exceptions.RayTaskError as error:
                first = first or _raised(error)
            except ray.exceptions.RayError as error:
                place = self._places[i]
                loss = explain(error, place, left=bool(place and self._has_left(place.node)))
                where = f" on {place.address}" if place else ""
                reason = f" ({loss.reason})" if loss.reason else ""
                first = first or RunError(f"part {i + 1} of the pool was lost{where}: {loss.text}{reason}")
        if first is not None:
            raise first
        return answers


def _raised(error: Any) -> Exception:
    """What a method has raised, as it was there."""
    cause: Any = getattr(error, "cause", None)
    return cause if isinstance(cause, Exception) else error


class Holder:
    """The other side."""

    def place(self) -> Place:
        """Its process and node."""
        from .actor import place

        return place()

    def begin(self, make: Callable[[], Any], threads: int) -> None:
        """Make the object."""
        import torch

        torch.set_num_threads(threads)
        self._thing = make()

    def call(self, name: str, *arguments: Any) -> Any:
        """What that method of the object returns."""
        return getattr(self._thing, name)(*arguments)
