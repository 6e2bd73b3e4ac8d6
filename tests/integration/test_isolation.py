"""A plugin harms no other: what it leaves behind is put back, and its faults are reported as its own."""

import pytest

from alharness.errors import DataError, PluginError

PLUGIN = '''
from typing import Literal

import numpy as np

from alharness import (
    Dataset, DatasetFacts, DatasetPlugin, Inputs, ModelPlugin, Params, Sampler, SamplerPlugin, Samples, Task,
    hookimpl,
)


class What(Params):
    what: str = ""
    """What is wrong."""


class Strays(Sampler):
    def __init__(self, params):
        self.what = params.what

    def select(self, query):
        import decimal, gc, logging, os, random, sys, warnings
        import torch
        if self.what == "switches":
            torch.set_default_dtype(torch.float64)
            torch.set_grad_enabled(False)
            torch.set_num_threads(1)
            np.seterr(all="raise")
            np.random.seed(0), random.seed(0), torch.manual_seed(0)
            warnings.simplefilter("error")
            logging.disable(logging.CRITICAL)
            decimal.getcontext().prec = 3
            gc.disable()
            os.chdir("/"), os.umask(0o777), os.environ.pop("PATH")
            sys.stdout = sys.stderr = None
            os.close(1), os.close(2)
            torch.nn.functional.relu = torch.nn.functional.gelu
            sys.setrecursionlimit(90)
        if self.what == "weights":
            with torch.no_grad():
                next(query.decode.__self__._model.parameters()).zero_()
        if self.what == "inputs":
            next(iter(query.unlabeled._inputs.arrays.values())).base[:] = 0
        return query.rng.permutation(len(query.unlabeled))[: query.size]


def make_data(params):
    rng = np.random.default_rng(0)
    labels = np.arange(90) % 3
    labels = {"text": labels.astype(str), "from 1": labels + 1}.get(params.what, labels)
    inputs = rng.normal(size=(90, 4)).astype(np.float32)
    if params.what == "nan":
        inputs[3, 1] = np.nan
    if params.what == "raises":
        raise TypeError("no data today")
    if params.what == "strays":
        np.seterr(all="raise")
    inputs = Inputs(ids=tuple(f"s{i}" for i in range(90)), arrays={"x": inputs})
    samples = Samples(inputs=inputs, labels=labels)
    return Dataset(task=Task.CLASSIFICATION, content=samples, classes=("a", "b", "c"))


def inspect(params):
    return DatasetFacts(task=Task.CLASSIFICATION, modalities=("x",), sizes=(63, 9, 18))


def make_model(params, shape):
    from stray.model import Wide

    return Wide(shape)


@hookimpl
def alharness_samplers():
    return [SamplerPlugin(name="strays", params=What, make=Strays)]


@hookimpl
def alharness_datasets():
    return [DatasetPlugin(name="small", params=What, inspect=inspect, make=make_data)]


@hookimpl
def alharness_models():
    return [ModelPlugin(name="wide", params=Params, make=make_model)]
'''

MODEL = """
from alharness.models.late_fusion.network import LateFusion
from alharness.models.late_fusion.plugin import LateFusionParams


class Wide(LateFusion):
    def __init__(self, shape):
        super().__init__(LateFusionParams(hidden=4), shape)

    def encode(self, batch):
        if not self.training:
            raise IndexError("too wide")
        return super().encode(batch)
"""

SPEC = """\
name: {name}
dataset: {{name: small, params: {{what: "{data}"}}}}
model: {model}
training: {{epochs: 2, device: cpu, valid: none}}
active_learning: {{initial_pool: 9, budget: 5, cycles: 2}}
seeds: 1
samplers: [{samplers}]
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = tmp_path_factory.mktemp("site")
    info = site / "stray-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stray\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[alharness]\nstray = stray.plugin\n")
    package = site / "stray"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "plugin.py").write_text(PLUGIN)
    (package / "model.py").write_text(MODEL)
    return site


@pytest.fixture
def attempt(site, run_spec, tmp_path, monkeypatch):
    """Run cells of these samplers, in one worker; gives label -> record, and warnings."""
    monkeypatch.syspath_prepend(site)

    def run(*samplers, name="trial", data="", model="late_fusion", **options):
        path = tmp_path / f"{name}.yaml"
        path.write_text(SPEC.format(name=name, data=data, model=model, samplers=", ".join(samplers)))
        _, record, warnings = run_spec(path, tmp_path / "runs", **options)
        told = [text for text in warnings if "seeds" not in text]
        return {cell.cell.label: cell for cell in record.cells}, told

    return run


def entry(what):
    return f"{{name: strays, label: {what}, params: {{what: {what}}}}}"


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_case_31_no_samplers_figures_depend_on_what_another_left_behind(attempt, tmp_path, jobs):
    cells, warnings = attempt(entry("switches"), entry("weights"), entry("inputs"), "random", jobs=jobs)
    alone, silence = attempt("random", name="alone")
    assert [c.metrics for c in cells["random"].cycles] == [c.metrics for c in alone["random"].cycles]
    assert cells["switches"].status == "ok"
    assert len(warnings) == 1
    assert warnings[0].startswith("switches (stray==1.0) changed the recursion limit, ")
    assert silence == []
    assert "weights (stray==1.0), cycle 0: it changed the model (weights " in cells["weights"].error
    assert (
        "inputs (stray==1.0): ValueError: assignment destination is read-only, in cycle 0" in cells["inputs"].error
    )


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        ("text", DataError, "the labels are of type <U"),
        ("from 1", DataError, "if they count from 1, take 1 off"),
        ("nan", DataError, "NaN or infinity in 1 of 90 samples, the first of them 's3'"),
        ("raises", PluginError, "TypeError: no data today"),
    ],
)
def test_a_fault_of_a_data_set_is_told_as_its_own_and_nothing_is_run(attempt, fault, error, message):
    with pytest.raises(error, match=f"the data set 'small' of stray==1.0: .*{message}"):
        attempt("random", data=fault)


def test_a_fault_of_a_model_is_told_as_its_own_and_keeps_its_traceback(attempt, tmp_path):
    cells, _ = attempt("random", model="wide")
    assert cells["random"].error.startswith(
        "the model 'wide' of stray==1.0: IndexError: too wide, in evaluation; see "
    )
    (trace,) = tmp_path.glob("runs/*/cells/*/traceback.txt")
    assert 'raise IndexError("too wide")' in trace.read_text()


def test_what_a_data_set_changes_is_told(attempt):
    _, warnings = attempt("random", data="strays")
    (warning,) = warnings
    assert warning.startswith(
        "the data set 'small' of stray==1.0 changed how NumPy handles errors of numbers; it was"
    )
