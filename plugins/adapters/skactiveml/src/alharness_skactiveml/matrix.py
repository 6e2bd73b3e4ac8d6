"""The conformance matrix: what each strategy keeps to, and what it takes.

    python -m alharness_skactiveml.matrix docs/reference/skactiveml.md

writes it for the installed version of scikit-activeml into the page, next to those of other versions.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from alharness import Task

from . import params as of
from .laws import LAWS
from .plugin import STRATEGIES
from .sampler import Case, choose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from .params import StrategyParams

    Array = NDArray[np.float64]
    Check = Callable[[StrategyParams, Case], str]

SEEDS = 300
"""Choices from which frequencies are taken. What never may happen is seen in the first few."""
FEW = 8
UNLIKELY = 1e-6
"""Probability of a fault that is none, in one check of frequencies with a law."""
SPREADS = 5.5
"""Standard deviations by which two frequencies of the same choice never differ."""
LARGE, WIDE, BATCH, LABELS = 17_000, 768, 50, 200
"""Samples, features, picks and labels of what is measured."""
PATIENCE = 120
"""Seconds until a measurement is given up."""
SPECIAL: dict[type[StrategyParams], dict[str, Any]] = {of.ProbCover: {"deltas": (1.0,)}}
"""Parameters with which the law of the second pick is a law: the radius of ProbCover is found by clustering."""


# Cases


def case_of(
    params: StrategyParams,
    task: Task,
    unlabeled: int,
    labeled: int,
    width: int,
    seed: int = 0,
    *,
    distinct: int = 0,
) -> Case:
    """Small whole numbers, and a model that is linear in them.

    Args:
        params: of the strategy that is going to be asked.
        task: classification with three classes, or regression.
        unlabeled: samples to choose from.
        labeled: samples with labels.
        width: features.
        seed: of everything.
        distinct: how many different samples there are; 0 for all.
    """
    rng = np.random.default_rng(seed)
    count = unlabeled + labeled
    x = rng.integers(-4, 5, (distinct or count, width)).astype(np.float64)[np.arange(count) % (distinct or count)]
    classes = 3 if task == Task.CLASSIFICATION else 0
    targets = rng.integers(3, size=labeled) if classes else rng.integers(-4, 5, labeled)
    members = 5 if params.model == "ensemble" else 1
    weights = rng.normal(size=(members, width, classes or 1)) / 2
    draws = np.stack([_probable(x @ w) if classes else x @ w for w in weights])
    predictions = draws[:, labeled:] if params.model == "ensemble" else draws[0]
    return Case(
        x=x,
        targets=targets.astype(np.float64),
        classes=classes,
        predictions=predictions if params.model not in ("", "discriminator") else None,
        predict=(lambda rows: _probable(rows @ weights[0])) if params.strategy == "DropQuery" else None,
    )


def _probable(logits: Array) -> Array:
    e = np.exp(logits - logits.max(-1, keepdims=True))
    shares: Array = e / e.sum(-1, keepdims=True)
    return shares


def taken(case: Case, rows: NDArray[np.int64]) -> Case:
    """A case of some of its samples, labeled ones first."""
    kept = rows < case.labeled
    predictions = case.predictions
    if predictions is not None:
        members = predictions.ndim == 3
        start = case.labeled if members else 0
        chosen = rows[~kept] - start if members else rows
        predictions = predictions[:, chosen] if members else predictions[chosen]
    return replace(case, x=case.x[rows], targets=case.targets[rows[kept]], predictions=predictions)


# Checks: what is wrong with a strategy in a case, in words; nothing if it keeps to it


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


CHECKS: dict[str, Check] = {"distinct": distinct, "second pick": second, "permutation": permutation, "seed": seed}


def _asked(params: StrategyParams, case: Case, size: int, seed: int) -> list[int]:
    """As scikit-activeml alone chooses."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return choose(params, case, size, seed, aided=False)[0]


# The smallest failing input


