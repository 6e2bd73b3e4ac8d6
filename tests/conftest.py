"""Fixtures that many tests share: small made-up data, a trained model, and a foreign distribution of samplers."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from alharness import Dataset, Inputs, ModelShape, Samples, Splits, Task
from alharness.api.records import Cell, CycleRecord, Outcome, Plan, Schedule
from alharness.engine.training import Trainer
from alharness.models.late_fusion.plugin import LateFusionParams, make
from alharness.results.run import RunResults
from alharness.spec.settings import TrainingSettings


@pytest.fixture(scope="session")
def make_samples():
    """n samples of two vectors and a short sequence, whose label can be learned from each."""

    def build(n, task=Task.CLASSIFICATION, seed=0, prefix="s"):
        rng = np.random.default_rng(seed)
        y = rng.integers(0, 3, n)
        centers = np.random.default_rng(99).normal(size=(3, 6))
        audio = (centers[y] + 0.5 * rng.normal(size=(n, 6))).astype(np.float32)
        text = (centers[y][:, :4] * 10 + 100 + 3 * rng.normal(size=(n, 4))).astype(np.float32)
        lengths = rng.integers(1, 6, n)
        vision = (centers[y][:, None, :3] + rng.normal(size=(n, 5, 3))).astype(np.float32)
        for row, length in enumerate(lengths):
            vision[row, length:] = 1e6  # padding that must never be looked at
        labels = y.astype(np.int64) if task == Task.CLASSIFICATION else (audio[:, 0] * 50 + 7).astype(np.float32)
        return Samples(
            inputs=Inputs(
                ids=tuple(f"{prefix}{i:04d}" for i in range(n)),
                arrays={"audio": audio, "text": text, "vision": vision},
                lengths={"vision": lengths},
            ),
            labels=labels,
        )

    return build


@pytest.fixture(scope="session")
def make_dataset(make_samples):
    """A data set with a split of its own."""

    def build(task=Task.CLASSIFICATION, sizes=(120, 30, 60)):
        parts = zip(("train", "valid", "test"), sizes, strict=True)
        splits = {name: make_samples(n, task, seed, name[:2]) for seed, (name, n) in enumerate(parts)}
        classes = ("a", "b", "c") if task == Task.CLASSIFICATION else ()
        return Dataset(task=task, content=Splits(**splits), classes=classes)

    return build


@pytest.fixture(scope="session")
def make_trainer():
    """A trainer of `late_fusion` for such samples."""

    def build(task=Task.CLASSIFICATION, valid=None, params=None, **settings):
        shape = ModelShape(
            features={"audio": 6, "text": 4, "vision": 3},
            task=task,
            outputs=3 if task == Task.CLASSIFICATION else 1,
        )
        chosen = LateFusionParams(**(params or {"hidden": 16, "representation": 8, "fusion": 8}))
        defaults = {"epochs": 15, "learning_rate": 1e-2, "device": "cpu"}
        trainer = Trainer(lambda: make(chosen, shape), TrainingSettings(**(defaults | settings)))
        if valid is not None:
            trainer.fit = partial(trainer.fit, valid=trainer.validation(valid))
        return trainer

    return build


TOY_PLUGIN = '''
from alharness import (DatasetFacts, DatasetPlugin, Feature, Params, Sampler, SamplerPlugin, Task,
                       hookimpl)


class FirstParams(Params):
    start: int = 0
    """Where to begin."""


class LooksParams(Params):
    look: bool = False
    """Whether to read predictions."""


class ThrowsParams(Params):
    what: str
    """What is raised."""


class DiesParams(Params):
    how: str = "exit"
    """Of what."""
    after: int = 0
    """In which cycle."""


def make(name):
    def build(params):
        from toy_samplers import samplers

        return getattr(samplers, name)(params)

    return build


@hookimpl
def alharness_samplers():
    plugins = [
        SamplerPlugin(name="first", params=FirstParams, make=make("First"), summary="in order"),
        SamplerPlugin(name="draw", params=Params, make=make("Draw"), summary="by chance"),
        SamplerPlugin(name="narrow", params=Params, make=make("Narrow"),
                      requires={Feature.PREDICTIONS}, tasks={Task.CLASSIFICATION}, summary="smallest margin"),
        SamplerPlugin(name="sure", params=Params, make=make("Sure"),
                      requires={Feature.PREDICTIONS}, tasks={Task.CLASSIFICATION}, summary="largest margin"),
        SamplerPlugin(name="needy", params=Params, make=make("Draw"), requires={Feature.PREDICTIONS},
                      tasks={Task.REGRESSION}, summary="regression only"),
    ]
    plugins += [SamplerPlugin(name="looks", params=LooksParams, make=make("Looks"),
                              requires=lambda params: {Feature.PREDICTIONS} if params.look else set())]
    plugins += [SamplerPlugin(name="throws", params=ThrowsParams, make=make("Throws"))]
    plugins += [SamplerPlugin(name="dies", params=DiesParams, make=make("Dies"))]
    plugins += [SamplerPlugin(name="unmakable", params=Params, make=lambda params: 1 / 0)]
    bad = ("Twice", "TooFew", "Outside", "NanScores", "Fractions", "Peeks", "Undeclared", "Raises", "Exits",
           "Slow", "Prints", "Hoards", "Imports", "Moody")
    return plugins + [SamplerPlugin(name=name.lower(), params=Params, make=make(name)) for name in bad]


class DataParams(Params):
    how: str = ""
    """What becomes of the process that makes it."""


def inspect(params):
    return DatasetFacts(task=Task.CLASSIFICATION, modalities=("x",), sizes=(180, 30, 90))


def make_data(params):
    from toy_samplers import data

    return data.make(params.how)


@hookimpl
def alharness_datasets():
    return [DatasetPlugin(name="toy_data", params=DataParams, inspect=inspect, make=make_data)]
'''

TOY_DATA = """
import os
import signal
import time

