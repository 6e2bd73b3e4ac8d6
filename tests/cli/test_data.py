import pytest
from click.testing import CliRunner

from alharness.cli import data as command
from alharness.errors import DataError, PluginError, SpecError
from alharness.plugin import DatasetPlugin, Params
from alharness.registry import Registered, Registry


def fetch(source, folder):
    (folder / "a.npy").write_text("" if source is None else source.read_text())
    if source is not None and not source.stat().st_size:
        raise DataError(f"{source}: is empty")
    return ["License: whatever [we] like"]


def plugin(name, **fields):
    offered = DatasetPlugin(name=name, params=Params, inspect=None, make=None, **fields)
    return Registered(plugin=offered, distribution="pkg", version="1.2", entry_point=name)


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Runs `alharness data` in an empty folder, with two data sets installed."""
    datasets = {
        "speech": plugin("speech", fetch=fetch, summary="talks [in bold]", license="CC0"),
        "digits": plugin("digits", summary="pictures"),
    }
    registry = Registry(samplers={}, models={}, datasets=datasets)
    monkeypatch.setattr(command, "load", lambda: registry)
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        result = CliRunner().invoke(command.data, arguments)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return call


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "talks.txt"
    path.write_text("talks")
    return path


def test_the_default_folder_is_named_after_the_data_set(run, source, tmp_path):
    result = run("import", "speech", str(source))
    assert result.output == "License: whatever [we] like\nThe data set 'speech' is ready in data/speech\n"
    assert (tmp_path / "data/speech/a.npy").read_text() == "talks"


def test_another_folder_can_be_named(run, source, tmp_path):
    run("import", "speech", str(source), "--out", "elsewhere")
    assert (tmp_path / "elsewhere/a.npy").exists()


def test_download_means_no_source(run, tmp_path):
    run("import", "speech", "--download")
    assert (tmp_path / "data/speech/a.npy").read_text() == ""


@pytest.mark.parametrize("arguments", [[], ["talks.txt", "--download"]])
def test_either_a_source_or_a_download(run, source, arguments):
    result = run("import", "speech", *arguments)
    assert result.exit_code == 2
    assert "name either a SOURCE, the file or folder to import from, or --download" in result.output


def test_a_failed_import_leaves_no_folder(run, source, tmp_path):
    source.write_text("")
    with pytest.raises(DataError, match=r"talks\.txt: is empty"):
        run("import", "speech", str(source))
    assert list((tmp_path / "data").iterdir()) == []


def test_an_older_import_is_replaced_only_by_force(run, source, tmp_path):
    run("import", "speech", str(source))
    source.write_text("more")
    with pytest.raises(DataError, match="data/speech: exists already"):
        run("import", "speech", str(source))
    run("import", "speech", str(source), "--force")
    assert (tmp_path / "data/speech/a.npy").read_text() == "more"


def test_an_unknown_data_set(run):
    with pytest.raises(PluginError, match="did you mean 'speech'"):
        run("import", "speach", "--download")


def test_a_data_set_that_needs_no_import(run):
    with pytest.raises(SpecError, match="the data set 'digits' needs no import: name it in a spec as it is"):
        run("import", "digits", "--download")


def test_without_a_subcommand_it_helps(run):
    result = run()
    assert (result.exit_code, result.output.split()[0]) == (0, "Usage:")


def test_the_list_says_what_there_is_from_whom_and_on_what_terms(run):
    output = run("list").output
    for cell in ("speech", "pkg 1.2", "talks [in bold]", "CC0", "digits", "pictures"):
        assert cell in output


def test_the_list_is_in_the_order_of_the_names(run):
    output = run("list").output
    assert output.index("digits") < output.index("speech")
