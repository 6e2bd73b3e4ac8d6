from pathlib import Path

import pytest

import alharness
from alharness.errors import SpecError
from alharness.spec.finding import find_spec, folder_of, shipped


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("own.yaml", "short.yml", "bare", "specs/simsv2_budget200.yaml", "specs/own.yaml", "deep/x.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("own.yaml", "own.yaml"),
        ("own", "own.yaml"),
        ("short", "short.yml"),
        ("bare", "bare"),
        ("simsv2_budget200", "specs/simsv2_budget200.yaml"),
        ("simsv2_budget200.yaml", "specs/simsv2_budget200.yaml"),
        ("specs/own", "specs/own.yaml"),
        ("deep/x", "deep/x.yaml"),
    ],
)
def test_a_spec_is_found_by_its_name(here, named, found):
    assert find_spec(Path(named)) == Path(found)


def test_a_folder_of_the_same_name_hides_no_spec(here):
    (here / "simsv2_budget200").mkdir()
    assert find_spec(Path("simsv2_budget200")) == Path("specs/simsv2_budget200.yaml")


def test_a_folder_alone_is_left_to_the_reader(here):
    assert find_spec(Path("deep")) == Path("deep")


@pytest.mark.parametrize(
    ("named", "message"),
    [
        (
            "simsv2_budget20",
            """simsv2_budget20: there is no such file, nor simsv2_budget20.yaml, here, in the folder specs \
or in alharness; did you mean 'specs/simsv2_budget200.yaml'?""",
        ),
        ("specs/openclipar.yaml", "specs/openclipar.yaml: there is no such file; did you mean 'openclipart'?"),
        ("deep/y.yaml", "deep/y.yaml: there is no such file"),
        ("spec/own.yaml", "spec/own.yaml: there is no such file; did you mean 'specs/own.yaml'?"),
        (
            "q" * 300,
            f"{'q' * 300}: there is no such file, nor {'q' * 300}.yaml, here, in the folder specs or in alharness",
        ),
    ],
)
def test_what_is_not_there_has_near_names(here, named, message):
    with pytest.raises(SpecError) as caught:
        find_spec(Path(named))
    assert str(caught.value) == message


def test_a_spec_that_is_shipped_is_found_by_its_name_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = find_spec(Path("digits_quick"))

    assert (found.parent, found.name) == (shipped(), "digits_quick.yaml")


def test_paths_of_a_spec_start_in_its_folder(tmp_path):
    assert folder_of(tmp_path / "mine" / "x.yaml") == tmp_path / "mine"


def test_paths_of_a_spec_in_the_package_start_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    inside = Path(alharness.__file__).parent / "specs" / "x.yaml"

    assert folder_of(inside) == tmp_path / "specs"
