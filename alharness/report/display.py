"""Results as users of Python see them: the closing table as text or HTML, and the curves in matplotlib."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from html import escape
from io import StringIO
from typing import TYPE_CHECKING, Any

from alharness.errors import RunError
from alharness.text.words import choices, several

from .curves import SIZE, about, plot
from .pictures import legend, styles, taller
from .tables import closing_table

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from matplotlib.axes import Axes

    from alharness.results.run import RunResults

    from .pictures import Styles

    Runs = Mapping[str, RunResults]

HINT = "More: .summary(), .compare(), .cycles, .cells, .plot()"


def as_text(runs: Runs) -> str:
    """The closing table of each run, as wide as the terminal."""
    from rich.console import Console

    written, width = StringIO(), shutil.get_terminal_size((120, 24)).columns
    console = Console(file=written, width=width, color_system=None, force_jupyter=False, markup=False)
    for results in runs.values():
        console.print(closing_table(results))
        if missing := _not_complete(results):
            console.print(missing)
    console.print(HINT)
    return "\n".join(line.rstrip() for line in written.getvalue().splitlines())


def as_html(runs: Runs) -> str:
    """The same for notebooks. Names are escaped."""
    return f"<div>{''.join(map(_table, runs.values()))}<p><small>{escape(HINT)}</small></p></div>"


def _not_complete(results: RunResults) -> str:
    """How many cells have no result yet, and of how many one knows why."""
    asked = [record for record in results.records if record.status != "spared"]
    cells, complete = len(asked), len(results.complete)
    failed = [record.cell.name for record in asked if record.status not in ("ok", "pending")]
    if complete == cells:
        return ""
    some = ", ".join([*failed[:3], *(["..."] if failed[3:] else [])])
    why = f"; {len(failed)} failed or were interrupted, see .cells: {some}" if failed else ""
    return f"{complete} of {cells} cells are complete{why}"


def _table(results: RunResults) -> str:
    def row(kind: str, texts: Iterable[str]) -> str:
        unbroken = (escape(text).replace(" ", "&nbsp;") for text in texts)  # no line is broken at a space
        return f"<tr>{''.join(f'<{kind}>{text}</{kind}>' for text in unbroken)}</tr>"

    table = closing_table(results)
    head, rows = row("th", table.headings), "".join(row("td", texts) for texts in table.rows)
    notes = filter(None, (_not_complete(results), table.caption))
    small = "".join(f"<p><small>{escape(text)}</small></p>" for text in notes)
    title = f"<caption>{escape(table.title)}</caption>"
    return f'<table border="1" class="dataframe">{title}<thead>{head}</thead><tbody>{rows}</tbody></table>{small}'


def draw(
    runs: Runs, metric: str | None, samplers: str | Collection[str] | None, ax: Axes | Sequence[Axes] | None
) -> Axes | Any:
    """Learning curves; see `Results.plot`."""
    found = [*runs.values()]
    known = {name for one in found for name in one.metrics()}
    labels = {label for one in found for label in one.labels}
    if not known:
        raise RunError(f"nothing is drawn, since no cell is complete yet: {', '.join(runs)}")
    wanted = None if samplers is None else [str(label) for label in several(samplers, "samplers")]
    asked_for = [] if metric is None else [(metric, known, "metric")]
    for asked, there, what in [*asked_for, *((label, labels, "sampler") for label in wanted or ())]:
        if not isinstance(asked, str) or asked not in there:
            raise RunError(f"no complete cell has the {what} {asked!r}{choices(str(asked), sorted(there))}")
    given: list[Any] = [] if ax is None else list(ax) if isinstance(ax, Iterable) else [ax]
    if ax is not None and len(given) != len(found):
        raise RunError(f"ax: {len(found)} runs are drawn into as many axes, but there are {len(given)}")
    axes = given or _axes(found)
    controls = {label for one in found for label in one.run.controls}
    drawn = styles(dict.fromkeys(label for one in found for label in one.run.labels), controls)
    drawn = {label: style for label, style in drawn.items() if wanted is None or label in wanted}
    for one, where in zip(found, axes, strict=True):
        shown = _draw(one, where, metric or one.metric, drawn, whole=samplers is None)
        if shown and (given or len(found) > 1):
            where.legend(fontsize=8.5, frameon=False)
    if not given and len(found) == 1:
        legend(axes[0].get_figure(root=True))
    return axes[0] if len(found) == 1 else axes


def _axes(runs: list[RunResults]) -> Any:
    """Axes for each run side by side, in a new figure, which a notebook shows."""
    from matplotlib import pyplot as plt

    width, height = taller(SIZE, [label for one in runs for label in one.labels])
    size = (width * min(len(runs), 3), height)
    return plt.subplots(1, len(runs), figsize=size, layout="constrained", squeeze=False)[1][0]


def _draw(one: RunResults, axes: Axes, metric: str, drawn: Styles, *, whole: bool) -> bool:
    """Draw the first seed set that has all of these samplers, else the first of all; False without any."""
    seed_sets, labels = one.basis.seed_sets, {*drawn} & {*one.labels}
    seed_set = next((found for found in seed_sets if labels <= {*found.labels}), next(iter(seed_sets), None))
    measured = metric in one.metrics()
    if seed_set is None or not measured or not plot(axes, one, seed_set, metric, drawn):
        missing = "no complete cells" if measured or not one.labels else f"{metric} was not measured"
        axes.set_title(f"{one.run.name}: {missing}", fontsize=10)
        return False
    axes.set_title(about(one, seed_set, whole=whole), fontsize=10)
    return True
