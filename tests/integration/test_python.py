"""`alharness.run` and `alharness.load`, as programs and notebooks call them."""

import asyncio
import doctest
import json
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from dataclasses import replace
from types import ModuleType

import pytest

import alharness
from alharness import HarnessWarning, PluginError, RunError, SpecError, interface

TINY = {
    "name": "tiny",
    "dataset": "digits",
    "training": {"epochs": 2, "batch_size": 10},
    "active_learning": {"initial_pool": 20, "budget": 10, "cycles": 2},
    "seeds": 1,
    "samplers": ["random"],
}
FIRST = """
from alharness import Sampler

class First(Sampler):
    "Takes the first."
    def __init__(self, start: int = 0):
        self.start = start
    def select(self, query):
        return range(self.start, self.start + query.size)
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "fewer than 3 seeds", HarnessWarning)
        yield tmp_path


@pytest.fixture
def main(monkeypatch):
    """Runs code as a notebook does: in a main module that is no file."""

    def run(code):
        module = ModuleType("__main__")
        monkeypatch.setitem(sys.modules, "__main__", module)
        exec(code, vars(module))
        return module

    return run


def run(spec=TINY, **options):
    return alharness.run(spec, **{"tracking": False, "progress": False, **options})


def journals(folder):
    """Name of a cell -> what was chosen."""
    return {
        path.parent.name.rpartition("-")[0]: [
            json.loads(line)["chosen"] for line in path.read_text().splitlines()[1:]
        ]
        for path in sorted(folder.glob("*/cells/*/journal.jsonl"))
    }


def written(folder):
    return {path.parent.name: path.stat().st_mtime_ns for path in folder.glob("runs/*/cells/*/journal.jsonl")}


def test_classes_of_the_program_are_compared_and_their_code_is_their_identity(here, main):
    results = run(
        samplers=main(FIRST).First, set={"samplers": ["random", {"name": "First", "params": {"start": 5}}]}
    )
    assert list(results.cells["sampler"]) == ["random", "First"]
    assert set(results.cells["status"]) == {"ok"}
    before = written(here)

    run(samplers=main(f"# another kernel\n{FIRST}").First, set={"samplers": ["random", "First"]})
    again = written(here)
    run(samplers=main(FIRST.replace("+ query.size)", "+ query.size, 1)")).First)
    edited = written(here)

    assert len(before) == 2
    assert before.items() < again.items() < edited.items()
    assert [len(again), len(edited)] == [3, 4]


def test_an_object_is_used_with_what_it_holds(here, main):
    run(samplers={"tenth": main(FIRST).First(start=10)}, only="tenth")

    chosen = next(iter(journals(here / "runs").values()))
    run(samplers={"zeroth": main(FIRST).First()}, only="zeroth")
    assert chosen[0] != journals(here / "runs")["zeroth-s0"][0]


def test_data_and_a_model_of_the_program(make_dataset, main):
    network = main(
        """
from alharness import MultimodalModel
from torch import nn

class Net(MultimodalModel):
    def __init__(self, shape, width: int = 4):
        super().__init__(shape)
        self.encoders = nn.ModuleDict({m: nn.Linear(d, width) for m, d in shape.features.items()})
        sources = [*shape.features, "fused"]
        self.heads = nn.ModuleDict({
            s: nn.Linear(width * (len(shape.features) if s == "fused" else 1), shape.outputs) for s in sources
        })
    def encode(self, batch):
        return {m: layer(batch.inputs[m]).relu() for m, layer in self.encoders.items()}
    def decode(self, z):
        import torch
        fused = torch.cat([z[m] for m in self.encoders], 1)
        return {s: head(fused if s == "fused" else z[s]) for s, head in self.heads.items()}
    def last_layer(self, source):
        return self.heads[source]
    def loss(self, batch):
        predicted = self(batch)
        return sum(nn.functional.cross_entropy(predicted[s], batch.labels[s]) for s in predicted)
"""
    )
    results = run(
        TINY | {"dataset": "mine", "model": {"name": "Net", "params": {"width": 8}}},
        datasets={"mine": make_dataset()},
        models=network.Net,
    )

    assert list(results.cells["status"]) == ["ok"]
    assert list(results.cycles["labeled"]) == [20, 30, 40]


def test_an_estimator_of_the_program_is_a_model():
    from sklearn.ensemble import RandomForestClassifier

    asked = TINY | {"model": "forest", "samplers": ["random", "margin", "bald"]}
    results = alharness.run(asked, models={"forest": RandomForestClassifier(5)})
    scores = results.cycles.pivot_table(index="labeled", columns="sampler", values="f1")
    assert list(scores) == ["margin", "random"]  # bald needs dropout
    # The first model is fitted for each of them, and is the same.
    assert scores["margin"][20] == scores["random"][20]


def test_data_of_the_program_may_have_metrics_of_the_program(make_dataset, main):
    """The function is of no module that another process could import."""
    program = main("""
from alharness import Metrics, Task

def compute(predictions, labels, classes):
    return {"misses": (predictions.argmax(axis=1) != labels).sum()}

