"""Files of labeling tools. The exports are what Label Studio 1.23 and Argilla 2.8 have written."""

import json
import re
from xml.etree import ElementTree as ET

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alharness import DataError, RunError, SpecError
from alharness.labeling.batch import Batch, Item
from alharness.labeling.labels import read_given
from alharness.labeling.tools.answers import Answer, settle
from alharness.labeling.tools.contents import Column, Contents
from alharness.labeling.tools.places import tool_at

BATCH = Batch(
    cycle=0,
    items=(
        Item(id="a", rank=1, by="badge", guess="cat", probability=0.5),
        Item(id="b", rank=2, by="random share", guess="R&D <x>", probability=0.75),
    ),
    task="classification",
    classes=("cat", "R&D <x>"),
)
START = Batch(
    cycle=-1, items=(Item(id="a", rank=1, by="random start"),), task="classification", classes=("x", "y")
)
NUMBERS = Batch(cycle=0, items=(Item(id="a", rank=1, by="badge", guess="1.5"),), task="regression")
TASK = {"id": 1, "data": {"sample": "a", "text": "A"}, "drafts": [], "predictions": [1]}
MIN = {"sample": "a", "text": "A", "id": 1, "annotator": 1, "annotation_id": 1, "lead_time": None}
RECORD = {
    "id": "a",
    "fields": {"text": "A"},
    "metadata": {},
    "suggestions": {},
    "vectors": {},
    "_server_id": "3b9d",
}
FLAT = {"id": "a", "status": "completed", "text": "A", "label.suggestion": "owl"}


@pytest.fixture
def place(tmp_path):
    def at(name, content=None):
        tool, _, file = name.partition(":")
        if content is not None:
            text = content if isinstance(content, str) else json.dumps(content)
            (tmp_path / file).write_text(text, encoding="utf-8")
        return tool_at(f"{tool}:{tmp_path / file}", title="cats", warn=pytest.fail)

    return at


def contents(*names):
    columns = (Column(name="photo", title="Photo", kind="image"), Column(name="text", title="Text", kind="text"))
    return Contents(columns=columns, cells={name: {"photo": f"http://x/{name}.jpg", "text": ""} for name in names})


def annotation(*results, **more):
    made = [
        {"from_name": "label", "to_name": "text", "type": kind, "value": {kind: value}} for kind, value in results
    ]
    return {"id": 1, "was_cancelled": False, "ground_truth": False, "result": made, **more}


def choices(*names, **more):
    return annotation(("choices", list(names)), **more)


def test_tasks_of_label_studio_fit_its_interface(place, tmp_path):
    said = place("labelstudio:tasks.json").send(BATCH, contents("a", "b"))
    assert said == f"2 samples for Label Studio: {tmp_path}/tasks.json, with {tmp_path}/tasks.interface.xml"
    first, second = json.loads((tmp_path / "tasks.json").read_bytes())
    config = ET.fromstring((tmp_path / "tasks.interface.xml").read_text())
    shown = {element.tag: element.get("value") for element in config if element.get("value")}
    assert shown == {"Image": "$photo", "Text": "$text"}
    assert {value[1:] for value in shown.values()} < set(first["data"])
    assert first["data"] | {"sample": "a", "batch": 0, "rank": 1, "chosen_by": "badge"} == first["data"]
    (asked,) = config.iter("Choices")
    (result,) = second["predictions"][0]["result"]
    assert (result["from_name"], result["to_name"]) == (asked.get("name"), asked.get("toName"))
    assert result["value"]["choices"] == [[*asked][1].get("value")] == ["R&D <x>"]
    assert second["predictions"][0]["score"] == 0.75


def test_numbers_are_predicted_as_numbers(place, tmp_path):
    place("labelstudio:tasks.json").send(NUMBERS, contents("a"))
    (task,) = json.loads((tmp_path / "tasks.json").read_bytes())
    assert task["predictions"][0]["result"][0]["value"] == {"number": 1.5}
    assert ET.fromstring((tmp_path / "tasks.interface.xml").read_text()).find("Number") is not None


