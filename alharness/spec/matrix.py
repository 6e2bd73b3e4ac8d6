"""`matrix`: one spec that becomes several, a setting each, as if each had been written by hand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations, product
from math import prod
from typing import TYPE_CHECKING, Any

from alharness.errors import SpecError
from alharness.registry.discovery import misnamed
from alharness.text.words import did_you_mean

from .document import RawSpec, choice
from .merging import PLUGINS, lay
from .problems import Problem, combine
from .settings import ActiveLearningSettings, LimitsSettings, SeedSettings, TrainingSettings
from .sources import split
from .yamlfile import YamlFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .sources import Change
    from .yamlfile import Keys, Place

MATRIX = "matrix"
SECTIONS = ("dataset", "model", "training", "initial", "active_learning")
"""What makes a setting, and may vary: all that the hash of a run directory covers."""
MOST_VALUES = 12
"""Values of an entry that are looked at for its name."""
MOST_SETTINGS = 1_000_000
"""More are never made: a larger `limits.max_cells` is refused by its type, which is looked at later."""


@dataclass(frozen=True)
class _Entry:
    """One value that a path takes.

    Attributes:
        file: the value, with its places.
        label: what it adds to the name of a setting, if it says so itself.
    """

    file: YamlFile
    label: str = ""


@dataclass(frozen=True)
class _Axis:
    """One path, with all values that it takes.

    Attributes:
        path: from the top of the spec, with dots.
        place: of its key in the matrix.
        entries: the values.
        labels: what each adds to the name of a setting; all empty if nothing varies.
    """

    path: str
    place: Place
    entries: Sequence[_Entry]
    labels: Sequence[str]


def expanded(file: YamlFile, changes: Iterable[Change] = ()) -> list[YamlFile]:
    """The settings of a spec: each combination of the entries of its matrix, laid over the rest of the spec.

    Each has a name of its own: that of the spec, with the labels of its entries, or what sets them apart in short.
    Without a matrix it is the spec itself.

    Args:
        file: the spec, with all that it extends.
        changes: what was set from elsewhere, and is in it already.

    Raises:
        SpecError: everything that is wrong with the matrix, one line each; or it has more cells than
            `limits.max_cells`.
    """
    if MATRIX not in file.data:
        return [file]
    rest = YamlFile({key: value for key, value in file.data.items() if key != MATRIX}, file.values, file.keys)
    axes = _axes(file, rest)
    _require_free(axes, changes)
    _require_few(axes, file)
    name, place = file.data.get("name"), file.locate((MATRIX,), key=True)
    order = sorted(range(len(axes)), key=lambda index: axes[index].path.count("."))  # what is inside another wins
    settings: list[YamlFile] = []
    taken: set[str] = set()
    for chosen in product(*(range(len(axis.entries)) for axis in axes)):
        one = rest
        for index in order:
            axis = axes[index]
            one = lay(axis.entries[chosen[index]].file, one, split(axis.path), axis.place)
        if isinstance(name, str) and not misnamed(name):  # otherwise the reader says it, and once
            labels = [axis.labels[entry] for axis, entry in zip(axes, chosen, strict=True)]
            one.data["name"] = "-".join(filter(None, [name, *labels]))
            _require_name(one.data["name"], taken, place)
            taken.add(one.data["name"])
        settings.append(one)
    return settings


def setting_names(file: YamlFile) -> list[str]:
    """The names of the settings of a spec. Raises SpecError."""
    return [str(one.data.get("name", "")) for one in expanded(file)]


def _axes(file: YamlFile, rest: YamlFile) -> list[_Axis]:
    matrix, problems = file.data[MATRIX], list[Problem]()
    if not isinstance(matrix, dict) or not matrix:
        what = "Input should be a mapping of paths to lists, such as `training.learning_rate: [0.001, 0.01]`"
        raise SpecError(str(Problem(file.locate((MATRIX,)), (MATRIX,), what)))
    axes = []
    for path, values in matrix.items():
        keys = (MATRIX, path)
        place = file.locate(keys, key=True)
        if wrong := _misplaced(path):
            problems.append(Problem(place, (MATRIX,), wrong))
        elif not isinstance(values, list) or not values:
            what = f"Input should be a list of one value or more (got {values!r:.60})"
            problems.append(Problem(file.locate(keys), keys, what))
        else:
            entries = [_entry(file, (*keys, index)) for index in range(len(values))]
            problems += [
                Problem(file.locate((*keys, index, "label")), (*keys, index, "label"), what)
                for index, entry in enumerate(entries)
                if entry.label and (what := misnamed(entry.label))
            ]
            labels = _labels(path, entries, rest)
            problems += [
                Problem(file.locate((*keys, index)), keys, what) for index, what in _same(path, entries, labels)
            ]
            axes.append(_Axis(path, place, entries, labels))
    if problems:
        raise combine(problems)
    return axes


def _misplaced(path: str) -> str:
    """Why this path may not vary; empty if it may."""
    section, *below = path.split(".")
    if section in SECTIONS and all(below):
        return ""
    made_of = f"a setting is made of {', '.join(SECTIONS[:-1])} and {SECTIONS[-1]}"
    if section == "samplers":
        return f"{path!r} cannot vary: {made_of}, and samplers are compared within it; list them in `samplers`"
    if section in RawSpec.model_fields and section not in SECTIONS:
        return f"{path!r} cannot vary: {made_of}; all else is the same for all settings"
    return f"unknown path {path[:60]!r}{did_you_mean(path, [*SECTIONS, *_paths()]) or f'; {made_of}'}"


def _paths() -> Iterator[str]:
    """Dotted paths of the sections whose keys are known."""
    yield from (f"training.{key}" for key in TrainingSettings.model_fields)
    yield from (f"active_learning.{key}" for key in ActiveLearningSettings.model_fields)


def _entry(file: YamlFile, keys: Keys) -> _Entry:
    """An entry, which may be `{label: ..., value: ...}` or a mapping with a label among its keys."""
    value = file.data
    for key in keys:
        value = value[key]
    label = value.get("label") if isinstance(value, dict) else None
    if isinstance(value, dict) and "label" in value:
        if value.keys() == {"label", "value"}:
            keys, value = (*keys, "value"), value["value"]
        else:
            value = {key: inner for key, inner in value.items() if key != "label"}
    start = len(keys)
    values = {inner[start:]: place for inner, place in file.values.items() if inner[:start] == keys}
    names = {inner[start:]: place for inner, place in file.keys.items() if inner[:start] == keys and inner != keys}
    return _Entry(YamlFile(value, values or {(): file.locate(keys)}, names), "" if label is None else str(label))


def _labels(path: str, entries: Sequence[_Entry], rest: YamlFile) -> list[str]:
    """What each entry adds to the name: its label, or the fewest of its values that set it apart from the others.

    An entry that is alone adds its label, if it has one.
    """
    if len(entries) == 1:
        return [entries[0].label]
    before: Any = rest.data
    for part in path.split("."):
        before = before.get(part) if isinstance(before, dict) else None
    said = [_said(path, entry) for entry in entries]
    base = dict(_leaves(choice(before) if (path,) in PLUGINS else before))
    known = list(dict.fromkeys(keys for one in said for keys in one))
    rows = [{keys: one.get(keys, base.get(keys, "default")) for keys in known} for one in said]

    def differ(*keys: tuple[str, ...]) -> int:
        return len({tuple(repr(row[key]) for key in keys) for row in rows})

    varying = [keys for keys in known if differ(keys) > 1][:MOST_VALUES] or known[:1]
    sets = (keys for size in range(1, 4) for keys in combinations(varying, size))
    telling = next((keys for keys in sets if differ(*keys) == len(rows)), varying)
    names = {keys: "" if keys == ("name",) else (keys or (path.rpartition(".")[2],))[-1] for keys in telling}
    short = ["-".join(_short(names[keys], row[keys]) for keys in telling) for row in rows]
    return [entry.label or text for entry, text in zip(entries, short, strict=True)]


def _said(path: str, entry: _Entry) -> dict[tuple[str, ...], Any]:
    """Each value of an entry, by its path below that of the axis."""
    return dict(_leaves(choice(entry.file.data) if (path,) in PLUGINS else entry.file.data))


def _leaves(value: Any, keys: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*keys, key))
    else:
        yield keys, value


def _short(name: str, value: Any) -> str:
    """`budget50`, `valid-none`; a name alone as it is."""
    text = "-".join(map(str, value)) if isinstance(value, list) else str(value)
    if value is None or isinstance(value, bool):
        text = "null" if value is None else text.lower()
    text = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("._-")
    return f"{name}{'' if text[:1].isdigit() or not name else '-'}{text}"


def _same(path: str, entries: Sequence[_Entry], labels: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Index of an entry that differs in nothing from an earlier one, or not in its name, and what to do."""
    first: dict[str, int] = {}
    for index, label in enumerate(labels):
        if (before := first.setdefault(label, index)) == index:
            continue
        if repr(_said(path, entries[before])) == repr(_said(path, entries[index])):
            yield (
                index,
                f"the settings of entries {before} and {index} are equal, both {label!r}; keep one of the two",
            )
        else:
            yield index, f"entries {before} and {index} are both called {label!r}; give them a `label` each"


