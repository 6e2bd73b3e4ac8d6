"""Whether active learning on a stand-in is neither trivial nor hopeless, measured with `late_fusion`.

The thresholds are minimum properties; docs/reference/stand-ins.md has the values measured. Properties that
need no model are in test_generator.py.
"""

import itertools

import numpy as np
import pytest
import torch

from alharness import Dataset, Feature, Sampler, ScoringSampler, Splits, registry
from alharness.api.records import Schedule
from alharness.engine.loop import run_cell
from alharness.models.late_fusion.plugin import LateFusionParams, alharness_models
from alharness.runs.setup import Setup

pytestmark = pytest.mark.long

MODALITIES = ("text", "audio", "vision")
SEEDS = range(6)
COMPARED = ("random", "disagreement", "aligned and clean")


def mean_score(lab, labels=None, seeds=(0, 1, 2)):
    return np.mean([lab.score(lab.fit(labels, seed)[0]) for seed in seeds])


def contradicted(part):
    """Samples whose modalities disagree: by more than 0.5, or in their class."""
    own = np.stack(list(part.labels.own.values()))
    return own.max(axis=0) - own.min(axis=0) > 0.5


def ratio(values, which):
    return values[which].mean() / values[~which].mean()


def test_all_labels_together_teach_what_there_is_to_learn(lab):
    assert mean_score(lab, seeds=(0, 1)) <= 0.6 * np.abs(lab.test.labels - lab.train.labels.mean()).mean()
    right = (lab.predictions(lab.fit()[0]) > 0) == (lab.test.labels > 0)
    assert 0.78 <= right.mean() <= 0.88


def test_more_labels_help_to_the_end(lab):
    few, some, full = mean_score(lab, 200), mean_score(lab, 800), mean_score(lab, seeds=(0, 1))
    assert few - some >= 0.05
    assert some - full >= 0.03


def test_each_modality_can_be_learned_and_all_together_are_best(lab):
    model = lab.fit()[0]
    for modality in MODALITIES:
        assert lab.score(model, modality) < lab.constant(modality)
        assert lab.score(model) + 0.03 < lab.score_alone(modality) < lab.constant()


def test_contradictions_are_hard_to_the_end(lab):
    conflicts = contradicted(lab.parts["test"])
    for seed in (0, 1):
        assert ratio(lab.errors(lab.fit(None, seed)[0], lab.test), conflicts) >= 1.2


def test_outliers_attract_samplers_that_look_at_magnitudes(lab):
    for seed in (0, 1, 2):
        model, rest = lab.fit(400, seed)
        unlabeled, outliers = lab.train.take(rest), lab.parts["train"].population.outliers[rest]
        assert ratio(lab.errors(model, unlabeled), outliers) >= 1.4
        assert ratio(lab.norms(model, unlabeled), outliers) >= 1.4


class Disagreement(ScoringSampler):
    """What the heads of the modalities say differently: it falls for outliers and for contradictions."""

    def score(self, query):
        values = torch.cat([query.unlabeled.predictions(modality) for modality in MODALITIES], dim=1)
        return values.amax(dim=1) - values.amin(dim=1)


class AlignedAndClean(Sampler):
    """Knows what no sampler can: draws from the samples whose modalities agree and that are no outliers.

    Args:
        worthy: (n,) whether a sample of the pool is one of them.
        labeled: positions of the initial pool.
    """

    def __init__(self, worthy, labeled):
        self.worthy, self.unlabeled = worthy, np.setdiff1d(np.arange(len(worthy)), labeled)

    def select(self, query):
        positions = query.rng.choice(np.flatnonzero(self.worthy[self.unlabeled]), query.size, replace=False)
        self.unlabeled = np.delete(self.unlabeled, positions)
        return positions


