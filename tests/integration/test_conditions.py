"""Finished cells made under other conditions are not mixed with new ones without a word."""

import json

import pytest

from alharness import ExecutorPlugin, Params
from alharness.errors import DataError, SpecError
from alharness.registry import Registered
from alharness.results.basis import basis
from alharness.results.run import RunResults
from alharness.runs import journal
from alharness.runs.local import LocalExecutor
from alharness.spec import Chosen

TINY = """\
name: tiny
dataset: toy_data
training: {{epochs: 1, device: cpu}}
active_learning: {{initial_pool: 6, budget: 3, cycles: 1}}
seeds: {seeds}
samplers: [first, draw]
"""


@pytest.fixture
def write_tiny(tmp_path):
    def write(seeds="[0]"):
        path = tmp_path / "tiny.yaml"
        path.write_text(TINY.format(seeds=seeds))
        return path

    return write


def age(book, number=journal.FORMAT, **context):
    """Make a journal one that was written under other conditions."""
    header, *lines = book.read_text().splitlines(keepends=True)
    content = json.loads(header)
    content["context"] |= context
    book.write_text(journal._line({"format": number, "context": content["context"]}, {"at": 1}) + "".join(lines))


@pytest.fixture
def aged(write_tiny, run_spec, tmp_path):
    """A complete run, one cell of which an older torch has made; gives that cell's journal."""
    run_spec(write_tiny(), tmp_path)
    (book,) = tmp_path.glob("*/cells/first-s0-*/journal.jsonl")
    versions = json.loads(book.read_text().splitlines()[0])["context"]["versions"]
    age(book, versions={**versions, "torch": "0.1"})
    return book


def test_case_17_a_cell_of_another_torch_stops_a_run_that_would_mix_it(aged, write_tiny, run_spec, tmp_path):
    before = aged.read_bytes()
    with pytest.raises(SpecError) as refused:
        run_spec(write_tiny("[0, 1]"), tmp_path, again="alharness run tiny.yaml --{}".format)
    text = str(refused.value)
    assert "1 cell was made under other conditions" in text
    assert "versions.torch was 0.1 and is " in text
    assert "(1: first-s0)" in text
    assert "  alharness run tiny.yaml --keep\n" in text
    assert text.endswith("  alharness run tiny.yaml --restart")
    assert aged.read_bytes() == before
    assert len(list(tmp_path.glob("*/cells/*"))) == 2


def test_nothing_is_refused_if_nothing_is_to_run(aged, write_tiny, run_spec, tmp_path):
    _, record, _ = run_spec(write_tiny(), tmp_path)
    assert [cell.status for cell in record.cells] == ["ok", "ok"]


def test_cells_that_are_kept_stay_and_are_not_paired(aged, write_tiny, run_spec, tmp_path):
    before = aged.read_bytes()
    run, record, _ = run_spec(write_tiny("[0, 1]"), tmp_path, keep=True)
    assert [cell.status for cell in record.cells] == ["ok"] * 4
    assert aged.read_bytes() == before
    (refused,) = basis(run, record.cells).refused
    assert refused.endswith("-s0 in versions")


def test_cells_that_are_renewed_leave_their_journals(aged, write_tiny, run_spec, tmp_path):
    before = aged.read_bytes()
    run, record, warnings = run_spec(write_tiny("[0, 1]"), tmp_path, restart=True)
    assert [cell.status for cell in record.cells] == ["ok"] * 4
    assert run.finished == {"first-s0": 0, "draw-s0": 2, "first-s1": 0, "draw-s1": 0}
    assert (aged.parent / "journal.jsonl.old-1").read_bytes() == before
    assert basis(run, record.cells).refused == ()
    assert sum("is kept as" in warning for warning in warnings) == 1


def test_an_unfinished_cell_of_another_torch_fails_alone(aged, write_tiny, run_spec, tmp_path):
    aged.write_text("".join(aged.read_text().splitlines(keepends=True)[:2]))
    _, record, _ = run_spec(write_tiny(), tmp_path)
    assert [cell.status for cell in record.cells] == ["failed", "ok"]
    assert "versions.torch was 0.1 and is" in record.cells[0].error


