"""Argilla 2: records with suggestions, the settings of a dataset, exports, and its server."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from alharness.api.vocabulary import Task
from alharness.errors import DataError, RunError

from .answers import LABEL, Answer, of_labels
from .contents import BATCH, CHOSEN_BY, RANK
from .tool import AGENT, File, Remote, read_json, require_classes, to_json

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from alharness.labeling.batch import Batch, Item

    from .contents import Column, Contents

NAME = "Argilla"
PAGE = 500
"""Records that a server gives at once."""
PROPERTIES = {BATCH: "integer", RANK: "integer", CHOSEN_BY: "terms"}
"""What people can filter and sort by."""
SUBMITTED, COMPLETED = "submitted", "completed"


def _field(column: Column) -> dict[str, Any]:
    kind = {"type": "image"} if column.kind == "image" else {"type": "text", "use_markdown": False}
    return {"name": column.name, "title": column.title, "required": False, "settings": kind}


def _question(batch: Batch) -> dict[str, Any]:
    """A class is chosen; for numbers there is no question, so they are written as text."""
    if batch.task == Task.REGRESSION:
        kind: dict[str, Any] = {"type": "text", "use_markdown": False}
    else:
        options = [{"value": name, "text": name} for name in batch.classes]
        kind = {"type": "label_selection", "options": options}
    title = "Number" if batch.task == Task.REGRESSION else "Class"
    return {"name": LABEL, "title": title, "required": True, "settings": kind}


def settings(batch: Batch, contents: Contents) -> dict[str, Any]:
    """Of a new dataset, as `argilla.Settings.from_json` reads it."""
    return {
        "guidelines": None,
        "allow_extra_metadata": True,
        "distribution": {"strategy": "overlap", "min_submitted": 1},
        "fields": [_field(column) for column in contents.columns],
        "questions": [_question(batch)],
        "vectors": [],
        "metadata": [_property(name, kind) for name, kind in PROPERTIES.items()],
    }


def _property(name: str, kind: str) -> dict[str, Any]:
    settings = {"type": kind, **({"values": None} if kind == "terms" else {"min": None, "max": None})}
    return {"name": name, "title": name.replace("_", " "), "settings": settings, "visible_for_annotators": True}


def record_of(item: Item, batch: Batch, contents: Contents) -> dict[str, Any]:
    """A record, with the model's guess as a suggestion, as `records.from_json` of a dataset reads it."""
    guess = {"value": item.guess, "score": item.probability, "agent": AGENT}
    return {
        "id": item.id,
        "fields": {name: cell or None for name, cell in contents.cells[item.id].items()},
        "metadata": {BATCH: batch.cycle, RANK: item.rank, CHOSEN_BY: item.by},
        "suggestions": {} if item.guess is None else {LABEL: guess},
        "responses": {},
        "vectors": {},
        "status": "pending",
    }


def answers_of(records: Any, where: str) -> list[Answer]:
    """What people have submitted, in records as `records.to_json` or `records.to_list` write them.

    Raises:
        DataError: they are no records, or it is not clear what is a label.
    """
    if not isinstance(records, list) or not all(isinstance(record, Mapping) for record in records):
        raise DataError(f"{where}: is no export of {NAME}; expected a list of records, as of records.to_json")
    if nameless := next((record for record in records if "id" not in record), None):
        raise DataError(f"{where}: a record has no id; found {', '.join(map(str, nameless))[:200]}")
    said = [
        Answer.of(record["id"], question, value, where)
        for record in records
        for question, value in _submitted(record)
    ]
    return of_labels(said, where)