def test_records_of_argilla_fit_its_settings(place, tmp_path):
    said = place("argilla:records.json").send(BATCH, contents("a", "b"))
    assert said == f"2 samples for Argilla: {tmp_path}/records.json, with {tmp_path}/records.settings.json"
    _, record = json.loads((tmp_path / "records.json").read_bytes())
    settings = json.loads((tmp_path / "records.settings.json").read_bytes())
    assert {field["name"]: field["settings"]["type"] for field in settings["fields"]} == {
        "photo": "image",
        "text": "text",
    }
    assert record["fields"] == {"photo": "http://x/b.jpg", "text": None}
    assert record["suggestions"]["label"] == {"value": "R&D <x>", "score": 0.75, "agent": "alharness"}
    assert record["suggestions"]["label"]["value"] in [
        option["value"] for option in settings["questions"][0]["settings"]["options"]
    ]


@pytest.mark.parametrize("name", ["labelstudio:next.json", "argilla:next.json"])
def test_without_a_model_there_is_no_guess(place, tmp_path, name):
    place(name).send(START, contents("a"))
    (record,) = json.loads((tmp_path / "next.json").read_bytes())
    assert not record.get("predictions")
    assert not record.get("suggestions")


@pytest.mark.parametrize("tool", ["labelstudio", "argilla"])
def test_a_batch_replaces_the_one_before_but_nothing_with_labels(place, tool):
    other = {"labelstudio": "argilla", "argilla": "labelstudio"}[tool]
    place(f"{tool}:next.json").send(BATCH, contents("a", "b"))
    place(f"{tool}:next.json").send(START, contents("a"))
    labeled = [TASK | {"annotations": [choices("cat")]}, RECORD | {"responses": {"label": [{"value": "cat"}]}}]
    for content in (*([one] for one in labeled), {}, [1], "notes of mine"):
        with pytest.raises(DataError, match="holds something else than a batch without labels"):
            place(f"{tool}:mine.json", content).send(BATCH, contents("a", "b"))
    place(f"{other}:theirs.json").send(BATCH, contents("a", "b"))
    with pytest.raises(DataError, match="holds something else"):
        place(f"{tool}:theirs.json").require_ready()
    with pytest.raises(DataError, match="there is no folder"):
        place(f"{tool}:nowhere/next.json").require_ready()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("labelstudio:x.json", [TASK | {"annotations": [choices("cat")]}]),
        ("labelstudio:x.json", [TASK | {"annotations": [choices("dog"), choices("cat"), choices("cat")]}]),
        ("labelstudio:x.json", [TASK | {"annotations": [choices("dog"), choices("cat", ground_truth=True)]}]),
        ("labelstudio:x.json", [TASK | {"annotations": [choices("dog", was_cancelled=True), choices("cat")]}]),
        ("labelstudio:x.json", [TASK | {"data": {"id": "a"}, "annotations": [choices("cat")]}]),
        (
            "labelstudio:x.json",
            [TASK | {"annotations": [choices("cat")]}, {"data": {"mine": 1}, "annotations": []}],
        ),
        ("labelstudio:x.json", [MIN | {"label": "cat"}, {"sample": "b", "id": 2, "annotator": None}]),
        (
            "labelstudio:x.csv",
            '"annotation_id","id","label","sample","text"\n1,7,"cat","a","A\nB"\n"",2,"","b","B"\n',
        ),
        ("labelstudio:x.tsv", '"annotation_id"\t"id"\t"label"\t"sample"\n1\t7\t"cat"\t"a"\n'),
        ("argilla:x.json", [RECORD | {"status": "completed", "responses": {"label": [{"value": "cat"}]}}]),
        ("argilla:x.json", [RECORD | {"responses": {"label": [{"value": "cat", "status": "submitted"}]}}]),
        ("argilla:x.json", [FLAT | {"label.responses": ["cat"], "label.responses.status": ["submitted"]}]),
        (
            "argilla:x.json",
            [FLAT | {"label.responses": ["dog", "cat"], "label.responses.status": ["draft", "submitted"]}],
        ),
    ],
)
def test_an_export_gives_labels(place, name, content):
    assert settle(place(name, content).answers()).labels == {"a": "cat"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("labelstudio:x.json", [TASK | {"annotations": []}]),
        ("labelstudio:x.json", [TASK | {"annotations": [annotation()]}]),
        ("labelstudio:x.json", [TASK | {"annotations": [], "drafts": [choices("cat")]}]),
        ("labelstudio:x.json", []),
        ("labelstudio:x.json", [MIN | {"annotation_id": None}]),
        ("argilla:x.json", [RECORD | {"status": "pending", "responses": {"label": [{"value": "cat"}]}}]),
        ("argilla:x.json", [RECORD | {"status": "completed", "responses": {}}]),
        ("argilla:x.json", [FLAT | {"label.responses": ["cat"], "label.responses.status": ["discarded"]}]),
        ("argilla:x.json", [FLAT | {"label.responses": None, "label.responses.status": None}]),
    ],
)
def test_what_nobody_has_said_is_no_label(place, name, content):
    assert settle(place(name, content).answers()).labels == {}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "labelstudio:x.json",
            [TASK | {"annotations": [annotation(("number", 3.25)), annotation(("number", 1))]}],
        ),
        ("labelstudio:x.json", [MIN | {"label": [{"number": 2.125}]}]),
        ("labelstudio:x.csv", 'annotation_id,label,sample\n4,"[{""number"":2.125}]","a"\n'),
        ("argilla:x.json", [FLAT | {"label.responses": ["2.125 "], "label.responses.status": ["submitted"]}]),
    ],
)
def test_numbers_come_back_of_several_people_as_their_mean(place, name, content):
    assert settle(place(name, content).answers()).labels == {"a": "2.125"}


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        (
            "labelstudio:x.json",
            [TASK | {"annotations": [choices("cat", "dog")]}],
            "the answer for 'a' is cat, dog",
        ),
        ("labelstudio:x.json", [MIN | {"label": {"choices": ["cat", "dog"]}}], "the answer for 'a' is cat, dog"),
        (
            "labelstudio:x.csv",
            'annotation_id,label,sample\n4,"{""choices"":[""cat"",""dog""]}","a"\n',
            "the answer for 'a' is cat, dog",
        ),
        (
            "labelstudio:x.json",
            [{"data": {"sampel": 1}, "annotations": [choices("cat")]}],
            "1 labeled tasks do not say of which sample they are.*did you mean 'sampel'",
        ),
        (
            "labelstudio:x.json",
            [TASK | {"annotations": [{"result": [{"from_name": n, "value": {"choices": ["x"]}} for n in "pq"]}]}],
            "several questions: p, q",
        ),
        ("labelstudio:x.json", {"a": 1}, "is no export of Label Studio"),
        ("labelstudio:x.json", '[{"id": 1, "data"', r"x.json:1: is no whole JSON file .*; export it again"),
        ("labelstudio:x.csv", "id,label\n1,cat\n", "there is no column 'sample'"),
        ("labelstudio:missing.json", None, "not found"),
        ("argilla:x.json", [1], "is no export of Argilla"),
        ("argilla:x.json", [{"responses": {}}], "a record has no id"),
        (
            "argilla:x.json",
            [FLAT | {"label.responses": [["cat", "dog"]], "label.responses.status": ["submitted"]}],
            "the answer for 'a' is cat, dog",
        ),
    ],
)
def test_what_is_no_export_is_refused_with_the_reason(place, name, content, why):
    with pytest.raises(DataError, match=why):
        place(name, content).answers()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("labelstudio:x.json", [TASK | {"annotations": "cat"}]),
        ("labelstudio:x.json", [TASK | {"annotations": [{"result": [7]}]}]),
        ("labelstudio:x.json", [TASK | {"annotations": 7}]),
        ("argilla:x.json", [RECORD | {"responses": ["cat"]}]),
        ("argilla:x.json", [RECORD | {"responses": {"label": [7]}}]),
        ("argilla:x.json", [FLAT | {"label.responses": 7}]),
    ],
)
def test_an_export_of_another_form_is_not_taken_for_one_without_labels(place, name, content):
    with pytest.raises(
        RunError, match=r"x\.json: is not understood .*; does it come from .* newer, or older, than"
    ):
        place(name, content).answers()


