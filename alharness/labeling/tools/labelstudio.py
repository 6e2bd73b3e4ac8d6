"""Label Studio: tasks with predictions, the labeling interface, exports, and its server."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar
from xml.sax.saxutils import quoteattr

from alharness.api.vocabulary import Task
from alharness.errors import DataError
from alharness.labeling.labels import read_rows
from alharness.text.words import did_you_mean

from .answers import LABEL, Answer, of_labels
from .contents import BATCH, CHOSEN_BY, RANK, SAMPLE
from .tool import AGENT, File, Remote, read_json, require_classes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from alharness.labeling.batch import Batch, Item

    from .contents import Contents

NAME = "Label Studio"
TAGS = {"text": "Text", "image": "Image", "audio": "Audio"}
CONTROLS = {Task.CLASSIFICATION: ("Choices",), Task.REGRESSION: ("Number", "Rating")}
"""Tags of a labeling interface with which people say what is wanted."""
PAGE = 500
"""Tasks that a server gives at once."""
TABLES = frozenset({".csv", ".tsv"})


def interface(batch: Batch, contents: Contents) -> str:
    """The labeling interface of a new project, as its settings take it."""
    seen = [f'  <{TAGS[one.kind]} name="{one.name}" value="${one.name}"/>' for one in contents.columns]
    about = f'name="{LABEL}" toName="{contents.columns[0].name}" required="true"'
    if batch.task == Task.REGRESSION:
        asked = [f"  <Number {about}/>"]
    else:
        choices = [f"    <Choice value={quoteattr(name)}/>" for name in batch.classes]
        asked = [f'  <Choices {about} choice="single" showInline="true">', *choices, "  </Choices>"]
    return "\n".join(["<View>", *seen, *asked, "</View>"]) + "\n"


def task_of(item: Item, batch: Batch, contents: Contents, control: tuple[str, str]) -> dict[str, Any]:
    """A task to import, with the model's guess as a prediction.

    Args:
        item: the sample.
        batch: that it is of.
        contents: what people see of it.
        control: in the interface, the names of what is asked, and of what it is asked about.
    """
    about = {SAMPLE: item.id, BATCH: batch.cycle, RANK: item.rank, CHOSEN_BY: item.by}
    task: dict[str, Any] = {"data": {**contents.cells[item.id], **about}}
    if item.guess is not None:
        number = batch.task == Task.REGRESSION
        result = {
            "from_name": control[0],
            "to_name": control[1],
            "type": "number" if number else "choices",
            "value": {"number": float(item.guess)} if number else {"choices": [item.guess]},
        }
        score = {} if item.probability is None else {"score": item.probability}
        task["predictions"] = [{"model_version": AGENT, **score, "result": [result]}]
    return task


def answers_of(records: Any, where: str) -> list[Answer]:
    """What people have answered, in an export as JSON or JSON-MIN, or in the rows of one as CSV.

    Raises:
        DataError: it is no export, its labels are of no sample, or it is not clear what is a label.
    """
    if not isinstance(records, list) or not all(isinstance(record, Mapping) for record in records):
        raise DataError(f"{where}: is no export of {NAME}; expected a list of tasks, as JSON or JSON-MIN")
    full = all(isinstance(record.get("data"), Mapping) for record in records)
    said = [*(_full if full else _flat)(records)]
    if nameless := sum(name is None for name, *_ in said):
        keys = sorted({key for record in records for key in (record["data"] if full else record)})
        raise DataError(
            f"{where}: {nameless:,} labeled tasks do not say of which sample they are: expected its id as "
            f"{SAMPLE!r} in their data{did_you_mean(SAMPLE, keys)}; found {', '.join(keys)[:200]}"
        )
    answers = [Answer.of(name, question, value, where, final=final) for name, question, value, final in said]
    return of_labels(answers, where)


Said = tuple[Any, str, Any, bool]
"""Id of the sample, name of the question, what was answered, and whether it was marked as the truth."""


def _full(records: Iterable[Mapping[str, Any]]) -> Iterator[Said]:
    """Of an export as JSON."""
    for record in records:
        name = _name(record["data"])
        for annotation in record.get("annotations") or ():
            if annotation.get("was_cancelled"):  # the task was skipped
                continue
            for part in annotation.get("result") or ():
                if (value := _value(part.get("value"))) is not None:
                    yield name, str(part.get("from_name")), value, bool(annotation.get("ground_truth"))


def _flat(records: Iterable[Mapping[str, Any]]) -> Iterator[Said]:
    """Of an export as JSON-MIN or CSV: of its columns, only the one called `label` is sure to hold answers."""
    for record in records:
        found = record.get(LABEL)
        if isinstance(found, str) and found[:1] in ("[", "{"):
            with suppress(ValueError):  # it is a label that begins so
                found = json.loads(found)
        value = _value(found[0] if isinstance(found, list) and found else found)
        if value is not None:
            yield record.get(SAMPLE), LABEL, value, False


def _name(data: Mapping[str, Any]) -> Any:
    """Id of the sample of a task; of tasks that did not come from here, what they call `id`."""
    return data.get(SAMPLE, data.get("id"))


def _value(found: Any) -> Any:
    """A number, a text, or several texts; None if nothing was answered."""
    if isinstance(found, Mapping):
        found = next((found[key] for key in ("choices", "number", "rating") if key in found), None)
    return None if found in ("", []) else found


class LabelStudioFile(File):
    """Tasks to import, or an export as JSON, JSON-MIN, CSV or TSV."""

    tool: ClassVar[str] = NAME
    companion: ClassVar[str] = ".interface.xml"

    def is_blank(self, record: Mapping[str, Any]) -> bool:
        """Whether no one has annotated the task."""
        return "data" in record and not record.get("annotations")

    def send(self, batch: Batch, contents: Contents) -> str:
        """Write tasks, and the interface."""
        require_classes(batch)
        control = (LABEL, contents.columns[0].name)
        tasks = [task_of(item, batch, contents, control) for item in batch.items]
        return self.keep(tasks, interface(batch, contents))

    def answered(self) -> list[Answer]:
        """Of the export."""
        if self.path.suffix in TABLES:
            return answers_of([row for _, row in read_rows(self.path, (SAMPLE, LABEL))], self.where)
        return answers_of(read_json(self.path), self.where)


class LabelStudioServer(Remote):
    """A project on a server of Label Studio."""

    tool: ClassVar[str] = NAME
    noun: ClassVar[str] = "project"
    path: ClassVar[str] = "/projects/"
    identity: ClassVar[str] = r"\d+"
    variable: ClassVar[str] = "LABEL_STUDIO_API_KEY"

    def authorize(self) -> None:
        """With a legacy token, or with what a personal one is exchanged for."""
        token = os.environ.get(self.variable, "").strip()
        self.server.headers = {"Authorization": f"Token {token}"} if token else {}
        if token.startswith("eyJ") and token.count(".") == 2:
            access = self.server.post("/api/token/refresh/", {"refresh": token})["access"]
            self.server.headers = {"Authorization": f"Bearer {access}"}

    def named(self, title: str) -> list[str]:
        """Those with exactly this title; the server finds those that contain it, too."""
        found = self.server.get("/api/projects/", title=_title(title), page_size=1000)["results"]
        return [str(project["id"]) for project in found if project["title"] == _title(title)]

    def described(self) -> Any:
        """With its labeling interface."""
        return self.server.get(f"/api/projects/{self.project}/")

    def make(self, batch: Batch, contents: Contents) -> str:
        """With an interface for what people see and choose."""
        body = {"title": _title(self.title), "label_config": interface(batch, contents)}
        return str(self.server.post("/api/projects/", body)["id"])

    def prepared(self, found: Any, batch: Batch, contents: Contents) -> Iterable[str]:  # noqa: ARG002
        """Find the question in the interface."""
        parsed: Mapping[str, Any] = found.get("parsed_label_config") or {}
        kinds = CONTROLS[Task(batch.task)]
        fitting = {name: one.get("labels") or () for name, one in parsed.items() if one.get("type") in kinds}
        remedy = "add each as a <Choice>, in the settings of the project under Labeling Interface"
        name = self.question(fitting, batch, f"<{kinds[0]}> in its labeling interface", remedy)
        self._control = (name, parsed[name]["to_name"][0])
        return self._ids()

    def add(self, ids: Collection[str], batch: Batch, contents: Contents) -> None:
        """Import them as tasks."""
        tasks = [task_of(item, batch, contents, self._control) for item in batch.items if item.id in ids]
        self.server.post(f"/api/projects/{self.project}/import", tasks)

    def _ids(self) -> list[str]:
        """Of the samples of all tasks. Page by page: an export of them all can take minutes."""
        found: list[str] = []
        for number in count(1):
            where = {"project": self.project, "page": number, "page_size": PAGE, "include": "id,data"}
            page = self.server.get("/api/tasks/", **where)
            found += [str(_name(task["data"])) for task in page["tasks"]]
            if not page["tasks"] or len(found) >= page["total"]:
                break
        return found

    def answered(self) -> list[Answer]:
        """As in an export, which has the tasks with an annotation."""
        found = self.server.get(f"/api/projects/{self.project}/export", exportType="JSON")
        return answers_of(found or [], self.where)


def _title(name: str) -> str:
    """A title has 3 to 50 signs."""
    return name[:50] if len(name) > 2 else f"project {name}"