def _submitted(record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Question and value of what is no draft, and was not discarded; of nested or flat records.

    Nested ones do not say which answers are drafts: then those of a record count that is completed.
    """
    done = record.get("status", COMPLETED) == COMPLETED
    for question, responses in (record.get("responses") or {}).items():
        for response in responses or ():
            state = response.get("status") or (SUBMITTED if done else "draft")
            if state == SUBMITTED and response.get("value") is not None:
                yield question, response["value"]
    for key, values in record.items():
        question, dot, last = key.rpartition(".")
        if dot and last == "responses":
            states = record.get(f"{key}.status") or ()
            yield from (
                (question, one) for one, state in zip(values or (), states, strict=False) if state == SUBMITTED
            )


class ArgillaFile(File):
    """Records to add to a dataset, or what it has exported: a file, or the folder of `Dataset.to_disk`."""

    tool: ClassVar[str] = NAME
    companion: ClassVar[str] = ".settings.json"

    def is_blank(self, record: Mapping[str, Any]) -> bool:
        """Whether no one has answered."""
        return "fields" in record and not record.get("responses")

    def send(self, batch: Batch, contents: Contents) -> str:
        """Write records and settings."""
        require_classes(batch)
        records = [record_of(item, batch, contents) for item in batch.items]
        return self.keep(records, to_json(settings(batch, contents)))

    def answered(self) -> list[Answer]:
        """Of the export."""
        path = self.path / "records.json" if self.path.is_dir() else self.path
        return answers_of(read_json(path), self.where)


class ArgillaServer(Remote):
    """A dataset on a server of Argilla."""

    tool: ClassVar[str] = NAME
    noun: ClassVar[str] = "dataset"
    path: ClassVar[str] = "/dataset/"
    identity: ClassVar[str] = "[0-9a-fA-F-]{36}"
    variable: ClassVar[str] = "ARGILLA_API_KEY"

    def authorize(self) -> None:
        """With the key of a user."""
        token = os.environ.get(self.variable, "").strip()
        self.server.headers = {"X-Argilla-Api-Key": token} if token else {}

    @property
    def _about(self) -> str:
        return f"/api/v1/datasets/{self.project}"

    def named(self, title: str) -> list[str]:
        """In all workspaces of the user."""
        found = self.server.get("/api/v1/me/datasets")["items"]
        return [str(dataset["id"]) for dataset in found if dataset["name"] == title[:200]]

    def described(self) -> Any:
        """With its state, which is a draft until it is published."""
        return self.server.get(self._about)

    def make(self, batch: Batch, contents: Contents) -> str:  # noqa: ARG002
        """A draft, in the first workspace of the user."""
        spaces = self.server.get("/api/v1/me/workspaces")["items"]
        if not spaces:
            raise RunError(f"{self.where}: the user of the token has no workspace; make one first")
        body = {"name": self.title[:200], "workspace_id": spaces[0]["id"]}
        return str(self.server.post("/api/v1/datasets", body)["id"])

    def prepared(self, found: Any, batch: Batch, contents: Contents) -> Iterable[str]:
        """Publish a draft, also one that an earlier call has left half done; find the question."""
        if found["status"] == "draft":
            require_classes(batch)
            self._furnish(settings(batch, contents))
        kinds = ("text",) if batch.task == Task.REGRESSION else ("label_selection",)
        asked = {one["name"]: one for one in self._items(f"{self._about}/questions")}
        fitting = {
            name: [option["value"] for option in one["settings"].get("options") or ()]
            for name, one in asked.items()
            if one["settings"]["type"] in kinds
        }
        remedy = (
            "Argilla adds none to a question: label such samples in next_batch.csv, or send them to a new dataset"
        )
        name = self.question(fitting, batch, f"{kinds[0]} question", remedy)
        self._question, self._options = asked[name]["id"], fitting[name]
        return [str(record["external_id"]) for record in self._records()]

    def _furnish(self, wanted: Mapping[str, Any]) -> None:
        """Give a draft what it lacks, and publish it."""
        for kind, parts in (("fields", "fields"), ("questions", "questions"), ("metadata-properties", "metadata")):
            listed = f"/api/v1/me/datasets/{self.project}" if parts == "metadata" else self._about
            there = {one["name"] for one in self._items(f"{listed}/{kind}")}
            for part in wanted[parts]:
                if part["name"] not in there:
                    self.server.post(f"{self._about}/{kind}", part)
        self.server.put(f"{self._about}/publish")

    def _items(self, path: str) -> list[Mapping[str, Any]]:
        return list(self.server.get(path)["items"])

    def add(self, ids: Collection[str], batch: Batch, contents: Contents) -> None:
        """Put them by their ids, which never makes two of one."""
        rows = [self._row(record_of(item, batch, contents)) for item in batch.items if item.id in ids]
        self.server.put(f"{self._about}/records/bulk", {"items": rows})

    def _row(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """A record as the server takes it, without a guess that cannot be chosen."""
        guesses = [
            {"question_id": self._question, **guess}
            for guess in record["suggestions"].values()
            if not self._options or guess["value"] in self._options
        ]
        about = {"fields": record["fields"], "metadata": record["metadata"]}
        return {"external_id": record["id"], **about, "suggestions": guesses}

    def _records(self) -> list[Mapping[str, Any]]:
        """All records of the dataset, with what people have answered."""
        found: list[Mapping[str, Any]] = []
        while True:
            where = {"offset": len(found), "limit": PAGE}
            page = self.server.get(f"{self._about}/records", include="responses", **where)
            found += page["items"]
            if not page["items"] or len(found) >= page["total"]:
                return found

    def answered(self) -> list[Answer]:
        """As in an export."""
        return answers_of([_nested(record) for record in self._records()], self.where)


def _nested(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record of the server, as an export has it."""
    responses: dict[str, list[dict[str, Any]]] = {}
    for response in record.get("responses") or ():
        for question, answer in (response.get("values") or {}).items():
            responses.setdefault(question, []).append({"value": answer["value"], "status": response["status"]})
    return {"id": record.get("external_id") or record["id"], "responses": responses}