import numpy as np

from alharness import Dataset, Inputs, Samples, Task


def make(how):
    if how == "exit":
        os._exit(0)
    if how == "sleep":
        time.sleep(3600)
    if how == "hoard":
        hoard = [bytearray(2**20) for _ in range(600)]
        time.sleep(3600)
    if how == "interrupt":
        raise KeyboardInterrupt("mine")
    if how.startswith("SIG"):
        os.kill(os.getpid(), signal.Signals[how])
    if how == "another":
        return "no data set"
    rng = np.random.default_rng(int(os.environ.get("ALHARNESS_TEST_DATA", "0")))
    labels = np.arange(300) % 3
    x = (labels[:, None] + 0.1 * rng.normal(size=(300, 4))).astype(np.float32)
    inputs = Inputs(ids=tuple(f"s{i:03d}" for i in range(300)), arrays={"x": x})
    content = Samples(inputs=inputs, labels=labels)
    return Dataset(task=Task.CLASSIFICATION, content=content, classes=("a", "b", "c"))
"""

TOY_SAMPLERS = """
import os
import signal
import time

import torch

from alharness import Sampler, ScoringSampler


class Base(Sampler):
    def __init__(self, params):
        self.params = params


class First(Base):
    def select(self, query):
        n = len(query.unlabeled)
        return [(self.params.start + i) % n for i in range(query.size)]


class Draw(Base):
    def select(self, query):
        return query.rng.permutation(len(query.unlabeled))[: query.size]


class Narrow(ScoringSampler):
    def __init__(self, params):
        pass

    def score(self, query):
        top = query.unlabeled.predictions().exp().topk(2, dim=1).values
        query.log("widest", float((top[:, 0] - top[:, 1]).max()))
        return top[:, 1] - top[:, 0]


class Sure(Narrow):
    def score(self, query):
        return -super().score(query)


class Twice(Base):
    def select(self, query):
        return [0] * query.size


class TooFew(Base):
    def select(self, query):
        return list(range(query.size - 1))


class Outside(Base):
    def select(self, query):
        return list(range(len(query.unlabeled) - query.size + 1, len(query.unlabeled) + 1))


class NanScores(ScoringSampler):
    def __init__(self, params):
        pass

    def score(self, query):
        scores = torch.zeros(len(query.unlabeled))
        scores[3] = float("nan")
        return scores


class Fractions(Base):
    def select(self, query):
        return [i + 0.5 for i in range(query.size)]


class Peeks(Base):
    def select(self, query):
        return query.unlabeled.targets()[: query.size]


class Undeclared(Base):
    def select(self, query):
        return query.unlabeled.predictions().argsort(dim=0)[: query.size, 0]


class Looks(Base):
    def select(self, query):
        if self.params.look:
            query.unlabeled.predictions()
        return list(range(query.size))


class Raises(Base):
    def select(self, query):
        return {}["nothing here"]


class Exits(Base):
    def select(self, query):
        raise SystemExit(0)


