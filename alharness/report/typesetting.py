"""What each sampler reached, as papers print it: a table in LaTeX or Markdown.

Sampler x metric: mean ± half the width of the 95 % confidence interval over seeds, the best mean in bold. Rows
over the same seeds are together; a sampler that lacks seeds of the others follows below a line, with Random over
the seeds that both have. The models trained with all labels are never the best.
"""

from __future__ import annotations

import math
import re
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from alharness.results.summary import COSTS
from alharness.text.numbers import NOTHING, UNBOUNDED, form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alharness.results.run import RunResults
    from alharness.results.statistics import Mean
    from alharness.results.summary import Row

NUMBER = re.compile(r"-?[\d.,]+")
POWER = re.compile(r"e(-?\d+)$")
OURS = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
OURS |= {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "±": r"$\pm$", "–": "--"}
OURS |= {sign: f"\\{sign}" for sign in "{}&%$#_"}
"""Signs that LaTeX takes for its own, or that a font may lack."""


class Column(NamedTuple):
    """A column of means.

    Attributes:
        heading: name of the metric.
        lower: whether smaller values are better.
        cells: text of each row, and whether it is the best of those over the same seeds.
    """

    heading: str
    lower: bool
    cells: list[tuple[str, bool]]


def as_latex(results: RunResults, name: str, metrics: Sequence[str] = ()) -> str:
    """A floating table for the package booktabs.

    Args:
        results: a run.
        name: of its setting.
        metrics: which metrics and costs; empty for the metrics of the closing table.
    """
    rows, columns = _rows(results), _columns(results, metrics)
    arrows = {True: r"$\downarrow$", False: r"$\uparrow$"}
    headings = [f"{_latex(c.heading)} {arrows[c.lower]}" for c in columns]
    lines = [r"    \toprule", _latex_row(["sampler", "$n$", *headings])]
    for _, part in groupby(range(len(rows)), key=lambda i: (rows[i].seed_set, rows[i].reference)):
        lines.append(r"    \midrule")
        for i in part:
            means = [_latex_mean(*column.cells[i]) for column in columns]
            lines.append(_latex_row([_latex(_name(rows[i])), rows[i].count, *means]))
    return "\n".join(
        [
            r"% needs \usepackage{booktabs}",
            r"\begin{table}",
            r"  \centering",
            f"  \\caption{{{_latex(_caption(results, name))}}}",
            f"  \\label{{tab:{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}}}",
            f"  \\begin{{tabular}}{{lr{'r' * len(columns)}}}",
            *lines,
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def as_markdown(results: RunResults, name: str, metrics: Sequence[str] = ()) -> str:
    """A table with pipes, as GitHub and pandoc read it, and its caption; for the arguments see `as_latex`."""
    rows, columns = _rows(results), _columns(results, metrics)
    lines = [
        ["sampler", "n", *(f"{_markdown(c.heading)} {'↓' if c.lower else '↑'}" for c in columns)],
        ["---", "---:", *("---:" for _ in columns)],
    ]
    for i, row in enumerate(rows):
        means = [_bold(*column.cells[i], r"**\g<0>**") for column in columns]
        lines.append([_markdown(_name(row)), row.count, *means])
    table = [f"| {' | '.join(cells)} |" for cells in lines]
    return "\n".join([*table, "", _markdown(_caption(results, name)), ""])


def _rows(results: RunResults) -> list[Row]:
    return sorted(results.summary, key=lambda row: (row.seed_set, row.reference))


def _columns(results: RunResults, metrics: Sequence[str]) -> list[Column]:
    run, known, rows = results.run, results.metrics(), _rows(results)
    lower = (*run.lower_is_better, *COSTS)
    shown = metrics or [name for name in run.headline if name in known] or known
    area = _column(f"area of {run.metric}", [row.area for row in rows], rows, lower=run.metric in lower)
    others = ((name, [row.final.get(name) or row.costs.get(name) for row in rows]) for name in shown)
    return [area, *(_column(name, means, rows, lower=name in lower) for name, means in others)]


def _column(heading: str, means: Sequence[Mean | None], rows: Sequence[Row], *, lower: bool) -> Column:
    """Two best means that are printed alike are both bold."""
    known = [mean for mean in means if mean is not None]
    way = form([mean.value for mean in known], [mean.half for mean in known])
    rivals: dict[int, list[float]] = {}
    for mean, row in zip(means, rows, strict=True):
        if mean is not None and not row.reference and not math.isnan(mean.value):
            rivals.setdefault(row.seed_set, []).append(mean.value)
    best = {g: way.number((min if lower else max)(found)) for g, found in rivals.items() if len(found) > 1}
    cells = [
        (NOTHING, False)
        if mean is None
        else (
            way.interval(mean.value, mean.half),
            not row.reference and way.number(mean.value) == best.get(row.seed_set),
        )
        for mean, row in zip(means, rows, strict=True)
    ]
    return Column(heading, lower, cells)


def _name(row: Row) -> str:
    return f"all {row.labels:,} labels" if row.reference else row.label


def _caption(results: RunResults, name: str) -> str:
    first, last = (f"{labeled:,}" for labeled in (results.labeled[0], results.labeled[-1]))
    synthetic = " Synthetic data: not comparable with the paper." if results.run.synthetic else ""
    return (
        f"{name}: area under the learning curve from {first} to {last} labels, and means at {last} labels; mean ± "
        "half the width of the 95 % confidence interval over n seeds. The best mean over the same seeds is bold, "
        f"whether or not a difference is significant.{synthetic}"
    )


def _bold(text: str, best: bool, how: str) -> str:
    """The mean in bold, and not its interval."""
    return NUMBER.sub(how, text, count=1) if best else text


def _latex(text: str) -> str:
    return "".join(OURS.get(sign, sign) for sign in text)


def _latex_row(cells: Sequence[str]) -> str:
    return f"    {' & '.join(cells)} \\\\"


def _latex_mean(text: str, best: bool) -> str:
    if text == NOTHING:
        return "--"
    found = _bold(text, best, r"\\mathbf{\g<0>}").replace(UNBOUNDED, rf"\mathrm{{{UNBOUNDED}}}")
    found = POWER.sub(r" \\times 10^{\1}", found).replace("±", r"\pm").replace(",", "{,}")
    return f"${found}$"


def _markdown(text: str) -> str:
    return re.sub(r"[\\`*_{}\[\]<>#|~]", r"\\\g<0>", text)
