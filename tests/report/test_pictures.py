"""Colors, names and legends in pictures."""

import warnings

import numpy as np

from alharness import Task
from alharness.report.build import single
from alharness.report.document import Picture
from alharness.report.pictures import LONGEST, names, render, styles, taller
from alharness.runs.pooltable import PoolTable

LONG = [f"a_sampler_with_a_label_of_as_many_as_sixty_four_letters_number_{n}" for n in range(30)]


def test_twenty_samplers_can_be_told_apart():
    assert len({style[1:] for style in styles(map(str, range(20))).values()}) == 20


def test_a_color_does_not_change_when_a_sampler_joins_at_the_end():
    assert styles("ab").items() <= styles("abc").items()


def test_long_names_are_short_and_distinct():
    shown = names([*LONG, "random"])
    assert shown["random"] == "random"
    assert len(set(shown.values())) == 31
    assert max(map(len, shown.values())) <= LONGEST


def test_names_that_differ_in_the_middle_stay_distinct():
    same = [f"{'a' * 30}{n}{'b' * 30}" for n in range(3)]
    assert len(set(names(same).values())) == 3


def test_many_samplers_make_a_picture_taller_and_few_do_not():
    assert taller((6.0, 4.0), ["a", "b", "c"]) == (6.0, 4.0)
    assert taller((6.0, 4.0), LONG)[1] > 6.0


def test_no_name_is_a_formula_or_left_out_of_a_legend():
    def draw(figure):
        axes = figure.add_subplot()
        for label in names(["_hidden", "$x^$", "a$"]).values():
            axes.plot([0, 1], [0, 1], label=label)
        axes.legend()
        texts.extend(text.get_text() for text in axes.get_legend().get_texts())

    texts = []
    render(Picture(name="p", title="", text="", draw=draw), "")
    assert texts == [" _hidden", r"\$x^\$", r"a\$"]


def test_pictures_of_any_names_are_drawn_without_a_warning(make_results, noisy):
    classes = ("<b>x</b>", "=1+1", "愤怒", "-2", "a" * 64, "$x^$", "_y", "@z")
    ids = tuple(f"{seed}-{c}-{i}" for seed in range(3) for c in range(3) for i in range(4))
    n = len(ids)
    places = [[i, -i] for i in range(n)]
    pool = PoolTable(
        task=Task.CLASSIFICATION,
        classes=classes,
        ids=ids,
        labels=np.arange(n) % 8,
        unimodal_labels={},
        places=np.array(places, float),
    )
    curves = {"random": noisy(3)} | {label: noisy(3, seed=1) for label in LONG[:4]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for section in single(make_results(curves, pool=pool)).sections:
            for picture in section.pictures:
                assert render(picture, "")[1].startswith(b"\x89PNG")
