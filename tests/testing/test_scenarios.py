import random
from dataclasses import replace

import numpy as np
import pytest
import torch

from alharness import FUSED, Feature, Sampler, SamplerError, ScoringSampler, Task
from alharness.testing import ExactNetwork, Scenario

FEATURES = frozenset(Feature)


@pytest.fixture(params=list(Task), ids=str)
def scenario(request):
    return Scenario(task=request.param)


def views(scenario):
    query = scenario.query(FEATURES)
    return query, (query.unlabeled, query.labeled)


def everything(scenario):
    """All that can be read, by name."""
    query, sides = views(scenario)
    found = {}
    for side, view in zip("ul", sides, strict=True):
        for source in (*query.modalities, FUSED):
            found[side, source, "h"] = view.embeddings(source)
            found[side, source, "p"] = view.predictions(source)
            found[side, source, "draws"] = torch.stack(list(view.mc_draws(3, source)))
        for m in query.modalities:
            found[side, m, "z"] = view.representations(m)
    return found


def test_modalities_are_of_unequal_size(scenario):
    query, (unlabeled, labeled) = views(scenario)
    widths = [unlabeled.representations(m).shape[1] for m in query.modalities]
    assert len(set(widths)) == len(widths) == 3
    assert (len(unlabeled), len(labeled)) == (40, 8)


def test_an_offset_shifts_features_by_exactly_as_much_and_predictions_by_nothing(scenario):
    plain, shifted = everything(scenario), everything(replace(scenario, offset=1000))
    for (side, source, kind), values in plain.items():
        expected = values + 1000 if kind in "hz" else values
        assert torch.equal(shifted[side, source, kind], expected)


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_the_batch_changes_no_bit_up_to_the_outputs(scenario, batch):
    plain, other = everything(scenario), everything(replace(scenario, batch=batch))
    assert all(torch.equal(other[key], values) for key, values in plain.items() if key[2] != "p")


def test_no_two_samples_are_alike(scenario):
    query, (unlabeled, _) = views(replace(scenario, unlabeled=1300))
    z = torch.cat([unlabeled.representations(m) for m in query.modalities], 1)
    assert len(z.unique(dim=0)) == len(unlabeled.embeddings().unique(dim=0)) == 1300


def test_predictions_are_neither_even_nor_certain():
    _, (unlabeled, _) = views(Scenario(unlabeled=1300))
    largest = unlabeled.predictions().exp().amax(1)
    assert largest.min() < 0.35
    assert 0.4 < largest.mean() < 0.7


def test_distinct_says_how_many_inputs_there_are(scenario):
    _, (unlabeled, labeled) = views(replace(scenario, distinct=5))
    both = torch.cat([unlabeled.embeddings(), labeled.embeddings()])
    assert len(both.unique(dim=0)) == 5


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_spoiled_samples_have_no_finite_feature_and_others_do(scenario, value):
    for (side, _, kind), values in everything(replace(scenario, spoiled=3, spoil=value)).items():
        rows = values.transpose(0, 1).flatten(1) if kind == "draws" else values
        bad = (~rows.isfinite()).any(1)
        assert bad.nonzero()[:, 0].tolist() == ([0, 1, 2] if side == "u" else [])
        if kind == "z" and side == "u":
            assert torch.equal(rows[:3], torch.full_like(rows[:3], value)) or rows[:3].isnan().all()


def gradients(scenario):
    """Of the cross-entropy with the predicted class, or of the values."""
    query, (unlabeled, _) = views(scenario)
    z = {m: unlabeled.representations(m).clone().requires_grad_() for m in query.modalities}
    losses = [
        o.amax(1).sum() if scenario.task == Task.CLASSIFICATION else o.sum() for o in query.decode(z).values()
    ]
    total = torch.stack(losses).sum()
    return torch.cat(torch.autograd.grad(total, list(z.values())), 1)