def test_a_folder_of_argilla_is_read(place, tmp_path):
    (tmp_path / "out").mkdir()
    record = RECORD | {"status": "completed", "responses": {"label": [{"value": "cat"}]}}
    (tmp_path / "out" / "records.json").write_text(json.dumps([record]))
    assert settle(place("argilla:out").answers()).labels == {"a": "cat"}


def test_who_disagrees_leaves_no_label():
    said = [Answer(id=str(n), label=label) for n in range(5) for label in ("dog", "cat")]
    found = settle([*said, Answer(id="9", label="7"), Answer(id="9", label="3"), Answer(id="9", label="7")])
    assert found.labels == {"9": "7"}
    assert found.warning.startswith("people disagree on 5 samples, with no majority: 0 (cat, dog), ")
    assert not settle([]).warning


def test_ids_of_label_studio_are_not_taken_for_those_of_samples(tmp_path):
    (tmp_path / "x.csv").write_text("annotation_id,id,label,sample\n1,7,cat,a\n")
    with pytest.raises(DataError, match="--from labelstudio:"):
        read_given(tmp_path / "x.csv")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("tasks.json", "expected a tool and a place, such as labelstudio:tasks.json"),
        ("label-studio:x.json", "did you mean 'labelstudio'"),
        ("argilla:", "which file, or which address"),
        ("argilla:http://", "is no address"),
        ("argilla:http://localhost:port", "is no address"),
        (
            "argilla:https://me:pa55word@x.org",
            "leave the secret out, and put the token into the variable ARGILLA_API",
        ),
        ("labelstudio:http://x.org/?token=pa55word", "leave the secret out"),
    ],
)
def test_a_wrong_place_is_named_without_its_secrets(name, why):
    with pytest.raises(SpecError, match=re.escape(why)) as caught:
        tool_at(name, title="cats", warn=pytest.fail)
    assert "pa55word" not in str(caught.value)


