"""The study of what separates samplers: whether it is whole, and what its page shows."""

import numpy as np
import pytest

import alharness
from alharness import registry
from studies.separates import __main__ as study
from studies.separates.page import draw, tables
from studies.separates.setting import Setting

OWN = {"arrays", "embeddings", "mmsa"}
"""Data that users bring."""


def test_every_data_set_that_is_shipped_is_in_it():
    specs = [one for name in study.SPECS for one in alharness.Spec.load_all(study.HERE / f"{name}.yaml")]
    assert {one.dataset.name for one in specs} == registry.load().datasets.keys() - OWN
    assert {path.stem for path in study.HERE.glob("*.yaml")} == set(study.SPECS)
    assert all(len(one.seeds) == 20 for one in specs)


@pytest.fixture
def make_setting(make_results):
    """One data set on which one sampler is better than Random, one is worse, and one is neither."""

    def make(*, lacking=0):
        rng = np.random.default_rng(0)
        made = {}
        for label, shift in {"random": 0, "good": 0.05, "bad": -0.05, "same": 0}.items():
            rows = [np.array([0.5, 0.6, 0.7, 0.8]) + shift + rng.normal(0, 0.005, 4) for _ in range(6)]
            made[label] = [*rows, *[None] * lacking]
        results = make_results(made, metric="f1", references=[0.9] * 6, statistics="paired_t")
        return Setting(name="toys", results=results)

    return make


def cells(text, first):
    (line,) = (line for line in text.splitlines() if line.startswith(f"| {first} "))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_its_tables_say_who_differs_from_random_and_from_whom(make_setting):
    by_data_set, by_sampler, own = tables([make_setting()]).split("\n### ")

    assert cells(by_data_set, "[toys](#toys)")[5:] == ["good", "bad", "3 of 3"]
    assert cells(by_sampler, "good")[1:] == ["1", "toys", "none"]
    assert cells(by_sampler, "bad")[1:] == ["1", "none", "toys"]
    assert cells(own, "**good** ▲")[-1] == "all 2"
    assert cells(own, "same")[-1] == "bad"
    assert cells(own, "random")[-1] == "bad"
    assert cells(own, "bad ▼")[5] == "not reached"
    assert "6 seeds; f1, higher is better. All labels give 0.9" in own


def test_what_is_not_complete_is_said(make_setting):
    assert "6 of 9 seeds so far" in tables([make_setting(lacking=3)])


def test_its_picture_is_drawn(make_setting, tmp_path):
    draw([make_setting()] * 2, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 5000
