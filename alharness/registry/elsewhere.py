"""Plugins of the project's other distributions, so that an error can name the one that is missing.

`pyproject.toml` lists them, in a group of entry points for each extra: the core names no sampler and no field.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import entry_points, metadata
from importlib.util import find_spec

from alharness.api.hooks import NAMESPACE


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """A plugin that one of the project's other distributions offers.

    Attributes:
        package: what the distribution installs, such as `alharness_grace`.
        extra: of alharness; installs the distribution.
    """

    package: str
    extra: str

    @property
    def distribution(self) -> str:
        """Its name."""
        return self.package.replace("_", "-")

    @property
    def entry_point(self) -> str:
        """The one that offers the plugin."""
        return self.package.removeprefix(f"{NAMESPACE}_")

    @property
    def installed(self) -> bool:
        """Whether it can be imported."""
        return find_spec(self.package) is not None

    @property
    def advice(self) -> str:
        """What an error says of the plugin, if it is not installed."""
        return (
            f"is part of {self.distribution}, which is not installed; install it with: pip install "
            f"'alharness[{self.extra}]'"
        )


def find(name: str) -> Elsewhere | None:
    """Distribution and extra of a plugin or of its family; None if no other distribution of the project has it."""
    points = entry_points()  # read once: that takes time
    for extra in metadata(NAMESPACE).get_all("Provides-Extra", []):
        for listed in points.select(group=f"{NAMESPACE}.{extra}", name=name.partition("/")[0]):
            return Elsewhere(package=listed.value, extra=extra)
    return None
