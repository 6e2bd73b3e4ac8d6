"""`alharness query` with a labeling tool, from the first batch to labels that have come back."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from alharness import DataError, RunError
from alharness.cli import cli
from alharness.labeling.project import LOCK, Project
from alharness.labeling.tools.places import tool_at
from alharness.runs.locks import Locks, take

from . import standins

PARTLY = str(Path(__file__).parents[1] / "partly.py")
BEGIN = ("--data", "partly", "--include", PARTLY, "-n", "4", "--set", "training.epochs=1")
CLASSES = ("--class", "a", "--class", "b", "--class", "c")


@pytest.fixture
def query(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(*arguments, error=None):
        result = CliRunner().invoke(cli, ["query", "cats", *arguments])
        assert isinstance(result.exception, error or type(None)), result.exception
        return result.output if error is None else str(result.exception)

    return call


@pytest.fixture
def site(monkeypatch):
    stand_in = standins.LabelStudio()
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", stand_in.token)
    yield stand_in
    stand_in.close()


def label(site):
    """As people do: all that has no label."""
    for number, task in enumerate(site.tasks.values()):
        if not task["annotations"]:
            result = {"from_name": "label", "type": "choices", "value": {"choices": ["abc"[number % 3]]}}
            task["annotations"].append({"result": [result]})


def test_batches_go_to_a_server_and_labels_come_back(query, site):
    there = f"labelstudio:{site.address}"
    Path("show.csv").write_text("id,text\n" + "".join(f"s{n:02},It is {n}\n" for n in range(60)))
    said = query(*BEGIN, *CLASSES, "--show", "show.csv", "--from", there, "--to", there)
    assert f"Sent:    4 samples to Label Studio: {site.address}/projects/1" in said
    assert "label them there, then: " in said
    assert f" query cats --from {there} --to {there}\n" in said
    assert "Sent:    nothing, as all 4 samples are there already" in query("--from", there, "--to", there)
    label(site)
    said = query("--from", there, "--to", there)
    assert "Labels:  4 new; 4 of 60 samples" in said
    assert "Sent:    4 samples to Label Studio" in said
    assert site.projects[1]["title"] == "cats"
    assert len({task["data"]["sample"] for task in site.tasks.values()}) == len(site.tasks) == 8
    assert all(task["data"]["text"].startswith("It is ") for task in site.tasks.values())
    assert [len(task.get("predictions", ())) for task in site.tasks.values()] == [0] * 4 + [1] * 4
    secret = site.token.encode()
    assert not [path for path in Path("cats").rglob("*") if path.is_file() and secret in path.read_bytes()]


def test_a_server_that_refuses_is_found_before_anything_else(query, site, monkeypatch):
    query(*BEGIN)
    before = {path: path.read_bytes() for path in Path("cats").rglob("*") if path.is_file()}
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "an0ther-t0ken")
    said = query("--to", f"labelstudio:{site.address}", error=RunError)
    assert "refuses the token" in said
    assert "an0ther-t0ken" not in said
    assert {path: path.read_bytes() for path in Path("cats").rglob("*") if path.is_file()} == before


def test_two_calls_never_send_at_the_same_time(query, site):
    query(*BEGIN, *CLASSES)
    project = Project(Path("cats"), pytest.fail)
    progress = project.query()
    lock = Locks(project.folder).make(project.folder / LOCK)
    assert take(lock)
    with pytest.raises(RunError, match="another process works on this project"):
        project.send(progress, tool_at(f"labelstudio:{site.address}", title="cats", warn=pytest.fail))
    lock.release()
    assert not site.calls


def test_a_batch_that_did_not_arrive_goes_with_the_next_call(query, site):
    there = f"labelstudio:{site.address}"
    query(*BEGIN, *CLASSES)
    site.moods.extend([None, None, 500])
    assert "answers 500" in query("--to", there, error=RunError)
    assert "Sent:    4 samples" in query("--to", there)
    assert len(site.tasks) == 4


def test_files_go_to_and_fro(query):
    said = query(*BEGIN, *CLASSES, "--to", "argilla:next.json")
    assert "Sent:    4 samples for Argilla: next.json, with next.settings.json" in said
    assert "import this file there, label, export as export.json" in said
    said = query("--from", "argilla:next.json", "--to", "labelstudio:tasks.json")
    assert "query cats --from labelstudio:export.json --to labelstudio:tasks.json" in said
    records = json.loads(Path("next.json").read_bytes())
    for number, record in enumerate(records):
        record |= {"status": "completed", "responses": {"label": [{"value": "abc"[number % 3]}]}}
    Path("export.json").write_text(json.dumps(records))
    said = query("--from", "argilla:export.json", "--to", "argilla:next.json")
    assert "Labels:  4 new" in said
    assert json.loads(Path("next.json").read_bytes())[0]["suggestions"]["label"]["value"] in "abc"
    records[0]["responses"]["label"][0]["value"] = "b"
    Path("export.json").write_text(json.dumps(records))
    said = query("--from", "argilla:export.json", error=DataError)
    assert "export.json: 1 label differs from before" in said
    assert "--relabel" in said


def test_people_who_disagree_are_named_and_the_batch_waits(query, site):
    there = f"labelstudio:{site.address}"
    query(*BEGIN, *CLASSES, "--to", there)
    label(site)
    first = next(iter(site.tasks.values()))
    first["annotations"] += [{"result": [{"from_name": "label", "value": {"choices": ["b"]}}]}]
    said = " ".join(query("--from", there).split())
    assert f"people disagree on 1 sample, with no majority: {first['data']['sample']} (a, b)" in said
    assert "Labels: 3 new; 3 of 60 samples Batch: 4 samples, of which 1 has no label yet" in said
    assert f" query cats --from {there} or without this one: " in said


def test_a_table_that_does_not_fit_is_found_before_the_project_begins(query):
    Path("show.csv").write_text("name,text\ns00,x\n")
    said = query(*BEGIN, *CLASSES, "--show", "show.csv", "--to", "labelstudio:next.json", error=DataError)
    assert "there is no column 'id'" in said
    assert not Path("cats").exists()
