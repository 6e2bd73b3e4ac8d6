"""What the engine does on a second device, without a GPU: `second_device.py` is a stand-in for one."""

import json
import subprocess
import sys
import weakref
from pathlib import Path

import pytest
import torch

from alharness.engine import measure
from alharness.engine.contexts import plain_kernels
from alharness.engine.recipe import Fit, Fitted
from alharness.engine.stack import training
from alharness.engine.stack.fit import StackFit
from alharness.engine.stack.training import StackTrainer
from alharness.engine.stack.trial import Different


@pytest.fixture(scope="module")
def found():
    """What `on_second_device.py` prints."""
    script = Path(__file__).with_name("on_second_device.py")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("what", ["training", "validated training", "training from the CPU's memory", "dropout"])
def test_a_second_device_computes_what_the_cpu_computes(found, what):
    assert found[what] < 1e-5


@pytest.mark.parametrize("model", ["late_fusion", "av_mc", "lfmim"])
def test_models_and_samples_are_on_the_device_and_no_step_waits_for_it(found, model):
    checked = {text: (what, met) for name, text, what, met in found["checks"] if name == model}
    assert len(checked) == 7
    assert checked["no synchronization within an epoch"] == ("none", True)
    assert all(met for _, met in checked.values()), checked


def test_every_sampler_chooses_on_the_device_what_it_chooses_on_the_cpu(found):
    assert {"badge", "bald", "bmmal", "coreset", "gcnal", "grace", "random"} <= found["queries"].keys()
    assert all(same == of for same, of in found["queries"].values()), found["queries"]
    assert found["Eq. 5"] == [300, 600]


@pytest.mark.parametrize(
    ("share", "free"),
    [
        (1.0, 150),
        (0.5, 150),
        (0.1, 80),
        (0.01, 0),
    ],  # what others may take is not free, and less than nothing is none
)
def test_memory_that_torch_holds_and_nothing_uses_is_free(monkeypatch, share, free):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (100, 1000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 70)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 20)
    monkeypatch.setattr(torch.cuda, "get_per_process_memory_fraction", lambda device: share)
    assert measure.free_memory(torch.device("cuda", 0)) == free


def test_what_a_stack_that_was_too_large_held_is_free_when_its_halves_are_trained(
    make_recipe, make_samples, monkeypatch
):
    held, told = [], []
    whole = StackFit.run

    def run(self):
        assert all(tensor() is None for tensor in held)
        if len(self._requests) > 1:
            large = torch.ones(3)
            held.append(weakref.ref(large))
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(self)

    monkeypatch.setattr(StackFit, "run", run)
    samples = make_samples(20).pooled()
    fitted = StackTrainer(make_recipe(warn=told.append)).train([Fit(labeled=samples, seed=s) for s in (1, 2)])
    assert all(isinstance(one, Fitted) for one in fitted)
    assert len(held) == 1
    assert told == ["the memory does not hold a stack of 2 models; it is split in two"]


@pytest.mark.parametrize(("failures", "stacked"), [(2, True), (3, False)])
def test_rounding_at_0_in_one_trial_keeps_no_model_from_being_stacked(
    make_recipe, make_samples, monkeypatch, failures, stacked
):
    seen, told, exact = [], [], training.require_equal

    def require_equal(computations, models, parts):
        seen.append(parts[0].inputs["text"][0])
        if len(seen) <= failures:
            raise Different("the gradient of w is another than that of the model by itself")
        exact(computations, models, parts)

    monkeypatch.setattr(training, "require_equal", require_equal)
    samples = make_samples(20).pooled()
    found = StackTrainer(make_recipe(warn=told.append)).train([Fit(labeled=samples, seed=1)])
    assert (found is not None) == stacked
    assert len(told) == (not stacked)
    assert not torch.equal(seen[0], seen[1])


def test_kernels_of_one_device_alone_are_off_inside_and_as_before_afterwards():
    assert torch.backends.cudnn.enabled
    with plain_kernels():
        assert not torch.backends.cudnn.enabled
    assert torch.backends.cudnn.enabled
