import re

import numpy as np
import pytest

from alharness.report import typesetting
from alharness.report.tables import summary_table

FALLING = (0.5, 0.4, 0.35, 0.32)
QUICKER = (0.5, 0.3, 0.25, 0.22)
COMMANDS = {
    *("begin", "end", "centering", "caption", "label", "toprule", "midrule", "bottomrule"),
    *("pm", "mathbf", "mathrm", "times", "uparrow", "downarrow"),
    *("textbackslash", "textasciitilde", "textasciicircum", "textless", "textgreater", "textbar"),
}
"""Those of LaTeX and booktabs."""


def require_sound(text):
    """Read LaTeX strictly: known commands, balanced braces, formulas and environments, and rows of one length."""
    body = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    plain = re.sub(r"\\[\\{}&%$#_]", "", body)
    assert set(re.findall(r"\\([a-z]+)", plain)) <= COMMANDS
    depth = 0
    for sign in plain:
        depth += (sign == "{") - (sign == "}")
        assert depth >= 0
    assert depth == 0
    assert plain.count("$") % 2 == 0
    outside = re.sub(r"\$[^$]*\$", "", plain)
    assert not re.search(r"\\(pm|mathbf|mathrm|times|uparrow|downarrow)", outside)
    assert not set(outside) & set("^_#%~")
    assert outside.isascii()
    opened = []
    for what, name in re.findall(r"\\(begin|end)\{(\w+)\}", plain):
        if what == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
    assert not opened
    columns = len(re.search(r"\\begin\{tabular\}\{([lcr]+)\}", body).group(1))
    rows = [line for line in body.splitlines() if line.rstrip().endswith(r"\\")]
    assert {len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows} == {columns}


def as_latex(*arguments):
    return typesetting.as_latex(summary_table(*arguments))


def as_markdown(*arguments):
    return typesetting.as_markdown(summary_table(*arguments))


@pytest.fixture
def results(make_results, noisy):
    alike = noisy(3)
    return make_results(
        {"random": alike, "a_b": alike - 0.05, "c%": [alike[0] - 0.02, None, None]}, references=(0.1, 0.2, 0.15)
    )


def rows(text):
    """First cell -> the others, of LaTeX or Markdown; of several the last."""
    sign = " & " if " & " in text else " | "
    found = [line.strip(" |\\").split(sign) for line in text.splitlines() if sign in line]
    return {cells[0]: cells[1:] for cells in found}


def test_latex_is_sound(results):
    require_sound(as_latex(results, "set_0 & more"))


@pytest.mark.parametrize("label", ["a_b", "50%", "x & y", "c#", "{d}", "e\\f", "g^h~i", "$x$", "<a|b>"])
def test_a_label_of_any_signs_is_escaped(make_results, label):
    text = as_latex(make_results({"random": [FALLING] * 3, label: [QUICKER] * 3}), label)
    require_sound(text)
    plain = {"a_b": r"a\_b", "50%": r"50\%", "$x$": r"\$x\$"}
    assert plain.get(label, "") in text


@pytest.mark.parametrize("scale", [1e-7, 1e9, np.inf])
def test_numbers_of_any_size_are_sound(make_results, scale):
    curves = {"random": [FALLING] * 2, "a": [FALLING, tuple(x * scale for x in QUICKER)]}
    if np.isinf(scale):
        curves["a"] = [FALLING, (1e300, 1e300, 1e300, 1e300)]
    require_sound(as_latex(make_results(curves), "sizes"))


def test_the_best_mean_is_bold_and_its_interval_is_not(results):
    found = rows(as_latex(results, "x"))
    assert re.fullmatch(r"\$\\mathbf\{0\.\d+\} \\pm 0\.\d+\$", found[r"a\_b"][1])
    found = rows(as_markdown(results, "x"))
    assert re.fullmatch(r"\*\*0\.\d+\*\* ± 0\.\d+", found["a\\_b"][1])


def test_the_reference_is_never_the_best(results):
    assert "**" not in "".join(rows(as_markdown(results, "x"))["all 5,000 labels"])


def test_higher_is_better_for_other_metrics(make_results):
    curves = {"random": [FALLING] * 3, "a": [QUICKER] * 3}
    found = rows(as_markdown(make_results(curves, metric="f1"), "x"))
    assert "**" in found["random"][1]
    assert "**" not in found["a"][1]


def test_means_over_other_seeds_are_below_a_line_with_random(results):
    text = as_latex(results, "x")
    parts = [part.count(r"\\") for part in text.split(r"\midrule")]
    assert parts == [1, 2, 1, 2, 1]  # heading; random and a_b; reference; random and c%; reference
    assert rows(text)[r"c\%"][0] == "1 of 3"


def test_two_that_are_equal_are_both_best(make_results):
    curves = {"random": [QUICKER] * 3, "a": [QUICKER] * 3, "b": [FALLING] * 3}
    found = rows(as_markdown(make_results(curves), "x"))
    assert ["**" in found[label][1] for label in ("random", "a", "b")] == [True, True, False]


def test_columns_can_be_chosen_with_costs(results):
    headings = rows(as_markdown(results, "x", ["query_seconds"]))["sampler"]
    assert headings == ["n", "area of mae ↓", "query\\_seconds ↓"]


def test_what_was_not_measured_has_no_column(results):
    assert rows(as_markdown(results, "x", ["f1"]))["sampler"] == ["n", "area of mae ↓"]


def test_markdown_of_a_label_with_pipes_keeps_its_columns(make_results):
    text = as_markdown(make_results({"random": [FALLING] * 3, "a|b*": [QUICKER] * 3}), "x")
    assert r"| a\|b\* |" in text


def test_synthetic_data_are_named(make_results):
    results = make_results({"random": [FALLING] * 3}, synthetic=True)
    assert "Synthetic data" in as_latex(results, "x")
    assert "Synthetic data" in as_markdown(results, "x")
