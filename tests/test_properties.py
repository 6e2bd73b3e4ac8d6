"""How tests of properties run, wherever in the repository they are."""

from hypothesis import HealthCheck, settings


def test_no_test_of_a_property_fails_because_the_machine_is_busy():
    assert settings().deadline is None
    assert HealthCheck.too_slow in settings().suppress_health_check
