"""Samplers that choose too few or too many."""

from good import Good, plugin

from alharness.kernels import top_k
from alharness.testing import SamplerConformance


class AtMostFive(Good):
    def select(self, query):
        return super().select(query)[:5] if 5 < query.size < 10 else super().select(query)


class TestChoosesTooFew(SamplerConformance):
    plugin = plugin(AtMostFive)
    fails = {
        "test_chooses_as_many_samples_as_asked",
        "test_one_labeled_sample_is_enough",
        "test_samples_that_are_all_alike_give_a_full_batch",
        "test_gradients_that_are_all_zero_give_a_full_batch",
        "test_predictions_that_are_all_certain_give_a_full_batch",
        "test_samples_that_lack_a_modality_give_a_full_batch",
        "test_features_that_are_not_finite_are_refused",
        "test_the_same_seed_chooses_the_same",
        "test_keeps_no_state_between_queries",
        "test_the_global_random_state_does_not_matter",
        "test_the_batch_of_inference_does_not_matter",
        "test_what_the_views_hold_is_unchanged",
        "test_reads_what_it_declares",
    }


class AtLeastOne(Good):
    def select(self, query):
        return top_k(self.score(query), max(1, query.size))


class TestChoosesSomethingForNothing(SamplerConformance):
    plugin = plugin(AtLeastOne)
    fails = {"test_chooses_nothing_for_an_empty_budget"}


class LeavesOne(Good):
    def select(self, query):
        n = len(query.unlabeled)
        return top_k(self.score(query), min(query.size, n - 1) if n > 1 else query.size)


class TestLeavesOneSampleBehind(SamplerConformance):
    plugin = plugin(LeavesOne)
    fails = {"test_takes_the_whole_pool_when_it_is_the_budget", "test_duplicates_are_chosen_once_each"}


class NeedsTwo(Good):
    def score(self, query):
        return super().score(query) / min(1, len(query.unlabeled) - 1)


class TestDividesByTheOthers(SamplerConformance):
    plugin = plugin(NeedsTwo)
    fails = {"test_chooses_the_last_sample_of_the_pool"}
