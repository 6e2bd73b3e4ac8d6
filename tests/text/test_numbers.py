"""How numbers are written for people."""

import itertools
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alharness.text import numbers
from alharness.text.numbers import form

NAN, INF = math.nan, math.inf


def column(values, halves=None, **options):
    halves = [NAN] * len(values) if halves is None else halves
    found = form(values, halves, **options)
    return [found.interval(value, half) for value, half in zip(values, halves, strict=True)]


@pytest.mark.parametrize(
    ("values", "halves", "texts"),
    [
        ([0.361, 0.368], [0.008, 0.011], ["0.361 ± 0.008", "0.368 ± 0.011"]),
        ([0.5, 0.25], [NAN, NAN], ["0.500", "0.250"]),
        ([5.1234, 0.3], [NAN, NAN], ["5.123", "0.300"]),
        ([79.342, 68.2], [0.41, 1.2], ["79.34 ± 0.41", "68.20 ± 1.20"]),
        ([1234.5, 1300.0], [30.0, 20.0], ["1,234 ± 30", "1,300 ± 20"]),
    ],
)
def test_numbers_of_a_usual_size_have_the_usual_digits(values, halves, texts):
    assert column(values, halves) == texts


def test_small_intervals_show_two_digits():
    assert column([0.31812, 0.3182], [0.00041, 0.0003]) == ["0.31812 ± 0.00041", "0.31820 ± 0.00030"]


def test_small_differences_show_two_digits_of_their_interval():
    assert column([0.0091, -0.0002], [0.0041, 0.0012]) == ["0.0091 ± 0.0041", "-0.0002 ± 0.0012"]


def test_single_seeds_that_differ_look_different():
    assert column([0.31812, 0.31815]) == ["0.318120", "0.318150"]


def test_numbers_far_from_one_have_powers_of_ten():
    assert column([2.31e-9, 1.1e-9], [1.2e-10, 9e-11]) == ["(2.310 ± 0.120)e-9", "(1.100 ± 0.090)e-9"]
    assert column([1.23e6, 1.25e6], [1.2e4, 2e4]) == ["(1.230 ± 0.012)e6", "(1.250 ± 0.020)e6"]
    assert column([2.31e-9]) == ["2.31e-9"]


def test_one_sampler_that_diverged_does_not_hide_the_others():
    assert column([0.3, 0.31, 1e20], [0.01, 0.012, 1e20]) == ["0.300 ± 0.010", "0.310 ± 0.012", "(1.00 ± 1.00)e20"]


def test_seeds_without_a_difference_have_an_interval_of_nothing():
    assert column([0.99, 0.99], [0.0, 2e-17]) == ["0.990 ± 0", "0.990 ± 0"]


def test_an_interval_too_small_for_the_column_is_bounded():
    assert column([0.3, 0.31, 0.32], [0.01, 0.012, 1e-6])[2] == "0.320 ± <0.001"


def test_rounding_noise_of_differences_is_nothing():
    assert column([1e-17, -2e-17], [1e-17, 0.0], of=0.3) == ["0 ± 0", "0 ± 0"]


def test_zero_has_no_sign_and_no_decimals():
    assert column([-0.0, 0.3]) == ["0", "0.300"]
    assert numbers.count(-0.2) == "0"
    assert numbers.significant(-0.0) == "0"


def test_a_number_that_is_not_zero_is_never_written_as_zero():
    assert column([-1e-4, 0.3]) == ["-0.0001", "0.300"]
    assert numbers.percent(1e-5) == "<0.1%"
    assert numbers.share(0.001) == "<0.01"


def test_no_number_is_a_dash_and_an_infinite_one_a_word():
    assert column([NAN, 0.3], [NAN, NAN]) == ["–", "0.300"]
    assert column([INF, 0.3], [NAN, INF]) == ["unbounded", "0.300 ± unbounded"]
    ways = (
        numbers.significant,
        numbers.count,
        numbers.percent,
        numbers.share,
        numbers.seconds,
        numbers.number,
    )
    assert [way(NAN) for way in ways] == ["–"] * 6
    assert [way(INF) for way in ways] == ["unbounded"] * 6


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.00118, "0.00118"),
        (0.033, "0.033"),
        (14.26, "14.3"),
        (17.0, "17"),
        (99.96, "100"),
        (378.2, "378"),
        (12345.0, "12,345"),
        (1.23e-7, "1.23e-7"),
        (5e12, "5e12"),
    ],
)
def test_significant_digits(value, text):
    assert numbers.significant(value) == text


@pytest.mark.parametrize(
    ("p", "cell", "words"),
    [
        (NAN, "–", "not tested"),
        (1e-9, "< 0.001", "p < 0.001"),
        (0.0342, "0.034", "p = 0.034"),
        (1.0, "1.000", "p = 1.000"),
    ],
)
def test_p_values(p, cell, words):
    assert (numbers.probability(p), numbers.p_value(p)) == (cell, words)


@pytest.mark.parametrize(
    ("value", "text"), [(0.0118, "11.8 ms"), (3.456, "3.46 s"), (119.0, "119 s"), (150.0, "2.5 min"), (0.0, "0 s")]
)
def test_times(value, text):
    assert numbers.seconds(value) == text


anything = st.floats(allow_nan=True, allow_infinity=True)


@given(st.lists(st.tuples(anything, st.one_of(anything.map(abs), st.just(0.0))), min_size=1, max_size=6))
def test_no_column_holds_nan_or_a_bare_zero_with_decimals(cells):
    for text in column(*map(list, zip(*cells, strict=True))):
        assert not re.search(r"nan|inf|-0(\.0*)?(?![.\d])|(?<![\d.])0\.0+(?!\d)", text), text


def test_a_number_and_its_digits_agree():
    for value in itertools.accumulate([7.1] * 12, lambda x, factor: x / factor, initial=5e6):
        shown = numbers.number(value).replace(",", "")
        assert float(shown) == pytest.approx(value, rel=6e-3)


def test_a_page_has_a_real_minus():
    assert numbers.typeset(numbers.number(-2e-9)) == "−2.00e−9"
