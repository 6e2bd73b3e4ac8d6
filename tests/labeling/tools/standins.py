"""Servers that speak what is used of the interfaces of Label Studio 1.23 and Argilla 2.8, in a good or bad mood.

What they answer was taken from the real ones; `test_servers.py` does the same with these, if it gets their
addresses.
"""

import json
import threading
import time
import uuid
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET


class Refused(Exception):
    def __init__(self, status, **said):
        super().__init__(status)
        self.status, self.said = status, said


class StandIn:
    """Answers calls from its state; `moods` are what happens to the next calls instead."""

    token = "t0ken-of-a-stand-in"

    def __init__(self):
        self.calls, self.moods = [], deque()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do(self):
                outer.handle(self)

            do_GET = do_POST = do_PUT = do

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def handle(self, call):
        parts = urlsplit(call.path)
        body = call.rfile.read(int(call.headers.get("Content-Length", 0)))
        self.calls.append((call.command, parts.path))
        mood = self.moods.popleft() if self.moods else None
        status, content, kind, more = 200, b"", "application/json", {}
        if mood in (None, "lost", "half"):
            try:
                self.require(call.headers)
                answer = self.answer(
                    call.command, parts.path.rstrip("/"), parse_qs(parts.query), json.loads(body) if body else None
                )
                content = json.dumps(answer).encode()
            except Refused as refused:
                status, content = refused.status, json.dumps(refused.said).encode()
        if mood == "slow":
            time.sleep(1)
        elif mood == "web page":
            content, kind = b"<html>Sign in</html>", "text/html"
        elif mood == "moved":
            status, more = 301, {"Location": "https://elsewhere.example/"}
        elif isinstance(mood, int):
            status, content, more = mood, b"{}", {"Retry-After": "0"}
        if mood in ("lost", "hang up"):
            call.close_connection = True
            return
        call.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": len(content), **more}.items():
            call.send_header(name, str(value))
        call.end_headers()
        call.wfile.write(content[: len(content) // 2] if mood == "half" else content)

    def require(self, headers):
        raise NotImplementedError

    def answer(self, method, path, query, body):
        raise NotImplementedError


class LabelStudio(StandIn):
    def __init__(self):
        super().__init__()
        self.projects, self.tasks, self.access = {}, {}, ""

    def require(self, headers):
        given = headers.get("Authorization", "")
        if not given:
            raise Refused(401, detail="Authentication credentials were not provided.")
        if given not in (f"Token {self.token}", f"Bearer {self.token}", f"Bearer {self.access}"):
            raise Refused(401, detail="Invalid token.")

    def answer(self, method, path, query, body):  # noqa: PLR0911, PLR0912
        match [method, *path.split("/")[2:]]:
            case ["POST", "token", "refresh"]:
                self.access = "good-for-five-minutes"
                return {"access": self.access}
            case ["GET", "projects"]:
                title = query["title"][0].lower()
                found = [one for one in self.projects.values() if title in one["title"].lower()]
                return {"count": len(found), "next": None, "previous": None, "results": found}
            case ["POST", "projects"]:
                if not 3 <= len(body["title"]) <= 50:
                    raise Refused(400, detail="Validation error", validation_errors={"title": ["too short"]})
                number = len(self.projects) + 1
                made = {"id": number, **body, "parsed_label_config": self.parsed(body["label_config"])}
                self.projects[number] = made
                return made
            case ["GET", "projects", number]:
                if int(number) not in self.projects:
                    raise Refused(404, detail="No Project matches the given query.")
                return self.projects[int(number)]
            case ["POST", "projects", number, "import"]:
                wanted = {value[1:] for value in self.shown(int(number))}
                for place, task in enumerate(body):
                    if missing := sorted(wanted - set(task["data"])):
                        raise Refused(
                            400,
                            detail="Validation error",
                            validation_errors={
                                "non_field_errors": [f'Error at item {place}: "{missing[0]}" key is expected']
                            },
                        )
                for task in body:
                    made = {"id": len(self.tasks) + 1, "project": int(number), "annotations": [], **task}
                    self.tasks[made["id"]] = made
                return {"task_count": len(body)}
            case ["GET", "projects", number, "export"]:
                return [task for task in self.of(number) if task["annotations"] or "download_all_tasks" in query]
            case ["GET", "tasks"]:
                tasks, size, page = self.of(query["project"][0]), int(query["page_size"][0]), int(query["page"][0])
                if page > 1 and (page - 1) * size >= len(tasks):
                    raise Refused(404, detail="Invalid page.")
                return {"total": len(tasks), "tasks": tasks[(page - 1) * size : page * size]}
            case ["POST", "tasks", number, "annotations"]:
                annotation = {"was_cancelled": False, "ground_truth": False, **body}
                self.tasks[int(number)]["annotations"].append(annotation)
                return annotation
        raise Refused(404, detail="Not found.")

    def of(self, number):
        return [task for task in self.tasks.values() if task["project"] == int(number)]

    def shown(self, number):
        tree = ET.fromstring(self.projects[number]["label_config"])
        return [element.get("value") for element in tree if element.get("value")]

    @staticmethod
    def parsed(config):
        return {
            element.get("name"): {
                "type": element.tag,
                "to_name": [element.get("toName")],
                "labels": [choice.get("value") for choice in element],
            }
            for element in ET.fromstring(config)
            if element.get("toName")
        }


class Argilla(StandIn):
    def __init__(self):
        super().__init__()
        self.datasets, self.parts, self.records = {}, {}, {}

    def require(self, headers):
        if headers.get("X-Argilla-Api-Key") != self.token:
            raise Refused(401, detail={"code": "argilla.api.errors::UnauthorizedError"})

    def answer(self, method, path, query, body):  # noqa: PLR0911, PLR0912
        match [method, *path.removeprefix("/api/v1/").split("/")]:
            case ["GET", "me", "workspaces"]:
                return {"items": [{"id": str(uuid.uuid4()), "name": "team"}]}
            case ["GET", "me", "datasets"]:
                return {"items": [*self.datasets.values()]}
            case ["POST", "datasets"]:
                made = {"id": str(uuid.uuid4()), "status": "draft", **body}
                self.datasets[made["id"]], self.records[made["id"]] = made, []
                return made
            case ["GET", "datasets", name]:
                if name not in self.datasets:
                    raise Refused(404, detail=f"Dataset with id `{name}` not found")
                return self.datasets[name]
            case ["GET", "me", "datasets", name, "metadata-properties"]:
                return {"items": self.parts.get((name, "metadata-properties"), [])}
            case ["GET", "datasets", name, "fields" | "questions" as kind]:
                return {"items": self.parts.get((name, kind), [])}
            case ["POST", "datasets", name, "fields" | "questions" | "metadata-properties" as kind]:
                made = {"id": str(uuid.uuid4()), **body}
                self.parts.setdefault((name, kind), []).append(made)
                return made
            case ["PUT", "datasets", name, "publish"]:
                self.datasets[name]["status"] = "ready"
                return self.datasets[name]
            case ["GET", "datasets", name, "records"]:
                start, most = int(query["offset"][0]), int(query["limit"][0])
                return {"items": self.records[name][start : start + most], "total": len(self.records[name])}
            case ["PUT", "datasets", name, "records", "bulk"]:
                for item in body["items"]:
                    if any("," in guess["agent"] for guess in item["suggestions"]):
                        raise Refused(422, detail={"code": "argilla.api.errors::ValidationError"})
                    same = [one for one in self.records[name] if one["external_id"] == item["external_id"]]
                    if not same:
                        self.records[name].append({"id": str(uuid.uuid4()), "responses": [], **item})
                return {"items": []}
            case ["POST", "records", name, "responses"]:
                (record,) = (one for records in self.records.values() for one in records if one["id"] == name)
                record["responses"].append(body)
                return body
        raise Refused(404, detail="Not Found")
