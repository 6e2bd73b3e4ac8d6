"""Try pages as a new user does: the wheels of dist/ in a new environment, and an empty folder for each page.

    python tools/tryout.py               install alharness[all] from dist/, and try PAGES
    python tools/tryout.py PAGE...       only these
    python tools/tryout.py --here PAGE   with what this Python has, which takes no time: to write a page

The blocks of a page are done from top to bottom. One whose first line is `# path` is a file to save. `bash` is for
a shell that ends at the first command which fails, `python` are the cells of one notebook. Blocks of other
languages are for reading only, and so is the one after `<!-- not tried -->`.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from versions import ROOT

PAGES = (
    "docs/how-to/install.md",
    "docs/tutorial/first-run.md",
    "docs/tutorial/one-file-sampler.md",
    "docs/tutorial/write-a-sampler.md",
    "docs/how-to/write-a-model.md",
    "docs/how-to/write-a-data-set.md",
    "docs/how-to/write-a-tracker.md",
    "docs/how-to/write-an-executor.md",
    "docs/how-to/label-your-own-data.md",
    "docs/how-to/label-with-a-tool.md",
    "docs/how-to/use-your-own-embeddings.md",
    "docs/reference/skactiveml.md",
)
"""What a new user does first, with the data and the plugins of others, and with own ones."""
FENCE = re.compile(r"^( *)(`{3,})([^`\n]*)\n(.*?)^\1\2 *$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (\S+\.\w+)\n")
NOT_TRIED = "<!-- not tried -->"


@dataclass(frozen=True)
class Block:
    """A fenced block: its place, its language, its text, and whether a try leaves it out."""

    page: Path
    line: int
    language: str
    text: str
    tried: bool

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT) if self.page.is_relative_to(ROOT) else self.page}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page, from top to bottom."""
    text = page.read_text(encoding="utf-8")
    for match in FENCE.finditer(text):
        content = "".join(line.removeprefix(match[1]) for line in match[4].splitlines(keepends=True))
        before = text[: match.start()].rstrip()
        yield Block(
            page, text.count("\n", 0, match.start()) + 1, match[3].strip(), content, not before.endswith(NOT_TRIED)
        )


class Failed(Exception):
    """A block did not work."""


def attempt(page: Path) -> None:
    """Do the blocks of a page in the current folder. Raises Failed: one of them does not work."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(page):
        if not block.tried:
            continue
        began = time.perf_counter()
        if found := FILE.match(block.text):
            path = Path(found[1])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.language == "bash":
            ended = subprocess.run(["bash", "-euo", "pipefail", "-c", block.text], check=False)
            if ended.returncode:
                raise Failed(f"{block}: exit code {ended.returncode}")
        elif block.language == "python":
            try:
                exec(compile(block.text, str(block), "exec"), names)  # noqa: S102  the page's own
            except Exception as error:
                raise Failed(f"{block}: {type(error).__name__}: {error}") from error
        else:
            continue
        print(f"-- {block}: {time.perf_counter() - began:.1f} s", flush=True)


def install(environment: Path) -> Path:
    """Make an environment with what `pip install alharness[all]` gives, from dist/. Returns its Python."""
    wheels = ROOT / "dist"
    if not list(wheels.glob("alharness-*.whl")):
        sys.exit("dist/ has no wheels; make them with: make dist")
    python = environment / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-qq", "--disable-pip-version-check"]
    held = ["-c", str(ROOT / "requirements" / "constraints.txt"), "--find-links", str(wheels)]
    subprocess.run([*pip, *held, "pip", "alharness[all]"], check=True)
    return python


def outside(python: Path) -> dict[str, str]:
    """Variables by which a shell finds the commands of this Python, and which name nothing of this repository."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "ALHARNESS"))}
    return kept | {"PATH": f"{python.parent}{os.pathsep}{kept.get('PATH', os.defpath)}"}


def main() -> None:
    """Read the command line, and try the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", type=Path, default=[ROOT / page for page in PAGES])
    parser.add_argument("--here", action="store_true", help="with what this Python has")
    chosen = parser.parse_args()
    pages = [page.resolve() for page in chosen.pages]
    with tempfile.TemporaryDirectory(prefix="alharness-tryout-") as folder:
        os.chdir(folder)
        if chosen.here and len(pages) == 1:
            sys.path[0] = ""  # as in a notebook, and not the folder of this file
            os.environ.update(outside(Path(sys.executable)))
            try:
                attempt(pages[0])
            except Failed as error:
                sys.exit(str(error))
            return
        python = Path(sys.executable) if chosen.here else install(Path(folder, "environment"))
        failed = []
        for page in pages:
            print(f"== {page}", flush=True)
            command = [python, Path(__file__).resolve(), "--here", page]
            if subprocess.run(command, env=outside(python), check=False).returncode:
                failed.append(page)
    if failed:
        sys.exit(f"failed: {', '.join(map(str, failed))}")
    print(f"{len(pages)} pages work")


if __name__ == "__main__":
    main()
