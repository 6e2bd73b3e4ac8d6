"""The four questions over several settings, answered by fixed rules from ranks, tests and scores."""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING

from alharness.results.scores import EQUIVALENT
from alharness.text.numbers import NOISE, fixed, p_value, percent, seconds, share, typeset

from .answers import COST, SAVED, SURE, answer, correction, kind_of_test, naming

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alharness.results.aggregate import Estimate
    from alharness.results.settings import Ranking, Settings

    from .document import Answer

WHICH = "Which sampler is best over these settings?"


def answers_over(found: Settings) -> list[Answer]:
    """Which sampler over several settings, how sure, how many labels saved, at what cost."""
    ranking = found.ranking
    if not ranking.settings:
        return [answer(WHICH, "Not known: no setting can be ranked.", *found.left_out)]
    order = sorted(found.common, key=ranking.of)
    best = found.best or order[0]
    return [_which(found, best, order), _sure(found, best), _saved(found, best), _cost(found, best)]


def friedman(ranking: Ranking) -> str:
    """What Friedman's test over settings says."""
    return (
        f"Friedman's test over {len(ranking.settings)} settings: {p_value(ranking.p)}, agreement W = "
        f"{fixed(ranking.agreement, 2)}"
    )


def ends(estimate: Estimate, decimals: int = 2) -> str:
    """Its interval in words; empty without one."""
    if math.isnan(estimate.low):
        return ""
    return f"{rounded(estimate.low, decimals)} to {rounded(estimate.high, decimals)}"


def rounded(value: float, decimals: int = 2) -> str:
    """A number with so many decimals; 0 without any."""
    return "0" if abs(value) <= NOISE else typeset(fixed(value, decimals))


def within(estimate: Estimate, decimals: int = 2) -> str:
    """A number and its interval."""
    interval = ends(estimate, decimals)
    return f"{rounded(estimate.value, decimals)}{f' (95 % interval {interval})' if interval else ''}"


def over(found: Settings) -> str:
    """What statistics over settings rest on: how many settings, and seeds of each."""
    counts = found.scores.counts
    least, most = min(counts, default=0), max(counts, default=0)
    return f"{len(counts)} settings, {least if least == most else f'{least} to {most}'} seeds each"


def _which(found: Settings, best: str, order: list[str]) -> Answer:
    ranking = found.ranking
    higher = [x for x in order if ranking.of(x) < ranking.of(best)]
    ranks = ", ".join(f"{x} {fixed(ranking.of(x), 2)}" for x in order)
    short, last = f"{best}, by average rank.", ""
    if found.random is None:
        last = "Random was not run in all of them: add `random` to the specs."
    elif best == found.random:
        short = "Random: none is shown to be better."
        last = "" if higher else "It is Random: no sampler is better on average."
    else:
        last = "" if ranking.refusal else _tested(found, best)
    return answer(
        WHICH,
        short,
        f"Average ranks over {len(ranking.settings)} settings: {ranks}.",
        naming("Better by average rank, but not shown to be better than Random", higher),
        last,
        *found.left_out,
    )


def _sure(found: Settings, best: str) -> Answer:
    ranking = found.ranking
    reasons = _scored(found, best)
    if ranking.refusal:
        if found.random in (None, best):
            return answer(SURE, "Not tested over settings.", ranking.refusal, *reasons)
        wins = sum(found.against_random[name, best].better for name in found.runs)
        return answer(
            SURE, f"Within {wins} of {len(found.runs)} settings.", _tested(found, best), *reasons, ranking.refusal
        )
    clear = [x for x in found.common if ranking.better(best, x)]
    return answer(
        SURE,
        f"Better than {len(clear)} of {len(found.common) - 1}." if clear else "Not significant.",
        f"{friedman(ranking)}; ranks that differ by less than {fixed(ranking.critical, 2)} may do so by chance "
        "(Nemenyi).",
        naming(f"{best} is significantly better than", clear),
        *reasons,
    )


