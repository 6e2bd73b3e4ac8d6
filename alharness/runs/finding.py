"""Run directories in a folder: what each is, read quickly, and the one that a name means."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from alharness.errors import RunError, SpecError
from alharness.text.words import SUFFIX, command_line, grouped

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from alharness.api.records import Outcome

WORKDIR = Path("runs")
ENDINGS = (".yaml", ".yml")


@dataclass(frozen=True, kw_only=True)
class FoundRun:
    """A run directory.

    Attributes:
        path: the directory.
        name: of the spec, and the suffix of synthetic data.
        setting: data set, model and labels, in words.
        complete: cells with every cycle.
        cells: all cells that the spec asks for, without those that were not needed.
        enough: that some seeds were enough, in words; empty if the spec asks for all of them.
        cycles: finished cycles of all cells.
        at: when its last cycle ended, seconds since the epoch.
        problem: why the rest is not known, if it cannot be read.
    """

    path: Path
    name: str
    setting: str = ""
    complete: int = 0
    cells: int = 0
    enough: str = ""
    cycles: int = 0
    at: float = 0.0
    problem: str = ""

    @property
    def date(self) -> str:
        """When its last cycle ended; before the first, when it was made."""
        return datetime.fromtimestamp(self.at).astimezone().strftime("%Y-%m-%d %H:%M") if self.at else ""

    @property
    def progress(self) -> str:
        """How far it is, in words."""
        more = f"; {self.enough}" if self.enough else ""
        return self.problem or f"{self.complete:,} of {self.cells:,} cells complete{more}"


def list_runs(workdir: Path = WORKDIR) -> list[FoundRun]:
    """The run directories in a folder, the last one first; none if the folder is not there."""
    return sorted(
        map(_look, _directories(workdir)), key=lambda found: (bool(found.problem), -found.at, found.name)
    )


def find_run(named: str | Path, workdir: Path = WORKDIR) -> Path:
    """The run directory that is meant by its path, or by the name or the file of a spec with one run.

    Args:
        named: the path, the name or the file.
        workdir: where run directories are kept.

    Raises:
        RunError: no run has this name, or several have; lists them.
    """
    if not isinstance(named, str | Path):
        raise RunError(f"expected a run directory, or the name or file of a spec, but it is {named!r:.60}")
    path = Path(named)
    if path.is_dir() or (path.name != str(path) and path.suffix not in ENDINGS):
        return path  # what reads it says what is wrong with it
    runs = list_runs(workdir)
    meant = _called(path.name, runs) if path.suffix not in ENDINGS else []
    meant = meant or _called(_spec_name(path), runs)
    if len(meant) == 1:
        return meant[0].path
    if meant:
        raise RunError(f"{named}: {len(meant)} runs in {workdir} have this name; write which:\n{_listed(meant)}")
    if runs:
        what = f"there is no such folder, and no run in {workdir} has this name; there are:\n{_listed(runs)}"
    else:
        how = command_line("run", named)
        what = f"there is no such folder, and there are no runs in {workdir}; make one with {how}"
    raise RunError(f"{named}: {what}")


def find_runs(named: str | Path, workdir: Path = WORKDIR, warn: Callable[[str], None] | None = None) -> list[Path]:
    """The run directories that are meant, as by `find_run`; of a spec with a matrix those of all its settings.

    Args:
        named: the path, the name or the file.
        workdir: where run directories are kept.
        warn: called with the settings that have no run yet.

    Raises:
        RunError: no run has this name, or a name has several; lists them.
    """
    names = _settings(named)
    if len(names) < 2 or Path(named).is_dir():
        return [find_run(named, workdir)]
    folders = grouped((_made_as(path), path) for path in _directories(workdir))
    if all(len(folders.get(name, ())) == 1 for name in names):
        return [folders[name][0] for name in names]  # no journal is read: a grid may have thousands
    runs = list_runs(workdir)
    found = {name: _called(name, runs) for name in names}
    for name, meant in found.items():
        if len(meant) > 1:
            raise RunError(
                f"{name}: {len(meant)} runs in {workdir} have this name; write which:\n{_listed(meant)}"
            )
    missing = [name for name, meant in found.items() if not meant]
    if len(missing) == len(names):
        how = command_line("run", named)
        raise RunError(f"{named}: none of its {len(names)} settings has a run in {workdir}; make them with {how}")
    if missing and warn:
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        warn(f"{named}: no run yet of {', '.join(missing[:5])}{more}")
    return [run.path for meant in found.values() for run in meant]


def pair_runs(old: str | Path, new: str | Path, workdir: Path = WORKDIR) -> list[tuple[Path, Path]]:
    """Two runs, as by `find_run`; of two folders of run directories, such as two workdirs, those of the same name.

    Args:
        old: the first run or folder.
        new: the second.
        workdir: where run directories are kept.

    Raises:
        RunError: a run is not there; or it has no partner of its name, or several.
    """
    before, after = list_runs(Path(old)), list_runs(Path(new))
    if not (before and after):
        return [(find_run(old, workdir), find_run(new, workdir))]
    pairs = []
    for run in before:
        meant = [other for other in after if other.name == run.name]
        if len(meant) != 1 or sum(other.name == run.name for other in before) > 1:
            count = f"{len(meant)} runs" if meant else "no run"
            raise RunError(
                f"{new}: has {count} of {run.name!r}, to compare with {run.path}; name two run directories"
            )
        pairs.append((run.path, meant[0].path))
    return sorted(pairs)


def report_folder(named: Sequence[str | Path], folders: Sequence[Path]) -> Path:
    """The folder of a report, unless it is said: that of its run; of a spec with a matrix, one in ./reports.

    Args:
        named: what was named.
        folders: the run directories that this means.
    """
    if len(folders) == 1:
        return folders[0] / "report"
    return Path("reports", _spec_name(Path(named[0]))) if len(named) == 1 else Path("report")


def _settings(named: str | Path) -> list[str]:
    """Names of the settings of a spec; none if it is no spec that can be read."""
    from alharness.spec import yamlfile
    from alharness.spec.bases import with_bases
    from alharness.spec.finding import find_spec
    from alharness.spec.matrix import setting_names
    from alharness.spec.sources import put_in

    with suppress(SpecError):
        path = find_spec(Path(named))
        return setting_names(put_in(with_bases(yamlfile.read(path), path), ()))  # with its short forms spelled out
    return []


def _directories(workdir: Path) -> list[Path]:
    from . import saved  # commands that look for no run start without it
    from .directory import JOBS

    try:
        return [
            path
            for path in workdir.iterdir()
            if (path / saved.NAME).exists() or (path / "cells").is_dir() or (path / JOBS).is_dir()
        ]
    except OSError:
        return []


def _made_as(path: Path) -> str:
    """The name of the spec that a run directory was made for."""
    return path.name.rpartition("-")[0].removesuffix(SUFFIX)


def _called(name: str, runs: Iterable[FoundRun]) -> list[FoundRun]:
    return [run for run in runs if name in (run.name, run.name.removesuffix(SUFFIX), run.path.name)]


def _listed(runs: Iterable[FoundRun], most: int = 10) -> str:
    lines = [f"  {run.path}: {run.progress}, {run.date}" for run in runs]
    more = [f"  and {len(lines) - most} more"] if len(lines) > most else []
    return "\n".join([*lines[:most], *more])


def _spec_name(path: Path) -> str:
    """What the spec in a file is called; for what is no file, its own name without an ending."""
    stem = path.stem if path.suffix in ENDINGS else path.name
    from alharness.spec import yamlfile
    from alharness.spec.bases import with_bases
    from alharness.spec.finding import find_spec

    with suppress(SpecError):
        found = find_spec(path)
        return str(with_bases(yamlfile.read(found), found).data.get("name", stem))
    return stem


def _look(folder: Path) -> FoundRun:
    from . import saved
    from .directory import JOBS

    try:
        plan, outcomes = saved.load(folder)
    except RunError:
        made = folder.name.rpartition("-")[0] or folder.name
        what = f"{saved.NAME} cannot be read" if (folder / saved.NAME).exists() else f"has no {saved.NAME}"
        if (folder / JOBS).is_dir() and not (folder / "cells").is_dir():
            what = "submitted; no job has begun"
        return FoundRun(path=folder, name=made, at=_written(folder), problem=what)
    labels = f"{plan.schedule.labeled[0]:,} → {plan.schedule.labeled[-1]:,} labels"
    return FoundRun(
        path=folder,
        name=plan.name,
        setting=", ".join([*(str(plan.params.get(key, "")) for key in ("dataset", "model")), labels]),
        complete=sum(outcome.status == "ok" for outcome in outcomes),
        cells=sum(outcome.status != "spared" for outcome in outcomes),
        enough=enough(outcomes),
        cycles=sum(len(outcome.cycles) for outcome in outcomes),
        at=max((outcome.cycles[-1].at / 1000 for outcome in outcomes if outcome.cycles), default=0.0)
        or _written(folder / saved.NAME),
    )


def enough(outcomes: Collection[Outcome]) -> str:
    """`12 of 50 seeds were enough`, if cells of all others were not needed; empty if there are no such seeds."""
    seeds = {outcome.cell.seed for outcome in outcomes}
    used = {outcome.cell.seed for outcome in outcomes if outcome.status != "spared"}
    return f"{len(used)} of {len(seeds)} seeds were enough" if len(used) < len(seeds) else ""


def _written(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0
