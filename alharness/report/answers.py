"""The four questions that people open a report with, answered from the figures by fixed rules."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .cost import cost, incomparable, share_of_training
from .document import Answer, p_value
from .efficiency import ENOUGH as ENOUGH_FOR_INTERVAL
from .efficiency import saving
from .significance import ALPHA, ENOUGH

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .settings import Settings
    from .significance import Difference
    from .study import Study


def answers(study: Study) -> list[Answer]:
    """Which sampler, how sure, how many labels saved, at what cost."""
    if not study.labels:
        return [Answer(question="Which sampler should I use here?", short="Nothing is finished yet.", reasons=())]
    best = study.ranked[0]
    return [
        _which(study, best),
        _how_sure(study, best),
        _labels(study, _subject(study)),
        _cost(study, _subject(study)),
    ]


def answers_over(found: Settings) -> list[Answer]:
    """Which sampler over several settings, and how sure."""
    ranking = found.ranking
    order = sorted(range(len(found.common)), key=lambda i: ranking.average[i])
    listed = ", ".join(f"{found.common[i]} {ranking.average[i]:.2f}" for i in order)
    best = found.common[order[0]]
    n = len(found.studies)
    wins = [name for name, one in found.studies.items() if _beats_random(one, best)]
    random = next((one.random for one in found.studies.values() if one.random), None)
    if best == random:
        held = "It is Random: no sampler is better on average."
    else:
        held = f"Significantly better than Random within {len(wins)} of {n} settings."
    if ranking.refusal:
        sure, why = "Not tested over settings.", [ranking.refusal]
    else:
        clear = [
            found.common[i] for i in order[1:] if ranking.average[i] - ranking.average[order[0]] > ranking.critical
        ]
        sure = (
            f"Better than {len(clear)} of {len(order) - 1}." if ranking.p < ALPHA and clear else "Not significant."
        )
        why = [
            (
                f"Friedman's test over {n} settings: {p_value(ranking.p)}, agreement W = {ranking.agreement:.2f}; "
                f"ranks that differ by less than {ranking.critical:.2f} may do so by chance (Nemenyi)."
            )
        ]
        if ranking.p < ALPHA and clear:
            why.append(f"{best} is significantly better than: {_list(clear)}.")
    return [
        Answer(
            question="Which sampler is best over these settings?",
            short=f"{best}, by average rank.",
            reasons=(f"Average ranks: {listed}.", held),
        ),
        Answer(question="How sure are we?", short=sure, reasons=why),
    ]


def _beats_random(study: Study, label: str) -> bool:
    if study.random in (None, label):
        return False
    pair = study.pairs[label, str(study.random)]
    return pair.significant and pair.value > 0


def _subject(study: Study) -> str:
    """The sampler whose labels and cost are told: the best that is not Random itself."""
    return next((label for label in study.ranked if label != study.random), study.ranked[0])


def _which(study: Study, best: str) -> Answer:
    question = "Which sampler should I use here?"
    area = f"the area under the curve of {study.scores.metric} ({study.scores.better})"
    if study.random is None:
        return Answer(
            question=question,
            short=f"{best} is best on average.",
            reasons=(
                f"By {area}: {_order(study)}.",
                (
                    "Random was not run, so nothing says whether a sampler is worth its cost: add `random` to the "
                    "spec."
                ),
            ),
        )
    if best != study.random and study.pairs[best, study.random].significant:
        equals = [x for x in study.ranked[1:] if not study.pairs[best, x].significant]
        reasons = [f"By {area} it is better than Random, by {_size(study.pairs[best, study.random])}."]
        if equals:
            reasons.append(f"Not shown to be worse than it: {_list(equals)}.{_cheapest(study, [best, *equals])}")
        else:
            reasons.append("It is better than every other sampler, too.")
        return Answer(question=question, short=f"{best}.", reasons=(*reasons, *_worse(study)))
    leader = _subject(study)
    reasons = [f"No sampler is shown to be better than Random by {area}."]
    if leader != study.random and len(study.labels) > 1:
        reasons.append(
            f"Closest is {leader}: {_size(study.pairs[leader, study.random])} better than Random on average."
            if study.pairs[leader, study.random].value > 0
            else "On average Random is the best of all."
        )
    return Answer(
        question=question,
        short="Random: none is shown to be better.",
        reasons=(*reasons, *_worse(study)),
    )


def _how_sure(study: Study, best: str) -> Answer:
    question = "How sure are we?"
    if study.random is None or len(study.labels) < 2:
        n = study.areas[best].n
        return Answer(question=question, short=f"{n} seeds, nothing to test against.", reasons=())
    subject = _subject(study)
    pair = study.pairs[subject, study.random]
    if pair.n < ENOUGH:
        return Answer(
            question=question,
            short=f"Not at all: {_seeds(pair.n)}.",
            reasons=(f"Below {ENOUGH} seeds nothing is tested. Set `seeds: 5` or more and run again.",),
        )
    tests = len(study.pairs) // 2
    what = f"{subject} against Random, paired by seed"
    p = p_value(pair.adjusted)
    reasons = [f"{what}: {_size(pair)}, {p} after Holm's correction over {tests} pairs{_effect(pair)}."]
    reasons.append(
        f"With these seeds a difference of about {pair.detectable:.3f} is found in four of five experiments"
        + ("; smaller ones need more seeds." if not pair.significant else ".")
    )
    short = "Significant at 5 %." if pair.significant else "Not significant."
    return Answer(question=question, short=short, reasons=reasons)


def _labels(study: Study, label: str) -> Answer:
    question = "How many labels does it save?"
    if study.random in (None, label):
        return Answer(question=question, short="Not known.", reasons=("It needs Random and another sampler.",))
    assert study.random is not None
    found = saving(study.scores, label, study.random)
    run = study.results.run
    last = run.schedule.labeled[-1]
    goal = f"Random's {study.scores.metric} at {last:,} labels"
    if not math.isfinite(found.needed):
        return Answer(
            question=question,
            short="None.",
            reasons=(f"{label} does not reach {goal} within {last:,} labels (n = {found.n}).",),
        )
    fewer = f"{found.value:,.0f} fewer" if found.value >= 0 else f"{-found.value:,.0f} more"
    reasons = [
        f"{label} reaches {goal} with {found.needed:,.0f} labels, {fewer} ({found.reached} of {found.n} seeds)."
    ]
    if found.n >= ENOUGH_FOR_INTERVAL:
        reasons.append(
            f"95 % interval of the saving: {bounds(found.low, found.high)} labels (bootstrap over seeds)."
        )
    if not found.sure:
        short = "None that is sure."
    else:
        short = f"{found.value:,.0f} of {found.reference:,.0f}." if found.value > 0 else "None: it takes more."
    return Answer(question=question, short=short, reasons=reasons)


def _cost(study: Study, label: str) -> Answer:
    question = "What does it cost?"
    found = cost(study, label)
    query, share = found.query["query_seconds"].value, share_of_training(found)
    if math.isnan(query):
        return Answer(question=question, short="Not measured.", reasons=())
    reasons = [
        f"A query of {label} takes {seconds(query)}, {share:.1%} of a training ({seconds(found.train.value)})."
    ]
    if study.random not in (None, label):
        assert study.random is not None
        reasons.append(f"Random's takes {seconds(cost(study, study.random).query['query_seconds'].value)}.")
    if reason := incomparable(study):
        reasons.append(reason)
    return Answer(question=question, short=f"{seconds(query)} a query.", reasons=reasons)


def bounds(low: float, high: float) -> str:
    """An interval of labels; an end without a bound is named."""
    ends = [f"{x:,.0f}".replace("-", "−") if math.isfinite(x) else "unbounded" for x in (low, high)]
    return f"{ends[0]} to {ends[1]}"


def seconds(value: float) -> str:
    """A time that people can grasp."""
    if value >= 120:
        return f"{value / 60:.3g} min"
    return f"{value:.3g} s" if value >= 0.1 else f"{1000 * value:.3g} ms"


def _size(pair: Difference) -> str:
    return f"{pair.value:.3f} ± {pair.half:.3f} (n = {pair.n})".replace("-", "−")


def _effect(pair: Difference) -> str:
    return "" if math.isnan(pair.effect) else f", effect {pair.effect:.1f} standard deviations".replace("-", "−")


def _order(study: Study) -> str:
    return ", ".join(f"{label} {study.areas[label].value:.3f}" for label in study.ranked)


def _worse(study: Study) -> tuple[str, ...]:
    assert study.random is not None
    worse = [
        x
        for x in study.labels
        if x != study.random
        and study.pairs[study.random, x].significant
        and study.pairs[study.random, x].value > 0
    ]
    return (f"Shown to be worse than Random: {_list(worse)}.",) if worse else ()


def _cheapest(study: Study, labels: list[str]) -> str:
    if incomparable(study):
        return ""
    times = {label: cost(study, label).query["query_seconds"].value for label in labels}
    label = min(times, key=lambda x: times[x])
    return (
        f" The quickest of these is {label}, {seconds(times[label])} a query."
        if not math.isnan(times[label])
        else ""
    )


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)


def _seeds(n: int) -> str:
    return "one seed" if n == 1 else f"{n} seeds"