class Dies(Draw):
    def select(self, query):
        if query.cycle == self.params.after:
            print("these are my last words", flush=True)
            if self.params.how == "exit":
                os._exit(0)
            if self.params.how == "sleep":
                time.sleep(3600)
            if self.params.how == "leave":  # a process of its own
                import subprocess, sys

                child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
                print("started", child.pid, flush=True)
                os._exit(0)
            if self.params.how == "close":
                os.closerange(3, 1000)
                time.sleep(3600)
            os.kill(os.getpid(), signal.Signals[self.params.how])
        return super().select(query)


class Mute(Exception):
    def __str__(self):
        raise ValueError("no text")

    __repr__ = __str__

    def __reduce__(self):
        raise TypeError("not to be sent")


class Text(str):
    def __reduce__(self):
        raise TypeError("not to be sent")


class Odd(Exception):
    def __str__(self):
        return Text("half a character: \\ud800")


class Base2(BaseException):
    pass


def endless(number):
    return endless(number + 1)


class Throws(Base):
    def select(self, query):
        match self.params.what:
            case "recursion":
                endless(0)
            case "torch memory":
                torch.empty(2**50)
            case what:
                raise {"interrupt": KeyboardInterrupt("mine"), "exit": SystemExit(0), "base": Base2("bare"),
                       "generator": GeneratorExit(), "mute": Mute(), "odd": Odd(),
                       "memory": MemoryError("too much")}[what]


class Hoards(Base):
    def select(self, query):
        hoard = [bytearray(2**20) for _ in range(600)]
        time.sleep(3600)


class Moody(Draw):
    def select(self, query):
        if "ALHARNESS_TEST_MOOD" in os.environ:
            1 / 0
        return super().select(query)


class Imports(Draw):
    def select(self, query):
        import sys

        print(*sys.modules)
        return super().select(query)


class Prints(Draw):
    def select(self, query):
        print("one sampler was here")
        query.log("threads", torch.get_num_threads())
        query.log("variable", float(os.environ.get("ALHARNESS_TEST", "nan")))
        return super().select(query)


class Slow(Draw):
    def select(self, query):
        # A test that must not depend on who is quicker has one query, of a cycle and a size, wait for ever.
        waits = os.environ.get("ALHARNESS_TEST_WAITS") == f"{query.cycle} {query.size}"
        time.sleep(3600 if waits else 0.25)
        return super().select(query)
