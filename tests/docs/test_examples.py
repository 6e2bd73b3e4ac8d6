"""The examples in public docstrings run, and no public class or kernel is without one."""

import doctest
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import alharness
import alharness.api
import alharness.kernels
import alharness.testing
from alharness.errors import HarnessError

DOCS = Path(__file__).parents[2] / "docs"
MODULES = [
    "alharness.errors",
    "alharness.kernels.posterior",
    *(f"alharness.api.{module.name}" for module in pkgutil.iter_modules(alharness.api.__path__)),
    *(f"alharness.kernels.{module.name}" for module in pkgutil.iter_modules(alharness.kernels.__path__)),
    *(f"alharness.testing.{module.name}" for module in pkgutil.iter_modules(alharness.testing.__path__)),
]
EXAMPLES = [
    example
    for name in dict.fromkeys(MODULES)
    for example in doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(name))
    if example.examples
]


def offered():
    """Everything that is offered by name: by alharness, its kernels and its kit, and the classes of api."""
    for package in (alharness, alharness.kernels, alharness.testing):
        for name in package.__all__:
            yield f"{package.__name__}.{name}", getattr(package, name)
    for name in MODULES:
        if name.startswith("alharness.api."):
            for found, value in vars(importlib.import_module(name)).items():
                if inspect.isclass(value) and value.__module__ == name and found[0] != "_" and found != "Ended":
                    yield f"{name}.{found}", value


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_runs(example):
    said = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example, out=said.append)
    assert not said, "".join(said)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(value, id=name)
        for name, value in offered()
        if (inspect.isclass(value) or inspect.isfunction(value))
        and not (inspect.isclass(value) and issubclass(value, HarnessError) and value is not HarnessError)
    ],
)
def test_what_is_public_has_an_example(value):
    assert ">>> " in (inspect.getdoc(value) or "")


def test_the_reference_has_every_public_module():
    """Those of alharness.api, and what the kernels, the kit and the errors offer."""
    pages = "".join(page.read_text(encoding="utf-8") for page in (DOCS / "reference").rglob("*.md"))
    documented = set(re.findall(r"^\.\. automodule:: (\S+)$", pages, flags=re.MULTILINE))
    expected = {name for name in MODULES if name.startswith("alharness.api.")}
    assert documented >= expected | {
        "alharness.errors",
        "alharness.kernels",
        "alharness.kernels.optimizers",
        "alharness.kernels.posterior",
        "alharness.testing",
    }


@pytest.mark.parametrize("name", alharness.__all__)
def test_the_reference_has_what_alharness_offers(name):
    pages = "".join(page.read_text(encoding="utf-8") for page in (DOCS / "reference").rglob("*.md"))
    homes = [home for home, offered in alharness._HOMES.items() if name in offered]
    wanted = [f"alharness.{name}", *(f"alharness.{home}" for home in homes)]
    assert name == "__version__" or any(
        re.search(rf"^\.\. auto\w+:: {re.escape(place)}$", pages, flags=re.MULTILINE) for place in wanted
    )
