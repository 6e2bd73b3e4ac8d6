"""The models are trained as stacks, and a member's bits do not depend on its companions."""

import numpy as np
import pytest
import torch

from alharness import Inputs, ModelShape, Samples, Task
from alharness.engine.recipe import Fit, model_border
from alharness.engine.training import Trainer
from alharness.spec.settings import TrainingSettings
from alharness_sentiment.av_mc.plugin import AV_MC, AvMcParams
from alharness_sentiment.lfmim.plugin import LFMIM, LfmimParams

FEATURES = {"text": 6, "audio": 5, "vision": 4}
STEPS = {"text": 3, "audio": 7}
TINY = LfmimParams(preset="small", width=8, heads=2, layers=2, lengths={"audio": 4})

CASES = {
    "av_mc": (AV_MC, AvMcParams(), Task.REGRESSION),
    "av_mc with mixup": (AV_MC, AvMcParams(mixup=True), Task.CLASSIFICATION),
    "lfmim": (LFMIM, TINY, Task.REGRESSION),
    "lfmim by SGD": (LFMIM, TINY.model_copy(update={"optimizer": "sgd"}), Task.CLASSIFICATION),
}


def samples(n, seed, task, *, sequences):
    rng = np.random.default_rng(seed)
    shapes = {m: (n, STEPS[m], d) if sequences and m in STEPS else (n, d) for m, d in FEATURES.items()}
    labels = lambda: rng.integers(0, 3, n) if task == Task.CLASSIFICATION else rng.uniform(-1, 1, n).astype("f4")
    return Samples(
        inputs=Inputs(
            ids=tuple(f"{i:03}" for i in range(n)),
            arrays={m: rng.normal(size=size).astype("f4") for m, size in shapes.items()},
            lengths={"audio": rng.integers(1, 8, n)} if sequences else {},
        ),
        labels=labels(),
        unimodal_labels={m: labels() for m in FEATURES},
    )


@pytest.mark.parametrize("case", CASES)
def test_a_member_is_the_same_in_stacks_of_any_size_and_in_any_order(case):
    plugin, params, task = CASES[case]
    sequences = plugin is LFMIM
    shape = ModelShape(
        features=FEATURES,
        task=task,
        outputs=3 if task == Task.CLASSIFICATION else 1,
        steps=STEPS if sequences else {},
    )
    settings = TrainingSettings(epochs=4, patience=1, batch_size=5, stop_on="loss", device="cpu")
    border = model_border(case, pytest.fail)
    trainers = [
        Trainer(lambda: plugin.make(params, shape), settings, border=border, stack=n) for n in (None, 1, 3)
    ]
    valids = [trainers[0].validation(samples(9, 50 + i, task, sequences=sequences)) for i in (0, 1)]
    requests = [
        Fit(labeled=samples(11, i, task, sequences=sequences), seed=i, valid=valids[i % 2]) for i in range(5)
    ]
    together = trainers[0].fit_many(requests)
    assert [fitted.cost["train_stacked"] for fitted in together] == [5] * 5
    for trainer in trainers[1:]:
        for mine, theirs in zip(trainer.fit_many(requests[::-1]), together[::-1], strict=True):
            assert mine.epochs == theirs.epochs
            weights = theirs.model.state_dict()
            assert all(torch.equal(value, weights[name]) for name, value in mine.model.state_dict().items())