def test_gradients_differ_from_sample_to_sample(scenario):
    assert len(gradients(scenario).unique(dim=0)) == 40


def test_blind_heads_have_no_gradient_and_one_prediction(scenario):
    blind = replace(scenario, heads="blind")
    assert not gradients(blind).any()
    _, (unlabeled, _) = views(blind)
    assert len(unlabeled.predictions().unique(dim=0)) == 1
    assert len(unlabeled.representations("audio").unique(dim=0)) == 40


def test_blind_heads_still_have_dropout(scenario):
    _, (unlabeled, _) = views(replace(scenario, heads="blind"))
    assert torch.stack(list(unlabeled.mc_draws(3))).std(0).amin() > 0


def test_certain_heads_leave_float32_nothing_between_0_and_1():
    _, (unlabeled, _) = views(Scenario(heads="certain"))
    for source in ("audio", "text", "vision", FUSED):
        assert set(unlabeled.predictions(source).exp().flatten().tolist()) == {0.0, 1.0}
    assert not gradients(Scenario(heads="certain")).any()


def test_without_dropout_there_are_no_draws(scenario):
    with pytest.raises(SamplerError, match="no active dropout"):
        everything(replace(scenario, dropout=False))


def test_the_seed_and_the_cycle_reach_the_query(scenario):
    queries = [replace(scenario, seed=seed, cycle=cycle).query(FEATURES) for seed in (0, 1) for cycle in (0, 1)]
    assert len({query.seed() for query in queries}) == 4
    assert [(query.cycle, query.cycles, query.size) for query in queries[:2]] == [(0, 4, 6), (1, 4, 6)]


def test_labels_are_those_of_the_task(scenario):
    _, (_, labeled) = views(scenario)
    assert labeled.targets().is_floating_point() == (scenario.task == Task.REGRESSION)


class Last(Sampler):
    def select(self, query):
        n = len(query.unlabeled)
        return range(n - query.size, n)


def test_positions_of_an_answer_are_positions_in_the_pool(scenario):
    assert list(scenario.ask(Last(), set()).positions) == scenario.pool.unlabeled[-6:].tolist()


def test_what_was_not_declared_cannot_be_read(scenario):
    with pytest.raises(SamplerError, match=r"add Feature\.EMBEDDINGS"):
        scenario.query({Feature.PREDICTIONS}).unlabeled.embeddings()


def test_a_scenario_leaves_the_global_random_state_alone(scenario):
    def state():
        return torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate()

    before = state()
    scenario.ask(Last(), set())
    assert state() == before


def test_the_network_is_not_for_training():
    with pytest.raises(TypeError, match="fixed weights and cannot be trained"):
        ExactNetwork(Task.REGRESSION).loss(None)


class Known(ScoringSampler):
    """Reads what needs no model, of a pool in one piece or in parts."""

    def score(self, query):
        view = query.unlabeled
        there = torch.stack([view.present(m) for m in query.modalities]).double().sum(0)
        inputs = torch.cat([view.inputs(m) for m in query.modalities], dim=1).double().abs().sum(1)
        labels = query.labeled.targets("audio").double().mean() + query.labeled.bought().sum()
        assert len(query.classes) in (0, 4)
        assert len(query.labeled.truth("value")) == len(query.labeled)
        return there + inputs + labels * view.truth("value")


def test_a_pool_in_parts_shows_what_the_whole_shows():
    scenario = Scenario(incomplete=True, truth=("value",), labeled=5)
    features = {Feature.INPUTS, Feature.TRUTH}
    found, whole = (ask(Known(), features) for ask in (scenario.ask_in_parts, scenario.ask))
    assert (found.positions, found.scores) == (whole.positions, pytest.approx(whole.scores))
    lacking = [~scenario.samples.inputs.present[m] for m in scenario.samples.inputs.modalities]
    assert np.sum(lacking, axis=0).tolist() == [0] + [1] * 44