@pytest.fixture(scope="module")
def curves(lab):
    """Sampler's name -> (seeds,) mean test errors of runs over 100 + 3 × 100 labels."""
    setup = Setup(
        Dataset(task=lab.task, content=Splits(**lab.splits), synthetic=True),
        alharness_models()[0],
        LateFusionParams(),
        lab.settings,
        Schedule(initial_pool=100, sizes=(100, 100, 100)),
    )
    part = lab.parts["train"]
    worthy = ~part.population.outliers & ~contradicted(part)

    def make(name, seed):
        if name == "disagreement":
            return Disagreement(), {Feature.PREDICTIONS}
        if name == "aligned and clean":
            return AlignedAndClean(worthy, setup.seed_data(seed).initial.labeled), set()
        found = registry.load().sampler(name).plugin
        return found.make(found.params()), found.requires

    cells = []
    for name in COMPARED:
        for seed in SEEDS:
            sampler, features = make(name, seed)
            data = setup.seed_data(seed)
            cells.append(run_cell(data, sampler, data.initial, features=frozenset(features)))
    return dict(zip(COMPARED, errors_of(setup, cells).reshape(len(COMPARED), len(SEEDS)), strict=True))


def surely_above_0(gains):
    """By more than two standard errors of their mean."""
    return np.mean(gains) > 2 * np.std(gains, ddof=1) / np.sqrt(len(gains))


def test_samplers_can_be_told_apart(curves):
    """Six seeds show that the disagreement of heads, which falls for outliers, loses to random."""
    assert surely_above_0(curves["disagreement"] - curves["random"])


def test_who_knows_the_aligned_and_clean_samples_beats_random(curves):
    """The positive control: there is something to be won, and six seeds show it."""
    assert surely_above_0(curves["random"] - curves["aligned and clean"])


def errors_of(setup, cells):
    """(cells,) mean absolute errors of all cycles. Models with as many labels are trained together."""
    found, asked = [[] for _ in cells], [next(cell) for cell in cells]
    for cycle in range(4):
        models = setup.trainer.fit_many(asked)
        for cell, errors, model in zip(cells, found, models, strict=True):
            errors.append(cell.send(model).metrics["mae"])
        asked = [next(cell) for cell in cells] if cycle < 3 else []
    return np.mean(found, axis=1)


@pytest.mark.parametrize(
    ("name", "share", "labels", "learned", "gained", "hard"),
    [
        ("sims", 1, 200, 0.65, 0.08, 1.15),
        ("mosi", 1, 200, 0.67, 0.2, 1.03),
        ("mosei", 0.15, 200, 0.65, 0.25, 1.05),
    ],
)
def test_the_other_regressions_have_the_same_properties_in_kind(
    make_lab, name, share, labels, learned, gained, hard
):
    """Thresholds from the first measurement, with room for another machine's arithmetic."""
    lab = make_lab(name, (2, 1), share=share)
    full, (few, rest) = lab.fit()[0], lab.fit(labels)
    assert lab.score(full) <= learned * np.abs(lab.test.labels - lab.train.labels.mean()).mean()
    assert lab.score(few) - lab.score(full) >= gained
    for modality in MODALITIES:
        assert lab.score(full, modality) < lab.constant(modality)
        assert lab.score(full) < lab.score_alone(modality) < lab.constant()
    assert 0.25 <= contradicted(lab.parts["train"]).mean() <= 0.45
    conflicts = contradicted(lab.parts["test"])
    assert np.mean([ratio(lab.errors(lab.fit(None, seed)[0], lab.test), conflicts) for seed in (0, 1)]) >= hard
    outliers = lab.parts["train"].population.outliers[rest]
    assert ratio(lab.norms(few, lab.train.take(rest)), outliers) >= 1.3


def test_the_classification_has_the_same_properties_in_kind(make_lab):
    lab = make_lab("cherma", (1, 1), share=0.15)
    full, (few, rest) = lab.fit()[0], lab.fit(400)
    assert lab.constant() + 0.1 < lab.score(few) < lab.score(full) - 0.15
    assert 0.4 < lab.score(full) < 0.6  # of 2,585 labels: there is more to learn from the whole 17,230
    for modality in MODALITIES:
        assert lab.score(full, modality) > lab.constant(modality) + 0.2
        assert lab.score(full) > lab.score_alone(modality) + 0.1
    own = lab.parts["test"].labels.own
    disagree = np.any([own[a] != own[b] for a, b in itertools.combinations(MODALITIES, 2)], axis=0)
    assert ratio(lab.errors(full, lab.test), disagree) >= 1.5
    outliers = lab.parts["train"].population.outliers[rest]
    assert ratio(lab.norms(few, lab.train.take(rest)), outliers) >= 1.3
