import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from alharness.text.terminal import Output, plain, translate

SPOKEN = "mae ↓ 0.61 ± 0.02, 10 → 20 – ×3 …"


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("utf-8", SPOKEN),
        ("latin-1", "mae (lower is better) 0.61 ± 0.02, 10 -> 20 - ×3 ..."),
        ("cp1252", "mae (lower is better) 0.61 ± 0.02, 10 -> 20 – ×3 …"),
        ("ascii", "mae (lower is better) 0.61 +- 0.02, 10 -> 20 - x3 ..."),
    ],
)
def test_what_an_encoding_lacks_is_said_in_other_words(encoding, expected):
    assert translate(SPOKEN, encoding) == expected


@pytest.mark.parametrize("text", ["runs/größe", "数据", "half \udcff of a pair", "┏━┓", "🎉"])
def test_whatever_cannot_be_said_otherwise_is_escaped_not_replaced(text):
    found = translate(text, "ascii")
    assert found.isascii()
    assert found.encode().decode("unicode_escape").encode("utf-8", "surrogatepass") == text.encode(
        "utf-8", "surrogatepass"
    )


def test_half_of_a_surrogate_pair_can_be_written_in_utf8_too():
    assert translate("a\udcffb", "utf-8") == r"a\udcffb"


def test_case_47_control_characters_cannot_play_with_the_terminal():
    assert plain("a\x1b[2J\nb\r") == "a\\x1b[2J\nb\\r"


class Full(io.StringIO):
    def __init__(self, error):
        super().__init__()
        self.error = error
        self.calls = 0

    def write(self, text):
        self.calls += 1
        raise self.error


def test_a_reader_that_leaves_is_no_failure_and_is_not_asked_again():
    stream = Full(BrokenPipeError(32, "Broken pipe"))
    out = Output(stream)
    out.write("one")
    out.write("two")
    assert out.failure is None
    assert stream.calls == 1


def test_a_full_disk_is_remembered():
    out = Output(Full(OSError(28, "No space left on device")))
    out.write("one")
    assert out.failure.strerror == "No space left on device"


PRINTS = """
import click
from alharness import cli
cli.LazyGroup.get_command = lambda *_: click.command(lambda: [click.echo(f"line {{i}}") for i in range({})] and 0)
cli.main(["x"])
"""
MANY, ONE = PRINTS.format(100_000), PRINTS.format(1)


def shell(script, code):
    return subprocess.run(
        ["bash", "-c", script],
        env={**os.environ, "P": sys.executable, "CODE": code},
        capture_output=True,
        check=False,
        text=True,
    )


def test_a_pipe_that_closes_early_leaves_the_exit_code_and_says_nothing():
    done = shell('"$P" -c "$CODE" | head -1; exit ${PIPESTATUS[0]}', MANY)
    assert (done.returncode, done.stdout, done.stderr) == (0, "line 0\n", "")


def test_output_that_was_closed_is_no_error():
    done = shell('"$P" -c "$CODE" >&-', ONE)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device here")
def test_case_11_output_to_a_full_disk_is_one_sentence_and_exit_1():
    done = shell('"$P" -c "$CODE" > /dev/full', ONE)
    assert done.returncode == 1
    assert done.stderr == "error: not everything could be printed: No space left on device\n"
