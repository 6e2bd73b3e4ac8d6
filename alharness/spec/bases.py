"""`extends`: what a spec shares with others, in a file of its own, with the places of both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alharness.errors import SpecError

from . import yamlfile
from .finding import find_base, folder_of, near_base
from .merging import lay
from .yamlfile import YamlFile

if TYPE_CHECKING:
    from .yamlfile import Place


def with_bases(file: YamlFile, path: Path | None = None) -> YamlFile:
    """The file over the one that it extends, over the one that this extends, and so on.

    Relative paths in the parameters of plugins start at the folder of the file that they are in.

    Args:
        file: the spec.
        path: its file; None if it is a mapping, whose base is looked for from the current folder.

    Raises:
        SpecError: a base is missing, has a matrix, cannot be read, or extends what extends it.
    """
    if "extends" not in file.data:
        return file
    chain = [(file, path)]
    while "extends" in chain[-1][0].data:
        base = _next(*chain[-1])
        _require_no_circle([there for _, there in chain if there], base, chain[-1][0].locate(("extends",)))
        chain.append((_read(base, path), base))
    found, _ = chain.pop()
    while chain:
        found = lay(chain.pop()[0], found)
    return YamlFile(
        {key: value for key, value in found.data.items() if key != "extends"}, found.values, found.keys
    )


def _next(file: YamlFile, path: Path | None) -> Path:
    named, place = file.data["extends"], file.locate(("extends",))
    if not (isinstance(named, str) and named.strip()):
        raise SpecError(f"{place}: extends: name one file, or a spec that alharness ships (got {named!r:.60})")
    folder = path.parent if path else Path()
    found = find_base(named, folder)
    if found is None:
        where = f"in {folder.absolute()}" if path else "here"
        raise SpecError(
            f"{place}: extends: there is no file {named!r:.200} {where}, and alharness ships no such spec"
            f"{near_base(named, folder)}"
        )
    return found


def _require_no_circle(before: list[Path], base: Path, place: Place) -> None:
    known = [path.resolve() for path in before]
    if base.resolve() in known:
        circle = [*before[known.index(base.resolve()) :], base]
        raise SpecError(
            f"{place}: extends: this leads in a circle: {' -> '.join(map(str, circle))}; end it somewhere"
        )


def _read(path: Path, spec: Path | None) -> YamlFile:
    file = yamlfile.read(path)
    if "matrix" in file.data:
        into = f"{spec}" if spec else "the spec that is run"
        raise SpecError(
            f"{file.locate(('matrix',), key=True)}: matrix: what others extend has no matrix, so that each spec "
            f"says itself what varies in it; move it to {into}"
        )
    folder = folder_of(path)
    values = {keys: place._replace(folder=folder) for keys, place in file.values.items()}
    keys = {keys: place._replace(folder=folder) for keys, place in file.keys.items()}
    return YamlFile(file.data, values, keys)
