"""Several runs, each a setting of its own: ranks over them, penalties, savings. Nothing is pooled across runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from alharness.errors import RunError

from .palette import styles
from .penalty import Penalties, penalties
from .ranking import Ranking, rank
from .study import study

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .reading import Results
    from .study import Study


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Runs side by side.

    Attributes:
        studies: name of a setting -> its run; names are distinct.
        common: samplers with finished seeds in every setting, which alone are ranked.
        ranking: of the common samplers by their mean area.
        left_out: what is not ranked, and why.
    """

    studies: Mapping[str, Study]
    common: tuple[str, ...]
    ranking: Ranking
    left_out: tuple[str, ...]


def settings(found: Sequence[Results]) -> Settings:
    """Put runs side by side.

    Raises:
        RunError: a run is named twice, or the runs have no sampler in common.
    """
    labels = dict.fromkeys(label for results in found for label in results.run.labels)
    drawn = styles(labels)
    studies: dict[str, Study] = {}
    seen: dict[str, str] = {}
    for results in found:
        run = results.run
        if run.experiment in seen:
            raise RunError(
                f"{run.folder} and {seen[run.experiment]} are the same experiment, {run.experiment}: counted "
                "twice, "
                "its ranks would look surer than they are. Name each setting once"
            )
        seen[run.experiment] = str(run.folder)
        name = run.name if run.name not in studies else run.experiment
        studies[name] = study(results, drawn)
    common = tuple(label for label in labels if all(label in found.labels for found in studies.values()))
    if not common:
        raise RunError("these runs have no sampler in common that has finished a seed in each of them")
    left_out = [_why(label, studies) for label in labels if label not in common]
    differing = [label for label in common if _differs(label, studies)]
    left_out += [f"{label} has other parameters in some settings: see the report of each" for label in differing]
    values = np.array([[_value(found, label) for label in common] for found in studies.values()])
    return Settings(
        studies=studies, common=common, ranking=rank(common, list(studies), values), left_out=tuple(left_out)
    )


def summed_penalties(found: Settings) -> Penalties | None:
    """Matrices of the settings added up, the largest possible entry being their number; None without Random."""
    parts = [penalties(s.scores, s.random, found.common) for s in found.studies.values() if s.random]
    if len(parts) < len(found.studies):
        return None
    tests, seeds = sum(part.tests for part in parts), min(part.seeds for part in parts)
    matrix: np.ndarray = np.sum([part.matrix for part in parts], axis=0)
    return Penalties(labels=found.common, matrix=matrix, checkpoints=(), tests=tests, seeds=seeds)


def _value(found: Study, label: str) -> float:
    return (-1 if found.scores.lower_is_better else 1) * found.areas[label].value


def _why(label: str, studies: Mapping[str, Study]) -> str:
    absent = [name for name, found in studies.items() if label not in found.labels]
    return f"{label} is not ranked: it has no finished seed in {', '.join(absent)}"


def _differs(label: str, studies: Mapping[str, Study]) -> bool:
    kinds = {
        (cell.sampler, repr(sorted(cell.params.items())))
        for found in studies.values()
        for cell in found.results.run.cells
        if cell.label == label
    }
    return len(kinds) > 1
