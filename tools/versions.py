"""Give all distributions the version of the root's pyproject.toml, or another one to the root and them.

    python tools/versions.py          write the root's version wherever a version of alharness is written
    python tools/versions.py 0.2.0    the same, with a new version

Run it after adding a distribution under `plugins/`. `tools/release.py` runs it for a release.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
OWN = re.compile(r'^version = ".*"$', re.MULTILINE)
RANGE = re.compile(r"\b(alharness(?:-\w+)*)>=[\d.]+,<[\d.]+")
CITED = re.compile(r"^version: .*$", re.MULTILINE)


def of(root: Path) -> str:
    """The one version, which the root's pyproject.toml states."""
    version: str = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    return version


def manifests(root: Path) -> list[Path]:
    """The pyproject.toml of every distribution, the root's first."""
    found = {path for pattern in ("*", "*/*") for path in root.glob(f"plugins/{pattern}/pyproject.toml")}
    return [root / "pyproject.toml", *sorted(found)]


def compatible(version: str) -> str:
    """The range in which distributions fit each other: one minor version, for that is what may break something."""
    major, minor, *_ = (int(part) for part in re.findall(r"\d+", version))
    return f">={major}.{minor},<{major}.{minor + 1}"


def stale(root: Path, version: str) -> dict[Path, str]:
    """The files that state another version of alharness -> what belongs in them."""

    def ranges(text: str) -> str:
        return RANGE.sub(lambda found: found[1] + compatible(version), text)

    wanted = {}
    for path in [*manifests(root), root / "CITATION.cff", *sorted(root.glob("docs/**/*.md"))]:
        text = path.read_text(encoding="utf-8")
        new = ranges(text)
        if path.suffix == ".toml":
            new = OWN.sub(f'version = "{version}"', new, count=1)
        elif path.suffix == ".cff":
            new = CITED.sub(f"version: {version}", new)
        if new != text:
            wanted[path] = new
    return wanted


def write(root: Path, version: str) -> list[Path]:
    """Write the version into every file that states another, and return these files."""
    wanted = stale(root, version)
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")
    return list(wanted)


if __name__ == "__main__":
    for changed in write(ROOT, sys.argv[1] if len(sys.argv) > 1 else of(ROOT)):
        print(changed.relative_to(ROOT))
