"""Which sampler makes the models neglect a modality, and how sure that is."""

import numpy as np
import pytest

from alharness.results.statistics import holm
from alharness.results.utilisation import modalities, uses

SAMPLERS = ("random", "one", "other")


@pytest.fixture
def make_used(make_results):
    def build(shares, **changes):
        curves = {label: np.full((len(found["text"]), 4), 0.5) for label, found in shares.items()}
        return make_results(curves, shares=shares, **changes)

    return build


def shares(rng, seeds, text=0.5, noise=0.02):
    """Those of text and vision, which add up to 1; all samplers of a seed have the same model at first."""
    found = text + rng.normal(0, noise, (seeds, 4))
    return {"text": found, "vision": 1 - found}


@pytest.fixture
def used(make_used):
    rng = np.random.default_rng(0)
    return make_used({"random": shares(rng, 8), "one": shares(rng, 8, 0.35), "other": shares(rng, 8, 0.49)})


def test_a_sampler_whose_models_use_a_modality_less_makes_them_neglect_it(used):
    found = uses(used)
    assert modalities(used) == ("text", "vision")
    assert [(use.label, use.modality) for use in found if use.neglected] == [("one", "text")]
    (one,) = (use for use in found if use.neglected)
    assert one.measures["share"].value == pytest.approx(0.35, abs=0.01)
    assert one.relative == pytest.approx(-0.3, abs=0.03)
    assert all(use.difference is None for use in found if use.label == "random")


def test_differences_are_paired_and_corrected_over_all_samplers_and_modalities(make_used):
    from scipy import stats

    rng = np.random.default_rng(1)
    given = {label: shares(rng, 6, text) for label, text in zip(SAMPLERS, (0.5, 0.48, 0.47), strict=True)}
    results = make_used(given, statistics="paired_t")
    weights = np.array([0.5, 1.5, 3, 2]) * 100 / 700  # trapezoids over 100, 200, 400 and 800 labels
    areas = {(label, m): x @ weights for label, found in given.items() for m, x in found.items()}
    tested = [use for use in uses(results) if use.difference]
    p = [stats.ttest_rel(areas[use.label, use.modality], areas["random", use.modality]).pvalue for use in tested]
    assert len(p) == 4
    assert [use.difference.adjusted for use in tested] == pytest.approx(holm(p))


def test_a_small_loss_is_no_neglect_however_sure_it_is(make_used):
    rng = np.random.default_rng(0)
    found = uses(make_used({"random": shares(rng, 8, noise=0.001), "one": shares(rng, 8, 0.46, noise=0.001)}))
    (one,) = (use for use in found if use.difference and use.difference.worse)
    assert (one.modality, one.neglected) == ("text", False)


def test_samplers_that_are_equal_are_rarely_blamed(make_used):
    from scipy import stats

    wrong = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        results = make_used({label: shares(rng, 5, noise=0.2) for label in SAMPLERS})
        wrong += any(use.neglected for use in uses(results))
    assert wrong <= stats.binom.ppf(0.999, 60, 0.05)


def test_a_seed_in_which_a_share_is_undefined_is_left_out(make_used):
    rng = np.random.default_rng(0)
    given = {"random": shares(rng, 5), "one": shares(rng, 5)}
    given["one"]["text"][2, 1] = np.nan
    found = {(use.label, use.modality): use for use in uses(make_used(given))}
    assert (found["one", "text"].measures["share"].n, found["one", "text"].difference.n) == (4, 4)
    assert found["one", "vision"].difference.n == 5


def test_journals_without_it_have_none(make_results):
    assert uses(make_results({"random": np.full((3, 4), 0.5)})) == []
