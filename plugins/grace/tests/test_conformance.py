"""What every sampler promises, of GRACE with its many options."""

from alharness import Feature, Task
from alharness.testing import SamplerConformance
from alharness_grace.plugin import alharness_samplers


class TestDefaults(SamplerConformance):
    plugin = alharness_samplers()[0]
    unread = {Feature.EMBEDDINGS, Feature.MC_DRAWS}


class TestCosineDistance(TestDefaults):
    params = {"distance": "cosine", "member_scaling": "pool_rms"}


class TestSquaredDistance(TestDefaults):
    params = {"distance": "sqeuclidean", "representativeness": "far"}


class TestLastLayer(TestDefaults):
    params = {"gradient_point": "last_layer"}
    offset_invariant = False  # these gradients are products with embeddings and representations


class TestRepresentations(TestDefaults):
    params = {"rep_space": "representation"}


class TestAnglesOfRepresentations(TestDefaults):
    params = {"rep_space": "representation", "distance": "cosine"}
    offset_invariant = False


class TestFusedEmbeddings(TestDefaults):
    params = {"rep_space": "fusion_representation", "representativeness": "reciprocal"}


class TestSquaredDistanceOfFusedEmbeddings(TestDefaults):
    params = {"rep_space": "fusion_representation", "distance": "sqeuclidean"}


class TestAdditive(TestDefaults):
    params = {"combine": {"additive": {"beta": 10, "gamma": 1}}, "norm_reduce": "concat"}


class TestDifferencesByRank(TestDefaults):
    params = {"easiness": "neg_difference", "normalize": "rank", "alpha_decay": 0}


class TestAnchors(TestDefaults):
    params = {"representativeness_anchors": 6}
    deterministic = False


class TestAnchorsOfRepresentations(TestDefaults):
    params = {"representativeness_anchors": 6, "rep_space": "representation", "combine": {"additive": {}}}
    deterministic = False


class TestCross(TestDefaults):
    params = {"pseudo_label": "cross", "gradient_point": "last_layer"}
    tasks = {Task.REGRESSION}
    offset_invariant = False


class TestPairwise(TestDefaults):
    params = {"pseudo_label": "pairwise"}
    tasks = {Task.REGRESSION}


class TestDropout(TestDefaults):
    params = {"pseudo_label": "mc", "draws": 5}
    tasks = {Task.REGRESSION}
