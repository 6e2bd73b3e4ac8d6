"""`statistics` changes how differences are tested, and nothing else."""

import csv
import io
import json

import pytest

from alharness.results.run import RunResults


@pytest.fixture
def finished(write_spec, main):
    """A run of three samplers and three seeds."""
    path = write_spec(samplers="[random, first, {name: grace, label: g}]", seeds=3)
    assert main("run", path, "--set", "tracking=none")[0] == 0
    (found,) = (path.parent / "runs").glob("trial-*")
    return path, found


def journals(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.suffix in (".jsonl", ".pt")}


def differences(main, folder, *options):
    code, out, _ = main("export", folder, "--table", "differences", *options)
    assert code == 0
    return [(row["p"], row["p_corrected"]) for row in csv.DictReader(io.StringIO(out))]


def test_another_test_needs_no_other_run(finished, main):
    path, folder = finished
    before = journals(folder)
    blocks = differences(main, folder)
    paired = differences(main, folder, "--statistics", "paired_t")
    assert main("run", path, "--set", "tracking=none", "--set", "statistics=paired_t")[0] == 0
    assert journals(folder) == before
    assert [*folder.parent.iterdir()] == [folder]
    assert RunResults.read(folder).run.statistics == "paired_t"
    assert differences(main, folder) == paired != blocks
    assert differences(main, folder, "--statistics", "blocks") == blocks


def test_a_run_of_before_is_read_without_it(finished):
    _, folder = finished
    path = folder / "run.json"
    data = json.loads(path.read_text())
    del data["run"]["statistics"]
    path.write_text(json.dumps(data))
    assert RunResults.read(folder).run.statistics == "blocks"
    assert RunResults.read(folder, statistics="paired_t").run.statistics == "paired_t"


def test_another_word_is_refused(write_spec, main):
    code, _, err = main("check", write_spec(samplers="[random, first]"), "--set", "statistics=paired")
    assert code == 2
    assert "paired_t" in err