def _tested(found: Settings, best: str) -> str:
    """In how many settings a sampler is shown to be better than Random."""
    fixed = [name for name in found.runs if name not in found.stopping]
    plans = [found.runs[name].run for name in fixed]
    told = []
    if fixed:
        told.append(
            f"Significantly better than Random within {_won(found, best, fixed)} settings "
            f"({kind_of_test(*plans)}, {correction(*plans)} correction over {found.tests} comparisons of samplers "
            "with Random)."
        )
    if found.stopping:
        told.append(
            f"Decided to be better than Random within {_won(found, best, found.stopping)} settings whose seeds "
            f"stop, each with its own confidence. By chance it would be within {found.enough} or more of them in "
            "one of twenty grids at most."
        )
    return " ".join(told)


def _won(found: Settings, best: str, names: Sequence[str]) -> str:
    pairs = [found.against_random[name, best] for name in names]
    wins, losses = sum(pair.better for pair in pairs), sum(pair.worse for pair in pairs)
    return f"{wins} of {len(pairs)}" + (f" (worse within {losses})" if losses else "")


def _scored(found: Settings, best: str) -> list[str]:
    """What scores on a common scale say of the best sampler."""
    scores = found.scores
    if scores.refusal:
        return [scores.refusal]
    if best == found.random:
        return []
    gain, chance = scores.gain(best), scores.improvement(best)
    what = (
        f"Its interquartile mean score is {within(gain, 3)} above Random's, and a run of it beats one of Random "
        f"with probability {within(chance)} (n: {over(found)}). A score of 1 is {scores.unit}."
    )
    if scores.without_posterior:
        return [what, scores.without_intervals, scores.without_posterior]
    posterior = scores.posterior(best)
    chances = (share(posterior.better), share(posterior.same), share(posterior.worse))
    bayes = (
        f"Bayesian signed-rank test over {posterior.settings} settings: better in practice with probability "
        f"{chances[0]}, equal within ± {EQUIVALENT} with {chances[1]}, worse with {chances[2]}."
    )
    return [what, scores.without_intervals, bayes]


def _saved(found: Settings, best: str) -> Answer:
    random = found.random
    if random is None:
        return answer(SAVED, "Not known.", "It needs Random in every setting.")
    if best == random:
        return answer(SAVED, "None.", "Savings are counted against Random itself.")
    savings = {name: found.savings[name, best] for name in found.seeds}
    shares = [s.value / s.reference if math.isfinite(s.needed) else -math.inf for s in savings.values()]
    sure = [n for n, s in savings.items() if s.low > 0 and found.against_random[n, best].better]
    middle = median(shares)
    usual = (
        f"{percent(middle, 0)} in the median setting" if math.isfinite(middle) else "none in the median setting"
    )
    _, factor = found.speed_ups[best]
    quicker = "" if math.isnan(factor.value) else f"Speed-up along the whole curve: {within(factor)}."
    short = "None that is sure."
    if middle > 0 and (sure or found.stopping):
        tested = f"sure in {len(sure)} of {len(savings)}" if sure else "not tested"
        short = f"{usual[0].upper()}{usual[1:]}, {tested}."
    return answer(
        SAVED,
        short,
        f"To Random's value after the last cycle: {usual}; sure in {len(sure)} of {len(savings)} (better than "
        "Random there, and the interval excludes 0).",
        "Savings have no intervals in settings whose seeds stop." if found.stopping else "",
        quicker and f"{quicker} It is Random's labels divided by those of {best}, for the values that both reach.",
    )


def _cost(found: Settings, best: str) -> Answer:
    rows = {name: found.runs[name].row(best) for name in found.seeds}
    times = {name: row.costs["query_seconds"].value for name, row in rows.items()}
    known = [time for time in times.values() if not math.isnan(time)]
    if not known:
        return answer(COST, "Not measured.")
    shares = [row.share_of_training for row in rows.values() if not math.isnan(row.share_of_training)]
    span = f", {seconds(min(known))} to {seconds(max(known))}" if len(known) > 1 else ""
    part = f" That is {percent(median(shares))} of a training in the median." if shares else ""
    unlike = [name for name in rows if found.runs[name].incomparable_times()]
    return answer(
        COST,
        f"{seconds(median(known))} a query.",
        f"A query of {best} takes {seconds(median(known))} in the median setting{span}.{part}",
        f"Times cannot be compared within {len(unlike)} of {len(rows)} settings: see their own pages."
        if unlike
        else "",
    )
