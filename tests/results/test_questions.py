"""Which differences of a run are corrected together, and that everything takes the same ones."""

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from alharness.report.build import single
from alharness.results.blocks import compare
from alharness.results.penalty import penalties
from alharness.results.results import Results
from alharness.results.statistics import corrected


@pytest.fixture
def results(make_results, noisy):
    curves = {"random": noisy(5), "a": noisy(5, 1.0, seed=1), "b": noisy(5, 0.1, seed=2), "c": noisy(5, seed=3)}
    return make_results(curves)


def with_statistics(results, statistics):
    return replace(results, run=replace(results.run, statistics=statistics))


def areas(results):
    return {label: results.areas_of(label, range(5)) for label in results.labels}


@pytest.mark.parametrize("statistics", ["blocks", "paired_t"])
def test_samplers_with_random_and_with_each_other_are_two_questions(results, statistics):
    found = with_statistics(results, statistics)
    rivals = ["a", "b", "c"]
    for pairs in ([(x, "random") for x in rivals], list(combinations(rivals, 2))):
        raw = compare(areas(found), pairs, statistics, lower_is_better=True, with_ranks=True)
        for pair, expected in corrected(raw).items():
            ours = found.pairs[pair]
            assert (ours.value, ours.half, ours.p) == pytest.approx((expected.value, expected.half, expected.p))
            assert (ours.adjusted, ours.tests) == (pytest.approx(expected.adjusted), 3)


def test_the_other_way_round_it_is_the_same_with_the_other_sign(results):
    for (one, other), found in results.pairs.items():
        back = results.pairs[other, one]
        assert (found.value, found.low) == (-back.value, -back.high)
        assert found.adjusted == back.adjusted


def test_without_random_there_is_one_question(make_results, noisy):
    found = make_results({"a": noisy(4, seed=1), "b": noisy(4, seed=2), "c": noisy(4, seed=3)})
    assert found.families == ((), (("a", "b"), ("a", "c"), ("b", "c")))
    assert {one.tests for one in found.pairs.values()} == {3}


def test_one_sampler_with_random_has_the_paired_t_test(make_results, noisy):
    found = make_results({"random": noisy(5), "a": noisy(5, 0.5, seed=1)})
    alone = with_statistics(found, "paired_t")
    ours, theirs = (one.pairs["a", "random"] for one in (found, alone))
    assert (ours.p, ours.half) == pytest.approx((theirs.p, theirs.half))


def test_the_spec_says_whose_noise_counts(results):
    ours, theirs = (with_statistics(results, x).pairs["b", "random"] for x in ("blocks", "paired_t"))
    assert ours.df > theirs.df == 4
    assert theirs.error == pytest.approx(theirs.sd / math.sqrt(5))
    assert ours.value == theirs.value


def test_replicates_of_random_count_by_their_mean(make_results, noisy):
    rows, more = noisy(4), [[row + 0.01, row - 0.04] for row in noisy(4)]
    mean = np.array([np.mean([row, *others], axis=0) for row, others in zip(rows, more, strict=True)])
    others = {"a": noisy(4, 0.4, seed=1), "b": noisy(4, seed=2)}
    found = make_results({"random": rows, **others}, replicates=more)
    theirs = make_results({"random": mean, **others})
    for pair, one in found.pairs.items():
        assert (one.value, one.half) == pytest.approx((theirs.pairs[pair].value, theirs.pairs[pair].half))


def test_a_sampler_that_lacks_seeds_is_compared_over_those_it_has(make_results, noisy):
    rows = [None, *noisy(5, 1.0, seed=1)[1:]]
    found = make_results({"random": noisy(5), "a": rows, "b": noisy(5, 0.5, seed=2), "c": noisy(5, seed=3)})
    assert [found.pairs[x, "random"].n for x in "abc"] == [4, 5, 5]
    assert found.pairs["a", "b"].n == 4
    assert found.pairs["a", "random"].tests == 3


def test_the_recommended_sampler_is_one_whose_interval_excludes_0(results):
    shown = {x for x in "abc" if results.pairs[x, "random"].low > 0}
    assert set(results.advice.shown) == shown == {"a", "b"}


@pytest.mark.parametrize("statistics", ["blocks", "paired_t"])
def test_the_penalty_matrix_takes_the_noise_of_all_pairs_at_a_checkpoint(results, statistics):
    found = penalties([with_statistics(results, statistics)], results.labels)
    cycles = [results.labeled.index(n) for n in found.checkpoints]
    tests = {}
    for cycle in cycles:
        rows = {label: results.curves(label, range(5))[:, cycle] for label in results.labels}
        raw = compare(rows, combinations(results.labels, 2), statistics, lower_is_better=True)
        tests |= {(*pair, cycle): one for pair, one in raw.items()}
    matrix = np.zeros((4, 4))
    for (one, other, _), d in corrected(tests).items():
        i, j = results.labels.index(one), results.labels.index(other)
        matrix[i, j] += d.better / len(cycles)
        matrix[j, i] += d.worse / len(cycles)
    assert matrix.any()
    assert found.matrix == pytest.approx(matrix)


@pytest.mark.parametrize(("statistics", "method"), [("blocks", "drawn toward the mean"), ("paired_t", "Holm's")])
def test_the_page_names_the_method(results, statistics, method):
    document = single(with_statistics(results, statistics))
    tables = {table.name: table for section in document.sections for table in section.tables}
    assert method in tables["against_random"].note
    assert "over 3 pairs" in tables["against_random"].note
    assert [row[0].text for row in tables["against_random"].rows] == ["a − random", "b − random", "c − random"]


def test_the_table_for_programs_says_over_how_many_it_is_corrected(results):
    found = Results([results]).compare()
    assert found["tests"].tolist() == [3] * 6
    assert (found["p_corrected"] >= found["p"]).all()
    assert ((found["low"] > 0) | (found["high"] < 0)).tolist() == found["significant"].tolist()


def test_a_run_of_before_takes_the_noise_of_all(make_results, noisy):
    assert make_results({"random": noisy(3)}).run.statistics == "blocks"
