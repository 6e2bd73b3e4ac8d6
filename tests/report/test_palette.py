from alharness.report.palette import styles


def test_twenty_samplers_can_be_told_apart():
    assert len(set(styles(map(str, range(20))).values())) == 20


def test_a_color_does_not_change_when_a_sampler_joins_at_the_end():
    assert styles("ab").items() <= styles("abc").items()
