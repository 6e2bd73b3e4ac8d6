import pytest

from alharness.spreadsheets import defused


@pytest.mark.parametrize(
    "text", ["=cmd|' /C calc'!A0", "+1+x", "-1+cmd|x", "@SUM(1)", "\t=1", "\r=1", " =1", "＝1"]
)
def test_a_formula_gets_an_apostrophe(text):
    assert defused(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "a=b", "video_3", "-1.5", "+2e-3", "'x", "–"])
def test_any_other_text_and_every_number_stays(text):
    assert defused(text) == text
