"""Make a release: versions, changelog, commit, tag, and files in dist/ whose tests pass. See RELEASING.md.

All of it happens in a clone. What it makes comes into this repository at the end, if every step succeeded, and not
at all with `--dry-run`. It publishes nothing.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import versions
from versions import ROOT


def git(where: Path, *arguments: str) -> str:
    """What git answers in this folder."""
    return subprocess.run(
        ["git", *arguments], cwd=where, check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()


def refuse(version: str) -> None:
    """End with the reason why this version cannot be released from here."""
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        sys.exit(f"{version} is not a version: write three numbers, such as 0.2.0")
    if (branch := git(ROOT, "branch", "--show-current")) != "main":
        sys.exit(f"releases are made from the branch main, and this is {branch or 'no branch'}")
    if changed := git(ROOT, "status", "--porcelain"):
        sys.exit(f"commit these first, a release is made of commits:\n{changed}")
    tags = git(ROOT, "tag", "--list", "v*").split()
    if f"v{version}" in tags:
        sys.exit(f"{version} was released before: the tag v{version} exists")
    newest = max([*tags, "v0.0.0"], key=numbers)
    if numbers(version) <= numbers(newest):
        sys.exit(f"{version} is not newer than {newest}, which was released before")


def numbers(version: str) -> list[int]:
    """Its parts, to compare it by."""
    return [int(part) for part in re.findall(r"\d+", version)]


def make(clone: Path, version: str) -> None:
    """Turn the clone into the release: a commit with its tag, and tested files in dist/."""
    versions.write(clone, version)
    subprocess.run(
        [sys.executable, "-m", "towncrier", "build", "--yes", f"--version={version}"], cwd=clone, check=True
    )
    for key in ("user.name", "user.email"):
        git(clone, "config", key, git(ROOT, "config", key))
    git(clone, "commit", "--quiet", "--all", f"--message=Release {version}")
    git(clone, "tag", f"v{version}", f"--message=alharness {version}")
    print(git(clone, "show", "--stat", "--format=%nCommit: %s%n", f"v{version}^{{commit}}"), flush=True)
    subprocess.run(["make", "wheels"], cwd=clone, check=True)


def main() -> None:
    """Read the command line and make the release."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version", help="such as 0.2.0")
    parser.add_argument("--dry-run", action="store_true", help="make all of it, and then throw it away")
    chosen = parser.parse_args()
    refuse(chosen.version)
    with tempfile.TemporaryDirectory(prefix="alharness-release-") as folder:
        clone = Path(folder) / "alharness"
        git(ROOT, "clone", "--quiet", str(ROOT), str(clone))
        try:
            make(clone, chosen.version)
        except subprocess.CalledProcessError as error:
            sys.exit(f"{' '.join(map(str, error.cmd))} failed: nothing here has changed")
        made = sorted(path.name for path in (clone / "dist").iterdir())
        print(*made, sep="\n")
        if chosen.dry_run:
            print("Dry run: nothing here has changed.")
            return
        git(ROOT, "pull", "--quiet", "--ff-only", "--tags", str(clone), "HEAD")
        shutil.rmtree(ROOT / "dist", ignore_errors=True)
        shutil.move(clone / "dist", ROOT / "dist")
    print(
        f"Released here as v{chosen.version}. To publish it, see RELEASING.md: git push --follow-tags, then dist/"
    )


if __name__ == "__main__":
    main()
