import numpy as np
import pytest
from click.testing import CliRunner

from alharness.api.dataset import Dataset, DatasetPlugin
from alharness.api.params import Params, SpecPath
from alharness.api.samples import Inputs, Samples
from alharness.api.vocabulary import Task
from alharness.cli import data as command
from alharness.errors import DataError, PluginError, SpecError
from alharness.registry import Registered, Registry


def fetch(source, folder):
    (folder / "a.npy").write_text("" if source is None else source.read_text())
    if source is not None and not source.stat().st_size:
        raise DataError(f"{source}: is empty")
    return ["License: whatever [we] like"]


def fetch_with(source, folder, options):
    (folder / "steps").write_text(str(options.steps))
    return []


class Options(Params):
    steps: int = 3


class SpeechParams(Params):
    path: SpecPath
    loud: bool = False


def make(params):
    inputs = Inputs(ids=("a", "b"), arrays={"audio": np.zeros((2, 3), np.float32)})
    return Dataset(
        task=Task.CLASSIFICATION,
        content=Samples(inputs=inputs, labels=np.array([0, 1])),
        classes=("calm", str(params.path)),
        synthetic=params.loud,
        remarks=("3 values were corrected", "one part was left out"),
    )


def verify(params):
    if params.loud:
        raise DataError("damaged")
    return ["all 7 files are whole"]


def plugin(name, **fields):
    offered = DatasetPlugin(**({"name": name, "params": Params, "inspect": None, "make": make} | fields))
    return Registered(plugin=offered, distribution="pkg", version="1.2", entry_point=name)


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Runs `alharness data` in an empty folder, with two data sets installed."""
    datasets = {
        "speech": plugin("speech", fetch=fetch, summary="talks [in bold]", license="CC0"),
        "digits": plugin("digits", summary="pictures"),
        "radio": plugin(
            "radio",
            fetch=fetch_with,
            options=Options,
            params=SpeechParams,
            make=make,
            verify=verify,
            reference="A. Author: Voices",
            license="CC0",
        ),
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


def test_parameters_of_the_import_reach_it(run, source, tmp_path):
    run("import", "radio", str(source))
    run("import", "radio", str(source), "--out", "seven", "--set", "steps=7")
    assert [(tmp_path / name / "steps").read_text() for name in ("data/radio", "seven")] == ["3", "7"]


@pytest.mark.parametrize(
    ("name", "assignment", "words"),
    [
        ("radio", "stops=7", "--set stops=7: unknown key 'stops'; did you mean 'steps'?"),
        ("radio", "steps=many", "--set steps=many: steps: "),
        ("radio", "steps", "--set steps: write it as key=value"),
        ("speech", "steps=7", "--set steps=7: the import of 'speech' has no parameters"),
    ],
)
def test_parameters_of_the_import_are_checked_before_it_starts(run, source, tmp_path, name, assignment, words):
    with pytest.raises(SpecError) as caught:
        run("import", name, str(source), "--set", assignment)
    assert words in str(caught.value)
    assert not (tmp_path / "data").exists()


def test_a_description_says_what_it_is_on_which_terms_and_what_was_mended(run):
    output = run("describe", "radio", "--set", "path=here").output
    for cell in (
        "classification of 2 classes",
        "CC0",
        "A. Author: Voices",
        "3 values were corrected",
        "1 (50.0%)",
    ):
        assert cell in output
    assert "one part was left out" in output
    assert "SYNTHETIC" not in output


@pytest.mark.parametrize("labeled", [0, 2])
def test_a_description_counts_what_has_no_label(run, monkeypatch, labeled):
    def rows(ids):
        return Inputs(ids=tuple(ids), arrays={"audio": np.zeros((len(ids), 3), np.float32)})

    content = Samples(inputs=rows("ab"[:labeled]), labels=np.arange(labeled))
    dataset = Dataset(task=Task.CLASSIFICATION, content=content, unlabeled=rows("cde"), classes=("calm", "glad"))
    known = {"radio": plugin("radio", params=SpeechParams, make=lambda params: dataset)}
    monkeypatch.setattr(command, "load", lambda: Registry(samplers={}, models={}, datasets=known))
    output = run("describe", "radio", "--set", "path=here").output
    assert "without a label   3 samples, which are not counted below" in output
    assert ("labels of" in output) is bool(labeled)


def test_a_relative_path_starts_at_the_current_folder(run, tmp_path):
    assert str(tmp_path / "here")[-30:] in run("describe", "radio", "--set", "path=here").output


def test_made_up_data_is_called_so_first(run):
    output = run("describe", "radio", "--set", "path=x", "--set", "loud=true").output
    assert output.startswith("SYNTHETIC DATA: the data set is made up.")


def test_verifying_comes_first_and_can_fail(run):
    assert run("describe", "radio", "--set", "path=x", "--verify").output.startswith("all 7 files are whole")
    with pytest.raises(DataError, match="damaged"):
        run("describe", "radio", "--set", "path=x", "--set", "loud=true", "--verify")


def test_a_data_set_without_checksums_cannot_be_verified(run):
    with pytest.raises(SpecError, match="the data set 'digits' keeps no checksums"):
        run("describe", "digits", "--verify")


def test_a_description_needs_the_parameters_that_a_spec_needs(run):
    with pytest.raises(SpecError) as caught:
        run("describe", "radio")
    assert str(caught.value) == (
        "the parameters of the data set radio (--set key=value): path: required, but missing"
    )
