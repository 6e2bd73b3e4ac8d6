"""Files of a new plugin: a distribution that installs, is listed, passes its kit, and runs."""

from __future__ import annotations

import keyword
import re
import sys
from datetime import datetime
from importlib.machinery import PathFinder
from importlib.resources import files
from shutil import rmtree
from typing import TYPE_CHECKING

from alharness.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable
    from pathlib import Path

EXAMPLES = {
    "sampler": "my_margin",
    "model": "my_network",
    "dataset": "my_clips",
    "tracker": "my_lines",
    "executor": "my_pipes",
}
"""Kind -> what its files call the plugin. A new one has its own name in place of this one."""
EVERY = "my_plugin"
"""The same in the files that are alike for every kind."""
RESERVED = {"build", "data", "dist", "example", "plugin", "src", "tests"}
"""Names that a distribution has for other things."""


def contents(kind: str, name: str) -> dict[str, str]:
    """Path -> content of each file of a new plugin.

    Args:
        kind: one of `EXAMPLES`.
        name: as Python writes it, such as `smallest_gap`.

    >>> from alharness.scaffold import contents
    >>> "smallest_gap/sampler.py" in contents("sampler", "smallest_gap")
    True
    """
    found = {}
    for folder, example in (("every", EVERY), (kind, EXAMPLES[kind])):
        for path, text in _texts(files(__name__) / "files" / folder):
            found[_named(path, example, name)] = _named(text, example, name)
    return dict(sorted(found.items()))


def write(kind: str, name: str, parent: Path) -> tuple[Path, list[str]]:
    """Write a new plugin into a folder of its own below `parent`; nothing that is there is changed.

    Args:
        kind: of the plugin.
        name: as a user writes it: `smallest_gap` or `smallest-gap`.
        parent: gets the folder.

    Returns:
        The folder, and the paths of its files in it.

    Raises:
        SpecError: a plugin cannot have this name, or the folder is there already, or cannot be written.
    """
    module = name.replace("-", "_")
    if problem := _unusable(kind, module):
        raise SpecError(f"{name!r} cannot be the name of a new {kind}: {problem}")
    folder = parent / module.replace("_", "-")
    if folder.exists():
        raise SpecError(
            f"{folder} is there already, and nothing was written; choose another name, or another --out"
        )
    made = contents(kind, module)
    try:
        for path, text in made.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
    except OSError as error:
        rmtree(folder, ignore_errors=True)
        raise SpecError(f"{folder} cannot be written: {error.strerror}; choose another --out") from None
    return folder, list(made)


def _unusable(kind: str, module: str) -> str:
    """Why no plugin may have this name; empty if one may."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", module) or len(module) > 60:
        return "it is a Python module, too, so use small letters from a to z, digits and single underscores"
    if keyword.iskeyword(module) or module in sys.stdlib_module_names or module in RESERVED:
        return "Python, or its own folder, has something of this name"
    if (found := PathFinder.find_spec(module)) is not None and found.origin:  # a folder has none
        return f"a module {module!r} is installed already"
    wanted, example = (_spelled(name)[2] for name in (module, EXAMPLES[kind]))
    others = "".join(text for _, text in _texts(files(__name__) / "files" / kind)).replace(example, "")
    if re.search(rf"\b{wanted}\b", others):
        return f"its class would be {wanted}, which is something else there"
    return ""


def _texts(folder: Traversable, above: str = "") -> Iterator[tuple[str, str]]:
    """Path and content of each file below a folder. All end in `.txt`, so that no tool takes them for its own."""
    for entry in folder.iterdir():
        path = above + entry.name.replace("dot_", ".").removesuffix(".txt")
        if entry.is_dir():
            yield from _texts(entry, f"{path}/")
        else:
            yield path, entry.read_text(encoding="utf-8").replace("YEAR", str(datetime.now().astimezone().year))


def _named(text: str, example: str, name: str) -> str:
    """The text with the name in place of the example's."""
    for old, new in zip(_spelled(example), _spelled(name), strict=True):
        text = text.replace(old, new)
    return text


def _spelled(name: str) -> tuple[str, str, str]:
    """As a module, as a distribution, and as a class."""
    return name, name.replace("_", "-"), "".join(word.capitalize() for word in name.split("_"))
