"""Tables in other forms than the page's: for the console, for spreadsheets, and as papers print them."""

from __future__ import annotations

import io
import re
from string import Template
from typing import TYPE_CHECKING, Any

from alharness.text import spreadsheets
from alharness.text.numbers import UNBOUNDED
from alharness.text.tables import Blocks

from .cells import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .cells import Sheet, Value

NUMBER = re.compile(r"-?[\d.,]+")
POWER = re.compile(r"e(-?\d+)$")
SIGNS = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "|": r"\textbar{}"}
SIGNS |= {"<": r"\textless{}", ">": r"\textgreater{}", "±": r"$\pm$", "↓": r"$\downarrow$", "↑": r"$\uparrow$"}
SIGNS |= {"–": "--", **{sign: f"\\{sign}" for sign in "{}&%$#_"}}
"""Signs that LaTeX takes for its own, or that a font may lack."""
LATEX = Template(r"""% needs \usepackage{booktabs}
\begin{table}
  \centering
  \caption{$title}
  \label{tab:$name}
  \begin{tabular}{$columns}
    \toprule
$rows
    \bottomrule
  \end{tabular}
\end{table}
""")


def as_blocks(table: Table, group: int = 1) -> Blocks:
    """For the console; so many columns belong together, from the second one on."""
    return Blocks(
        headings=[column.text for column in table.columns],
        rows=[[_plain(cell) for cell in row] for row in table.rows],
        group=group,
        apart=table.apart,
        title=table.title,
        caption=table.note,
    )


def as_csv(table: Table | Sheet) -> str:
    """A column for each number, as it is, without rounding; text elsewhere."""
    sheet = table.sheet if isinstance(table, Table) else table
    file = io.StringIO(newline="")
    spreadsheets.write(file, sheet.headings, ([_cell(value) for value in row] for row in sheet.rows))
    return file.getvalue()


def as_latex(table: Table) -> str:
    """A floating table for the package booktabs."""
    lines = [_latex_row(_latex(column.text) for column in table.columns)]
    for number, row in enumerate(table.rows):
        lines += [r"    \midrule"] if number in (0, *table.apart) else []
        lines.append(_latex_row(map(_latex_cell, row)))
    columns = "l" + "r" * (len(table.columns) - 1)
    return LATEX.substitute(title=_latex(table.title), name=table.name, columns=columns, rows="\n".join(lines))


def as_markdown(table: Table) -> str:
    """A table with pipes, as GitHub and pandoc read it, and its title below."""
    lines = [[_markdown(column.text) for column in table.columns], ["---", *("---:" for _ in table.columns[1:])]]
    lines += [[_markdown_cell(cell) for cell in row] for row in table.rows]
    return "\n".join([*(f"| {' | '.join(cells)} |" for cells in lines), "", _markdown(table.title), ""])


def _plain(cell: Value) -> str:
    """Its text; a number with the minus of the keyboard."""
    return cell.text if cell.number is None else cell.text.replace("−", "-")


def _cell(value: Any) -> Any:
    """A cell of a CSV file: NaN is empty, and what is true or not as JSON writes it."""
    return str(value).lower() if isinstance(value, bool) else None if value != value else value  # noqa: PLR0124


def _bold(cell: Value, how: str) -> str:
    """A number, the mean in bold if it is strong, and not its interval."""
    return NUMBER.sub(how, _plain(cell), count=1) if cell.strong else _plain(cell)


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
