"""Samplers whose choice depends on what it must not depend on."""

import random

import numpy as np
import torch
from good import Fair, Good, plugin

from alharness import Feature, Sampler, ScoringSampler
from alharness.testing import SamplerConformance

REFUSED = {
    "test_an_offset_of_the_features_does_no_harm",
    "test_samples_that_lack_a_modality_give_a_full_batch",
    "test_chooses_as_many_samples_as_asked",
    "test_chooses_nothing_for_an_empty_budget",
    "test_chooses_the_last_sample_of_the_pool",
    "test_duplicates_are_chosen_once_each",
    "test_gradients_that_are_all_zero_give_a_full_batch",
    "test_keeps_no_state_between_queries",
    "test_one_labeled_sample_is_enough",
    "test_predictions_that_are_all_certain_give_a_full_batch",
    "test_samples_that_are_all_alike_give_a_full_batch",
    "test_takes_the_whole_pool_when_it_is_the_budget",
    "test_the_batch_of_inference_does_not_matter",
    "test_the_global_random_state_does_not_matter",
    "test_the_same_seed_chooses_the_same",
    "test_what_the_views_hold_is_unchanged",
}
"""The harness refuses every query of a sampler that writes to what its views hold."""


class Entropy(Good):
    """Draws from the operating system."""

    def score(self, query):
        return super().score(query) + torch.from_numpy(np.random.default_rng().random(len(query.unlabeled)))


class TestDrawsWithoutASeed(SamplerConformance):
    plugin = plugin(Entropy)
    deterministic = False
    fails = {
        "test_an_offset_of_the_features_does_no_harm",
        "test_the_same_seed_chooses_the_same",
        "test_keeps_no_state_between_queries",
        "test_the_global_random_state_does_not_matter",
        "test_the_batch_of_inference_does_not_matter",
    }


class Remembering(Good):
    def __init__(self):
        self.queries = 0

    def score(self, query):
        self.queries += 1
        return super().score(query) * (1 if self.queries == 1 else -1)


class TestKeepsState(SamplerConformance):
    plugin = plugin(Remembering)
    fails = {"test_keeps_no_state_between_queries"}


class TestDrawsButSaysThatItDoesNot(SamplerConformance):
    plugin = plugin(Fair, requires=())
    fails = {
        "test_only_a_sampler_that_draws_depends_on_the_seed_and_the_cycle",
        "test_the_order_of_the_pool_does_not_matter",
    }


class TestSaysThatItDrawsButDoesNot(SamplerConformance):
    plugin = plugin(Good)
    deterministic = False
    fails = {"test_only_a_sampler_that_draws_depends_on_the_seed_and_the_cycle"}


class OneSchedule(Sampler):
    """Follows a generator that a test made, but no cycle of the harness."""

    def select(self, query):
        seed = (
            0 if query.cycles > 1 and isinstance(query.rng.bit_generator.seed_seq.entropy, list) else query.seed()
        )
        return np.random.default_rng(seed).permutation(len(query.unlabeled))[: query.size]


class TestDrawsTheSameInEveryCycle(SamplerConformance):
    plugin = plugin(OneSchedule, requires=())
    deterministic = False
    fails = {"test_only_a_sampler_that_draws_depends_on_the_seed_and_the_cycle"}


class SeedsTorch(Good):
    def score(self, query):
        torch.manual_seed(5)
        return super().score(query)


class SeedsNumpy(Good):
    def score(self, query):
        np.random.seed(5)
        return super().score(query)


class DrawsFromPython(Good):
    def score(self, query):
        random.random()
        return super().score(query)


class TestSeedsTorch(SamplerConformance):
    plugin = plugin(SeedsTorch)
    fails = {"test_the_global_random_state_is_untouched"}


class TestSeedsNumpy(SamplerConformance):
    plugin = plugin(SeedsNumpy)
    fails = {"test_the_global_random_state_is_untouched"}


