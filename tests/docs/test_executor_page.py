"""The executor of the how-to page keeps every promise, and gives the journals that processes give."""

import importlib
import re
import sys
from pathlib import Path

import pytest

import alharness
from alharness.testing import ExecutorConformance

PAGE = Path(__file__).parents[2] / "docs/how-to/write-an-executor.md"


@pytest.fixture(autouse=True, scope="module")
def my_pipes(tmp_path_factory):
    """The page's module, which its workers find, too."""
    folder = tmp_path_factory.mktemp("pipes")
    (text,) = re.findall(r"```python\n(# my_pipes\.py\n.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (folder / "my_pipes.py").write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setenv("PYTHONPATH", str(folder))
        yield importlib.import_module("my_pipes")
    del sys.modules["my_pipes"]


class TestPipes(ExecutorConformance):
    params = {"python": sys.executable}

    @pytest.fixture(autouse=True)
    def _plugin(self, my_pipes):
        (self.plugin,) = my_pipes.alharness_executors()


def test_a_run_has_the_journals_of_processes(my_pipes, tmp_path):
    spec = {
        "name": "pipes",
        "dataset": "digits",
        "training": {"epochs": 1},
        "active_learning": {"initial_pool": 20, "budget": 20, "cycles": 2},
        "samplers": ["random"],
        "seeds": 1,
    }
    about = {"executor": "my_pipes", "executor_params": {"python": sys.executable}}
    options = {"tracking": False, "progress": False}
    alharness.run(spec, workdir=tmp_path / "one", **options)
    alharness.run(spec, workdir=tmp_path / "two", include=my_pipes.__file__, **about, **options)
    one, two = (kept(*(tmp_path / name).glob("*/cells/*/journal.jsonl")) for name in ("one", "two"))
    assert len(one) == 4  # a header, and three cycles
    assert one == two


def kept(path):
    """What is the same whenever a cell runs again: all but what was measured."""
    return [re.sub(r'"measured": \{.*?\}\}', "", line) for line in path.read_text(encoding="utf-8").splitlines()]
