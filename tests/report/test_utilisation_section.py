"""What the page says of modalities: with evidence, and honestly if there is none."""

from dataclasses import replace

import numpy as np
import pytest

from alharness.api.plan import Stopping
from alharness.report.document import Document
from alharness.report.page import write
from alharness.report.pictures import styles
from alharness.report.sections.utilisation import across, sections


@pytest.fixture
def make_used(make_results):
    """Results of samplers whose models use text so much, and vision as much less."""

    def build(seeds=8, noise=0.02, **text):
        rng = np.random.default_rng(0)
        found = {label: share + rng.normal(0, noise, (seeds, 4)) for label, share in text.items()}
        shares = {label: {"text": x, "vision": 1 - x} for label, x in found.items()}
        return make_results({label: np.full((seeds, 4), 0.5) for label in text}, shares=shares)

    return build


def said(results):
    (section,) = sections(results, styles(results.run.labels))
    return " ".join(section.paragraphs)


def test_who_neglects_what_is_said_with_its_evidence(make_used):
    text = said(make_used(random=0.5, one=0.35, other=0.5))
    assert "Shares with random, as means along the curve: vision 0.5, text 0.5." in text
    assert "one makes the model neglect text: its share is 0.35" in text
    assert "p < 0.001" in text
    assert "n = 8" in text
    assert "No other share is shown to be smaller than with Random by a tenth or more (4 differences" in text


def test_without_evidence_nobody_is_blamed(make_used):
    text = said(make_used(random=0.5, one=0.49))
    assert "No sampler is shown to make the model neglect a modality (2 differences to Random" in text
    assert "The share that falls most is that of text with one: −0.0" in text


def test_a_small_loss_is_said_to_be_small(make_used):
    text = said(make_used(random=0.5, one=0.47, noise=0.001))
    assert "No sampler is shown to make the model neglect" in text
    assert "Shown, but less than 10% of the share with Random: text with one (−0.0" in text


def test_models_are_compared_with_those_that_have_all_labels(make_results):
    rng = np.random.default_rng(0)
    text = 0.6 + rng.normal(0, 0.01, (5, 4))
    shares = {
        "random": {"text": text, "vision": 1 - text},
        "full-data": {"text": np.full((5, 1), 0.5), "vision": np.full((5, 1), 0.5)},
    }
    results = make_results({"random": np.full((5, 4), 0.5)}, shares=shares, references=[0.4] * 5)
    assert "With all labels: text 0.5, vision 0.5. So along the curve models use vision less (−0.1" in said(
        results
    )
    assert "text more (0.1" in said(results)


def test_it_is_said_why_nothing_is_tested(make_used):
    assert "Nothing is tested: that needs 3 seeds." in said(make_used(seeds=2, random=0.5, one=0.1))
    assert "Random was not run" in said(make_used(one=0.5, other=0.1))
    results = make_used(random=0.5, one=0.1)
    stopping = replace(results, run=replace(results.run, stopping=Stopping()))
    assert "Nothing is tested, since seeds stopped" in said(stopping)


def test_the_page_has_the_picture_and_the_table(make_used, tmp_path):
    results = make_used(random=0.5, one=0.35)
    found = sections(results, styles(results.run.labels))
    write(Document(title="a", subtitle="b", notice="", answers=[], sections=found), tmp_path)
    page = (tmp_path / "index.html").read_text()
    assert 'id="utilisation"' in page
    assert (tmp_path / "pictures" / "utilisation.png").is_file()
    head, *rows = (tmp_path / "tables" / "utilisation.csv").read_text().splitlines()
    assert head.startswith("modality,sampler,share,share_low,share_high,difference,")
    assert [row.split(",")[:2] for row in rows] == [
        ["text", "random"],
        ["text", "one"],
        ["vision", "random"],
        ["vision", "one"],
    ]


def test_without_measurements_there_is_no_section(make_results):
    assert sections(make_results({"random": np.full((3, 4), 0.5)}), {}) == []


def test_over_settings_it_is_said_where_something_is_neglected(make_used, make_results):
    runs = {
        "first": make_used(random=0.5, one=0.35),
        "second": make_used(random=0.5, one=0.5),
        "alone": make_results({"random": np.full((3, 4), 0.5)}),
    }
    (section,) = across(runs)
    assert section.paragraphs[-1] == "Neglected are: text in first (with one)."
    (table,) = section.tables
    assert [[cell.text for cell in row][-1] for row in table.rows] == ["one", "–", "–", "–"]
    assert across({"alone": runs["alone"]}) == []
    (section,) = across({"second": runs["second"]})
    assert section.paragraphs[-1] == "No sampler is shown to make the model neglect a modality in any setting."