MISSES = Metrics(
    name="misses", task=Task.CLASSIFICATION, compute=compute, primary="misses", lower_is_better={"misses"}
)
""")
    mine = replace(make_dataset(), metrics=program.MISSES)
    results = run(TINY | {"dataset": "mine"}, datasets={"mine": mine})

    assert list(results.cells["status"]) == ["ok"]
    assert (results.cycles["misses"] >= 0).all()


class Counting(alharness.Tracker):
    def __init__(self):
        self.seen = []

    @alharness.hookimpl
    def alharness_cycle_finished(self, cell, cycle):
        self.seen.append((cell.name, cycle.cycle))


def test_a_tracker_that_is_given_sees_the_run_also_without_those_of_the_spec():
    mine = Counting()
    results = run(trackers=mine)

    assert mine.seen == [("random-s0", cycle) for cycle in range(len(results.cycles))]


def test_a_tracker_that_is_given_joins_those_of_the_spec():
    def trackers(named):
        spec = alharness.Spec.load(TINY | {"tracking": named}, trackers={"mine": Counting})
        return [tracker.name for tracker in spec.trackers]

    assert trackers("none") == ["none", "mine"]
    assert trackers("mine") == ["mine"]


def test_a_file_that_is_included(here):
    (here / "first.py").write_text(FIRST)

    results = run(include="first.py")

    assert list(results.cells["sampler"]) == ["random", "First"]
    assert set(results.cells["status"]) == {"ok"}


def test_results_are_loaded_by_the_name_of_their_spec():
    made = run()

    assert alharness.load("tiny").cycles.equals(made.cycles)
    with pytest.raises(
        RunError, match=r"tina: there is no such folder, and no run in runs has this name; there are:\n"
    ):
        alharness.load("tina")


def test_a_cell_that_fails_is_a_warning_at_the_line_of_the_call(main):
    with pytest.warns(HarnessWarning, match="1 of 2 cells failed: First-s0; results.cells says why") as caught:
        results = run(samplers=main(FIRST.replace("return range", "return 1 / 0 or range")).First)

    assert caught[-1].filename == __file__
    assert "ZeroDivisionError" in results.cells["error"][1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"keep": True, "restart": True}, "keep and restart exclude each other"),
        ({"require_tracking": True}, "require_tracking=True and tracking=False exclude each other"),
        ({"jobs": 0}, "jobs: expected a whole number from 1 on, but it is 0"),
        ({"stack": 0}, "stack: expected a whole number from 1 on, or auto, but it is 0"),
        ({"set": ["training.epochs=x"]}, "^set=training.epochs=x: training.epochs: Input should be"),
        ({"set": "training"}, "^set=training: write it as key=value"),
        ({"only": "rondom"}, "^only rondom: .*did you mean 'random'"),
        ({"only": "zz"}, "zz.*there are random, random-s0"),
        ({"only": 3}, "^only: expected a text or a path, or several, but it is 3"),
        ({"set": 3}, "^set: expected a text"),
        ({"include": 3}, "^include: expected a text"),
        ({"workdir": 3}, "^workdir: expected a path, but it is 3"),
        ({"spec": None}, "spec: expected a path, a name, a mapping or a Spec, but it is None"),
        ({"spec": "no_such_spec"}, "no_such_spec: there is no such file"),
        ({"spec": TINY | {"seeds": 0}}, "^seeds: .* 1"),
    ],
)
def test_what_cannot_be_run_is_refused(options, message):
    with pytest.raises(SpecError, match=message):
        run(**options)


def test_plugins_that_are_missing_are_refused():
    with pytest.raises(PluginError, match=r"^dataset.name: no dataset named 'digit' is installed"):
        run(TINY | {"dataset": "digit"})


def test_messages_say_how_to_call_it_again(monkeypatch):
    def refuse(spec, plugins, options, warn, judge):
        raise RunError(options.again("keep"))

    monkeypatch.setattr("alharness.runs.run.run", refuse)
    with pytest.raises(RunError, match=r"^alharness.run\(..., keep=True\)$"):
        run()


def test_a_thread_and_a_running_event_loop_may_call_it(here):
    found = []
    thread = threading.Thread(target=lambda: found.append(run(workdir="thread")))
    thread.start()
    thread.join()

    async def in_loop():
        return run(workdir="loop")

    found.append(asyncio.run(in_loop()))
    assert [list(results.cells["status"]) for results in found] == [["ok"], ["ok"]]


SCRIPT = f"""
import alharness
print("the top level is run")

class Last(alharness.Sampler):
    def select(self, query):
        return range(len(query.unlabeled) - query.size, len(query.unlabeled))

