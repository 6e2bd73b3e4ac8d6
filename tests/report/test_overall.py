"""What the page over settings says must follow from the figures, and be words where figures say nothing."""

import re
from dataclasses import replace

import pytest

from alharness.api.records import Stopping
from alharness.report.build import several
from alharness.report.overall import answers_over
from alharness.report.page import write
from alharness.results.settings import settings
from tests.report.test_page import ILL, ODD


@pytest.fixture
def runs(make_results, noisy):
    """Settings with a clear winner, of so many seeds; `curves` in place of its own."""

    def build(count, seeds=5, curves=None, **more):
        return [
            make_results(
                curves
                or {
                    "random": noisy(seeds, seed=i),
                    "quick": noisy(seeds, 1.0, seed=i + 50),
                    "slow": noisy(seeds, -0.6, seed=i + 90),
                },
                experiment=f"e{i}",
                name=f"set {i}",
                **more,
            )
            for i in range(count)
        ]

    return build


def ask(runs):
    return [" ".join([answer.short, *answer.reasons]) for answer in answers_over(settings(runs))]


def table(document, name):
    (found,) = (table for section in document.sections for table in section.tables if table.name == name)
    return found


def test_the_four_questions(runs):
    which, sure, saved, cost = ask(runs(5))
    assert which.startswith("quick, by average rank.")
    assert "within 5 of 5 settings" in which
    assert re.search(r"interquartile mean score is 0\.\d{3} \(95 % interval 0\.\d{3} to 0\.\d{3}\) above", sure)
    assert "probability 1.00 (95 % interval" in sure or re.search(r"probability 0\.9\d \(95 % interval", sure)
    assert "(n: 5 settings, 5 seeds each)" in sure
    assert "Bayesian signed-rank test over 5 settings: better in practice with probability" in sure
    assert "sure in 5 of 5 (better" in saved
    assert re.search(r"Speed-up along the whole curve: \d\.\d\d \(95 % interval", saved)
    assert cost.startswith("0.5 s a query. A query of quick takes 0.5 s in the median setting")


def test_a_saving_is_sure_only_if_the_sampler_is_shown_to_be_better_there(runs):
    found = settings(runs(3))
    tests = dict(found.against_random)
    tests["set 0", "quick"] = replace(tests["set 0", "quick"], adjusted=1.0)
    vars(found)["against_random"] = tests
    saved = answers_over(found)[2]
    assert all(found.savings[name, "quick"].low > 0 for name in found.runs)
    assert saved.short.endswith("sure in 2 of 3.")


def test_what_n_cannot_support_is_refused_with_a_reason(runs):
    _, sure, saved, _ = ask(runs(2, seeds=4))
    assert "at least 5 settings" in sure
    assert "need 5 seeds in each setting, and set 0, set 1 have fewer" in sure
    assert "The signed-rank test over settings needs 5 of them, and these are 2" in sure
    assert "95 % interval" not in sure + saved


def test_random_saves_nothing_against_itself(runs, noisy):
    alike = {"random": noisy(5, noise=0.02), "other": noisy(5, noise=0.02, seed=1)}
    which, sure, saved, cost = ask(runs(3, curves=alike))
    assert which.startswith("Random: none is shown to be better.")
    assert sure.startswith("Not tested over settings.")
    assert saved == "None. Savings are counted against Random itself."
    assert cost.startswith("0.5 s a query.")


def test_without_random_nothing_is_saved_and_nothing_scored(runs, noisy):
    which, sure, saved, _ = ask(runs(2, curves={"a": noisy(5), "b": noisy(5, 1.0)}))
    assert "add `random` to the specs" in which
    assert "have no common scale" in sure
    assert saved.startswith("Not known.")
    names = [section.anchor for section in several(runs(2, curves={"a": noisy(5), "b": noisy(5, 1.0)})).sections]
    assert names == ["samplers", "curves", "ranks", "settings"]


def test_the_table_of_differences_marks_what_is_significant_by_signs_and_not_by_color_alone(runs):
    found = table(several(runs(3)), "differences_to_random")
    by_heading = {column.text: column.shown for column in found.columns}
    assert list(by_heading) == ["setting", "metric", "quick", "slow"]
    for better, worse in zip(by_heading["quick"], by_heading["slow"], strict=True):
        assert better.text.startswith("▲ +")
        assert better.strong
        assert better.tint.startswith("up")
        assert worse.text.startswith("▼ −")
        assert worse.tint.startswith("down")


