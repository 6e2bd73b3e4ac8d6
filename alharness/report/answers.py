"""The four questions that people open a report with, answered from the figures by fixed rules."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from alharness.text.numerals import count, fixed, form, p_value, percent, seconds, typeset

from .basis import RANDOM, seed_list
from .cost import cost, incomparable, share_of_training
from .document import Answer
from .efficiency import ENOUGH as ENOUGH_FOR_INTERVAL
from .efficiency import saving
from .significance import ENOUGH
from .wording import ahead, area, detectable, missing, number_of_seeds, quickest, size, tested

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .settings import Settings
    from .study import Study

WHICH = "Which sampler should I use here?"
SURE = "How sure are we?"
SAVED = "How many labels does it save?"
COST = "What does it cost?"


def answers(study: Study) -> list[Answer]:
    """Which sampler, how sure, how many labels saved, at what cost: all about the sampler that is recommended."""
    if not study.labels:
        return [Answer(question=WHICH, short="Nothing is finished yet.", reasons=study.basis.refused)]
    if study.random is None:
        best = study.ranked[0]
        return [_best_without_random(study, best), _untested(study, best), _no_saving(), _cost(study, best)]
    if study.advice.shown:
        return [_winner(study), _sure_of_winner(study), _labels(study), _cost(study, study.advice.shown[0])]
    return [_random(study), _sure_of_random(study), _no_saving_of_random(study), _cost(study, study.random)]


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
        wins = sum(found.against_random[name, best].better for name in found.studies)
        reasons.append(
            f"Significantly better than Random within {wins} of {len(found.studies)} settings (paired t-tests, "
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


def _best_without_random(study: Study, best: str) -> Answer:
    over = study.basis.groups[0]
    write = form([study.areas[x].value for x in over.labels], [study.areas[x].half for x in over.labels]).number
    order = ", ".join(f"{x} {write(study.areas[x].value)}" for x in study.ranked if x in over.labels)
    return Answer(
        question=WHICH,
        short=f"{best} is best on average.",
        reasons=(
            f"By {area(study)}, over {seed_list(over.seeds)}: {order}.",
            "Random was not run, so nothing says whether a sampler is worth its cost: add `random` to the spec.",
            *missing(study),
        ),
    )


def _untested(study: Study, best: str) -> Answer:
    return Answer(
        question=SURE,
        short=f"{number_of_seeds(len(study.basis.home(best).seeds))}, nothing to test against.",
        reasons=(),
    )


def _no_saving() -> Answer:
    return Answer(question=SAVED, short="Not known.", reasons=("It needs Random and another sampler.",))


def _winner(study: Study) -> Answer:
    advice, random = study.advice, str(study.random)
    best = advice.shown[0]
    reasons = [f"By {area(study)} it is better than Random, by {size(study, best, random)}."]
    if advice.ahead:
        reasons.append(f"Better on average than {best}, but not shown to be better than Random: {ahead(study)}.")
    if advice.apart:
        reasons.append(f"{advice.apart}; {best} has the largest difference to Random.")
    others = [x for x in study.ranked if x not in (best, *study.basis.randoms)]
    beaten = [x for x in others if study.pairs[best, x].better]
    superior = [x for x in others if study.pairs[best, x].worse]
    equals = [x for x in others if x not in (*beaten, *superior)]
    if superior:
        reasons.append(f"Shown to be better than {best} over the seeds that both have: {_list(superior)}.")
    if equals:
        reasons.append(f"Not shown to be worse than it: {_list(equals)}.{quickest(study, [best, *equals])}")
    if others == beaten:
        reasons.append("It is better than every other sampler, too.")
    return Answer(question=WHICH, short=f"{best}.", reasons=(*reasons, *_worse(study), *missing(study)))


def _random(study: Study) -> Answer:
    advice, random = study.advice, str(study.random)
    reasons = [f"No sampler is shown to be better than Random by {area(study)}."]
    rivals = _rivals(study)
    if advice.ahead:
        reasons.append(f"Better on average, but not shown to be better: {ahead(study)}.")
    elif rivals and all(study.pairs[x, random].value < 0 for x in rivals):
        reasons.append("On average Random is the best of all.")
    name = "Random" if random == RANDOM else f"Random ({random})"
    return Answer(
        question=WHICH,
        short=f"{name}: none is shown to be better.",
        reasons=(*reasons, *_worse(study), *missing(study)),
    )


def _sure_of_winner(study: Study) -> Answer:
    best = study.advice.shown[0]
    pair = study.pairs[best, str(study.random)]
    reasons = [tested(study, best), f"{detectable(pair)}."]
    return Answer(question=SURE, short="Significant at 5 %.", reasons=reasons)


def _sure_of_random(study: Study) -> Answer:
    """What the test of the sampler that comes closest says, and whether much could have been found."""
    random = str(study.random)
    rivals = [x for x in _rivals(study) if study.pairs[x, random].n]
    if not rivals:
        n = len(study.basis.cells[random])
        return Answer(question=SURE, short=f"{number_of_seeds(n)}, nothing to test against.", reasons=())
    enough = [x for x in rivals if study.pairs[x, random].n >= ENOUGH]
    if not enough:
        most = max(study.pairs[x, random].n for x in rivals)
        return Answer(
            question=SURE,
            short=f"Not at all: {number_of_seeds(most)}.",
            reasons=(f"Below {ENOUGH} seeds nothing is tested. Set `seeds: 5` or more and run again.",),
        )
    closest = max(enough, key=lambda x: study.pairs[x, random].value)
    pair = study.pairs[closest, random]
    if pair.worse:
        return Answer(
            question=SURE,
            short=f"Significant at 5 %: {closest} is worse.",
            reasons=(tested(study, closest), f"{detectable(pair)}."),
        )
    return Answer(
        question=SURE,
        short="Not significant.",
        reasons=(tested(study, closest), f"{detectable(pair)}; smaller ones need more seeds."),
    )


def _labels(study: Study) -> Answer:
    best, random = study.advice.shown[0], str(study.random)
    found = saving(study.scores, best, random, seeds=study.basis.home(best).seeds)
    last = study.scores.labeled[-1]
    goal = f"Random's {study.scores.metric} at {last:,} labels"
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
    if study.results.run.count_valid and study.results.run.valid:
        reasons.append(f"The {study.results.run.valid:,} validation samples count as labels.")
    if not found.sure:
        short = "None that is sure."
    else:
        short = f"{count(found.value)} of {count(found.reference)}." if found.value > 0 else "None: it takes more."
    return Answer(question=SAVED, short=short, reasons=reasons)


def _no_saving_of_random(study: Study) -> Answer:
    if not _rivals(study):
        return _no_saving()
    return Answer(
        question=SAVED,
        short="None.",
        reasons=(
            "Savings are counted against Random itself. What others need is in the section on label efficiency.",
        ),
    )


def _cost(study: Study, label: str) -> Answer:
    found = cost(study, label)
    query, share = found.query["query_seconds"].value, share_of_training(found)
    if math.isnan(query):
        return Answer(question=COST, short="Not measured.", reasons=())
    part = "" if math.isnan(share) else f", {percent(share)} of a training ({seconds(found.train.value)})"
    reasons = [f"A query of {label} takes {seconds(query)}{part}."]
    if study.random not in (None, label):
        assert study.random is not None
        reasons.append(f"Random's takes {seconds(cost(study, study.random).query['query_seconds'].value)}.")
    if reason := incomparable(study):
        reasons.append(reason)
    return Answer(question=COST, short=f"{seconds(query)} a query.", reasons=reasons)


def bounds(low: float, high: float) -> str:
    """An interval of labels; an end without a bound is named."""
    return typeset(f"{count(low)} to {count(high)}")


def _rivals(study: Study) -> list[str]:
    return [label for label in study.labels if label not in study.basis.randoms]


def _worse(study: Study) -> tuple[str, ...]:
    worse = study.advice.worse
    return (f"Shown to be worse than Random: {_list(worse)}.",) if worse else ()


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)
