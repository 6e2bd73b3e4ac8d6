"""The conformance kit: what every sampler promises, as tests to inherit, and made-up pools to write your own with.

Needs pytest: `pip install "alharness[test]"`. Nothing else in alharness imports it.
"""

import pytest

pytest.register_assert_rewrite("alharness.testing.sampler")

from .network import ExactNetwork
from .queries import TensorQuery, make_query
from .sampler import SamplerConformance
from .views import TensorView
from .worlds import World

__all__ = ["ExactNetwork", "SamplerConformance", "TensorQuery", "TensorView", "World", "make_query"]
