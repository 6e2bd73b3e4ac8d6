"""The kit of data sets over those that come along. Other plugins have kits in their own tests."""

import pytest

from alharness import registry
from alharness.testing import DatasetConformance, examine

NAMES = ["ames", "chicago", "digits", "openclipart", "worlds"]


@pytest.mark.parametrize("name", NAMES)
def test_a_data_set_keeps_its_promises(name):
    kit = DatasetConformance.of(registry.load().dataset(name).plugin, {})
    assert [f"{verdict}: {verdict.reason}" for verdict in examine(kit) if verdict.status == "failed"] == []
