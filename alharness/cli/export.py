"""`alharness export`: the results of runs for other programs and for papers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from alharness.errors import RunError
from alharness.text.words import choices

from .options import FILE, runs_argument, statistics_option, warn, workdir_option

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    import pandas as pd

    from alharness.api.plan import Statistics
    from alharness.results.results import Results

TABLES = ("cycles", "summary", "differences", "utilisation")
TYPESET = ("latex", "markdown")
ENDINGS = {".csv": "csv", ".parquet": "parquet", ".tex": "latex", ".md": "markdown"}


@click.command
@runs_argument
@click.option(
    "--format",
    "kind",
    type=click.Choice([*ENDINGS.values()]),
    help="Default: what the ending of FILE says (.csv, .parquet, .tex, .md), otherwise csv.",
)
@click.option(
    "--table",
    type=click.Choice(TABLES),
    help="Which table. Default: cycles; for latex and markdown always summary.",
)
@click.option("--metric", "metrics", metavar="NAME", multiple=True, help="Only this metric or cost; repeatable.")
@statistics_option
@workdir_option()
@click.option("--output", "-o", type=FILE, metavar="FILE", help="Where to write it; default: the standard output.")
def export(
    runs: tuple[Path, ...],
    kind: str | None,
    table: str | None,
    metrics: tuple[str, ...],
    statistics: Statistics | None,
    workdir: Path,
    output: Path | None,
) -> int:
    """Write the results of runs as a table for other programs, or for a paper.

    RUN is a run directory, or the name or the file of a spec with one run in --workdir, or with one of each of its
    settings. Several runs become one table.

    \b
        alharness export openclipart > cycles.csv
        alharness export runs/openclipart-1a2b3c4d --table summary --output summary.csv
        alharness export runs/* --output cycles.parquet
        alharness export runs/openclipart-1a2b3c4d --format latex --metric accuracy --metric f1
        alharness export runs/openclipart-1a2b3c4d --output table.md

    The tables, in csv and parquet:

    \b
        cycles       each cycle of each cell, with columns for metrics, for how much the model uses each
                     modality, and for costs
        summary      each sampler and metric: mean over seeds, low and high bound of its 95 % interval, sd, n;
                     after the last cycle, as area under the learning curve, and of costs
        differences  each pair of samplers: difference of areas, paired by seed, with its interval and p
        utilisation  each sampler and modality: how much the model uses it, and the difference to Random

    LaTeX (with booktabs) and Markdown print the summary as papers do: sampler x metric, mean ± half its interval,
    the best mean in bold. Numbers in csv and parquet are not rounded, and what was not measured is empty, never 0.
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    kind = kind or ENDINGS.get(output.suffix.lower() if output else "", "csv")
    if kind in TYPESET and table not in (None, "summary"):
        raise click.UsageError(f"--format {kind} prints the summary; --table {table} needs csv or parquet")
    if table == "utilisation" and metrics:
        raise click.UsageError("--table utilisation is about modalities: it has no --metric")
    if kind == "parquet" and output is None:
        raise click.UsageError("parquet is no text: name a file with --output FILE")
    from alharness.results.results import Results
    from alharness.runs.finding import find_runs

    folders = [folder for run in runs for folder in find_runs(run, workdir, warn)]
    results = Results.load(*folders, statistics=statistics)
    if kind in TYPESET:
        content: str | bytes = _typeset(results, kind, metrics)
    else:
        content = _serialize(_table(results, table or "cycles", metrics), kind)
    _write(content, output)
    return 0


def _require_known(metrics: Collection[str], results: Results, table: str) -> None:
    from alharness.results.summary import COSTS

    known = [name for one in results.runs.values() for name in one.metrics()]
    if table == "cycles":
        known = list(results.cycles.columns[6:])
    elif table == "summary":
        known += COSTS
    for name in metrics:
        if name not in known:
            raise RunError(f"--metric {name}: no run has such a metric or cost{choices(name, known)}")


def _table(results: Results, table: str, metrics: tuple[str, ...]) -> pd.DataFrame:
    import pandas as pd

    from alharness.results.results import PLACE
    from alharness.text.spreadsheets import ascii_name, unique

    _require_known(metrics, results, table)
    if table == "differences":
        found = pd.concat([results.compare(metric) for metric in metrics or (None,)], ignore_index=True)
    elif table == "utilisation":
        found = results.utilisation()
    elif table == "summary":
        found = results.summary()
        found = found[found["metric"].isin(metrics)] if metrics else found
    else:
        found = results.cycles
        place = len(PLACE)
        chosen = [x for x in found.columns[place:] if x in metrics]
        found = found[[*found.columns[:place], *chosen]] if metrics else found
    return found.set_axis(unique(map(ascii_name, found.columns)), axis=1)


def _serialize(table: pd.DataFrame, kind: str) -> str | bytes:
    """As a file of this kind. Raises RunError if pyarrow is missing."""
    import io

    from alharness.text import spreadsheets

    if kind == "parquet":
        try:
            content: bytes = table.to_parquet(index=False, engine="pyarrow")
        except ImportError as error:
            raise RunError(
                "parquet needs pyarrow, which is not installed: `pip install pyarrow`, or use --format csv"
            ) from error
        else:
            return content
    file = io.StringIO(newline="")
    known = table.astype(object).where(table.notna(), None)
    spreadsheets.write(file, list(known.columns), known.itertuples(index=False, name=None))
    return file.getvalue()


def _typeset(results: Results, kind: str, metrics: tuple[str, ...]) -> str:
    """A table for each setting."""
    from alharness.report.tables import summary_table
    from alharness.report.typesetting import as_latex, as_markdown

    _require_known(metrics, results, "summary")
    make = as_latex if kind == "latex" else as_markdown
    return "\n".join(make(summary_table(one, name, metrics)) for name, one in results.runs.items())


def _write(content: str | bytes, output: Path | None) -> None:
    """Into the file, in the place of an older one, or to stdout. Raises RunError if that cannot be."""
    from alharness.runs.files import write

    if output is None:
        click.echo(content, nl=False)
        return
    try:
        write(output, content)
    except OSError as error:
        raise RunError(f"{output}: cannot be written: {error.strerror}; choose another --output") from error
