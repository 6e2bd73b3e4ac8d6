"""Labels of a project: those so far, tables with new ones, and what cannot be accepted of these."""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alharness.api.vocabulary import Task
from alharness.errors import DataError
from alharness.text import spreadsheets
from alharness.text.words import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

COLUMNS = ("id", "label", "batch", "by")
ID, LABEL = COLUMNS[:2]
OWN = "own choice"
"""What has chosen a sample that was labeled without having been asked for."""
SHOWN = 5
INTEGER = re.compile(r"[+-]?[0-9]{1,18}")


@dataclass(frozen=True, kw_only=True)
class Label:
    """A label that is known.

    Attributes:
        id: of the sample.
        label: name of a class, or a number as text.
        batch: number of the query after which it came, -1 before the first.
        by: what has chosen the sample.
    """

    id: str
    label: str
    batch: int
    by: str


def read_known(path: Path) -> dict[str, Label]:
    """The labels of a project by id, in the order in which they came; none if there is no file.

    Raises:
        DataError: it is no such table.
    """
    if not path.exists():
        return {}
    found = {}
    for line, row in read_rows(path, COLUMNS):
        try:
            label = Label(id=row["id"], label=row["label"], batch=int(row["batch"]), by=row["by"])
        except ValueError as error:
            raise DataError(
                f"{path}:{line}: {error}; alharness writes this file: restore it from a copy"
            ) from None
        found[label.id] = label
    return found


def to_text(known: Mapping[str, Label]) -> str:
    """The table of these labels."""
    file = io.StringIO(newline="")
    rows = [[getattr(label, column) for column in COLUMNS] for label in known.values()]
    spreadsheets.write(file, COLUMNS, rows)
    return file.getvalue()


def read_given(path: Path) -> dict[str, str]:
    """Labels by id of a table with the columns `id` and `label`, whatever others it has; blank ones are left out.

    Raises:
        DataError: it is no such table, or gives two labels to an id.
    """
    found: dict[str, str] = {}
    for line, row in read_rows(path, (ID, LABEL)):
        if "annotation_id" in row:
            raise DataError(
                f"{path}: is an export of Label Studio, whose ids are not those of samples; read it with --from "
                f"labelstudio:{path}"
            )
        name, label = row[ID], row[LABEL]
        if not label:
            continue
        if found.setdefault(name, label) != label:
            raise DataError(
                f"{path}:{line}: the id {name[:80]!r} has the label {label[:80]!r} here and {found[name][:80]!r} "
                "before; keep one of them"
            )
    return found


def read_ids(path: Path) -> set[str]:
    """The ids of such a table. Raises DataError if it is none."""
    return {row[ID] for _, row in read_rows(path, (ID,))}