class TestContents:
    def test_columns_of_a_table_go_along(self, tmp_path):
        (tmp_path / "t.csv").write_text(
            "id,Text ü,photo,sound,rank\nz,,,,\nb,see http://x/a.png now,http://x/a.JPG?w=1,data:audio/wav;base64,9\n"
            "a,,/files/b.png,c.mp3,8\n"
        )
        found = Contents.of(tmp_path / "t.csv", ["a", "b"])
        assert [(one.name, one.title, one.kind) for one in found.columns] == [
            ("text_u", "Text ü", "text"),
            ("photo", "photo", "image"),
            ("sound", "sound", "audio"),
            ("rank_2", "rank", "text"),
        ]
        assert found.cells["a"] == {"text_u": "", "photo": "/files/b.png", "sound": "c.mp3", "rank_2": "8"}

    def test_of_parquet_texts_and_numbers_go_along_and_no_vectors(self, tmp_path):
        table = pa.table({"id": [1, 2], "emb": [[0.5], [1.5]], "text": ["x", None], "raw": [b"a", b"b"]})
        pq.write_table(table, tmp_path / "t.parquet")
        assert Contents.of(tmp_path / "t.parquet", ["2"]).cells == {"2": {"text": ""}}

    def test_without_a_table_people_see_the_id(self):
        found = Contents.of(None, ["a"])
        assert (found.columns[0].name, found.cells) == ("sample", {"a": {"sample": "a"}})

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("id,text\na,x\n", "there is no row for 1 sample of the batch: b"),
            ("id,text\na,x\nb,y\na,z\n", "'a' occurs more than once"),
            ("idx,text\na,x\n", "there is no column 'id'; did you mean 'idx'"),
            ("id\na\nb\n", "has no column but 'id'"),
        ],
    )
    def test_a_table_that_shows_nothing_is_refused(self, tmp_path, text, why):
        (tmp_path / "t.csv").write_text(text)
        with pytest.raises(DataError, match=why):
            Contents.of(tmp_path / "t.csv", ["a", "b"])