"""


@pytest.fixture(scope="session")
def toy_site(tmp_path_factory):
    """A folder with an installed third-party distribution of samplers, good and bad ones."""
    site = tmp_path_factory.mktemp("site")
    info = site / "toy_samplers-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-samplers\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[alharness]\ntoy = toy_samplers.plugin\n")
    package = site / "toy_samplers"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "plugin.py").write_text(TOY_PLUGIN)
    (package / "samplers.py").write_text(TOY_SAMPLERS)
    (package / "data.py").write_text(TOY_DATA)
    return site


@pytest.fixture(scope="session")
def fresh_store(tmp_path_factory):
    """An empty database, made once: its migrations take seconds."""
    from alharness.tracking.mlflow.sqlite import make_ready
    from alharness.tracking.mlflow.store import resolve

    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    resolve(str(path))  # MLflow is imported with our settings
    make_ready(path, pytest.fail)
    return path.read_bytes()


@pytest.fixture
def make_run():
    """Results of a run of two samplers x n seeds, with f1 = base + 0.1 per cycle + 0.01 per seed."""

    def build(n=3, failed=(), metric="f1", references=False, **changes):
        schedule = Schedule(initial_pool=10, sizes=(10, 10))
        cells = tuple(
            Cell(label=label, sampler=label, params={}, distribution="d==1", seed=seed, key=f"{label}{seed}")
            for seed in range(n)
            for label in ("slow", "fast")
        )

        if references:
            cells += tuple(
                Cell(
                    label="full-data",
                    sampler="full-data",
                    params={},
                    distribution="",
                    seed=seed,
                    key=f"r{seed}",
                    reference=True,
                )
                for seed in range(n)
            )

        def record(cell):
            if cell.reference:
                metrics = {"accuracy": 0.99, metric: 0.95 + 0.01 * cell.seed}
                only = CycleRecord(cycle=0, labeled=100, metrics=metrics, cost={"train_seconds": 9.0})
                return Outcome(cell=cell, status="ok", cycles=(only,))
            base = {"slow": 0.5, "fast": 0.6}[cell.label]
            cycles = tuple(
                CycleRecord(
                    cycle=c,
                    labeled=10 + 10 * c,
                    metrics={"accuracy": 0.9, metric: base + 0.1 * c + 0.01 * cell.seed},
                    cost={"train_seconds": 2.0, "cpu_peak_mib": 100.0 + c}
                    | ({"query_seconds": {"slow": 3.0, "fast": 1.0}[cell.label]} if c < 2 else {}),
                )
                for c in range(3)
            )
            if cell.name in failed:
                return Outcome(cell=cell, status="failed", cycles=cycles[:1], error="broke")
            return Outcome(cell=cell, status="ok", cycles=cycles)

        run = Plan(
            **{
                "name": "demo",
                "experiment": "demo-1",
                "folder": Path("runs/demo-1"),
                "schedule": schedule,
                "pool": 100,
                "cells": cells,
                "metric": metric,
                "params": {"dataset": "toy"},
            }
            | changes
        )
        return RunResults(run=run, records=tuple(map(record, cells)))

    return build


@pytest.fixture(scope="session")
def make_results():
    """Results of samplers with these curves: label -> (seeds, cycles); None for a seed that is not finished."""

    def build(
        curves,
        metric="mae",
        labeled=(100, 200, 400, 800),
        references=(),
        replicates=(),  # of "random", for each seed those after the first
        contexts=None,
        pool=None,
        controls=(),
        shares=None,  # of modalities in predictions: label -> modality -> (seeds, cycles)
        **changes,
    ):
        schedule = Schedule(initial_pool=labeled[0], sizes=tuple(np.diff(labeled).tolist()))
        records = []
        places = [(label, seed, 1, row) for label, rows in curves.items() for seed, row in enumerate(rows)]
        more = [(s, number, row) for s, rows in enumerate(replicates) for number, row in enumerate(rows, start=2)]
        for label, seed, replicate, row in [*places, *(("random", *place) for place in more)]:
            cell = Cell(
                label=label,
                sampler=label,
                params={},
                distribution="d==1",
                seed=seed,
                replicate=replicate,
                key=f"{label}{seed}-{replicate}",
                control=label in controls,
            )
            context = {"data": "d", "split": "s", **(contexts or {}).get(cell.name, {})}
            used = {f"share/{m}": x[seed] for m, x in (shares or {}).get(label, {}).items()}
            if row is None:
                records.append(Outcome(cell=cell, status="failed", error="it broke", context=context))
                continue
            cycles = tuple(
                CycleRecord(
                    cycle=c,
                    labeled=n,
                    metrics={metric: float(value)},
                    utilisation={name: float(x[c]) for name, x in used.items()},
                    chosen=tuple(f"{seed}-{c}-{i}" for i in range(4)) if c + 1 < len(labeled) else (),
                    cost={"train_seconds": 2.0} | ({"query_seconds": 0.5} if c + 1 < len(labeled) else {}),
                    machine="one",
                )
                for c, (n, value) in enumerate(zip(labeled, row, strict=True))
            )
            records.append(Outcome(cell=cell, status="ok", cycles=cycles, context=context))
        for seed, value in enumerate(references):
            cell = Cell(
                label="full-data",
                sampler="full-data",
                params={},
                distribution="",
                seed=seed,
                key=f"f{seed}",
                reference=True,
            )
            used = {f"share/{m}": float(x[seed][0]) for m, x in (shares or {}).get("full-data", {}).items()}
            only = CycleRecord(
                cycle=0, labeled=5000, metrics={metric: value}, utilisation=used, cost={"train_seconds": 9.0}
            )
            records.append(Outcome(cell=cell, status="ok", cycles=(only,)))
        run = Plan(
            **{
                "name": "demo",
                "experiment": "demo-1",
                "folder": Path("runs/demo-1"),
                "schedule": schedule,
                "pool": 5000,
                "cells": tuple(record.cell for record in records),
                "metric": metric,
                "params": {"dataset": "toy", "model": "net"},
            }
            | changes
        )
        return RunResults(run=run, records=tuple(records), pool=pool)

    return build


@pytest.fixture(scope="session")
def noisy():
    """Curves that fall from 0.5 to 0.3, of n seeds that share an offset each; a larger `effect` falls quicker."""

    def build(n, effect=0.0, noise=0.004, seed=0, cycles=4):
        shared = np.random.default_rng(99).normal(0, 0.01, (n, 1))
        own = np.random.default_rng(seed).normal(0, noise, (n, cycles))
        x = np.arange(cycles)
        return 0.3 + 0.2 * np.exp(-x * (1 + effect)) + shared + own * (x > 0)

    return build