class TestDrawsFromPython(SamplerConformance):
    plugin = plugin(DrawsFromPython)
    fails = {"test_the_global_random_state_is_untouched"}


class Forked(Good):
    """Draws from torch's generator and puts it back."""

    def score(self, query):
        with torch.random.fork_rng():
            return super().score(query) + torch.rand(len(query.unlabeled))


class TestDrawsFromAForkOfTheGlobalGenerator(SamplerConformance):
    plugin = plugin(Forked)
    deterministic = False
    fails = {
        "test_the_global_random_state_does_not_matter",
        "test_only_a_sampler_that_draws_depends_on_the_seed_and_the_cycle",
        "test_the_order_of_the_pool_does_not_matter",
    }


class FirstOfBatches(Good):
    def score(self, query):
        batch = getattr(query.unlabeled, "_view", query.unlabeled)._extractor._batch
        return super().score(query) + 100.0 * (torch.arange(len(query.unlabeled)) % batch == 0)


class TestDependsOnTheBatch(SamplerConformance):
    plugin = plugin(FirstOfBatches)
    fails = {"test_the_batch_of_inference_does_not_matter", "test_the_order_of_the_pool_does_not_matter"}


class InOrder(Sampler):
    def select(self, query):
        return range(query.size)


class TestTakesTheFirst(SamplerConformance):
    plugin = plugin(InOrder, requires=())
    fails = {"test_the_order_of_the_pool_does_not_matter"}


class Blocks(Good):
    """Forgets what comes after the first 1024 rows."""

    def score(self, query):
        return super().score(query) - 1e9 * (torch.arange(len(query.unlabeled)) >= 1024)


class TestForgetsAllButTheFirstBlock(SamplerConformance):
    plugin = plugin(Blocks)
    fails = {"test_the_order_of_the_pool_does_not_matter"}


class Uneven(Sampler):
    """Positions in the first half of the pool are twice as likely."""

    def select(self, query):
        n = len(query.unlabeled)
        weights = np.where(np.arange(n) < n / 2, 2.0, 1.0)
        return query.rng.choice(n, query.size, replace=False, p=weights / weights.sum())


class TestPrefersTheFirstHalf(SamplerConformance):
    plugin = plugin(Uneven, requires=())
    deterministic = False
    fails = {"test_the_order_of_the_pool_does_not_matter"}


class Typical(ScoringSampler):
    """Prefers what is near the mean of the pool, and does not say that this is no score of a row."""

    def score(self, query):
        values = query.unlabeled.predictions()[:, 0].double()
        return -(values - values[values.isfinite()].mean()).abs()


class TestSaysThatItsScoresBelongToRows(SamplerConformance):
    plugin = plugin(Typical)
    fails = {"test_a_pool_in_parts_is_chosen_from_as_the_whole"}


class CentersPredictions(Good):
    def score(self, query):
        return query.unlabeled.predictions().sub_(1)[:, 0]


class CentersLabeled(Good):
    def score(self, query):
        query.labeled.embeddings().sub_(1)
        return super().score(query)


class ForgetsLabels(Good):
    def score(self, query):
        query.labeled.targets().zero_()
        return super().score(query)


class Switches(Good):
    def score(self, query):
        torch.set_default_dtype(torch.float64)
        return super().score(query)


class TestLeavesASwitch(SamplerConformance):
    plugin = plugin(Switches)
    fails = {"test_the_process_is_left_as_it_was"}


class TestChangesThePredictions(SamplerConformance):
    plugin = plugin(CentersPredictions)
    fails = REFUSED


class TestChangesTheLabeledEmbeddings(SamplerConformance):
    plugin = plugin(CentersLabeled, requires=(Feature.EMBEDDINGS, Feature.PREDICTIONS))
    fails = REFUSED


class TestChangesTheLabels(SamplerConformance):
    plugin = plugin(ForgetsLabels)
    fails = REFUSED
