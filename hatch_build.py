"""A wheel holds the specs, so that they can be run by name. An editable installation reads them in place."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class SpecsInWheel(BuildHookInterface[Any]):
    """Adds the folder `specs` to the package."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """See hatchling."""
        if version == "standard":
            build_data["force_include"]["specs"] = "alharness/specs"