def test_settings_say_who_chose_initial_pools_if_it_was_not_chance(runs):
    drawn = runs(2)
    assert "initial pool" not in [column.text for column in table(several(drawn), "settings").columns]
    chosen = runs(1, params={"initial": "typiclust"})[0]
    (column,) = (c for c in table(several([drawn[1], chosen]), "settings").columns if c.text == "initial pool")
    assert sorted(cell.text for cell in column.shown) == ["random", "typiclust"]


def test_samplers_are_listed_with_what_their_figures_rest_on(runs):
    found = table(several(runs(5)), "samplers")
    rows = {row[0].text: [cell.text for cell in row] for row in found.rows}
    headings = [column.text for column in found.columns]
    assert headings[:5] == ["sampler", "rank", "above Random", "beats Random", "better in practice"]
    assert rows["quick"][headings.index("significant in")] == "5 better, 0 worse"
    assert rows["random"][2:5] == ["–"] * 3
    assert found.note.startswith("n: 5 settings, 5 seeds each.")


@pytest.mark.parametrize("curves", ODD.values(), ids=ODD)
@pytest.mark.parametrize("count", [2, 5])
def test_numbers_that_say_nothing_are_words(runs, curves, count):
    document = several(runs(count, curves=curves))
    texts = [text for answer in document.answers for text in (answer.short, *answer.reasons)]
    for section in document.sections:
        texts += section.paragraphs
        texts += [cell.text for table in section.tables for row in table.rows for cell in row]
        texts += [text for table in section.tables for text in (table.title, table.note)]
    assert [text for text in texts if ILL.search(text)] == []


def test_a_setting_without_any_finished_cell_is_not_drawn(runs, make_results):
    unfinished = make_results({"random": [None] * 3, "quick": [None] * 3}, experiment="z", name="young")
    from alharness.errors import RunError

    with pytest.raises(RunError, match="no sampler in common"):
        several([*runs(2), unfinished])


@pytest.mark.parametrize("curves", [ODD["diverged"], ODD["one seed, equal"], ODD["tiny"], ODD["alone"]])
def test_odd_curves_can_be_drawn(runs, curves, tmp_path):
    written = write(several(runs(2, curves=curves)), tmp_path)
    page = written.page.read_text()
    assert "nan" not in "".join(re.findall(r' d="([^"]*)"', page)).lower()
    assert written.pictures == len(list((tmp_path / "pictures").glob("*.png"))) >= 1


@pytest.fixture
def stopping(make_results, noisy):
    """Settings whose seeds stop: in the first ones `quick` is decided to be better, in the others nothing is."""

    def build(decided, undecided):
        runs = []
        for i in range(decided + undecided):
            quick = noisy(5, 1.0 if i < decided else 0.0, seed=i + 50)
            curves = {"random": noisy(5, seed=i), "quick": quick}
            runs.append(make_results(curves, experiment=f"e{i}", name=f"set {i}", stopping=Stopping()))
        return runs

    return build


@pytest.mark.parametrize(("decided", "undecided", "best"), [(2, 0, "quick"), (1, 1, "random"), (2, 6, "random")])
def test_one_decision_of_many_settings_shows_nothing_over_them(stopping, decided, undecided, best):
    """Each of them is wrong in one of twenty; of eight, two are within chance."""
    found = settings(stopping(decided, undecided))
    assert found.enough == (2 if decided + undecided < 8 else 3)
    assert sum(pair.better for pair in found.against_random.values()) == decided
    assert found.best == best


def test_seeds_that_stop_have_no_intervals_of_a_fixed_number(stopping):
    document = several(stopping(2, 0))
    _, sure, saved, _ = ask(stopping(2, 0))
    assert "Decided to be better than Random within 2 of 2 settings whose seeds stop" in sure
    assert "in set 0, set 1 seeds stop when they are decided" in sure
    assert saved.partition(".")[0].endswith("in the median setting, not tested")
    assert "Savings have no intervals" in saved
    words = [text for section in document.sections for text in section.paragraphs]
    for section in document.sections:
        for one in section.tables:
            words += [one.note, *(cell.text for row in one.rows for cell in row)]
    assert not any(fixed in text for text in words for fixed in ("Holm", "Bonferroni", "±", " to 0."))
    assert not any(
        curve.band for s in document.sections for p in s.pictures for c in p.charts for curve in c.curves
    )
    assert "penalties" not in [picture.name for section in document.sections for picture in section.pictures]
