"""What every tracker promises, of the one that comes along."""

import pytest

from alharness.testing import TrackerConformance
from alharness.tracking.plugin import alharness_trackers


@pytest.mark.slow
class TestMlflow(TrackerConformance):
    plugin = next(plugin for plugin in alharness_trackers() if plugin.name == "mlflow")

    @pytest.fixture(autouse=True)
    def _store(self, tmp_path_factory, fresh_store):
        path = tmp_path_factory.mktemp("store") / "mlflow.db"
        path.write_bytes(fresh_store)
        self.params = {"uri": f"sqlite:///{path}"}