def _require_name(name: str, taken: set[str], place: Place) -> None:
    if misnamed(name):
        raise SpecError(
            f"{place}: matrix: a setting would be called {name!r}, with {len(name)} characters of at most 64; "
            "give entries a shorter `label`"
        )
    if name in taken:
        raise SpecError(
            f"{place}: matrix: two settings would be called {name!r}; give their entries a `label` each"
        )


def _require_free(axes: Sequence[_Axis], changes: Iterable[Change]) -> None:
    """Raise SpecError if an assignment replaces what the matrix varies: all settings would be equal."""
    for change in changes:
        for axis in axes:
            if f"{axis.path}.".startswith(f"{change.path}."):
                raise SpecError(
                    f"{change.place}: the matrix varies {axis.path}; choose its values by matrix.{axis.path}=[...]"
                )


def _require_few(axes: Sequence[_Axis], file: YamlFile) -> None:
    """Raise SpecError if there are more cells than may be; before anything is expanded."""
    limits = file.data.get("limits")
    asked = limits.get("max_cells") if isinstance(limits, dict) else None
    most = min(asked, MOST_SETTINGS) if type(asked) is int else LimitsSettings().max_cells
    counts = {axis.path: len(axis.entries) for axis in axes}
    counts["samplers"] = _count(file.data.get("samplers"))
    counts["seeds"] = _count(file.data.get("seeds", RawSpec.model_fields["seeds"].default))
    if (cells := prod(counts.values())) > most:
        shown = " x ".join(f"{count:,} {what}" for what, count in counts.items())
        raise SpecError(
            f"{file.locate((MATRIX,), key=True)}: matrix: {cells:,} cells ({shown}); at most {most:,} can run: "
            "vary less, or raise limits.max_cells"
        )


def _count(asked: Any) -> int:
    """How many samplers or seeds these are; 1 if it is neither."""
    if isinstance(asked, dict):
        asked = asked.get("at_most", SeedSettings.model_fields["at_most"].default)
    return len(asked) if isinstance(asked, list) else asked if type(asked) is int and asked > 0 else 1
