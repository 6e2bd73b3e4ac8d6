"""The four questions that people open a report with, answered from the figures by fixed rules."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from alharness.results.basis import RANDOM, seed_list
from alharness.results.efficiency import ENOUGH_FOR_INTERVAL, saving
from alharness.results.statistics import ENOUGH
from alharness.text.numbers import count, fixed, form, interval, p_value, percent, seconds, significant, typeset

from .document import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alharness.results.run import RunResults
    from alharness.results.settings import Settings
    from alharness.results.statistics import Difference

WHICH = "Which sampler should I use here?"
SURE = "How sure are we?"
SAVED = "How many labels does it save?"
COST = "What does it cost?"
MOST = 3
"""How many differences a sentence shows; it only names further samplers."""


def answers(results: RunResults) -> list[Answer]:
    """Which sampler, how sure, how many labels saved, at what cost: all about the sampler that is recommended."""
    if not results.labels:
        return [Answer(question=WHICH, short="Nothing is finished yet.", reasons=results.basis.refused)]
    if results.random is None:
        best = results.ranked[0]
        return [_best_without_random(results, best), _untested(results, best), _no_saving(), _cost(results, best)]
    of_a_winner, of_random = (_winner, _sure_of_winner, _labels), (_random, _sure_of_random, _no_saving_of_random)
    found = [answer(results) for answer in (of_a_winner if results.advice.shown else of_random)]
    return [*found, _cost(results, str(results.advice.label))]


def answers_over(found: Settings) -> list[Answer]:
    """Which sampler over several settings, and how sure."""
    which = "Which sampler is best over these settings?"
    ranking = found.ranking
    if not ranking.settings:
        return [Answer(question=which, short="Not known: no setting can be ranked.", reasons=found.left_out)]
    order = sorted(range(len(found.common)), key=lambda i: ranking.average[i])
    ranks = [f"{found.common[i]} {fixed(ranking.average[i], 2)}" for i in order]
    reasons = [f"Average ranks over {len(ranking.settings)} settings: {_list(ranks)}."]
    leader = found.common[order[0]]
    best = found.best or leader
    higher = [x for x in (found.common[i] for i in order) if ranking.of(x) < ranking.of(best)]
    if higher:
        reasons.append(f"Better by average rank, but not shown to be better than Random: {_list(higher)}.")
    short = f"{best}, by average rank."
    if found.random is None:
        reasons.append("Random was not run in all of them: add `random` to the specs.")
    elif best == found.random:
        short = "Random: none is shown to be better."
        reasons += [] if higher else ["It is Random: no sampler is better on average."]
    else:
        wins = sum(found.against_random[name, best].better for name in found.runs)
        reasons.append(
            f"Significantly better than Random within {wins} of {len(found.runs)} settings (paired t-tests, "
            f"Holm's correction over {found.tests} comparisons of samplers with Random)."
        )
    return [
        Answer(question=which, short=short, reasons=(*reasons, *found.left_out)),
        _sure_over(found, best),
    ]


def _sure_over(found: Settings, best: str) -> Answer:
    ranking = found.ranking
    if ranking.refusal:
        return Answer(question=SURE, short="Not tested over settings.", reasons=(ranking.refusal,))
    clear = [x for x in found.common if ranking.better(best, x)]
    reasons = [
        (
            f"Friedman's test over {len(ranking.settings)} settings: {p_value(ranking.p)}, agreement W = "
            f"{fixed(ranking.agreement, 2)}; ranks that differ by less than "
            f"{fixed(ranking.critical, 2)} may do so by chance (Nemenyi)."
        )
    ]
    if clear:
        reasons.append(f"{best} is significantly better than: {_list(clear)}.")
    return Answer(
        question=SURE,
        short=f"Better than {len(clear)} of {len(found.common) - 1}." if clear else "Not significant.",
        reasons=reasons,
    )


def _best_without_random(results: RunResults, best: str) -> Answer:
    over = results.basis.seed_sets[0]
    write = form(
        [results.areas[x].value for x in over.labels], [results.areas[x].half for x in over.labels]
    ).number
    order = ", ".join(f"{x} {write(results.areas[x].value)}" for x in results.ranked if x in over.labels)
    return Answer(
        question=WHICH,
        short=f"{best} is best on average.",
        reasons=(
            f"By {_area(results)}, over {seed_list(over.seeds)}: {order}.",
            "Random was not run, so nothing says whether a sampler is worth its cost: add `random` to the spec.",
            *_missing(results),
        ),
    )


def _untested(results: RunResults, best: str) -> Answer:
    return Answer(
        question=SURE,
        short=f"{_number_of_seeds(len(results.basis.first_set(best).seeds))}, nothing to test against.",
        reasons=(),
    )


def _no_saving() -> Answer:
    return Answer(question=SAVED, short="Not known.", reasons=("It needs Random and another sampler.",))


def _winner(results: RunResults) -> Answer:
    advice, random = results.advice, str(results.random)
    best = advice.shown[0]
    reasons = [f"By {_area(results)} it is better than Random, by {_size(results, best, random)}."]
    if advice.ahead:
        reasons.append(
            f"Better on average than {best}, but not shown to be better than Random: {_ahead(results)}."
        )
    if advice.apart:
        reasons.append(f"{advice.apart}; {best} has the largest difference to Random.")
    others = [x for x in results.ranked if x not in (best, *results.basis.randoms)]
    beaten = [x for x in others if results.pairs[best, x].better]
    superior = [x for x in others if results.pairs[best, x].worse]
    equals = [x for x in others if x not in (*beaten, *superior)]
    if superior:
        reasons.append(f"Shown to be better than {best} over the seeds that both have: {_list(superior)}.")
    if equals:
        reasons.append(f"Not shown to be worse than it: {_list(equals)}.{_quickest(results, [best, *equals])}")
    if others == beaten:
        reasons.append("It is better than every other sampler, too.")
    return Answer(question=WHICH, short=f"{best}.", reasons=(*reasons, *_worse(results), *_missing(results)))


def _random(results: RunResults) -> Answer:
    advice, random = results.advice, str(results.random)
    reasons = [f"No sampler is shown to be better than Random by {_area(results)}."]
    rivals = _rivals(results)
    if advice.ahead:
        reasons.append(f"Better on average, but not shown to be better: {_ahead(results)}.")
    elif rivals and all(results.pairs[x, random].value < 0 for x in rivals):
        reasons.append("On average Random is the best of all.")
    name = "Random" if random == RANDOM else f"Random ({random})"
    return Answer(
        question=WHICH,
        short=f"{name}: none is shown to be better.",
        reasons=(*reasons, *_worse(results), *_missing(results)),
    )


def _sure_of_winner(results: RunResults) -> Answer:
    best = results.advice.shown[0]
    pair = results.pairs[best, str(results.random)]
    reasons = [_tested(results, best), f"{_detectable(pair)}."]
    return Answer(question=SURE, short="Significant at 5 %.", reasons=reasons)


def _sure_of_random(results: RunResults) -> Answer:
    """What the test of the sampler that comes closest says, and whether much could have been found."""
    random = str(results.random)
    rivals = [x for x in _rivals(results) if results.pairs[x, random].n]
    if not rivals:
        n = len(results.basis.cells[random])
        return Answer(question=SURE, short=f"{_number_of_seeds(n)}, nothing to test against.", reasons=())
    enough = [x for x in rivals if results.pairs[x, random].n >= ENOUGH]
    if not enough:
        most = max(results.pairs[x, random].n for x in rivals)
        return Answer(
            question=SURE,
            short=f"Not at all: {_number_of_seeds(most)}.",
            reasons=(f"Below {ENOUGH} seeds nothing is tested. Set `seeds: 5` or more and run again.",),
        )
    closest = max(enough, key=lambda x: results.pairs[x, random].value)
    pair = results.pairs[closest, random]
    if pair.worse:
        return Answer(
            question=SURE,
            short=f"Significant at 5 %: {closest} is worse.",
            reasons=(_tested(results, closest), f"{_detectable(pair)}."),
        )
    return Answer(
        question=SURE,
        short="Not significant.",
        reasons=(_tested(results, closest), f"{_detectable(pair)}; smaller ones need more seeds."),
    )


def _labels(results: RunResults) -> Answer:
    best, random = results.advice.shown[0], str(results.random)
    found = saving(results, best, random, seeds=results.basis.first_set(best).seeds)
    last = results.labeled[-1]
    goal = f"Random's {results.metric} at {last:,} labels"
    if not math.isfinite(found.needed):
        return Answer(
            question=SAVED,
            short="None.",
            reasons=(f"{best} does not reach {goal} within {last:,} labels (n = {found.n}).",),
        )
    saved = count(abs(found.value))
    fewer = f"{saved} {'fewer' if found.value > 0 else 'more'}" if saved != "0" else "as many as Random"
    reasons = [
        f"{best} reaches {goal} with {count(found.needed)} labels, {fewer} ({found.reached} of {found.n} seeds)."
    ]
    if found.n >= ENOUGH_FOR_INTERVAL:
        reasons.append(
            f"95 % interval of the saving: {bounds(found.low, found.high)} labels (bootstrap over seeds)."
        )
    if results.run.count_valid and results.run.valid:
        reasons.append(f"The {results.run.valid:,} validation samples count as labels.")
    if not found.sure:
        short = "None that is sure."
    else:
        short = f"{count(found.value)} of {count(found.reference)}." if found.value > 0 else "None: it takes more."
    return Answer(question=SAVED, short=short, reasons=reasons)


def _no_saving_of_random(results: RunResults) -> Answer:
    if not _rivals(results):
        return _no_saving()
    return Answer(
        question=SAVED,
        short="None.",
        reasons=(
            "Savings are counted against Random itself. What others need is in the section on label efficiency.",
        ),
    )


def _cost(results: RunResults, label: str) -> Answer:
    found = results.row(label)
    query, share = found.query["query_seconds"].value, found.share_of_training
    if math.isnan(query):
        return Answer(question=COST, short="Not measured.", reasons=())
    part = "" if math.isnan(share) else f", {percent(share)} of a training ({seconds(found.training.value)})"
    reasons = [f"A query of {label} takes {seconds(query)}{part}."]
    if results.random not in (None, label):
        assert results.random is not None
        reasons.append(f"Random's takes {seconds(results.row(results.random).query['query_seconds'].value)}.")
    if reason := results.incomparable_times():
        reasons.append(reason)
    return Answer(question=COST, short=f"{seconds(query)} a query.", reasons=reasons)


def bounds(low: float, high: float) -> str:
    """An interval of labels; an end without a bound is named."""
    return typeset(f"{count(low)} to {count(high)}")


def _rivals(results: RunResults) -> list[str]:
    return [label for label in results.labels if label not in results.basis.randoms]


def _worse(results: RunResults) -> tuple[str, ...]:
    worse = results.advice.worse
    return (f"Shown to be worse than Random: {_list(worse)}.",) if worse else ()


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)


def _area(results: RunResults) -> str:
    """What samplers are ranked by."""
    return f"the area under the curve of {results.metric} ({results.better})"


def _size(results: RunResults, one: str, other: str) -> str:
    """A paired difference with its interval and its number of seeds."""
    pair = results.pairs[one, other]
    return f"{typeset(interval(pair.value, pair.half, of=results.areas[other].value))} (n = {pair.n})"


def _ahead(results: RunResults) -> str:
    """Who has a better mean than the recommended sampler and is not shown to be better, and by how much."""
    best, found = str(results.advice.label), results.advice.ahead
    text = ", ".join(f"{label} by {_size(results, label, best)}" for label in found[:MOST])
    return text + (f"; also {', '.join(found[MOST:])}" if len(found) > MOST else "")


def _tested(results: RunResults, label: str) -> str:
    """What the test of a sampler against Random says."""
    random = str(results.random)
    pair = results.pairs[label, random]
    tests = sum(not math.isnan(d.p) for d in results.pairs.values()) // 2
    what = f"{label} against Random, paired by seed: {_size(results, label, random)}"
    if math.isnan(pair.p):
        same = "nothing differs in any seed" if pair.value == 0 else "the difference is the same in every seed"
        return f"{what}; {same}, so that there is nothing to test."
    corrected = f"after Holm's correction over {tests} pairs" if tests > 1 else "in the only test"
    return f"{what}, {p_value(pair.adjusted)} {corrected}{_effect(pair)}."


def _detectable(pair: Difference) -> str:
    """What difference so many seeds could have shown."""
    if not pair.detectable > 0:
        return "The seeds do not differ, so that nothing is known of what they could detect"
    least = significant(pair.detectable, 2)
    return f"With these seeds a difference of about {least} is found in four of five experiments"


def _missing(results: RunResults) -> list[str]:
    """Which seeds and which cells are not compared."""
    return [*results.basis.gaps(), *(f"{sentence}." for sentence in results.basis.refused)]


def _quickest(results: RunResults, labels: list[str]) -> str:
    """Which of these samplers takes the least time for a query, if their times can be compared."""
    if results.incomparable_times():
        return ""
    times = {label: results.row(label).query["query_seconds"].value for label in labels}
    label = min(times, key=lambda x: times[x])
    quickest = f" The quickest of these is {label}, {seconds(times[label])} a query."
    return "" if math.isnan(times[label]) else quickest


def _number_of_seeds(n: int) -> str:
    """A number of seeds."""
    return "one seed" if n == 1 else f"{n} seeds"


def _effect(pair: Difference) -> str:
    effect = f", effect {typeset(significant(pair.effect, 2))} standard deviations"
    return "" if math.isnan(pair.effect) else effect
