import errno
import math
import os
import resource
import subprocess
import sys

import click
import pytest

from alharness import cli
from alharness.errors import DataError, HarnessError
from benchmarks.commands import FEW, LITTLE, OF_PLUGINS, OF_SPECS

HEAVY = {"torch", "mlflow", "sklearn", "scipy", "matplotlib", "numpy"}


def run(*arguments):
    """Exit code of a command line."""
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    return caught.value.code


@pytest.fixture
def command(monkeypatch):
    """Put a function in the place of all commands."""

    def command(function):
        monkeypatch.setattr(cli.LazyGroup, "get_command", lambda *_: click.command(function))

    return command


@pytest.fixture
def site(tmp_path):
    """A folder with a distribution that offers a sampler, and a spec next to it."""
    (tmp_path / "fake.py").write_text(
        "from alharness import Params, SamplerPlugin, hookimpl\n"
        "@hookimpl\n"
        "def alharness_samplers(): return [SamplerPlugin(name='fake', params=Params, make=Params)]\n"
    )
    info = tmp_path / "fake-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fake\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[alharness]\nfake = fake\n")
    (tmp_path / "x.yaml").write_text(
        "name: x\ndataset: digits\nactive_learning: {initial_pool: 9, budget: 9, cycles: 3}\nsamplers: [fake]\n"
    )
    return tmp_path


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_lists_every_command(capsys, arguments):
    assert run(*arguments) == 0
    out = capsys.readouterr().out
    assert all(f"  {name} " in out for name in cli.COMMANDS)


@pytest.mark.parametrize("name", sorted(set(cli.COMMANDS) - {"data"}))  # data is a group; its commands teach
def test_every_command_teaches_by_example(capsys, name):
    assert run(name, "--help") == 0
    assert "alharness " in capsys.readouterr().out.partition("\n")[2]


def test_version(capsys):
    assert run("--version") == 0
    assert capsys.readouterr().out.startswith("alharness, version ")


def test_an_unknown_command_has_near_names(capsys):
    assert run("chek") == 2
    assert "error: no command named 'chek'; did you mean 'check'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["check"], ["check", "--no-such-option"], ["--no-such-option"], ["check", "a", "b"]]
)
def test_misuse(capsys, arguments):
    assert run(*arguments) == 2
    err = capsys.readouterr().err
    assert err.startswith("Usage: alharness ")
    assert "error: " in err


def test_an_error_is_shown_without_a_traceback(capsys, command):
    def fail():
        raise DataError("no data; get it")

    command(fail)

    assert run("x") == 5
    assert capsys.readouterr().err == "error: no data; get it\n"


def test_case_47_an_error_cannot_play_with_the_terminal(capsys, command):
    def fail():
        raise HarnessError("a\x1b[2Jb\rc\u202ed\udcff\ne")

    command(fail)
    run("x")

    assert capsys.readouterr().err == "error: a\\x1b[2Jb\\rc\\u202ed\\udcff\ne\n"


def test_an_error_tells_no_credentials(capsys, command):
    def fail():
        raise HarnessError("cannot reach http://user:pass@host/x")

    command(fail)
    run("x")

    assert capsys.readouterr().err == "error: cannot reach http://***@host/x\n"


def test_a_bug_keeps_its_traceback(capsys, command):
    command(lambda: 1 / 0)

    assert run("x") == 3
    assert "ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_no_bug_wherever_it_is_met(capsys, command, number):
    def fail():
        raise OSError(number, os.strerror(number), "runs/x/curves.png")

    command(fail)
    assert run("x") == 1
    told = f"error: runs/x/curves.png: cannot be written ({os.strerror(number)}); make room and run again"
    assert capsys.readouterr().err.startswith(told)


def test_a_bugs_traceback_tells_no_credentials(capsys, command):
    def fail():
        raise ValueError("cannot reach http://user:pass@host/x\x1b[2J")

    command(fail)

    assert run("x") == 3
    err = capsys.readouterr().err
    assert "ValueError: cannot reach http://***@host/x\\x1b[2J" in err


def test_an_interrupt(capsys, command):
    def interrupt():
        raise KeyboardInterrupt

    command(interrupt)

    assert run("x") == 130
    assert "error: interrupted" in capsys.readouterr().err


@pytest.mark.parametrize("leave", [lambda: 1, lambda: click.get_current_context().exit(1), lambda: sys.exit(1)])
def test_a_command_may_choose_its_exit_code(command, leave):
    command(leave)

    assert run("x") == 1


def python(site, code, *arguments):
    # With no other plugin than the fake one, so that others' do not count.
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": path, "ALHARNESS_PLUGINS": "fake"}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment,
        cwd=site,
        capture_output=True,
        text=True,
        check=False,
    )


COMMANDS = [
    ["--help"],
    ["check", "x.yaml"],
    ["plugins"],
    ["plugins", "late_fusion"],
    ["schema"],
    ["init", "new"],
    ["export", "--help"],
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_quick_commands_import_nothing_heavy(site, arguments):
    code = "import sys, alharness.cli\ntry: alharness.cli.main()\nfinally: print('\\n', *sys.modules)"

    done = python(site, code, *arguments)

    assert done.returncode == 0, done.stderr
    assert not HEAVY & set(done.stdout.splitlines()[-1].split())


FILES_OF_DATA = {
    "filelock",
    "platformdirs",
    "alharness_sentiment.stored.manifest",
    "alharness_sentiment.standin.cache",
}
UNUSED = {
    "--help": {"rich", "yaml", "alharness.registry", "alharness.spec", "alharness.spec.plan"},
    "plugins": {"rich", "yaml", "alharness.spec", "alharness.spec.plan", *FILES_OF_DATA},
    "check": {"rich", "alharness.spec.schema", "alharness.runs", *FILES_OF_DATA},
}


@pytest.mark.parametrize("arguments", COMMANDS[:3], ids=" ".join)
def test_quick_commands_import_nothing_that_they_do_not_use(site, arguments):
    code = "import sys, alharness.cli\ntry: alharness.cli.main()\nfinally: print('\\n', *sys.modules)"

    done = python(site, code, *arguments)

    assert done.returncode == 0, done.stderr
    assert not UNUSED[arguments[0]] & set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("arguments", "libraries"),
    list(zip(COMMANDS[:3], [FEW, OF_SPECS, OF_PLUGINS], strict=True)),
    ids=["--help", "check", "plugins"],
)
def test_quick_commands_take_little_more_than_the_libraries_they_use(site, arguments, libraries, monkeypatch):
    # As installed: what is compiled once stays compiled.
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(site / "compiled"))

    def seconds(code, *words):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert python(site, code, *words).returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    # Of the processor, alternating, the best of some: a shared machine is slow for seconds on end.
    codes = {"ours": ("import alharness.cli; alharness.cli.main()", *arguments), "theirs": (libraries,)}
    best = dict.fromkeys(codes, math.inf)
    for tries in range(15):
        best = {side: min(best[side], seconds(*words)) for side, words in codes.items()}
        if tries >= 1 and best["ours"] < LITTLE * best["theirs"]:
            break
    assert best["ours"] < LITTLE * best["theirs"]


def test_the_module_is_the_command(site):
    done = subprocess.run(
        [sys.executable, "-m", "alharness", "--version"], capture_output=True, text=True, check=True
    )

    assert done.stdout.startswith("alharness, version ")


def test_windows_is_refused_in_a_sentence():
    code = "import sys; sys.platform = 'win32'; import alharness"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1].startswith("ImportError: alharness runs on Linux and macOS; on Windows,")