results = alharness.run({TINY}, samplers=Last, tracking=False)
print(*results.cells["status"])
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", ["script", "stdin"])
def test_a_script_needs_no_guard_of_its_main_module(here, how):
    (here / "script.py").write_text(SCRIPT)
    arguments = {"script": ["script.py"], "stdin": ["-"]}[how]

    ended = subprocess.run(
        [sys.executable, *arguments],
        input=SCRIPT if how == "stdin" else None,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert ended.stdout == "the top level is run\nok ok\n", ended.stderr
    assert "[2/2] Last-s0" in ended.stderr


WAITS = """
import time
from pathlib import Path
from alharness import Sampler

class Waits(Sampler):
    "Waits in cycle 4, until it may continue."
    def select(self, query):
        while query.cycle == 4 and not Path("continue").exists():
            Path("waits").touch()
            time.sleep(0.02)
        return range(query.size)
"""
LONG = TINY | {
    "name": "long",
    "active_learning": {"initial_pool": 20, "budget": 10, "cycles": 6},
    "samplers": ["Waits"],
}
INTERRUPTED = f"""
import alharness, psutil
try:
    alharness.run({LONG}, include="waits.py", tracking=False, progress=False)
except KeyboardInterrupt as error:
    print(error)
    print([child for server in psutil.Process().children() for child in server.children()])
"""


@pytest.fixture
def interruptible():
    """What a test run in the background starts would ignore SIGINT, as the test run does."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def wait_for(path, program):
    """Until there is this file, which a process of the program leaves before it waits itself."""
    until = time.monotonic() + 100
    while not path.exists():
        assert program.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.slow
def test_an_interruption_leaves_whole_journals_and_no_worker_and_the_same_call_continues(here, interruptible):
    (here / "waits.py").write_text(WAITS)
    program = subprocess.Popen([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True)
    wait_for(here / "waits", program)
    program.send_signal(signal.SIGINT)
    printed, _ = program.communicate(timeout=60)

    text, workers = printed.splitlines()
    assert text == "the run was interrupted; nothing that was finished is lost, and the same call continues it"
    assert workers == "[]"
    assert [len(cycles) for cycles in journals(here / "runs").values()] == [4]

    (here / "continue").touch()
    results = run(LONG, include="waits.py")
    run(LONG, include="waits.py", workdir="whole")

    assert list(results.cells["cycles"]) == [7]
    assert journals(here / "runs") == journals(here / "whole")


TWICE = f"""
import alharness
for _ in range(2):
    try:
        results = alharness.run({TINY}, tracking=False, progress=False)
    except KeyboardInterrupt:
        print("interrupted")
print(*results.cells["status"])
"""
WHILE_IT_IMPORTS = """
import pathlib, sys, time

class Waits:
    "The first process that imports torch, which is the server that others are forked from, waits there."
    def find_spec(self, name, path, target=None):
        try:
            while name == "torch" and not pathlib.Path("continue").exists():
                pathlib.Path("waits").touch()
                time.sleep(0.02)
        except KeyboardInterrupt:  # a long import notices it late, when the next call has begun
            time.sleep(3)
            raise

sys.meta_path.insert(0, Waits())
"""


@pytest.mark.slow
def test_an_interruption_at_the_start_leaves_the_next_call_whole(here, interruptible):
    (here / "site").mkdir()
    (here / "site" / "sitecustomize.py").write_text(WHILE_IT_IMPORTS)
    program = subprocess.Popen(
        [sys.executable, "-c", TWICE],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"PYTHONPATH": str(here / "site")},
    )
    wait_for(here / "waits", program)
    os.killpg(program.pid, signal.SIGINT)  # as a terminal and Jupyter send it: to every process
    (here / "continue").touch()

    assert program.communicate(timeout=120)[0] == "interrupted\nok\n"


@pytest.mark.slow
def test_the_examples_of_run_and_load():
    import matplotlib as mpl

    said = []
    with mpl.rc_context({"backend": "Agg"}):
        for function in (alharness.run, alharness.load):
            (example,) = doctest.DocTestFinder().find(function, globs={"__name__": "__main__"})
            doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example, out=said.append)
    assert not said, "".join(said)


def test_the_package_offers_the_classes_that_plugins_meet():
    from alharness.api import (
        dataset,
        metrics,
        model,
        network,
        params,
        records,
        sampler,
        samples,
        tracker,
        vocabulary,
    )

    modules = (dataset, metrics, model, network, records, sampler, samples, tracker, vocabulary)
    classes = {
        name
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__ and not name.startswith("_")
    }
    assert classes - {"Embed"} <= set(dir(alharness))
    assert params.Params is alharness.Params


def test_the_package_lists_what_it_offers_and_is_quick_to_import():
    code = """
import sys, typing, alharness
heavy = {"torch", "pandas", "mlflow", "matplotlib", "pydantic", "rich"} & set(sys.modules)
assert not heavy, heavy
assert {"run", "load", "Results", "Spec", "Sampler", "HarnessError"} <= set(dir(alharness))
for name in dir(alharness):
    value = getattr(alharness, name)
    assert value.__doc__ or typing.get_origin(value) is typing.Literal, name
assert "Args:" in alharness.run.__doc__
"""
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONWARNINGS": "error"})


def test_a_warning_of_another_distribution_shows_the_line_that_called_alharness():
    scope = {"__name__": "alharness_mine.executor", "warn": interface.warn}
    exec("def start(): warn('no room')", scope)
    with pytest.warns(HarnessWarning, match="no room") as caught:
        scope["start"]()
    assert caught[0].filename == __file__
