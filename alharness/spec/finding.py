"""Finding the spec that a user names."""

from __future__ import annotations

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


def shipped() -> Path:
    """The folder of the specs that alharness ships: in the package, or in the source tree next to it."""
    package = Path(__file__).parents[1]
    inside = package / FOLDER
    return inside if inside.is_dir() else package.with_name(FOLDER.name)


def folder_of(path: Path) -> Path:
    """Where relative paths of a spec start: at its folder. One in the package counts as if it were in ./specs."""
    folder = path.absolute().parent
    return Path.cwd() / FOLDER if folder == Path(__file__).parents[1] / FOLDER else folder


def _there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # no path at all: too long, or with a zero in it
        return False


def _near(named: Path) -> str:
    from difflib import get_close_matches

    known = {path.stem: path for folder in (shipped(), FOLDER, named.parent) for path in _specs(folder)}
    near = get_close_matches(named.stem[:100], known, n=1)
    return f"; did you mean {str(known[near[0]])!r}?" if near else ""


def _specs(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.suffix in ENDINGS]
    except (OSError, ValueError):
        return []
