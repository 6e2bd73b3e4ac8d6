from dataclasses import replace

import pytest
from rich.console import Console

from alharness.report.curves import draw
from alharness.report.tables import closing_table


def text(results):
    console = Console(width=160)
    with console.capture() as captured:
        console.print(closing_table(results))
    return captured.get()


def test_a_row_holds_what_the_cells_hold(make_run):
    slow, fast = make_run().summary
    assert (slow.label, slow.over, slow.seeds) == ("slow", (0, 1, 2), 3)
    assert slow.area.value == pytest.approx(0.61)  # 0.5 -> 0.7 in a line, seeds at +0, +0.01, +0.02
    assert fast.final["f1"].value == pytest.approx(0.81)
    assert fast.costs["query_seconds"].value == pytest.approx(1.0)
    assert fast.costs["train_seconds"].value == pytest.approx(6.0)
    assert fast.peaks == {"cpu_peak_mib": 102.0}


def test_what_is_shown_against_random_is_marked(make_results, noisy):
    shown = text(make_results({"random": noisy(6), "good": noisy(6, 1.0, seed=1), "bad": noisy(6, -0.5, seed=2)}))
    marks = {row.split()[1]: row.split("│")[3].split()[0] for row in shown.splitlines() if row.startswith("│")}
    assert (marks["good"], marks["bad"]) == ("▲", "▼")
    assert marks["random"][0].isdigit()
    assert "▲ shown to be better than Random; ▼ shown to be worse" in shown


def test_a_failed_seed_is_left_out_and_shown(make_run):
    results = make_run(failed=("slow-s2",))
    slow, fast = results.summary
    assert (slow.over, slow.seeds, fast.over) == ((0, 1), 3, (0, 1))  # means over the same seeds
    assert slow.final["f1"].value == pytest.approx(0.705)  # seeds 0 and 1 alone
    assert "2 of 3" in text(results)


def test_the_table_shows_intervals_directions_and_synthetic_data(make_run):
    shown = text(make_run(metric="mae", synthetic=True))
    assert "mae ↓" in shown
    assert "accuracy ↑" in shown
    assert "0.710 ± 0.025" in shown  # 0.01 * 4.303 / sqrt(3)
    assert "SYNTHETIC DATA" in shown
    assert "GPU" not in shown


def test_nothing_finished_is_a_table_of_dashes(make_run):
    results = make_run(n=1, failed=("slow-s0", "fast-s0"))
    assert "0 of 1" in text(results)
    assert "nan" not in text(results)


def test_references_stand_apart_without_area_and_queries(make_run):
    results = make_run(references=True)
    assert results.run.labels == ("slow", "fast")
    *samplers, reference = results.summary
    assert [row.reference for row in (*samplers, reference)] == [False, False, True]
    assert reference.final["f1"].value == pytest.approx(0.96)
    assert reference.costs["train_seconds"].value == pytest.approx(9.0)
    assert reference.area.n == reference.costs["query_seconds"].n == 0
    shown = text(results).splitlines()
    row = next(line for line in shown if "full-data: 100 " in line)
    assert [cell.strip() for cell in row.split("│")[2:5]] == ["3", "–", "0.990 ± 0"]


def test_the_reference_is_a_level_in_the_picture(make_run, tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    figures = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **k: figures.append(self) or save(self, *a, **k))
    assert draw(make_run(references=True), tmp_path / "curves.png")
    level = figures[0].axes[0].lines[-1]
    assert level.get_label() == "all 100 labels (n = 3)"
    assert list(level.get_ydata()) == pytest.approx([0.96, 0.96])


def test_two_seeds_are_lines_and_no_band_hides_them(make_run, tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    figures = []
    monkeypatch.setattr(Figure, "savefig", lambda self, *_, **__: figures.append(self))
    results = make_run(n=2)
    assert draw(results, tmp_path / "curves.png")
    axes = figures[0].axes[0]
    assert not axes.collections
    named = [line.get_label() for line in axes.lines if not line.get_label().startswith("_")]
    assert named == ["slow (n = 2)", "fast (n = 2)"]
    assert [list(line.get_ydata()) for line in axes.lines[1:3]] == [
        pytest.approx([0.5, 0.6, 0.7]),
        pytest.approx([0.51, 0.61, 0.71]),
    ]
    assert "each seed as a thin line" in axes.get_title()


def test_a_wide_band_does_not_squeeze_the_curves(make_run, tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    figures = []
    monkeypatch.setattr(Figure, "savefig", lambda self, *_, **__: figures.append(self))
    results = make_run(n=3)
    wild = [
        replace(
            c, cycles=tuple(replace(x, metrics={**x.metrics, "f1": 0.2 + 0.3 * c.cell.seed}) for x in c.cycles)
        )
        if c.cell.label == "slow"
        else c
        for c in results.records
    ]
    assert draw(replace(results, records=tuple(wild)), tmp_path / "curves.png")
    low, high = figures[0].axes[0].get_ylim()
    curves = (0.2, 0.82)  # the band of `slow` reaches from -0.25 to 1.25
    assert low >= curves[0] - 0.501 * (curves[1] - curves[0])
    assert high <= curves[1] + 0.501 * (curves[1] - curves[0])


def test_the_picture_shows_every_sampler_once(make_run, tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    figures = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **k: figures.append(self) or save(self, *a, **k))
    assert draw(make_run(synthetic=True), tmp_path / "curves.png")
    axes = figures[0].axes[0]
    assert [line.get_label() for line in axes.lines] == ["slow (n = 3)", "fast (n = 3)"]
    assert axes.lines[0].get_ydata() == pytest.approx([0.51, 0.61, 0.71])
    assert "synthetic data" in axes.get_title()
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_without_finished_cells_there_is_no_picture(make_run, tmp_path):
    assert not draw(make_run(n=1, failed=("slow-s0", "fast-s0")), tmp_path / "curves.png")
    assert not list(tmp_path.iterdir())


def test_the_table_shows_the_headline_in_its_order_and_says_where_the_others_are(make_run):
    shown = text(make_run(headline=("f1", "missing")))
    assert "f1 ↑" in shown
    assert "accuracy" not in shown
    assert "other metrics are in the journals" in shown
    everything = text(make_run(headline=("f1", "accuracy")))
    assert everything.index(" f1 ↑ ") < everything.index("accuracy ↑")
    assert "other metrics" not in everything


def test_times_that_were_not_a_querys_alone_are_marked_and_explained(make_run):
    results = make_run()
    assert "*" not in text(results)
    shared = [
        replace(cell, cycles=tuple(replace(cycle, timing="shared") for cycle in cell.cycles))
        if cell.cell.label == "slow"
        else cell
        for cell in results.records
    ]
    shown = text(replace(results, records=tuple(shared)))
    assert "3*" in shown
    assert "1*" not in shown
    assert "* measured while other cells were running" in " ".join(shown.split())