def trials(params: StrategyParams, task: Task, check: str) -> Iterator[Case]:
    """Cases of one check, the plain ones first."""
    for number in range(2):
        yield case_of(params, task, 12, 4, 3, number)
    if check == "distinct":
        yield case_of(params, task, 12, 3, 2, distinct=4)
        yield case_of(params, task, 8, 2, 2, distinct=1)


def smallest(fails: Callable[[Case], bool], case: Case) -> Case:
    """A case that fails and does no longer when one more sample or feature is left out.

    Args:
        fails: whether a case fails.
        case: one that does.
    """
    shrunk = True
    while shrunk:
        shrunk = False
        for smaller in _smaller(case):
            if fails(smaller):
                case, shrunk = smaller, True
                break
    return case


def _smaller(case: Case) -> Iterator[Case]:
    rows = np.arange(len(case.x))
    for step in (4, 2, 1):
        for start in range(0, len(rows), step):
            kept = np.delete(rows, slice(start, start + step))
            labeled = int((kept < case.labeled).sum())
            if labeled and len(kept) - labeled >= 2:
                yield taken(case, kept)
    if case.predict is None and case.x.shape[1] > 1:
        for column in range(case.x.shape[1]):
            yield replace(case, x=np.delete(case.x, column, 1))
    if case.x.any():
        for value in (0.0, 1.0):
            for i in range(len(rows)):
                if not np.isin(case.x[i], (0, value)).all():
                    x = case.x.copy()
                    x[i] = np.sign(np.abs(x[i])) * value
                    yield replace(case, x=x)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a check found.

    Attributes:
        text: what is wrong; empty if nothing is.
        case: the smallest that shows it.
    """

    text: str
    case: Case | None = None


def examine(params: StrategyParams, check: str) -> Finding:
    """One check of one strategy, with the smallest input that fails."""
    run = CHECKS[check]

    def wrong(case: Case) -> tuple[str, str]:
        """The kind of fault, and what is said of it."""
        try:
            text = run(params, case)
        except Exception as error:  # noqa: BLE001 - whatever a strategy raises
            kind = type(error).__name__
            return kind, f"{kind}: {error}".splitlines()[0]
        return ("", "") if not text else (check, text)

    def fails_so(kind: str, case: Case) -> bool:
        return wrong(case)[0] == kind

    with threadpool_limits(1):  # a team of threads costs more than such small cases
        for task in sorted(STRATEGIES[type(params)][0]):
            for case in trials(params, task, check):
                kind, _ = wrong(case)
                if kind:
                    found = smallest(partial(fails_so, kind), case)
                    return Finding(text=wrong(found)[1], case=found)
    return Finding(text="")


# Time and memory


def measure(name: str, unlabeled: int = LARGE, width: int = WIDE) -> dict[str, float] | str:
    """Seconds and MiB beyond the data, in a process of its own; why not, if it does not end."""
    command = [sys.executable, "-m", __name__, "--measure", name, "--size", str(unlabeled), str(width)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        return f"> {PATIENCE} s"
    if done.returncode:
        return (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1][:60]
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _measured(name: str, unlabeled: int, width: int) -> dict[str, float]:
    params, tasks = next((p, tasks) for p, (tasks, *_) in STRATEGIES.items() if p.strategy == name)
    made = params()
    rng = np.random.default_rng(0)
    task = min(tasks)
    classes = 3 if task == Task.CLASSIFICATION else 0
    small = case_of(made, task, 12, 4, 3)
    choose(made, small, 2, 0)  # imports, and what is made once
    x = rng.normal(size=(unlabeled + LABELS, width))
    members = 10 if made.model == "ensemble" else 1
    draws = rng.normal(size=(members, len(x), classes or 1))
    draws = _probable(draws) if classes else draws
    weights = rng.normal(size=(width, classes or 1))
    case = Case(
        x=x,
        targets=rng.integers(3, size=LABELS).astype(np.float64),
        classes=classes,
        predictions=draws[:, LABELS:] if made.model == "ensemble" else draws[0],
        predict=lambda rows: _probable(rows @ weights),
    )
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    choose(made, case, BATCH, 0)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "mib": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024}


# The page


def rows(names: Iterable[str] = (), *, measured: bool = True, say: Callable[[str], None]) -> Iterator[list[str]]:
    """A line of the table for each strategy, and then its findings as text."""
    wanted = set(names)
    for params in STRATEGIES:
        if wanted and params.strategy not in wanted:
            continue
        line, notes = [f"`{params.strategy.lower()}`"], []
        for check in CHECKS:
            special = SPECIAL.get(params, {}) if check == "second pick" else {}
            if check == "second pick" and params.strategy not in LAWS:
                line.append("–")
                continue
            finding = examine(params(**special), check)
            line.append("no" if finding.text else "yes")
            if finding.case is not None:
                notes.append(shown(params, check, finding))
        found: Any = measure(params.strategy) if measured else {}
        line += (
            [f"{found['seconds']:.2g}", f"{found['mib']:.0f}"]
            if isinstance(found, dict) and found
            else [str(found or "–"), "–"]
        )
        say(" ".join(line))
        yield [*line, *notes]


def shown(params: type[StrategyParams], check: str, finding: Finding) -> str:
    """The smallest failing input as Markdown."""
    case = finding.case
    assert case is not None
    lines = [f"x = {_plain(case.x)}", f"labels of the first {case.labeled}: {_plain(case.targets)}"]
    if case.predictions is not None:
        what = "committee" if case.predictions.ndim == 3 else "predictions"
        lines.append(f"{what} = {_plain(case.predictions)}")
    body = "\n".join(lines)
    return f"**`{params.strategy.lower()}`, {check}**: {finding.text}\n\n```text\n{body}\n```"


def _plain(values: Array) -> str:
    return re.sub(
        r"\s+", " ", np.array2string(values, precision=3, separator=", ", suppress_small=True, threshold=10**6)
    )


HEAD = """\
| strategy | distinct | second pick | permutation | seed | seconds | MiB |
| --- | --- | --- | --- | --- | --- | --- |"""


def section(lines: Iterable[list[str]]) -> str:
    """The matrix of the installed version."""
    table, notes = [], []
    for line in lines:
        table.append(f"| {' | '.join(line[:7])} |")
        notes += line[7:]
    return "\n".join(
        [
            f"### scikit-activeml {version('scikit-activeml')}",
            "",
            HEAD,
            *table,
            "",
            *("\n\n".join(notes).splitlines()),
        ]
    )


def put(page: str, made: str) -> str:
    """The page with this section in the place of the one of the same version, or before those of others."""
    title = made.splitlines()[0]
    start, end = "<!-- matrix -->", "<!-- end of matrix -->"
    before, _, rest = page.partition(start)
    inside, _, after = rest.partition(end)
    others = [
        part for part in re.split(r"(?m)^(?=### )", inside.strip()) if part and not part.startswith(title + "\n")
    ]
    return f"{before}{start}\n\n" + "\n\n".join(part.strip() for part in [made, *others]) + f"\n\n{end}{after}"


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m alharness_skactiveml.matrix", description=__doc__)
    parser.add_argument("page", nargs="?", type=Path, help="the page that holds it; without one it is printed")
    parser.add_argument(
        "--only", action="append", default=[], metavar="CLASS", help="only this strategy; repeatable"
    )
    parser.add_argument("--unmeasured", action="store_true", help="leave time and memory out")
    parser.add_argument("--measure", metavar="CLASS", help=argparse.SUPPRESS)
    parser.add_argument("--size", nargs=2, type=int, default=(LARGE, WIDE), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        warnings.simplefilter("ignore")
        sys.stdout.write(json.dumps(_measured(given.measure, *given.size)) + "\n")
        return
    say = partial(print, file=sys.stderr)
    made = section(rows(given.only, measured=not given.unmeasured, say=say))
    if given.page is None:
        sys.stdout.write(made + "\n")
    else:
        given.page.write_text(put(given.page.read_text(encoding="utf-8"), made), encoding="utf-8")


if __name__ == "__main__":
    main()
