"""Samplers that break on pools out of the ordinary."""

from collections import Counter

import torch
from good import Good, plugin

from alharness import Feature, Sampler, SamplerError
from alharness.kernels import require_finite, top_k
from alharness.testing import SamplerConformance


class ScaledByLabels(Good):
    def score(self, query):
        return super().score(query) * query.labeled.targets().double().std()


class TestTakesTheSpreadOfTheLabels(SamplerConformance):
    plugin = plugin(ScaledByLabels)
    fails = {"test_one_labeled_sample_is_enough"}


class Nearest(Good):
    """By value: of duplicates it finds the first again and again."""

    def select(self, query):
        scores = self.score(query).tolist()
        return [scores.index(score) for score in sorted(scores, reverse=True)[: query.size]]


class TestFindsPositionsByValue(SamplerConformance):
    plugin = plugin(Nearest)
    fails = {
        "test_duplicates_are_chosen_once_each",
        "test_samples_that_are_all_alike_give_a_full_batch",
        "test_gradients_that_are_all_zero_give_a_full_batch",
        "test_predictions_that_are_all_certain_give_a_full_batch",
        "test_features_that_are_not_finite_are_refused",
    }


class Distinct(Good):
    """Keeps one of each kind."""

    def select(self, query):
        scores = self.score(query)
        kinds = Counter(scores.tolist())
        if 1 < len(kinds) < query.size:
            raise SamplerError("there are too few different samples")
        return super().select(query)


class TestNeedsDifferentSamples(SamplerConformance):
    plugin = plugin(Distinct)
    fails = {"test_duplicates_are_chosen_once_each"}


class Standardized(Good):
    def score(self, query):
        z = query.unlabeled.representations("audio").double() @ torch.arange(1, 6).double().sqrt()
        if not z.isfinite().all():
            raise SamplerError(f"{int((~z.isfinite()).sum())} of {len(z)} rows are not finite")
        return (z - z.mean()) / z.std() if len(z) > 1 else z


class TestDividesByASpread(SamplerConformance):
    plugin = plugin(Standardized, requires=(Feature.REPRESENTATIONS,))
    fails = {"test_samples_that_are_all_alike_give_a_full_batch"}


class GradientDirection(Good):
    """The direction of a gradient, without a thought for one of length 0."""

    def score(self, query):
        with torch.enable_grad():
            z = {m: query.unlabeled.representations(m).clone().requires_grad_() for m in query.modalities}
            (g,) = torch.autograd.grad(query.decode(z)["fused"][:, 0].sum(), [z["audio"]])
        length = g.norm(dim=1)
        if (length == 0).any():
            raise ZeroDivisionError
        return super().score(query)


class TestDividesByTheLengthOfAGradient(SamplerConformance):
    plugin = plugin(GradientDirection, requires=(Feature.PREDICTIONS, Feature.REPRESENTATIONS, Feature.DECODE))
    fails = {
        "test_gradients_that_are_all_zero_give_a_full_batch",
        "test_predictions_that_are_all_certain_give_a_full_batch",
    }


class Odds(Good):
    def score(self, query):
        p = query.unlabeled.predictions().exp()
        return (p / (1 - p)).amax(1).log().double()


class TestDividesByWhatACertainModelLeaves(SamplerConformance):
    plugin = plugin(Odds)
    fails = {"test_predictions_that_are_all_certain_give_a_full_batch"}


class Lengths(Good):
    def score(self, query):
        return query.unlabeled.embeddings().double().norm(dim=1)


class TestDependsOnAnOffset(SamplerConformance):
    plugin = plugin(Lengths, requires=(Feature.EMBEDDINGS,))
    fails = {"test_an_offset_of_the_features_does_no_harm"}


class Farthest(Sampler):
    """Distances from products of features that are far from the origin."""

    def select(self, query):
        pool, centers = query.unlabeled.embeddings(), query.labeled.embeddings()
        squares = pool.square().sum(1)[:, None] + centers.square().sum(1) - 2 * pool @ centers.T
        require_finite(squares, "the distances")
        return top_k(squares.amin(1), query.size)


class TestLosesDigitsToAnOffset(SamplerConformance):
    plugin = plugin(Farthest, requires=(Feature.EMBEDDINGS,))
    fails = {"test_an_offset_of_the_features_does_no_harm"}


class SmallFeatures(Good):
    def score(self, query):
        if query.unlabeled.embeddings().abs().max() > 900:
            raise OverflowError
        return super().score(query)


class TestBreaksAtAnOffset(SamplerConformance):
    plugin = plugin(SmallFeatures, requires=(Feature.EMBEDDINGS, Feature.PREDICTIONS))
    offset_invariant = False
    fails = {"test_an_offset_of_the_features_does_no_harm"}


class Whatever(Good):
    def score(self, query):
        return super().score(query).nan_to_num(0, 0, 0)


class TestTakesWhatIsNotFinite(SamplerConformance):
    plugin = plugin(Whatever)
    fails = {"test_features_that_are_not_finite_are_refused"}


class Vague(Good):
    def score(self, query):
        scores = super().score(query)
        if not scores.isfinite().all():
            raise SamplerError("something is not finite")
        return scores


class TestDoesNotSayHowMuchIsNotFinite(SamplerConformance):
    plugin = plugin(Vague)
    fails = {"test_features_that_are_not_finite_are_refused"}


class OnlyWhole(Good):
    """Leaves out samples that lack a modality."""

    def select(self, query):
        whole = torch.stack([query.unlabeled.present(m) for m in query.modalities]).all(0).nonzero().flatten()
        return whole[top_k(self.score(query)[whole], min(query.size, len(whole)))]


class TestWantsAllModalities(SamplerConformance):
    plugin = plugin(OnlyWhole)
    fails = {"test_samples_that_lack_a_modality_give_a_full_batch"}
