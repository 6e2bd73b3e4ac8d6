"""What every batch system promises, on Slurm's commands without a cluster."""

import pytest

from alharness.testing import BatchConformance
from alharness_slurm.plugin import alharness_executors


@pytest.mark.slow
@pytest.mark.usefixtures("fake")
class TestSlurm(BatchConformance):
    (plugin,) = alharness_executors()
    queue = True