def accept(
    known: Mapping[str, Label],
    given: Mapping[str, str],
    *,
    source: str,
    ids: Collection[str],
    task: Task,
    classes: Collection[str],
    relabel: bool = False,
) -> dict[str, str]:
    """What is new of given labels, and with `relabel` what has changed.

    Args:
        known: labels so far.
        given: labels by id.
        source: what they come from, for messages.
        ids: of all samples that may have one.
        task: what labels are.
        classes: all there are; empty if labels make them.
        relabel: accept labels that differ from those so far.

    Raises:
        DataError: an id is unknown, a label is no number or none of the classes, or differs from before; says
            which, and what to do. Nothing of them is accepted then.
    """
    if task == Task.CLASSIFICATION:
        others = {*classes, *(label.label for label in known.values())}
        if all(map(INTEGER.fullmatch, others)):
            given = dict(zip(given, plain_classes(given.values()), strict=True))
    fresh = {name: label for name, label in given.items() if name not in known or known[name].label != label}
    if unknown := [name for name in fresh if name not in ids]:
        near = did_you_mean(unknown[0], ids) if len(ids) <= 100_000 else ""
        raise DataError(
            f"{source}: {_count(unknown, 'id is', 'ids are')} not in the data: {_some(unknown)}{near}; correct or "
            "remove these rows"
        )
    if task == Task.REGRESSION:
        if wrong := [name for name, label in fresh.items() if not _is_number(label)]:
            raise DataError(
                f"{source}: the label of {wrong[0][:80]!r} is {fresh[wrong[0]][:80]!r}, expected a number with a "
                "decimal point"
            )
    elif classes and (strange := sorted({label for label in fresh.values() if label not in classes})):
        example = next(name for name, label in fresh.items() if label == strange[0])
        raise DataError(
            f"{source}: the label {strange[0][:80]!r}, as of {example[:80]!r}, is a class that was never seen"
            f"{did_you_mean(strange[0], classes)}; correct it, or accept the class with --class {strange[0]!r}"
        )
    elif not classes:
        _require_classes(fresh, source)
    changed = [name for name in fresh if name in known and not _same(known[name].label, fresh[name], task)]
    if changed and not relabel:
        first = changed[0]
        raise DataError(
            f"{source}: {_count(changed, 'label differs', 'labels differ')} from before: {first[:80]!r} was "
            f"{known[first].label[:80]!r} and is {fresh[first][:80]!r}{', ...' * (len(changed) > 1)}; "
            "correct this, or accept the new ones with --relabel"
        )
    return {name: label for name, label in fresh.items() if name not in known or name in changed}


def plain_classes(names: Collection[str]) -> list[str]:
    """Classes as they are kept: if all are integers, `07` and `+7` are `7`, as in the data set `arrays`."""
    return [str(int(name)) for name in names] if all(map(INTEGER.fullmatch, names)) else list(names)


def _require_classes(labels: Mapping[str, str], source: str) -> None:
    """Raise DataError if labels, which make the classes, look like measurements."""
    texts = labels.values()
    fractions = [text for text in texts if not INTEGER.fullmatch(text)]
    if fractions and all(map(_is_number, texts)):
        raise DataError(
            f"{source}: the labels are numbers, such as {fractions[0][:80]!r}, but are taken for classes here; "
            f"to predict numbers, begin another project with --task {Task.REGRESSION}; or name these classes with "
            "--class"
        )


def sorted_classes(labels: Iterable[str]) -> tuple[str, ...]:
    """The distinct labels: numbers by size, if all are numbers, otherwise by name."""
    found = set(labels)
    return tuple(sorted(found, key=float) if all(map(_is_number, found)) else sorted(found))


def read_rows(path: Path, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line and cells of each row, without spaces around them.

    Args:
        path: a CSV file with commas, semicolons or tabs.
        needed: columns that it must have.

    Raises:
        DataError: it is none, or has not these columns.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"{path}: not found") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error}); save it as CSV in UTF-8") from None
    if not text.strip():
        raise DataError(f"{path}: is empty; expected a table with the columns {' and '.join(needed)}")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)  # spreadsheets of some countries write semicolons
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    header = [cell.strip() for cell in next(reader, [])]
    for column in needed:
        if column not in header:
            near = did_you_mean(column, header)
            raise DataError(f"{path}: there is no column {column!r}{near}; found {', '.join(header)[:200]}")
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise DataError(f"{path}:{reader.line_num}: has {len(cells)} cells, and the header {len(header)}")
        plain = (_plain(cell.strip()) for cell in cells)
        yield reader.line_num, dict(zip(header, plain, strict=True))


def _plain(cell: str) -> str:
    """Without the apostrophe that keeps a spreadsheet from taking a text for a formula."""
    return cell[1:] if cell[:1] == "'" and spreadsheets.defused(cell[1:]) == cell else cell


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _same(one: str, other: str, task: Task) -> bool:
    return one == other or (task == Task.REGRESSION and float(one) == float(other))


def _count(names: Collection[str], one: str, several: str) -> str:
    return f"{len(names):,} {one if len(names) == 1 else several}"


def _some(names: list[str]) -> str:
    return ", ".join(name[:80] for name in names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
