import pytest

from alharness.text.numbers import memory, read_bytes, read_seconds, seconds


@pytest.mark.parametrize(
    ("text", "found"), [("90s", 90), ("30m", 1800), ("1.5h", 5400), ("2 d", 172800), (7, 7), (None, None)]
)
def test_a_duration_is_seconds(text, found):
    assert read_seconds(text) == found


@pytest.mark.parametrize(("text", "size"), [("512MiB", 2**29), ("4GiB", 2**32), ("1.5GB", 1_500_000_000)])
def test_a_size_is_bytes(text, size):
    assert read_bytes(text) == size


@pytest.mark.parametrize(
    ("read", "text"), [(read_seconds, "2x"), (read_seconds, "1h30m"), (read_bytes, "4"), (read_bytes, 4)]
)
def test_what_has_no_unit_known_here_is_refused_with_examples(read, text):
    with pytest.raises(ValueError, match="write .*: "):
        read(text)


def test_quantities_are_said_in_units_of_their_size():
    assert [seconds(45), seconds(3000), seconds(7200)] == ["45 s", "50 min", "2 h"]
    assert [memory(2**29), memory(2**32)] == ["512 MiB", "4 GiB"]
