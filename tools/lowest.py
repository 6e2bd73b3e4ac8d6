"""Write constraints that hold every dependency of alharness at the lowest versions that it allows.

`tox -e lowest` runs the tests with them. `click>=8.1` becomes `click==8.1.*`: not every number was released.
"""

import re
import sys
import tomllib
from pathlib import Path

from versions import ROOT, manifests

LOWEST = re.compile(r"([\w.-]+)(?:\[[\w,-]+\])?\s*>=\s*([\d.]+)")


def numbers(version: str) -> list[int]:
    """Its parts, to compare it by."""
    return [int(part) for part in version.split(".")]


def main() -> None:
    """Read all distributions. Their ranges of each other are left out: these come from the checkout."""
    found: dict[str, str] = {}
    for path in manifests(ROOT):
        project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
        for requirement in project["dependencies"]:
            match = LOWEST.match(requirement)
            if match and not match[1].startswith("alharness"):
                found[match[1]] = max(match[2], found.get(match[1], "0"), key=numbers)
    lines = [f"{name}=={version}.*\n" for name, version in sorted(found.items())]
    Path(sys.argv[1]).write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
