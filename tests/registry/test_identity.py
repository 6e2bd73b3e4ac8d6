"""An object of a program is known by what it computes."""

import importlib
import subprocess
import sys

import numpy as np
import pytest
import torch

from alharness import Dataset, Params, SamplerPlugin, Task
from alharness.registry.identity import identify

BASE = """
from alharness import ScoringSampler
SCALE = 2
unrelated = 1

def helper(x):
    return x * SCALE

class Mine(ScoringSampler):
    sharp = {"b", "a", "c"}
    def __init__(self, alpha=1.0):
        self.alpha = alpha
    def score(self, query):
        return helper(query.unlabeled) if query.cycle in {"x", "y", "z"} else [f(1) for f in (helper,)]
"""


def of(code, expression="Mine"):
    names = {"__name__": "__main__"}
    exec(code, names)
    return identify(eval(expression, names))


@pytest.mark.parametrize(
    "expression", ["Mine", "Mine(2.0)", "helper", "Mine(2).score", "{1: [Mine, 2.5, 'x', None]}"]
)
def test_another_process_comes_to_the_same(expression):
    code = BASE + f"\nfrom alharness.registry.identity import identify\nprint(identify({expression}))"
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x * SCALE", "x + SCALE"),
        ("SCALE = 2", "SCALE = 3"),
        ("alpha=1.0", "alpha=2.0"),
        ('"c"}', '"d"}'),
        ('"z"}', '"w"}'),
        ("else [f(1)", "else [f(2)"),
        ("return helper(query", "return -helper(query"),
        ("(ScoringSampler)", "(ScoringSampler, dict)"),
    ],
)
def test_whatever_changes_what_is_computed_is_seen(old, new):
    assert old in BASE
    assert of(BASE) != of(BASE.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def helper", "\n\n# a comment\ndef helper"),
        ("unrelated = 1", "unrelated = 2"),
        ("unrelated = 1", "unlabeled = 'a name that an attribute has, too'"),
    ],
)
def test_what_changes_nothing_is_not_seen(old, new):
    assert of(BASE) == of(BASE.replace(old, new))


def test_a_cached_function_is_known_by_its_code():
    cached = BASE.replace("def helper", "import functools\n\n@functools.lru_cache\ndef helper")

    assert of(cached) == of(cached) != of(cached.replace("x * SCALE", "x + SCALE"))


def test_an_instance_is_known_by_what_it_holds():
    assert of(BASE, "Mine(2)") == of(BASE, "Mine(2)")
    assert of(BASE, "Mine(2)") != of(BASE, "Mine(3)")


@pytest.mark.parametrize("make", [np.arange, torch.arange, lambda n: {"x": [np.arange(n)]}])
def test_arrays_are_known_by_their_content(make):
    assert identify(make(5)) == identify(make(5)) != identify(make(6))


def test_what_holds_itself_can_be_written():
    loop = [1]
    loop.append(loop)
    assert identify(loop) == identify(loop) != identify([1])


def test_equal_parts_may_be_shared_or_not():
    part = (1.5, "x")
    assert identify([part, part]) == identify([part, (*part[:1], *part[1:])])


def test_a_data_set_is_known_by_its_arrays_and_facts(make_samples):
    def made(n=20, classes=("a", "b", "c")):
        return Dataset(task=Task.CLASSIFICATION, content=make_samples(n), classes=classes)

    assert identify(made()) == identify(made())
    assert len({identify(made()), identify(made(21)), identify(made(classes=("a", "b", "d")))}) == 3


def test_what_a_plugin_names_is_known_by_its_code(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)

    def plugin(power):
        sys.modules.pop("named_by_a_plugin", None)
        (tmp_path / "named_by_a_plugin.py").write_text(f"class Mine:\n    power = {power!r}\n")
        importlib.invalidate_caches()
        return SamplerPlugin(name="mine", params=Params, make="named_by_a_plugin:Mine")

    assert identify(plugin("a")) == identify(plugin("a")) != identify(plugin("longer"))
