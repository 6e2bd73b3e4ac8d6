"""Results as users of Python see them."""

from html.parser import HTMLParser

import pytest

from alharness.errors import RunError
from alharness.results.results import Results

CURVES = {
    "random": [[0.5, 0.4, 0.35, 0.32], [0.52, 0.41, 0.36, 0.33], [0.51, 0.43, 0.37, 0.31]],
    "a": [[0.5, 0.38, 0.33, 0.30], [0.52, 0.40, 0.33, 0.32], [0.51, 0.40, 0.36, 0.30]],
}


@pytest.fixture(autouse=True)
def no_window():
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    with mpl.rc_context({"backend": "Agg"}):
        yield
        plt.close("all")


@pytest.fixture
def results(make_results):
    return Results([make_results(CURVES)])


class Tables(HTMLParser):
    """The cells of all tables in a text, row by row."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.tags, self.inside = [], set(), False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        self.inside = tag in ("td", "th")

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.rows[-1].append(data.replace("\xa0", " "))


def test_the_table_shows_the_numbers_of_the_summary(results):
    final = results.summary().query("sampler == 'a' and statistic == 'final' and metric == 'mae'").iloc[0]
    cell = f"{final['mean']:.3f} ± {final['high'] - final['mean']:.3f}"

    headings, _, row = Tables(results._repr_html_()).rows

    assert row[headings.index("mae ↓")] == cell
    assert cell in repr(results)


def test_names_are_escaped(make_results):
    name = "<b onload='x'>"
    html = Results([make_results({name: CURVES["a"], "random": CURVES["random"]})])._repr_html_()

    assert "b" not in Tables(html).tags
    assert Tables(html).rows[1][0] == name


def test_it_says_what_is_missing_and_what_to_look_at(make_run):
    shown = Results([make_run(failed=("slow-s2",))])

    for text in (repr(shown), shown._repr_html_()):
        assert "5 of 6 cells are complete; 1 failed or were interrupted, see .cells: slow-s2" in text
        assert ".summary(), .compare(), .cycles, .cells, .plot()" in text


def test_its_length_is_the_number_of_runs(results):
    assert len(results) == 1


def test_curves_are_the_means_of_the_cycles(results):
    axes = results.plot()

    means = results.cycles.query("sampler == 'a'").groupby("labeled")["mae"].mean()
    line = next(line for line in axes.lines if line.get_label().startswith("a "))
    assert line.get_xdata().tolist() == means.index.tolist()
    assert line.get_ydata() == pytest.approx(means.to_numpy())
    assert axes.get_ylabel() == "test mae (lower is better)"
    assert len(axes.figure.legends) == 1


def test_some_samplers_keep_their_colors(results):
    every = {line.get_label(): line.get_color() for line in results.plot().lines}
    only = {line.get_label(): line.get_color() for line in results.plot(samplers=["a"]).lines}

    assert list(only) == ["a (n = 3)"]
    assert only.items() <= every.items()


def test_it_draws_into_axes_that_are_given(results):
    from matplotlib.figure import Figure

    given = Figure().add_subplot()

    assert results.plot("mae", ax=given) is given
    assert given.get_legend() is not None


def test_several_runs_are_drawn_next_to_each_other(make_results, make_run):
    axes = Results([make_results(CURVES), make_run(experiment="other-1")]).plot()

    assert [one.get_ylabel() for one in axes] == ["test mae (lower is better)", "test f1 (higher is better)"]


def test_a_setting_without_the_metric_says_so(make_results, make_run):
    axes = Results([make_results(CURVES), make_run(experiment="other-1")]).plot("f1")

    assert axes[0].get_title() == "demo: f1 was not measured"
    assert not axes[0].lines
    assert "mean over the same seeds" in axes[1].get_title()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metric": "mea"}, "no complete cell has the metric 'mea'; did you mean 'mae'"),
        ({"metric": ["mae"]}, r"no complete cell has the metric \['mae'\]"),
        ({"samplers": ["b"]}, "no complete cell has the sampler 'b'; there are a, random"),
        ({"samplers": "b"}, "no complete cell has the sampler 'b'"),
        ({"ax": []}, "ax: 1 runs are drawn into as many axes, but there are 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused(results, options, message):
    with pytest.raises(RunError, match=message):
        results.plot(**options)


def test_a_run_without_a_complete_cell_says_so(make_results):
    empty = Results([make_results({"a": [None, None]})])

    assert "0 of 2" in repr(empty)
    with pytest.raises(RunError, match="nothing is drawn, since no cell is complete yet"):
        empty.plot()
