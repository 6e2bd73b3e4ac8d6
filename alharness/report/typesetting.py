"""Tables as papers print them, in LaTeX or Markdown; above all what each sampler reached."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from alharness.results.summary import COSTS
from alharness.text.numbers import NOTHING, UNBOUNDED

from .document import Table, Value, interval
from .table import parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from alharness.results.run import RunResults
    from alharness.results.statistics import Mean
    from alharness.results.summary import SummaryRow

NUMBER = re.compile(r"-?[\d.,]+")
POWER = re.compile(r"e(-?\d+)$")
SIGNS = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "|": r"\textbar{}"}
SIGNS |= {"<": r"\textless{}", ">": r"\textgreater{}", "±": r"$\pm$", "↓": r"$\downarrow$", "↑": r"$\uparrow$"}
SIGNS |= {"–": "--", **{sign: f"\\{sign}" for sign in "{}&%$#_"}}
"""Signs that LaTeX takes for its own, or that a font may lack."""


def summary_table(results: RunResults, name: str, metrics: Sequence[str] = ()) -> Table:
    """Sampler x metric: mean ± half the width of the 95 % confidence interval over seeds, the best mean in bold.

    Rows over the same seeds are together; a sampler that lacks seeds of the others follows below a line, with
    Random over the seeds that both have. The models trained with all labels are never the best.

    Args:
        results: a run.
        name: of its setting.
        metrics: which metrics and costs; empty for the metrics of the closing table. What was not measured in this
            run has no column.
    """
    run, known = results.run, results.metrics()
    rows = sorted(results.summary, key=lambda row: (row.seed_set, row.reference))
    measured = {*known, *COSTS}
    shown = [metric for metric in metrics or run.headline if metric in measured] or ([] if metrics else known)
    columns: list[tuple[str, str, list[Mean | None]]]
    columns = [(f"area of {run.metric}", run.metric, [row.area for row in rows])]
    columns += [(m, m, [row.final.get(m) or row.costs.get(m) for row in rows]) for m in shown]
    lower = (*run.lower_is_better, *COSTS)
    first, last = (f"{labeled:,}" for labeled in (results.labeled[0], results.labeled[-1]))
    synthetic = " Synthetic data: not comparable with the paper." if run.synthetic else ""
    names = [f"all {row.labels:,} labels" if row.reference else row.label for row in rows]
    cells = [_cells(means, rows, lower=metric in lower) for _, metric, means in columns]
    return Table(
        name=re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-"),
        title=f"{name}: area under the learning curve from {first} to {last} labels, and means at {last} labels; "
        "mean ± half the width of the 95 % confidence interval over n seeds. The best mean over the same seeds is "
        f"bold, whether or not a difference is significant.{synthetic}",
        headings=("sampler", "n", *(f"{text} {'↓' if m in lower else '↑'}" for text, m, _ in columns)),
        rows=list(zip(names, [row.count for row in rows], *cells, strict=True)),
        apart=parts((row.seed_set, row.reference) for row in rows),
    )


def _cells(means: Sequence[Mean | None], rows: Sequence[SummaryRow], *, lower: bool) -> list[Value | str]:
    rivals: dict[int, list[float]] = {}
    for mean, row in zip(means, rows, strict=True):
        if mean is not None and not row.reference and not math.isnan(mean.value):
            rivals.setdefault(row.seed_set, []).append(mean.value)
    best = {which: (min if lower else max)(found) for which, found in rivals.items() if len(found) > 1}
    return [
        NOTHING
        if mean is None
        else interval(mean.value, mean.half, strong=not row.reference and mean.value == best.get(row.seed_set))
        for mean, row in zip(means, rows, strict=True)
    ]


def as_latex(table: Table) -> str:
    """A floating table for the package booktabs."""
    columns = table.columns
    lines = []
    for number, cells in enumerate(zip(*(cells for _, cells in columns), strict=True)):
        lines += [r"    \midrule"] if number in (0, *table.apart) else []
        lines.append(_latex_row(map(_latex_cell, cells)))
    return "\n".join(
        [
            r"% needs \usepackage{booktabs}",
            r"\begin{table}",
            r"  \centering",
            f"  \\caption{{{_latex(table.title)}}}",
            f"  \\label{{tab:{table.name}}}",
            f"  \\begin{{tabular}}{{l{'r' * (len(columns) - 1)}}}",
            r"    \toprule",
            _latex_row(_latex(head.text) for head, _ in columns),
            *lines,
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def as_markdown(table: Table) -> str:
    """A table with pipes, as GitHub and pandoc read it, and its title below."""
    columns = table.columns
    lines = [[_markdown(head.text) for head, _ in columns], ["---", *("---:" for _ in columns[1:])]]
    rows = zip(*(cells for _, cells in columns), strict=True)
    lines += [[_markdown_cell(cell) for cell in row] for row in rows]
    return "\n".join([*(f"| {' | '.join(cells)} |" for cells in lines), "", _markdown(table.title), ""])


def _bold(cell: Value, how: str) -> str:
    """A number, the mean in bold if it is strong, and not its interval."""
    text = cell.text.replace("−", "-")
    return NUMBER.sub(how, text, count=1) if cell.strong else text


def _latex(text: str) -> str:
    return "".join(SIGNS.get(sign, sign) for sign in text)


def _latex_row(cells: Iterable[str]) -> str:
    return f"    {' & '.join(cells)} \\\\"


def _latex_cell(cell: Value) -> str:
    if cell.number is None:
        return _latex(cell.text)
    found = _bold(cell, r"\\mathbf{\g<0>}").replace(UNBOUNDED, rf"\mathrm{{{UNBOUNDED}}}")
    found = POWER.sub(r" \\times 10^{\1}", found).replace("±", r"\pm").replace(",", "{,}")
    return f"${found}$"


def _markdown_cell(cell: Value) -> str:
    return _markdown(cell.text) if cell.number is None else _bold(cell, r"**\g<0>**")


def _markdown(text: str) -> str:
    return re.sub(r"[\\`*_{}\[\]<>#|~]", r"\\\g<0>", text)
