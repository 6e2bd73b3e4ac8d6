"""Our optimizers compared with torch's, and what they leave out."""

import copy
import subprocess
import sys

import pytest
import torch
from torch import nn, optim
from torch.optim.lr_scheduler import LambdaLR

from alharness.kernels import optimizers

KINDS = {
    "Adam": {"weight_decay": 0.1, "fused": True},
    "AdamW": {"weight_decay": 0.1, "fused": True},
    "SGD": {"momentum": 0.9, "fused": True},
}


def train(network, kind, options):
    first, *rest = network.parameters()
    optimizer = kind([{"params": [first], "lr": 0.03}, {"params": rest}], lr=0.01, **options)
    schedule = LambdaLR(optimizer, lambda epoch: 1 / (epoch + 1))
    generator = torch.Generator().manual_seed(1)
    for _ in range(9):
        optimizer.zero_grad()
        assert first.grad is None
        network(torch.randn(8, 5, generator=generator)).square().sum().backward()
        optimizer.step()
        schedule.step()
    return network.state_dict()


@pytest.mark.parametrize(("name", "options"), KINDS.items())
def test_the_sums_are_torchs(name, options):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3))
    begun = copy.deepcopy(network.state_dict())

    ours = train(copy.deepcopy(network), getattr(optimizers, name), options)
    theirs = train(network, getattr(optim, name), options)

    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
    assert not any(torch.equal(ours[key], begun[key]) for key in theirs)


@pytest.mark.parametrize("name", KINDS)
def test_hooks_are_refused_since_nothing_would_call_them(name):
    optimizer = getattr(optimizers, name)([nn.Parameter(torch.ones(1))])
    for register in (optimizer.register_step_pre_hook, optimizer.register_step_post_hook):
        with pytest.raises(TypeError, match=f"{name} of alharness calls no hooks; torch.optim.{name} does"):
            register(print)


TRAINED = """
import sys
import numpy as np
from alharness import Inputs, ModelShape, Samples, Task, registry
from alharness.spec.settings import TrainingSettings
from alharness.engine.training import Trainer

rng = np.random.default_rng(0)
sizes = {"text": 4, "audio": 3, "vision": 2}
arrays = {m: rng.normal(size=(9, d)).astype(np.float32) for m, d in sizes.items()}
labels = rng.uniform(-1, 1, size=9).astype(np.float32)
samples = Samples(
    inputs=Inputs(ids=tuple("abcdefghi"), arrays=arrays),
    labels=labels,
    unimodal_labels=dict.fromkeys(sizes, labels),
)
shape = ModelShape(features=sizes, task=Task.REGRESSION, outputs=1)
for name, chosen in CHOSEN:
    plugin = registry.load().models[name].plugin
    params = plugin.params(**chosen)
    settings = TrainingSettings(epochs=2, device="cpu", batch_size=4)
    trainer = Trainer(lambda: plugin.make(params, shape), settings)
    assert trainer.fit(samples, 0, trainer.validation(samples)).epochs == 2
    print("torch._dynamo" in sys.modules)
"""
SMALL = {"preset": "small", "layers": 1, "width": 16, "heads": 2}
LATE_FUSION = ("late_fusion", {})
MODELS = (
    *(LATE_FUSION, ("av_mc", {})),
    *(("lfmim", {**SMALL, "optimizer": "sgd"}), ("lfmim", {**SMALL, "optimizer": "adamw"})),
)


def training(*chosen):
    """Code that trains these models, and prints after each whether the compiler was imported."""
    return TRAINED.replace("CHOSEN", repr(chosen))


def test_no_model_of_ours_imports_the_compiler():
    done = subprocess.run([sys.executable, "-c", training(*MODELS)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["False"] * len(MODELS)


FOREIGN = """
import sys, torch
from alharness.models.late_fusion.plugin import LateFusionParams, make
from alharness import ModelShape, Task
from alharness.spec.settings import TrainingSettings
from alharness.engine.training import Trainer

def build():
    model = make(LateFusionParams(), ModelShape(features={"text": 4}, task=Task.REGRESSION, outputs=1))
    model.optimizer = lambda: torch.optim.Adam(model.parameters())
    return model

print("torch._dynamo" in sys.modules)
Trainer(build, TrainingSettings(device="cpu"))
print("torch._dynamo" in sys.modules)
"""


def test_what_a_third_partys_optimizer_imports_is_there_before_the_first_training():
    done = subprocess.run([sys.executable, "-c", FOREIGN], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["False", "True"], done.stderr


UNTESTED = """
import sys, torch
version, torch.__version__ = torch.__version__, {version}
from alharness.kernels import optimizers
torch.__version__ = version
print([getattr(optimizers, name) is getattr(torch.optim, name) for name in ("Adam", "AdamW", "SGD")])
{trained}
print(float(sum(p.double().abs().sum() for p in trainer.fit(samples, 1).model.parameters())))
"""


def test_with_a_version_of_torch_that_was_not_tested_its_own_optimizers_train_the_same_model():
    def trained(version):
        code = UNTESTED.format(version=version, trained=training(LATE_FUSION))
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        own, compiler, *numbers = done.stdout.splitlines()
        return own, compiler, numbers

    bare, plain = trained("torch.__version__"), trained("'99.0.1'")
    assert bare[:2] == ("[False, False, False]", "False")
    assert plain[:2] == ("[True, True, True]", "True")
    assert bare[2] == plain[2]


@pytest.mark.parametrize(
    ("version", "tested"),
    [
        ("2.13.0+cpu", True),
        ("2.9.1", True),
        ("2.13.0a0+git1", True),
        ("2.8.9", False),
        ("2.15", False),
        ("?", False),
    ],
)
def test_a_version_is_tested_if_it_lies_between_two_that_were(version, tested):
    assert optimizers.is_tested(version) is tested
