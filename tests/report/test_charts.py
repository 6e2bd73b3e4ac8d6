"""Curves as the page draws them."""

import re

import numpy as np
import pytest

from alharness.report.charts import NARROW, WIDE, Curve, Distance, chart, keys
from alharness.report.curves import learning_curves, saved
from alharness.report.pictures import styles

LEGEND = dict(zip(("a", "b"), keys(styles(["a", "b"])), strict=True))


def draw(*curves, **more):
    words = {"title": "", "text": "t", "x_label": "x", "y_label": "y"}
    return chart(curves, LEGEND, **(words | more))


def curve(label, y, **more):
    return Curve(label=label, x=np.arange(len(y), dtype=float), y=np.array(y, float), **more)


def points(path):
    return [tuple(map(float, pair)) for pair in re.findall(r"[ML](-?[\d.]+),(-?[\d.]+)", path)]


def test_larger_values_are_higher_and_all_points_are_inside():
    found = draw(curve("a", [0.2, 0.8, 0.5]))
    _, _, width, height = found.inner
    (one, two, three) = points(found.curves[0].line)
    assert one[0] < two[0] < three[0]
    assert two[1] < three[1] < one[1]
    assert all(0 <= x <= width and 0 <= y <= height for x, y in (one, two, three))


def test_a_distance_is_where_its_curves_are():
    found = draw(curve("a", [0.2, 0.4, 0.6]), distance=Distance(x=(1.0, 2.0), y=0.4, text="far"))
    (_, middle, last) = points(found.curves[0].line)
    assert found.distance.x == pytest.approx((middle[0], last[0]), abs=0.1)
    assert found.distance.y == pytest.approx(middle[1], abs=0.1)


def test_the_saving_that_is_sure_is_drawn_and_no_other(make_results, noisy):
    clear = make_results({"random": noisy(6), "quick": noisy(6, 1.0, seed=1)})
    (seed_set,) = clear.basis.seed_sets
    drawn = styles(clear.run.labels)
    found = saved(clear, seed_set, "mae", drawn)
    assert found.text == "quick: 463 labels fewer"
    assert found.x == pytest.approx((337, 800), abs=0.5)
    assert saved(clear, seed_set, "mae", {"random": drawn["random"]}) is None  # its curve is not shown
    equal = make_results({"random": noisy(6), "quick": noisy(6, seed=1)})
    assert saved(equal, equal.basis.seed_sets[0], "mae", drawn) is None


def test_what_is_not_known_is_a_gap():
    found = draw(curve("a", [0.2, 0.3, float("nan"), 0.5, 0.6]))
    assert found.curves[0].line.count("M") == 2
    assert len(points(found.curves[0].markers)) == 4


@pytest.mark.parametrize(
    "values", [[0.5] * 3, [float("nan")] * 3, [1e-9, 2e-9, 3e-9], [1e7, 2e7, 3e8], [0.0] * 3, [1.0, 1e300, 1e200]]
)
def test_odd_values_have_axes(values):
    found = draw(curve("a", values))
    written = [found.curves[0].line, *(f"{at}" for at, _ in (*found.x_ticks, *found.y_ticks))]
    assert "nan" not in "".join(written)
    assert len(found.y_ticks) >= 2
    assert len({text for _, text in found.y_ticks}) == len(found.y_ticks)


def test_no_curve_at_all_has_axes_too():
    assert draw().curves == []


def test_ticks_are_round_numbers_inside_the_axes():
    found = draw(curve("a", [-0.1, 0.37]), kind="narrow")
    assert found.size == NARROW
    assert [text for _, text in found.y_ticks] == ["−0.1", "0", "0.1", "0.2", "0.3"]
    assert found.y_ticks[0][0] > found.y_ticks[1][0] > 0  # from the top


def test_names_are_those_of_the_spec_and_not_those_of_pictures():
    labels = ["_a$b", "x" * 60]
    assert [key.name for key in keys(styles(labels))] == labels


def test_a_band_and_single_seeds():
    y = np.array([0.2, 0.5])
    found = draw(curve("a", y, low=y - 0.1, high=y + 0.1), curve("b", y, single=[y - 0.05, y + 0.05]))
    band, single = found.curves
    assert len(points(band.band)) == 4
    assert band.band.endswith("Z")
    assert single.band == ""
    assert single.single.count("M") == 2


def test_a_view_cuts_wide_bands_off():
    y = np.array([0.2, 0.5])
    found = draw(curve("a", y, low=y - 50, high=y + 50), view=(0.1, 0.6))
    assert max(float(text.replace("−", "-")) for _, text in found.y_ticks) < 1


def test_a_sampler_has_the_same_number_wherever_it_is_drawn(make_results, noisy):
    results = make_results({"random": noisy(3), "a": noisy(3, seed=1)}, references=(0.2, 0.2, 0.2))
    (first,) = results.basis.seed_sets
    wide, narrow = learning_curves(results, first, "mae", styles(results.run.labels))
    assert wide.size == WIDE
    numbers = [one.key.number for one in wide.curves]
    assert numbers == [one.key.number for one in narrow.curves] == [0, 1, 2]
    assert wide.curves[2].key.name == "full-data"
