"""What every sampler promises, of GRACE with its many options: each kind of option once."""

from alharness import Task
from alharness.testing import SamplerConformance
from alharness_grace.plugin import alharness_samplers


class TestDefaults(SamplerConformance):
    plugin = alharness_samplers()[0]


class TestLastLayer(TestDefaults):
    params = {"gradient_point": "last_layer", "member_scaling": "pool_rms"}
    offset_invariant = False  # these gradients are products with embeddings and representations


class TestOtherFormulas(TestDefaults):
    params = {"distance": "cosine", "easiness": "neg_difference", "normalize": "rank", "norm_reduce": "concat"}
    in_parts = False


class TestRepresentations(TestDefaults):
    params = {
        "rep_space": "representation",
        "distance": "sqeuclidean",
        "representativeness": "reciprocal",
        "combine": {"additive": {"beta": 10, "gamma": 1}},
    }
    in_parts = False


class TestAnchors(TestDefaults):
    params = {"representativeness_anchors": 6}
    deterministic = False


class TestDropout(TestDefaults):
    params = {"pseudo_label": "mc", "draws": 5, "gradient_point": "last_layer"}
    tasks = {Task.REGRESSION}
    offset_invariant = False
