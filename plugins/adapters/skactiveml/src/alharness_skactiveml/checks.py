"""Checks of a strategy in a case: each says what is wrong, in words, or nothing."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from . import params as of
from .cases import case_of, smallest, taken
from .laws import LAWS
from .plugin import STRATEGIES
from .sampler import choose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from alharness import Task

    from .params import StrategyParams
    from .sampler import Case

    Array = NDArray[np.float64]
    Check = Callable[[StrategyParams, Case], str]

SEEDS = 300
"""Choices from which frequencies are taken. What never may happen is seen in the first few."""
FEW = 8
UNLIKELY = 1e-6
"""Probability of a fault that is none, in one check of frequencies with a law."""
SPREADS = 5.5
"""Standard deviations by which two frequencies of the same choice never differ."""
SPECIAL: dict[type[StrategyParams], dict[str, Any]] = {of.ProbCover: {"deltas": (1.0,)}}
"""Parameters with which the law of the second pick is a law: the radius of ProbCover is found by clustering."""


def distinct(params: StrategyParams, case: Case) -> str:
    """No sample is chosen twice, and all that were asked for are chosen."""
    for seed in range(FEW):
        for size in dict.fromkeys((min(3, case.unlabeled), case.unlabeled)):
            picks = _asked(params, case, size, seed)
            if len(picks) != size or len({*picks}) < size or not all(0 <= i < case.unlabeled for i in picks):
                return f"asked for {size}, it chose {picks} (random_state={seed})"
    return ""


def second(params: StrategyParams, case: Case) -> str:
    """The second pick follows the law of the paper, given the first."""
    law = LAWS[type(params).strategy]
    counts = np.zeros((case.unlabeled, case.unlabeled))
    laws: dict[int, Array] = {}
    for seed in range(SEEDS):
        first, then = _asked(params, case, 2, seed)
        if first not in laws:
            laws[first] = law(params, case, first)
        if first == then:
            continue  # which another check finds
        counts[first, then] += 1
        if laws[first][then] < TINY:
            chances = ", ".join(f"{i}: {p:.3g}" for i, p in enumerate(laws[first]) if p > TINY)
            return f"after {first} it chose {then}, and the paper {chances} (random_state={seed})"
        if seed == FEW and all(p.max() > 1 - TINY for p in laws.values()):
            return ""  # nothing is left to chance
    worst = min(((_p_value(counts[first], p), first) for first, p in laws.items()), default=(1.0, 0))
    if worst[0] * len(laws) < UNLIKELY:
        first = worst[1]
        seen = counts[first] / counts[first].sum()
        both = ", ".join(
            f"{i}: {s:.2f} instead of {p:.2f}"
            for i, (s, p) in enumerate(zip(seen, laws[first], strict=True))
            if s or p
        )
        return f"after {first}, how often each follows: {both}"
    return ""


TINY = 1e-12


def _p_value(counts: Array, law: Array) -> float:
    from scipy.stats import chisquare

    possible = law > TINY
    if possible.sum() < 2 or not counts.sum():
        return 1.0
    return float(chisquare(counts[possible], law[possible] / law[possible].sum() * counts.sum()).pvalue)


def permutation(params: StrategyParams, case: Case) -> str:
    """The same samples whatever their order; if chance decides, each sample as often."""
    order = np.random.default_rng(1).permutation(case.unlabeled)
    turned = taken(case, np.concatenate([np.arange(case.labeled), case.labeled + order]))
    size = max(1, case.unlabeled // 3)
    plain, other = np.zeros(case.unlabeled), np.zeros(case.unlabeled)
    for seed in range(SEEDS):
        plain[_asked(params, case, size, seed)] += 1
        other[order[_asked(params, turned, size, SEEDS + seed)]] += 1
        settled = set(np.unique(np.concatenate([plain, other]))) <= {0.0, seed + 1.0}
        if seed == FEW and settled:
            break  # always the same ones: nothing is left to chance
    n = seed + 1
    share = (plain + other) / (2 * n)
    spread = np.sqrt(np.maximum(share * (1 - share) * 2 / n, 1 / n**2))
    apart = np.abs(plain - other) / n / spread
    if apart.max() > (0 if settled else SPREADS):
        i = int(apart.argmax())
        return (
            f"sample {i} is chosen in {plain[i]:.0f} of {n} cases, and in {other[i]:.0f} if the order is "
            f"{order.tolist()}"
        )
    return ""


def seed(params: StrategyParams, case: Case) -> str:
    """The same seed, the same choice, whatever NumPy's own generator has drawn before."""
    size = max(1, case.unlabeled // 3)
    for one in range(FEW):
        found = set()
        for state in range(4):
            np.random.seed(state)  # noqa: NPY002
            found.add(tuple(_asked(params, case, size, one)))
        if len(found) > 1:
            return f"random_state={one} chose {sorted(found)}"
    return ""


SECOND = "second pick"
CHECKS: dict[str, Check] = {"distinct": distinct, SECOND: second, "permutation": permutation, "seed": seed}


def _asked(params: StrategyParams, case: Case, size: int, seed: int) -> list[int]:
    """As scikit-activeml alone chooses."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return choose(params, case, size, seed, aided=False)[0]


def trials(params: StrategyParams, task: Task, check: str) -> Iterator[Case]:
    """Cases of one check, the plain ones first."""
    for number in range(2):
        yield case_of(params, task, 12, 4, 3, number)
    if check == "distinct":
        yield case_of(params, task, 12, 3, 2, distinct=4)
        yield case_of(params, task, 8, 2, 2, distinct=1)


@dataclass(frozen=True)
class Fault:
    """What a check found.

    Attributes:
        text: what is wrong.
        case: the smallest that shows it.
    """

    text: str
    case: Case


def examine(params: StrategyParams, check: str) -> Fault | None:
    """What is wrong with one strategy by one check, with the smallest input; None if nothing is."""

    def kind(case: Case) -> str:
        return _found(params, check, case)[0]

    with threadpool_limits(1):  # a team of threads costs more than such small cases
        for task in sorted(STRATEGIES[params.strategy][0]):
            for case in trials(params, task, check):
                if wrong := kind(case):
                    least = smallest(lambda smaller, wrong=wrong: kind(smaller) == wrong, case)  # type: ignore[misc]
                    return Fault(_found(params, check, least)[1], least)
    return None


def _found(params: StrategyParams, check: str, case: Case) -> tuple[str, str]:
    """The kind of fault, and what is said of it; empty if there is none."""
    try:
        text = CHECKS[check](params, case)
    except Exception as error:  # noqa: BLE001 - whatever a strategy raises
        kind = type(error).__name__
        return kind, f"{kind}: {error}".splitlines()[0]
    return (check if text else "", text)
