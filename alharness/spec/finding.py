"""Finding the spec that a user names."""

from __future__ import annotations

from os.path import normpath
from pathlib import Path

from alharness.errors import SpecError

FOLDER = Path("specs")
ENDINGS = (".yaml", ".yml")


def find_spec(named: Path) -> Path:
    """The file of this name; without an ending, also NAME.yaml; and a bare name also in the folder `specs`.

    A bare name that is not found there is looked up among the specs that alharness ships.

    Raises:
        SpecError: there is none; says what is near.
    """
    bare = named == Path(named.name)
    folders = [Path(), FOLDER, shipped()] if bare else [Path()]
    endings = [""] if named.suffix in ENDINGS else ["", *ENDINGS]
    places = [folder / f"{named}{ending}" for folder in folders for ending in endings]
    for place in places:
        if _there(place) and not place.is_dir():
            return place
    if _there(named):
        return named  # a folder: the reader of specs says so
    other = "" if named.suffix in ENDINGS else f", nor {named}.yaml"
    where = f", here, in the folder {FOLDER} or in alharness" if bare else ""
    raise SpecError(f"{named}: there is no such file{other}{where}{_near(named)}")


def find_base(named: str, folder: Path) -> Path | None:
    """The file that a spec in this folder names with `extends`, or the spec of this name that alharness ships."""
    endings = [""] if Path(named).suffix in ENDINGS else [*ENDINGS, ""]
    places = [Path(normpath(start / f"{named}{ending}")) for start in (folder, shipped()) for ending in endings]
    return next((place for place in places if _there(place) and not place.is_dir()), None)


def near_base(named: str, folder: Path) -> str:
    """`; did you mean 'base.yaml'?` if such a file is near, else the empty string."""
    from difflib import get_close_matches

    above = Path(named).parent
    known = {path.stem: path.stem for path in _specs(shipped())}
    known |= {path.stem: str(above / path.name) for path in _specs(folder / above)}
    near = get_close_matches(Path(named).stem[:100], known, n=1)
    return f"; did you mean {known[near[0]]!r}?" if near else ""


def shipped(name: Path = FOLDER) -> Path:
    """A file or folder that alharness ships, as its specs: in the package, or in the source tree around it."""
    package = Path(__file__).parents[1]
    inside = package / name
    return inside if inside.exists() else package.parent / name


def folder_of(path: Path) -> Path:
    """Where relative paths of a spec start: at its folder. One in the package counts as if it were in ./specs."""
    folder, package = path.absolute().parent, Path(__file__).parents[1]
    inside = folder.is_relative_to(package / FOLDER)
    return Path.cwd() / folder.relative_to(package) if inside else folder


def _there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # no path at all: too long, or with a zero in it
        return False


def _near(named: Path) -> str:
    from difflib import get_close_matches

    known = {path.stem: Path(path.stem) for path in _specs(shipped())}
    known |= {path.stem: path for folder in (FOLDER, named.parent) for path in _specs(folder)}
    near = get_close_matches(named.stem[:100], known, n=1)
    return f"; did you mean {str(known[near[0]])!r}?" if near else ""


def _specs(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.suffix in ENDINGS]
    except (OSError, ValueError):
        return []
