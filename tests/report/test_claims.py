"""If nine samplers are all equal, each claim of a page is wrong in at most 5 % of reports.

Each claim is read from what the page shows. Limits leave three standard deviations of a count that is right.
"""

import math
from collections import Counter

import numpy as np
import pytest

from alharness.report.answers import answers
from alharness.report.overall import answers_over
from alharness.report.pictures import styles
from alharness.report.sections import differences, outcome
from alharness.report.sections import settings as by_setting
from alharness.report.sections.efficiency import section as savings
from alharness.results import efficiency
from alharness.results.penalty import penalties
from alharness.results.settings import settings, summed_penalties

LABELS = ("random", *"abcdefgh")
MEAN = np.array([0.50, 0.40, 0.35, 0.32])

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def _few_resamples(monkeypatch):
    monkeypatch.setattr(efficiency, "RESAMPLES", 199)


def equals(rng, n, *, missing=False):
    """Curves of equal samplers, whose seeds differ more than anything else; `missing` takes the hardest ones."""
    hard = np.sort(rng.normal(0, 0.05, (n, 1)), axis=0)[::-1]
    first = rng.normal(0, 0.01, (n, 1))  # the model of cycle 0, which all share
    curves = {}
    for label in LABELS:
        own = rng.normal(0, 0.01, (n, len(MEAN)))
        own[:, :1] = first
        rows = list(MEAN + hard + own)
        lacking = int(rng.integers(1, n - 2)) if missing and rng.random() < 0.6 else 0
        curves[label] = [*[None] * lacking, *rows[lacking:]]
    return curves


def bold(table):
    """Whether anything but the names of rows is bold."""
    return any(getattr(cell, "strong", False) for row in table.rows for cell in row[1:])


def claims_of_a_run(found):
    which, sure, saved, _ = answers(found)
    told = " ".join(which.reasons)
    sections = (differences.section(found, styles(found.labels)), outcome.section(found))
    tables = {table.name: table for section in sections for table in section.tables}
    (to_target,) = savings(found).tables
    return {
        "a recommendation": not which.short.startswith("Random"),
        "worse than Random": "Shown to be worse" in told,
        "better than every other": "better than every other" in told,
        "how sure": sure.short.startswith("Significant"),
        "pairs": bold(tables["differences"]),
        "against Random": bold(tables["against_random"]),
        "areas": bold(tables["outcome"]),
        "a saving": not saved.short.startswith(("None.", "None that is sure.")),
        "savings in bold": bold(to_target),
        "penalty matrix": penalties([found], found.labels).matrix.any(),
    }


def claims_over_settings(runs):
    found = settings(runs)
    which, sure, saved, _ = answers_over(found)
    (table,) = by_setting.savings(found).tables
    (heat,) = by_setting.differences(found, lambda _: "").tables
    return {
        "a recommendation": not which.short.startswith("Random"),
        "within settings": any(pair.significant for pair in found.against_random.values()),
        "over settings": sure.short != "Not significant.",
        "a saving": not saved.short.startswith("None"),
        "savings in bold": bold(table),
        "differences in bold": bold(heat),
        "penalty matrix": summed_penalties(found).matrix.any(),
    }


def count(claims, repeats):
    """Claim -> how often it is made."""
    made = Counter()
    for _ in range(repeats):
        made.update({claim: int(bool(wrong)) for claim, wrong in claims().items()})
    return made


def assert_rare(made, repeats):
    limit = repeats * 0.05 + 3 * math.sqrt(repeats * 0.05 * 0.95)
    assert {claim: times for claim, times in made.items() if times > limit} == {}


@pytest.mark.parametrize(("n", "missing", "repeats"), [(5, False, 250), (10, False, 100), (6, True, 150)])
def test_claims_of_a_run_are_rarely_wrong(make_results, n, missing, repeats):
    rng = np.random.default_rng(n)
    made = count(lambda: claims_of_a_run(make_results(equals(rng, n, missing=missing))), repeats)
    assert_rare(made, repeats)


@pytest.mark.parametrize("missing", [False, True])
def test_claims_over_settings_are_rarely_wrong(make_results, missing):
    rng = np.random.default_rng(7)

    def one():
        return claims_over_settings(
            [make_results(equals(rng, 5, missing=missing), experiment=f"e{i}", name=f"set {i}") for i in range(6)]
        )

    assert_rare(count(one, 60), 60)
