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

NARROW = {"text": 6, "audio": 5, "vision": 4}
WIDE = {"text": 768, "audio": 25, "vision": 177}
"""With so many inputs, kernels give a model by itself other bits than several: it is computed twice."""

STEPS = {"text": 3, "audio": 7}
TINY = LfmimParams(preset="small", width=8, heads=2, layers=1, lengths={"audio": 4})

CASES = {
    "av_mc": (AV_MC, AvMcParams(), Task.REGRESSION, WIDE, 40),
    "av_mc with mixup": (AV_MC, AvMcParams(mixup=True), Task.CLASSIFICATION, NARROW, 11),
    "lfmim": (LFMIM, TINY, Task.REGRESSION, NARROW, 11),
    "lfmim by SGD": (LFMIM, TINY.model_copy(update={"optimizer": "sgd"}), Task.CLASSIFICATION, NARROW, 11),
}


def samples(n, seed, task, features, *, sequences):
    rng = np.random.default_rng(seed)
    shapes = {m: (n, STEPS[m], d) if sequences and m in STEPS else (n, d) for m, d in features.items()}
    labels = lambda: rng.integers(0, 3, n) if task == Task.CLASSIFICATION else rng.uniform(-1, 1, n).astype("f4")
    return Samples(
        inputs=Inputs(
            ids=tuple(f"{i:03}" for i in range(n)),
            arrays={m: rng.normal(size=size).astype("f4") for m, size in shapes.items()},
            lengths={"audio": rng.integers(1, 8, n)} if sequences else {},
        ),
        labels=labels(),
        unimodal_labels={m: labels() for m in features},
    )


@pytest.mark.parametrize("case", CASES)
def test_a_member_is_the_same_in_stacks_of_any_size_and_in_any_order(case):
    plugin, params, task, features, n = CASES[case]
    sequences = plugin is LFMIM
    shape = ModelShape(
        features=features,
        task=task,
        outputs=3 if task == Task.CLASSIFICATION else 1,
        steps=STEPS if sequences else {},
    )
    size = 32 if n > 32 else 5
    settings = TrainingSettings(epochs=4, patience=1, batch_size=size, stop_on="loss", device="cpu")
    border = model_border(case, pytest.fail)
    trainers = [
        Trainer(lambda: plugin.make(params, shape), settings, border=border, stack=n) for n in (None, 1, 3)
    ]
    valids = [trainers[0].validation(samples(9, 50 + i, task, features, sequences=sequences)) for i in (0, 1)]
    requests = [
        Fit(labeled=samples(n, i, task, features, sequences=sequences), seed=i, valid=valids[i % 2])
        for i in range(5)
    ]
    together = trainers[0].fit_many(requests)
    assert [fitted.cost["train_stacked"] for fitted in together] == [5] * 5
    for trainer in trainers[1:]:
        for mine, theirs in zip(trainer.fit_many(requests[::-1]), together[::-1], strict=True):
            assert mine.epochs == theirs.epochs
            weights = theirs.model.state_dict()
            assert all(torch.equal(value, weights[name]) for name, value in mine.model.state_dict().items())
