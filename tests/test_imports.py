"""Imports run in no circle, neither those at the top of a file nor those inside functions."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = [ROOT / "alharness", *ROOT.glob("plugins/**/src/*")]


def modules(packages):
    """Dotted name -> file, of everything in these packages."""
    found = {}
    for package in packages:
        for path in package.rglob("*.py"):
            parts = path.relative_to(package.parent).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(name, path):
    """Dotted names that a module imports when it runs: not those that only types need."""
    tree = ast.parse(path.read_text())
    for_types = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and ast.unparse(branch.test) == "TYPE_CHECKING"
        for statement in branch.body
        for node in ast.walk(statement)
    }
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*start, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def require_no_circle(packages):
    known = modules(packages)
    graph = {}
    for name, path in known.items():
        needs = (full if full in known else full.rpartition(".")[0] for full in imported(name, path))
        graph[name] = {need for need in needs if need in known and need != name}
    TopologicalSorter(graph).prepare()


def test_no_imports_run_in_a_circle():
    require_no_circle(SOURCES)


@pytest.mark.parametrize(
    "line", ["from .a import one", "from . import a", "import made.a", "from made.a import one"]
)
def test_a_circle_through_a_function_is_found(tmp_path, line):
    package = tmp_path / "made"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "a.py").write_text("from .b import two\none = 1\n")
    (package / "b.py").write_text(f"two = 2\n\n\ndef late():\n    {line}\n")
    with pytest.raises(CycleError):
        require_no_circle([package])