def test_cells_of_the_format_before_are_read_and_never_mixed_with_new_ones(
    write_tiny, run_spec, tmp_path, journals
):
    run_spec(write_tiny(), tmp_path / "new")
    run_spec(write_tiny(), tmp_path / "old")
    for book in (tmp_path / "old").glob("*/cells/*/journal.jsonl"):
        age(book, number=1)
    with pytest.raises(SpecError, match=r"journal format was 1 and is 2 \(2: first-s0, draw-s0\)"):
        run_spec(write_tiny("[0, 1]"), tmp_path / "old")
    (folder,) = (tmp_path / "old").iterdir()
    assert [cell.status for cell in RunResults.read(folder).records] == ["ok", "ok"]
    book = next(folder.glob("cells/first-s0-*/journal.jsonl"))
    book.write_text("".join(book.read_text().splitlines(keepends=True)[:2]))  # not finished
    _, record, _ = run_spec(write_tiny(), tmp_path / "old", keep=True)
    assert "journal format was 1 and is 2" in record.cells[0].error
    _, record, _ = run_spec(write_tiny(), tmp_path / "old", restart=True)
    assert [cell.status for cell in record.cells] == ["ok", "ok"]
    new = journals(tmp_path / "new")
    name = next(name for name in new if name.startswith("first"))
    assert journals(tmp_path / "old")[name] == new[name]


@pytest.mark.parametrize("field", ["split", "initial_pool", "device"])
def test_other_conditions_are_found_as_well(write_tiny, run_spec, tmp_path, field):
    run_spec(write_tiny(), tmp_path)
    for book in tmp_path.glob("*/cells/*/journal.jsonl"):
        age(book, **{field: "other"})
    with pytest.raises(SpecError, match=rf"{field} was other and is .* \(2: first-s0, draw-s0\)"):
        run_spec(write_tiny("[0, 1]"), tmp_path)


def test_case_18_changed_data_are_refused_even_if_nothing_is_to_run(write_tiny, run_spec, tmp_path, monkeypatch):
    run_spec(write_tiny(), tmp_path)
    monkeypatch.setenv("ALHARNESS_TEST_DATA", "1")
    with pytest.raises(DataError, match="data was .* and is .*(2: first-s0, draw-s0)"):
        run_spec(write_tiny(), tmp_path)
    _, record, _ = run_spec(write_tiny(), tmp_path, restart=True)
    assert [cell.status for cell in record.cells] == ["ok", "ok"]
    assert len(list(tmp_path.glob("*/cells/*/journal.jsonl.old-1"))) == 2


def elsewhere(device):
    """An executor whose workers are said to compute on this device."""

    class Elsewhere(LocalExecutor):
        def __init__(self, params, context):
            super().__init__(params, context)
            self.device = device

    plugin = ExecutorPlugin(name="elsewhere", params=Params, make=Elsewhere)
    registered = Registered(plugin=plugin, distribution="my-cluster", version="1.0", entry_point="elsewhere")
    return Chosen(registered=registered, params=Params(), plain={}, label="elsewhere")


def test_the_device_of_the_workers_is_a_condition(write_tiny, run_spec, tmp_path):
    path = write_tiny()
    path.write_text(path.read_text().replace("device: cpu", "device: auto"))
    run, record, _ = run_spec(path, tmp_path, executor=elsewhere("cuda"))
    assert run.params["device"] == "cuda"
    assert "other conditions: device was cuda and is cpu" in record.cells[0].error


def test_a_device_that_the_workers_lack_is_refused_at_once(write_tiny, run_spec, tmp_path):
    path = write_tiny()
    path.write_text(path.read_text().replace("device: cpu", "device: cuda"))
    with pytest.raises(SpecError, match="device is cuda, but the executor 'elsewhere'.* has workers on cpu"):
        run_spec(path, tmp_path, executor=elsewhere("cpu"))
