"""What the distribution offers, and under which identity runs know it."""

from importlib.metadata import version

import pytest

from alharness import registry

INSTALLED = registry.load()
OFFERED = [
    *(INSTALLED.datasets[name] for name in ("simsv2", "sims", "mosi", "mosei", "cherma", "mmsa")),
    *(INSTALLED.models[name] for name in ("av_mc", "lfmim")),
]


@pytest.mark.parametrize("registered", OFFERED, ids=lambda registered: registered.plugin.name)
def test_runs_of_before_the_move_can_be_continued(registered):
    """They were part of alharness, and the name of a run directory depends on it."""
    assert registered.origin == f"alharness-sentiment=={version('alharness-sentiment')}"
    assert registered.identity == f"alharness=={version('alharness')}"
