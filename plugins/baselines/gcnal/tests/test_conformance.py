from alharness.testing import SamplerConformance
from alharness_gcnal.plugin import alharness_samplers

FAST = {"steps": 5, "hidden": 16}


class TestCore(SamplerConformance):
    plugin = alharness_samplers()[0]
    params = FAST
    deterministic = False
    offset_invariant = False  # samples are joined by the angles of their embeddings


class TestUncertainInASubset(TestCore):
    params = {"variant": "uncertain", "affinity": "shifted", "subset": 39, **FAST}
