"""What every sampler promises, of GRACE with its many options."""

from alharness import Task
from alharness.testing import SamplerConformance
from alharness_grace.plugin import alharness_samplers


class TestDefaults(SamplerConformance):
    plugin = alharness_samplers()[0]


class TestLastLayer(TestDefaults):
    params = {"gradient_point": "last_layer", "member_scaling": "pool_rms"}
    offset_invariant = False  # these gradients are products with embeddings and representations


class TestCosineDistance(TestDefaults):
    params = {"distance": "cosine", "easiness": "neg_difference", "normalize": "rank", "norm_reduce": "concat"}


class TestSumWithRepresentations(TestDefaults):
    params = {"rep_space": "representation", "combine": {"additive": {"beta": 10, "gamma": 1}}}


class TestAnglesOfRepresentations(TestDefaults):
    params = {"rep_space": "representation", "distance": "cosine", "representativeness": "far"}
    offset_invariant = False


class TestSquaredDistanceOfFusedEmbeddings(TestDefaults):
    params = {"rep_space": "fusion_representation", "distance": "sqeuclidean", "representativeness": "reciprocal"}


class TestAnchors(TestDefaults):
    params = {"representativeness_anchors": 6}
    deterministic = False


class TestPairwise(TestDefaults):
    params = {"pseudo_label": "pairwise"}
    tasks = {Task.REGRESSION}


class TestDropout(TestDefaults):
    params = {"pseudo_label": "mc", "draws": 5, "gradient_point": "last_layer"}
    tasks = {Task.REGRESSION}
    offset_invariant = False
