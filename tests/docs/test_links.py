"""Links between the project's Markdown files lead somewhere: the file is there, and so is the heading."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for pattern in (
        "*.md",
        "docs/**/*.md",
        "docs/llms.txt",
        ".agents/**/*.md",
        "plugins/**/*.md",
        "changelog.d/*.md",
    )
    for path in ROOT.glob(pattern)
    if "_build" not in path.parts
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
PATH = re.compile(r"(?<![\w/.])docs/[\w/.-]+\.(?:md|ipynb|png)")
FENCE = re.compile(r"^(`{3,})(?!\{).*?^\1`*$", re.MULTILINE | re.DOTALL)


def prose(page):
    """Its text without code blocks, and without code spans; directives stay."""
    return re.sub(r"`[^`\n]+`", "", FENCE.sub("", page.read_text(encoding="utf-8")))


def anchors(page):
    """The names that GitHub and MyST give its headings, and those that it gives itself."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    named = re.findall(r"^\((.+)\)=$", text, flags=re.MULTILINE)
    made = {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
    return made | set(named)


def broken(page):
    """Its links within the project that lead nowhere. A changelog fragment becomes a part of CHANGELOG.md."""
    folder = ROOT if page.parent.name == "changelog.d" else page.parent
    for link in LINK.findall(prose(page)):
        if re.match(r"https?://|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (folder / path) if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_its_links_lead_somewhere(page):
    assert list(broken(page)) == []


def test_a_broken_link_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A heading\n[a](#a-heading) [b](#none) [c](page.md) [d](none.md) `[e](none.md)`\n")
    assert list(broken(page)) == ["#none", "none.md"]


def test_paths_into_the_documentation_exist():
    """Messages, comments and specs name pages by their paths."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    missing = [
        f"{name}: {path}"
        for name in listed.stdout.splitlines()
        if name.endswith((".py", ".yaml", ".toml", ".md", "Makefile")) and (ROOT / name).is_file()
        for path in PATH.findall((ROOT / name).read_text(encoding="utf-8"))
        if not (ROOT / path).exists()
    ]
    assert missing == []


def test_a_broken_link_fails_the_build_of_the_documentation(tmp_path):
    pytest.importorskip("sphinx")
    (tmp_path / "conf.py").write_text((ROOT / "docs" / "conf.py").read_text())
    (tmp_path / "index.md").write_text("# A page\n\n[a](none.md) [b](#none)\n")
    (tmp_path / "llms.txt").write_text("# All pages\n")
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "--keep-going", tmp_path, tmp_path / "html"]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode != 0
    assert built.stderr.count("myst.xref_missing") == 2
    assert (tmp_path / "html" / "index.md").exists()  # what llms.txt links to
    assert (tmp_path / "html" / "llms.txt").exists()
