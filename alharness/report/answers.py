"""The four questions that people open a report with, answered from the figures by fixed rules."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from alharness.api.records import RANDOM
from alharness.results.basis import seed_list
from alharness.results.efficiency import ENOUGH_FOR_INTERVAL, saving
from alharness.results.statistics import ENOUGH
from alharness.results.worth import ENOUGH as ENOUGH_AT_RANDOM
from alharness.results.worth import Worth
from alharness.text.numbers import count, form, interval, number, p_value, percent, seconds, significant, typeset

from .cells import between
from .document import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alharness.api.plan import Plan
    from alharness.results.run import RunResults

WHICH = "Which sampler should I use here?"
SURE = "How sure are we?"
SAVED = "How many labels does it save?"
COST = "What does it cost?"
HOW_FAR = "How far is the project?"
HOW_GOOD = "How good is the model?"
MOST = 3
"""How many differences a sentence shows; it only names further samplers."""


def answers(results: RunResults) -> list[Answer]:
    """Which sampler, how sure, how many labels saved, at what cost: all about the sampler that is recommended."""
    if not results.labels:
        return [answer(WHICH, "Nothing is finished yet.", *results.basis.refused)]
    if results.run.project:
        return _of_project(results)
    random, best = results.random, results.advice.label or results.ranked[0]
    cost = _cost(results, best)
    if random is None:
        return [_first_without_random(results, best), _untested(results, best), _no_saving(results), cost]
    if best in results.advice.shown:
        return [
            _winner(results, best, random),
            _decided(results) if results.run.stopping else _tested(results, best, random),
            _saving(results, best, random),
            cost,
        ]
    sure = _decided(results) if results.run.stopping else _closest(results, random)
    return [_random(results, random), sure, _no_saving(results), cost]


def _of_project(results: RunResults) -> list[Answer]:
    """How far a labeling project is, how good its model, what the sampler is worth, at what cost."""
    (label,), labels = results.labels, results.labeled[-1]
    last = results.complete[0].cycles[-1]
    far = f"{labels:,} of {results.run.pool:,} samples have a label."
    value = last.metrics.get(results.metric, math.nan)
    good = "Not known yet." if math.isnan(value) else f"{results.metric} {number(value)}."
    return [
        answer(
            HOW_FAR, far, f"It began with {results.labeled[0]:,}; {len(results.labeled) - 1} queries followed."
        ),
        answer(HOW_GOOD, good, f"{results.run.project[0].upper()}{results.run.project[1:]}."),
        _worth(label, Worth.of(last.diagnostics)),
        _cost(results, label),
    ]


def _worth(label: str, found: Worth | None) -> Answer:
    """What the random share of a project shows."""
    if found is None:
        return answer(
            SAVED,
            "Not known.",
            f"It needs {ENOUGH_AT_RANDOM} labels or more of samples that were drawn at random next to its "
            "choice: begin a project with `--control 0.1`, say.",
        )
    form_of = form([found.gain], [max(abs(found.gain_low), abs(found.gain_high))]).number
    gain = f"{form_of(found.gain)} ({form_of(found.gain_low)} to {form_of(found.gain_high)})"
    saved = f"({between(found.saved_low, found.saved_high).text})"
    fewer = f"{count(abs(found.saved))} labels {'fewer' if found.saved >= 0 else 'more'}"
    reaches = f"{label} reaches what labels at random do with {fewer}"
    short = f"{count(found.saved)} of {found.labels:,}." if found.saved > 0 else "None: it takes more."
    return answer(
        SAVED,
        short if found.sure else "None that is sure.",
        f"With {found.labels:,} labels that {label} has chosen, the advantage over a model of as many drawn at "
        f"random is {typeset(gain)}, on {found.samples:,} samples of the random share.",
        f"{reaches} {saved}."
        if math.isfinite(found.saved)
        else f"With the labels that there are {label} does not reach what labels at random do.",
        "The intervals are for 95 %, by bootstrap over these samples.",
    )


def answer(question: str, short: str, *reasons: str) -> Answer:
    """An answer with the reasons that there are."""
    return Answer(question=question, short=short, reasons=list(filter(None, reasons)))


def naming(what: str, labels: Sequence[str]) -> str:
    """A sentence that names samplers; empty without any."""
    return f"{what}: {', '.join(labels)}." if labels else ""


def correction(*runs: Plan) -> str:
    """Whose correction the tests of these runs have; see `statistics.corrected`."""
    return "Holm's" if all(run.statistics == "paired_t" for run in runs) else "Bonferroni's"


def kind_of_test(*runs: Plan) -> str:
    """How differences of these runs are tested, in a few words."""
    if all(run.statistics == "paired_t" for run in runs):
        return "paired t-tests"
    return "t-tests, paired by seed, with noise estimated from all samplers"


def _recommended(results: RunResults, short: str, *reasons: str) -> Answer:
    """Which sampler, what is worse than Random, and which seeds and cells are not compared."""
    worse = naming("Shown to be worse than Random", results.advice.worse)
    left_out = (f"{sentence}." for sentence in results.basis.refused)
    return answer(WHICH, short, *reasons, worse, _controls(results), *results.basis.gaps(), *left_out)


def _controls(results: RunResults) -> str:
    """What controls reach, and that they are no samplers."""
    random, sentences = results.random, []
    for label in [x for x in results.ranked if x in results.run.controls and random]:
        pair, name = results.pairs[label, str(random)], "" if label == "control" else f" {label}"
        is_not = "is shown to be better than" if pair.better else "is shown to be worse than" if pair.worse else ""
        sentences.append(
            f"The control{name}, which knows the truth of these made-up data and is no sampler, "
            f"{is_not or 'is not shown to differ from'} Random: {_size(results, label, str(random))}."
        )
    return " ".join(sentences)


def _winner(results: RunResults, best: str, random: str) -> Answer:
    advice = results.advice
    others = [x for x in results.ranked if x not in (best, *results.basis.randoms, *results.run.controls)]
    beaten = [x for x in others if results.pairs[best, x].better]
    superior = [x for x in others if results.pairs[best, x].worse]
    equals = [x for x in others if x not in (*beaten, *superior)]
    level = naming("Not shown to be worse than it", equals)
    if equals and results.run.stopping and results.run.stopping.pairs == "random":
        level = "The others are compared with Random alone: `pairs: all` compares them with each other."
    return _recommended(
        results,
        f"{best}.",
        f"By {_area(results)} it is better than Random, by {_size(results, best, random)}.",
        naming("Shown to be better than Random", advice.shown) + _quickest(results, advice.shown)
        if len(advice.shown) > 1
        else "",
        _ahead(results, f"Better on average than {best}, but not shown to be better than Random"),
        f"{advice.apart}; {best} has the largest difference to Random." if advice.apart else "",
        naming(f"Shown to be better than {best} over the seeds that both have", superior),
        level,
        "It is better than every other sampler, too." if others and others == beaten else "",
    )


def _random(results: RunResults, random: str) -> Answer:
    rivals = _rivals(results)
    first = rivals and all(results.pairs[x, random].value < 0 for x in rivals)
    return _recommended(
        results,
        f"{'Random' if random == RANDOM else f'Random ({random})'}: none is shown to be better.",
        f"No sampler is shown to be better than Random by {_area(results)}.",
        _ahead(results, "Better on average, but not shown to be better"),
        "On average Random is the best of all." if first and not results.advice.ahead else "",
    )


def _first_without_random(results: RunResults, best: str) -> Answer:
    over = results.basis.seed_sets[0]
    areas = {x: results.areas[x] for x in results.ranked if x in over.labels}
    write = form([area.value for area in areas.values()], [area.half for area in areas.values()]).number
    order = ", ".join(f"{x} {write(area.value)}" for x, area in areas.items())
    return _recommended(
        results,
        f"{best} is best on average.",
        f"By {_area(results)}, over {seed_list(over.seeds)}: {order}.",
        "Random was not run, so nothing says whether a sampler is worth its cost: add `random` to the spec.",
    )


def _tested(
    results: RunResults, label: str, random: str, short: str = "Significant at 5 %.", end: str = "."
) -> Answer:
    """What the test of a sampler against Random says, and what difference so many seeds could have shown."""
    pair = results.pairs[label, random]
    what = f"{label} against Random, paired by seed: {_size(results, label, random)}"
    if math.isnan(pair.p):
        same = "nothing differs in any seed" if pair.value == 0 else "the difference is the same in every seed"
        what += f"; {same}, so that there is nothing to test."
    else:
        over = f"after {correction(results.run)} correction over {pair.tests} comparisons with Random"
        over = over if pair.tests > 1 else "in the only test"
        effect = f", effect {typeset(significant(pair.effect, 2))} standard deviations"
        what += f", {p_value(pair.adjusted)} {over}{'' if math.isnan(pair.effect) else effect}."
    least = "The seeds do not differ, so that nothing is known of what they could detect"
    if pair.detectable > 0:
        size = significant(pair.detectable, 2)
        least = f"With these seeds a difference of about {size} is shown in four of five experiments"
    return answer(SURE, short, what, f"{least}{end}")


def _decided(results: RunResults) -> Answer:
    """What the looks have decided, and what is open."""
    from alharness.results.looks import sentences

    found, rule = results.looks, results.run.stopping
    assert rule is not None
    total, still = len(found.decisions), len(found.open)
    short = f"Decided: {total - still} of {total} comparisons." if still < total else "Nothing is decided."
    return answer(
        SURE,
        short,
        *(f"{typeset(line.removesuffix('; it stops'))}." for line in sentences(results, found)),
        f"With {percent(rule.confidence, 0)} confidence all these intervals hold together, although they were "
        "looked at again and again.",
        "" if found.over else "More seeds are to come: run the spec again.",
    )


def _closest(results: RunResults, random: str) -> Answer:
    """What the test of the sampler that comes closest to Random says, and whether much could have been found."""
    pairs = {x: results.pairs[x, random] for x in _rivals(results)}
    most = max((pair.n for pair in pairs.values()), default=0)
    if most == 0:
        return _untested(results, random)
    if most < ENOUGH:
        few = f"Below {ENOUGH} seeds nothing is tested. Set `seeds: 5` or more and run again."
        return answer(SURE, f"Not at all: {_number_of_seeds(most)}.", few)
    closest = max((x for x, pair in pairs.items() if pair.n >= ENOUGH), key=lambda x: pairs[x].value)
    if pairs[closest].worse:
        return _tested(results, closest, random, f"Significant at 5 %: {closest} is worse.")
    return _tested(results, closest, random, "Not significant.", "; smaller ones need more seeds.")


def _untested(results: RunResults, label: str) -> Answer:
    n = len(results.basis.first_set(label).seeds)
    return answer(SURE, f"{_number_of_seeds(n)}, nothing to test against.")


def _saving(results: RunResults, best: str, random: str) -> Answer:
    found = saving(results, best, random, seeds=results.basis.first_set(best).seeds)
    run, last = results.run, results.labeled[-1]
    goal = f"the {results.metric} that Random has with"
    if not math.isfinite(found.needed):
        return answer(SAVED, "None.", f"{best} does not reach {goal} {last:,} (n = {found.n}).")
    saved = count(abs(found.value))
    fewer = f"{saved} {'fewer' if found.value > 0 else 'more'}" if saved != "0" else "as many"
    short = f"{count(found.value)} of {count(found.reference)}." if found.value > 0 else "None: it takes more."
    sure = found.sure or bool(run.stopping)
    limits = f" (95 % interval {between(found.low, found.high).text}, by bootstrap over seeds)"
    times = f" Random needs {significant(found.reference / found.needed, 2)} times as many."
    return answer(
        SAVED,
        short if sure else "None that is sure.",
        f"{best} reaches with {count(found.needed)} labels {goal} {count(found.reference)}: {fewer}"
        f"{limits if found.n >= ENOUGH_FOR_INTERVAL and not run.stopping else ''}."
        f"{times if sure and found.value > 0 else ''}",
        f"In {found.reached} of {found.n} seeds its own curve reaches it." if found.reached < found.n else "",
        "It has no interval: seeds stopped when the areas under the curves were decided." if run.stopping else "",
        f"The {run.valid:,} validation samples count as labels." if run.count_valid and run.valid else "",
    )


def _no_saving(results: RunResults) -> Answer:
    if results.random is None or not _rivals(results):
        return answer(SAVED, "Not known.", "It needs Random and another sampler.")
    why = "Savings are counted against Random itself. What others need is in the section on label efficiency."
    return answer(SAVED, "None.", why)


def _cost(results: RunResults, label: str) -> Answer:
    row, random = results.row(label), results.random
    query, share = row.costs["query_seconds"].value, row.share_of_training
    if math.isnan(query):
        return answer(COST, "Not measured.")
    training = "a training" if row.stacks[1] <= 1 else "a training's share of its stack"
    part = "" if math.isnan(share) else f", {percent(share)} of {training} ({seconds(row.training.value)})"
    theirs = ""
    if random is not None and random != label:
        theirs = f"Random's takes {seconds(results.row(random).costs['query_seconds'].value)}."
    about = f"A query of {label} takes {seconds(query)}{part}."
    return answer(COST, f"{seconds(query)} a query.", about, theirs, results.incomparable_times())


def _rivals(results: RunResults) -> list[str]:
    return [label for label in results.labels if label not in (*results.basis.randoms, *results.run.controls)]


def _area(results: RunResults) -> str:
    """What samplers are ranked by."""
    return f"the area under the curve of {results.metric} ({results.better})"


def _size(results: RunResults, one: str, other: str) -> str:
    """A paired difference with its interval and its number of seeds."""
    pair = results.pairs[one, other]
    return f"{typeset(interval(pair.value, pair.half, of=results.areas[other].value))} (n = {pair.n})"


def _ahead(results: RunResults, what: str) -> str:
    """Who has a better mean than the recommended sampler and is not shown to be better, and by how much."""
    best, found = str(results.advice.label), results.advice.ahead
    first = naming(what, [f"{label} by {_size(results, label, best)}" for label in found[:MOST]])
    return f"{first[:-1]}; also {', '.join(found[MOST:])}." if len(found) > MOST else first


def _quickest(results: RunResults, labels: Sequence[str]) -> str:
    """Which of several samplers takes the least time for a query, if their times can be compared."""
    times = {label: results.row(label).costs["query_seconds"].value for label in labels}
    label = min(labels, key=lambda x: times[x])
    if results.incomparable_times() or math.isnan(times[label]):
        return ""
    return f" The quickest of these is {label}, {seconds(times[label])} a query."


def _number_of_seeds(n: int) -> str:
    return "one seed" if n == 1 else f"{n} seeds"
