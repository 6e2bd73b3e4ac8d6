import pytest

from alharness.datasets.standin.generator import generate
from alharness.datasets.standin.settings import StandInSettings


@pytest.fixture(scope="session")
def simsv2():
    """The stand-in for simsv2 with all defaults."""
    return generate("simsv2", StandInSettings())


@pytest.fixture(scope="session")
def small():
    """Make a small stand-in."""

    def make(name="simsv2", share=0.02, **settings):
        return generate(name, StandInSettings(share=share, **settings))

    return make


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The folder of stored stand-ins."""
    monkeypatch.setenv("ALHARNESS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "stand-ins"
