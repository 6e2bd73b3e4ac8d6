"""Samplers that break no promise; what a bad one changes is what the tests find."""

from alharness import Feature, Params, Sampler, SamplerError, SamplerPlugin, ScoringSampler, Task
from alharness.kernels import top_k
from alharness.testing import SamplerConformance


class Good(Sampler):
    """Ranks by the first column of the predictions."""

    def score(self, query):
        return query.unlabeled.predictions()[:, 0].double()

    def select(self, query):
        return top_k(self.score(query), query.size)


def plugin(
    sampler,
    *,
    params=Params,
    requires=(Feature.PREDICTIONS,),
    tasks=(Task.CLASSIFICATION,),
    review=None,
    module="alharness",
):
    """As if `make` were in that module, which is light."""

    def make(_):
        return sampler()

    make.__module__ = module
    return SamplerPlugin(
        name="bad",
        params=params,
        make=make,
        review=review,
        requires=frozenset(requires),
        tasks=frozenset(tasks),
    )


class TestNothingIsWrong(SamplerConformance):
    plugin = plugin(Good, tasks=Task)
    fails = set()


class Votes(ScoringSampler):
    """Ties nearly everything; ties go by position, as the harness has it."""

    def score(self, query):
        return query.unlabeled.predictions()[:, 0].ceil()


class TestNothingIsWrongWithTies(SamplerConformance):
    plugin = plugin(Votes)
    fails = set()


class Fair(Sampler):
    def select(self, query):
        return query.rng.permutation(len(query.unlabeled))[: query.size]


class TestNothingIsWrongWithDraws(SamplerConformance):
    plugin = plugin(Fair, requires=(), tasks=Task)
    deterministic = False
    fails = set()


def refuse_regression(_, setting):
    if setting.task == Task.REGRESSION:
        raise SamplerError("it serves classes only")
    return ["a warning is no refusal"]


class TestNothingIsWrongWithAReviewThatRefuses(SamplerConformance):
    plugin = plugin(Good, tasks=Task, review=refuse_regression)
    tasks = {Task.CLASSIFICATION}
    fails = set()
