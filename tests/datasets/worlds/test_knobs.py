"""Knobs of `worlds`: presets, what overrides them, and contradictions, which say what to change."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from alharness.datasets.worlds.params import PRESETS, WorldsParams
from alharness.datasets.worlds.plugin import alharness_datasets


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_comes_back_from_a_saved_plan(preset, task):
    params = WorldsParams(preset=preset, task=task)
    assert WorldsParams(**params.model_dump(mode="json")) == params


def test_what_is_given_overrides_the_preset():
    assert WorldsParams(preset="outliers").outliers == 0.3
    assert WorldsParams(preset="outliers", outliers=0.1, conflict=0.2).model_dump() == {
        **WorldsParams().model_dump(),
        "preset": "outliers",
        "outliers": 0.1,
        "conflict": 0.2,
    }


def test_a_preset_fits_other_modalities():
    params = WorldsParams(preset="neglect", modalities=["loud", "quiet"])
    assert params.by_modality("signal") == {"loud": 1.5, "quiet": 0.6}
    assert params.shares == {"redundant": 0.8, "loud": 0.0, "quiet": 0.2, "synergistic": 0.0}


def test_shares_of_information_are_divided_and_sum_to_one():
    shares = WorldsParams(unique=0.3, synergistic=0.2).shares
    assert shares == pytest.approx(
        {"redundant": 0.5, "text": 0.1, "audio": 0.1, "vision": 0.1, "synergistic": 0.2}
    )
    assert WorldsParams(unique={"text": 0.3}).shares["audio"] == 0


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"unique": 0.7, "synergistic": 0.5}, "sum to 1.2: lower them by 0.2"),
        ({"redundant": 0.8, "unique": 0.3}, "sum to 1.1: set redundant to 0.7"),
        ({"signal": {"smell": 1}}, "signal names the modality 'smell', but there are text, audio, vision"),
        ({"modalities": ["redundant", "b"]}, "cannot be named 'redundant', which is a share of information"),
        ({"modalities": ["a"], "synergistic": 0.2}, "synergistic needs two different modalities"),
        ({"between": ["text", "text"], "synergistic": 0.2}, "synergistic needs two different modalities"),
        ({"between": ["text", "audio"]}, "synergistic is 0: raise it"),
        ({"signal": 0}, "signal is 0 in every modality"),
        ({"signal": {"text": 0}, "unique": 0.3}, "raise signal.text, or set unique.text to 0"),
        ({"signal": {"text": 0}, "synergistic": 0.3}, "raise signal.text, or set synergistic to 0"),
        ({"conflict": 0.2, "modalities": ["a"]}, "conflict needs a second modality"),
        ({"conflict": 0.9, "synergistic": 0.3}, "lower conflict or synergistic"),
        ({"contradicting": {"text": 1}}, "conflict is 0: raise it"),
        ({"conflict": 0.1, "contradicting": {"text": 0}}, "contradicting has no weight above 0"),
        ({"conflict": 0.1, "unique": 0.2, "contradicting": {"text": 1}}, "or set unique.text to 0"),
        ({"missing": 0.7}, "missing sums to 2.1 over 3 modalities"),
        ({"missing": 0.3, "mechanism": "at_random"}, "name those that may, such as missing: {vision: 0.3}"),
        ({"mechanism": "by_class"}, "missing is 0: raise it"),
        ({"task": "regression", "classes": 3}, "leave classes out, or set task to classification"),
        ({"classes": 50, "imbalance": 1000}, "the rarest of 50 classes would have 0.26 samples"),
        ({"label_noise": 0.8}, "above 0.75 the right one of 4 classes is rarer"),
        ({"topics": 50, "pool": 20}, "50 topics in a pool of 20: lower topics, or raise pool"),
        ({"duplicates": 0.9, "outliers": 0.2}, "would be 1.19 of the pool: lower outliers or duplicates"),
        ({"outliers": 0.6, "label_noise": 0.5}, "sum to 1.1: lower one of them"),
        ({"pool": 10**7, "features": 1000}, "above 1e+09: lower pool, valid, test or features"),
        ({"preset": "alinged"}, "Input should be 'aligned', 'conflicting'"),
    ],
)
def test_contradictions_say_what_to_change(knobs, message):
    with pytest.raises(ValidationError, match=re.escape(message)):
        WorldsParams(**knobs)


def test_facts_say_what_is_incomplete_and_known():
    (plugin,) = alharness_datasets()
    facts = plugin.inspect(WorldsParams(missing={"audio": 0.5}, pool=50))
    assert (facts.sizes, facts.incomplete, facts.synthetic) == ((50, 300, 1000), ("audio",), True)
    assert not facts.stand_in  # so that the names of its runs do not say so
    assert facts.truth == tuple(plugin.make(WorldsParams(pool=20, valid=5, test=5)).truth)


def rows(text):
    """First cell -> second cell, of the tables whose first cells are names."""
    cells = [[c.strip(" `") for c in line.split("|")[1:3]] for line in text.splitlines() if line.startswith("| `")]
    return dict(cells)


def test_every_knob_its_default_and_every_preset_stand_on_the_page():
    page = (Path(__file__).parents[3] / "docs" / "reference" / "worlds.md").read_text(encoding="utf-8")
    presets, knobs = map(rows, page.split("## How it is made")[0].split("## Knobs"))
    assert presets.keys() == PRESETS.keys()
    assert all(knob in presets[name] for name, changed in PRESETS.items() for knob in changed)
    defaults = {name: field.default for name, field in WorldsParams.model_fields.items()}
    said = {
        name: ", ".join(value) if isinstance(value, tuple) else "–" if value is None else str(value)
        for name, value in defaults.items()
    }
    assert knobs == said
