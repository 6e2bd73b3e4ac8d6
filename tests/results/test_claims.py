"""The study of three claims: what modalities of a world are worth, and the places of its tables."""

import importlib.util
from pathlib import Path

import pytest

from alharness.datasets.worlds.params import WorldsParams

PATH = Path(__file__).parents[2] / "studies" / "claims" / "tables.py"
SPEC = importlib.util.spec_from_file_location("claims", PATH)
study = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(study)


@pytest.mark.parametrize(
    ("knobs", "expected"),
    [
        ({}, {"text": (1 / 3, 0), "audio": (1 / 3, 0), "vision": (1 / 3, 0)}),
        # Of 0.7 that all show, each has a third. Without vision 0.3 are guessed, a quarter of them rightly.
        ({"unique": {"vision": 0.3}}, {"text": (0.7 / 3, 0), "audio": (0.7 / 3, 0), "vision": (1.6 / 3, 0.225)}),
        # Half of what text and audio show together is due to each, and all of it is lost with each.
        (
            {"synergistic": 0.5, "classes": 2},
            {"text": (1.25 / 3, 0.25), "audio": (1.25 / 3, 0.25), "vision": (0.5 / 3, 0)},
        ),
        # A fifth of the labels is vision's alone, of which half is there; 0.9 of all labels are shown.
        (
            {"unique": 0.6, "missing": {"vision": 0.5}},
            {"text": (11 / 27, 0.15), "audio": (11 / 27, 0.15), "vision": (5 / 27, 0.075)},
        ),
        # The only modality that is there is all that shows the label.
        (
            {"modalities": ("text", "audio"), "missing": {"audio": 0.5}},
            {"text": (0.75, 0.375), "audio": (0.25, 0)},
        ),
    ],
)
def test_what_modalities_are_worth(knobs, expected):
    found = study.worth(WorldsParams(**knobs))
    assert {m: pytest.approx(numbers) for m, numbers in found.items()} == expected


def test_tables_are_put_in_their_places():
    page = "a\n<!-- table: one -->\nold\n<!-- end -->\nb\n<!-- table: two -->\n<!-- end -->\n"
    tables = {"one": ["| x |"], "two": ["| y |"]}
    expected = "a\n<!-- table: one -->\n\n| x |\n\n<!-- end -->\nb\n<!-- table: two -->\n\n| y |\n\n<!-- end -->\n"
    assert study.replaced(page, tables) == expected
    assert study.replaced(expected, tables) == expected


def test_a_page_without_a_place_for_a_table_is_refused():
    with pytest.raises(SystemExit, match="'one'"):
        study.replaced("a\n", {"one": ["| x |"]})
