"""The sampler of a project or a call, made; and the samples that it begins with, when nothing has a label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness.engine.initial import choose
from alharness.engine.pool import Pool
from alharness.engine.seeds import stream
from alharness.errors import SamplerError
from alharness.guard.border import Border

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alharness.api.sampler import Sampler, SamplerPlugin
    from alharness.api.samples import Inputs
    from alharness.api.vocabulary import Task
    from alharness.spec import Chosen


def make_sampler(chosen: Chosen[SamplerPlugin], warn: Callable[[str], None]) -> Sampler:
    """The sampler with its parameters. Raises SamplerError, which names it, if that fails."""
    with Border(_who(chosen), SamplerError, warn).crossed("construction"):
        return chosen.plugin.make(chosen.params)


def first_batch(
    chosen: Chosen[SamplerPlugin] | None,
    inputs: Inputs,
    *,
    size: int,
    seed: int,
    task: Task,
    classes: Sequence[str],
    warn: Callable[[str], None],
) -> tuple[Sequence[int], Sequence[float]]:
    """Positions and scores of the first samples, as the initial pool of a run has them.

    Args:
        chosen: a sampler that reads inputs alone; None draws them at random, without scores.
        inputs: to choose from.
        size: how many.
        seed: of the random stream.
        task: of the samples.
        classes: names of the classes.
        warn: gets what the user should know.

    Raises:
        SamplerError: the sampler cannot choose; names it.
    """
    if chosen is None:
        return Pool(inputs.ids).draw(size, stream(seed, "pool")).labeled, ()
    answer = choose(
        make_sampler(chosen, warn),
        inputs,
        size=size,
        seed=seed,
        task=task,
        classes=tuple(classes),
        features=chosen.plugin.features(chosen.params),
        who=_who(chosen),
        warn=warn,
    )
    return answer.positions, answer.scores


def _who(chosen: Chosen[SamplerPlugin]) -> str:
    return f"{chosen.label} ({chosen.registered.origin})"
