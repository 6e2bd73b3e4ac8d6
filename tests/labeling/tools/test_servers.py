"""Servers of labeling tools: the same with stand-ins, and with real ones of which it gets the address.

ALHARNESS_TEST_LABEL_STUDIO and ALHARNESS_TEST_ARGILLA are addresses of servers that may be written to, with the
tokens of users in LABEL_STUDIO_API_KEY and ARGILLA_API_KEY.
"""

import os
import secrets
from functools import partial

import pytest
import requests

from alharness import DataError, HarnessError, RunError
from alharness.labeling.batch import Batch, Item
from alharness.labeling.tools import server
from alharness.labeling.tools.answers import settle
from alharness.labeling.tools.contents import Column, Contents
from alharness.labeling.tools.places import tool_at
from alharness.labeling.tools.tool import Absent

from . import standins


class LabelStudio:
    tool, variable, place = "Label Studio", "LABEL_STUDIO_API_KEY", "/projects/"
    stand_in, real = standins.LabelStudio, "ALHARNESS_TEST_LABEL_STUDIO"

    def __init__(self, address, token):
        self.address, self.token = f"labelstudio:{address}", token
        self._base, self._headers = address, {"Authorization": f"Token {token}"}

    def _call(self, method, path, **more):
        answer = requests.request(method, f"{self._base}{path}", headers=self._headers, timeout=60, **more)
        answer.raise_for_status()
        return answer.json()

    def tasks(self, tool):
        path = f"/api/projects/{tool.project}/export?exportType=JSON&download_all_tasks=true"
        return {task["data"]["sample"]: task for task in self._call("GET", path)}

    def say(self, tool, labels, **more):
        """As a person labels in a browser."""
        tasks = self.tasks(tool)
        for name, label in labels.items():
            kind, value = ("choices", [label]) if isinstance(label, str) else ("number", label)
            result = {"from_name": "label", "to_name": "text", "type": kind, "value": {kind: value}}
            path = f"/api/tasks/{tasks[name]['id']}/annotations/"
            self._call("POST", path, json={"result": [result], **more})

    def skip(self, tool, name):
        self.say(tool, {name: "cat"}, was_cancelled=True)

    def guess(self, tool, name):
        path = f"/api/predictions/?task={self.tasks(tool)[name]['id']}"
        task = self.tasks(tool)[name]
        prediction = task["predictions"][0]
        if not isinstance(prediction, dict):
            (prediction,) = self._call("GET", path)
        return prediction["result"][0]["value"]["choices"][0], prediction["score"]

    def add_project(self, title):
        config = '<View><Text name="text" value="$text"/></View>'
        self._call("POST", "/api/projects/", json={"title": title, "label_config": config})


class Argilla:
    tool, variable, place = "Argilla", "ARGILLA_API_KEY", "/dataset/"
    stand_in, real = standins.Argilla, "ALHARNESS_TEST_ARGILLA"

    def __init__(self, address, token):
        self.address, self.token = f"argilla:{address}", token
        self._base, self._headers = address, {"X-Argilla-Api-Key": token}

    def _call(self, method, path, **more):
        answer = requests.request(method, f"{self._base}/api/v1{path}", headers=self._headers, timeout=60, **more)
        answer.raise_for_status()
        return answer.json()

    def tasks(self, tool):
        path = f"/datasets/{tool.project}/records?include=responses&include=suggestions&offset=0&limit=1000"
        return {record["external_id"]: record for record in self._call("GET", path)["items"]}

    def say(self, tool, labels, status="submitted"):
        tasks = self.tasks(tool)
        for name, label in labels.items():
            values = {"label": {"value": str(label)}}
            path = f"/records/{tasks[name]['id']}/responses"
            self._call("POST", path, json={"values": values, "status": status})

    def skip(self, tool, name):
        self.say(tool, {name: "cat"}, status="discarded")

    def guess(self, tool, name):
        (suggestion,) = self.tasks(tool)[name]["suggestions"]
        return suggestion["value"], suggestion["score"]

    def add_project(self, title):
        space = self._call("GET", "/me/workspaces")["items"][0]["id"]
        self._call("POST", "/datasets", json={"name": title, "workspace_id": space})


KINDS = {"labelstudio": LabelStudio, "argilla": Argilla}
REAL = {f"real {name}": kind for name, kind in KINDS.items() if kind.real in os.environ}


@pytest.fixture(params=[*KINDS])
def kind(request):
    return KINDS[request.param]


@pytest.fixture(params=[*KINDS, *REAL])
def site(request, monkeypatch):
    """A server with a user."""
    if kind := REAL.get(request.param):
        yield kind(os.environ[kind.real], os.environ[kind.variable])
        return
    kind = KINDS[request.param]
    stand_in = kind.stand_in()
    monkeypatch.setenv(kind.variable, stand_in.token)
    yield kind(stand_in.address, stand_in.token)
    stand_in.close()


@pytest.fixture
def moody(kind, monkeypatch):
    """A stand-in whose moods are for the test to set, and its tool."""
    stand_in = kind.stand_in()
    monkeypatch.setenv(kind.variable, stand_in.token)
    monkeypatch.setattr(server, "PAUSES", (0.0, 0.0))
    monkeypatch.setattr(server, "PATIENCE", 0.3)
    stand_in.tool = opened(kind(stand_in.address, stand_in.token))
    stand_in.site = kind(stand_in.address, stand_in.token)
    yield stand_in
    stand_in.close()


def opened(site, title=None, warn=pytest.fail):
    return tool_at(site.address, title=title or f"cats-{secrets.token_hex(4)}", warn=warn)


def batch(*names, task="classification", classes=("cat", "dog"), guess="dog"):
    items = [
        Item(id=name, rank=rank, by="badge", guess=guess, probability=0.75 if classes else None)
        for rank, name in enumerate(names, 1)
    ]
    return Batch(cycle=2, items=tuple(items), task=task, classes=classes)


def contents(*names):
    column = Column(name="text", title="Text", kind="text")
    return Contents(columns=(column,), cells={name: {"text": f"It is {name}"} for name in names})


def send(tool, *names, **more):
    return tool.send(batch(*names, **more), contents(*names))


def labels(tool):
    return settle(tool.answers()).labels


def test_labels_come_back_from_what_was_sent(site):
    tool = opened(site)
    with pytest.raises(Absent, match="--to makes it"):
        tool.answers()
    assert send(tool, "a", "b", "c").startswith(f"3 samples to {site.tool}: ")
    assert site.place in tool.where
    assert labels(tool) == {}
    assert site.guess(tool, "b") == ("dog", 0.75)
    site.say(tool, {"a": "cat", "c": "dog"})
    site.skip(tool, "b")
    assert labels(tool) == {"a": "cat", "c": "dog"}


def test_nothing_is_sent_twice(site):
    tool = opened(site)
    send(tool, "a", "b")
    again = opened(site, tool.title)
    assert send(again, "b", "c").startswith(f"1 sample to {site.tool} (1 are there already)")
    assert send(again, "b", "c").startswith("nothing, as all 2 samples are there already")
    assert sorted(site.tasks(again)) == ["a", "b", "c"]


def test_what_is_there_is_known_to_its_last_page(site, monkeypatch):
    for module in ("labelstudio", "argilla"):
        monkeypatch.setattr(f"alharness.labeling.tools.{module}.PAGE", 2)
    tool = opened(site)
    for names in ("abcd", "abcde"):  # pages that are full, and one that is not
        send(tool, *names)
        assert send(tool, *names).startswith("nothing")
    site.say(tool, dict.fromkeys("abcde", "cat"))
    assert labels(tool) == dict.fromkeys("abcde", "cat")


def test_the_address_of_a_project_is_enough(site):
    tool = opened(site)
    send(tool, "a")
    there = tool_at(f"{site.address}{site.place}{tool.project}/data?tab=3", title="another", warn=pytest.fail)
    there.require_ready()
    assert send(there, "b").endswith(tool.where)
    assert sorted(site.tasks(tool)) == ["a", "b"]


def test_numbers_are_asked_for_and_come_back(site):
    tool = opened(site)
    send(tool, "a", "b", task="regression", classes=(), guess="1.5")
    site.say(tool, {"a": 3.25, "b": -4.0})
    assert {name: float(label) for name, label in labels(tool).items()} == {"a": 3.25, "b": -4.0}


def test_a_class_that_cannot_be_chosen_is_said(site):
    said = []
    tool = opened(site, warn=said.append)
    send(tool, "a")
    assert not said
    send(tool, "b", classes=("cat", "dog", "owl"), guess="cat")
    assert "people cannot choose 'owl'" in said[0]


def test_two_of_one_name_are_told_apart_by_address(site):
    tool = opened(site)
    send(tool, "a")
    try:
        site.add_project(tool.title)
    except requests.HTTPError:
        pytest.skip("this server has names once")
    with pytest.raises(RunError, match=r"2 \w+ are called .*; give the address of one"):
        opened(site, tool.title).require_ready()


def test_a_project_that_is_not_there_is_said(site):
    number = "0" * 8 + "-0000-4000-8000-" + "0" * 12 if site.tool == "Argilla" else "987654"
    with pytest.raises(RunError, match="there is nothing at .*; is the address right"):
        tool_at(f"{site.address}{site.place}{number}", title="cats", warn=pytest.fail).require_ready()


@pytest.mark.parametrize("token", ["", "wr0ng-t0ken-which-no-one-may-see"])
def test_a_wrong_token_is_refused_and_never_shown(site, monkeypatch, token):
    monkeypatch.setenv(site.variable, token)
    with pytest.raises(RunError, match="refuses the token" if token else "needs a token") as caught:
        opened(site).require_ready()
    assert f"set the variable {site.variable}" in str(caught.value)
    assert not token or token not in str(caught.value)


def test_a_personal_token_is_exchanged_for_one_of_five_minutes(monkeypatch):
    stand_in = standins.LabelStudio()
    stand_in.token = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoiMSJ9.c2lnbmF0dXJl"
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", stand_in.token)
    send(opened(LabelStudio(stand_in.address, stand_in.token)), "a")
    assert stand_in.calls[0] == ("POST", "/api/token/refresh/")
    assert stand_in.tasks
    stand_in.close()


@pytest.mark.parametrize(
    ("mood", "why"),
    [
        ("slow", "no answer in 0 seconds; nothing is lost"),
        ("hang up", "hung up without an answer; nothing is lost"),
        ("half", "its answer broke off"),
        ("web page", "answers with text/html and not JSON; is this the address of"),
        ("moved", "has moved to https://elsewhere.example/; give that address"),
        (500, "answers 500 Internal Server Error; nothing is lost"),
        (400, "refuses this with 400 Bad Request"),
    ],
)
def test_a_server_in_a_bad_mood_is_named_with_what_to_do(moody, mood, why):
    send(moody.tool, "a")
    moody.moods.append(mood)
    with pytest.raises(RunError, match=why) as caught:
        moody.tool.answers()
    assert str(caught.value).startswith(f"{moody.tool.tool} at {moody.address}: ")
    assert moody.token not in str(caught.value)


@pytest.mark.parametrize("mood", [429, 502, 503])
def test_a_busy_server_is_asked_again(moody, mood):
    send(moody.tool, "a")
    moody.moods.extend([mood, mood])
    assert labels(moody.tool) == {}


def test_a_server_that_trickles_is_given_up(moody, monkeypatch):
    monkeypatch.setattr(server, "ALTOGETHER", 0.0)
    with pytest.raises(RunError, match="is slow: no whole answer in 0 seconds; nothing is lost"):
        moody.tool.require_ready()


def test_a_server_that_stays_busy_is_given_up(moody):
    moody.moods.extend([503] * 3)
    with pytest.raises(RunError, match="answers 503 Service Unavailable; nothing is lost"):
        moody.tool.require_ready()


def test_a_server_that_is_not_there_is_said(kind, monkeypatch):
    monkeypatch.setenv(kind.variable, "t0ken")
    with pytest.raises(RunError, match="cannot be reached; is the address right, and does it run"):
        opened(kind("http://127.0.0.1:1", "t0ken")).require_ready()


def test_json_of_something_else_is_not_understood(moody):
    moody.moods.extend([200] * 3)  # each an empty object
    for call in (moody.tool.require_ready, moody.tool.answers, partial(send, moody.tool, "a")):
        with pytest.raises(RunError, match=rf"what {moody.address} answers: is not understood \(KeyError"):
            call()


def test_tasks_of_others_are_known_by_their_id(monkeypatch):
    """As of people who have labeled before they came to alharness."""
    stand_in = standins.LabelStudio()
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", stand_in.token)
    site = LabelStudio(stand_in.address, stand_in.token)
    tool = opened(site)
    send(tool, "a", "b")
    for task in stand_in.tasks.values():
        task["data"]["id"] = task["data"].pop("sample")
    assert send(tool, "a", "b").startswith("nothing")
    result = {"from_name": "label", "value": {"choices": ["cat"]}}
    stand_in.tasks[1]["annotations"] = [{"result": [result]}]
    assert labels(tool) == {"a": "cat"}
    stand_in.close()


def test_what_has_arrived_although_the_answer_got_lost_is_not_sent_again(moody, monkeypatch):
    """The next call, and not this one, sends the rest."""
    send(moody.tool, "z")
    monkeypatch.setattr("alharness.labeling.tools.tool.PIECE", 2)
    names = "abcde"
    before = len(moody.calls)
    send(opened(moody.site), *names)  # to count the calls
    first = next(
        place for place, (_, path) in enumerate(moody.calls[before:]) if path.endswith(("/import", "/bulk"))
    )
    tool = opened(moody.site)
    moody.moods.extend([None] * (first + 1) + ["lost"])
    with pytest.raises(RunError, match="hung up"):
        send(tool, *names)
    assert sorted(moody.site.tasks(tool)) == list("abcd")
    assert send(opened(moody.site, tool.title), *names).startswith("1 sample to")
    assert sorted(moody.site.tasks(tool)) == list(names)


@pytest.mark.parametrize("kind", ["argilla"], indirect=True)
def test_a_dataset_that_was_left_half_made_is_finished(moody):
    calls = len(moody.calls)
    send(moody.tool, "a")
    steps = len(moody.calls) - calls
    for step in range(steps):
        tool = opened(moody.site)
        moody.moods.extend([None] * step + ["hang up"])
        with pytest.raises(HarnessError):
            send(tool, "a")
        again = opened(moody.site, tool.title)
        send(again, "a")
        assert [*moody.site.tasks(again)] == ["a"], step


def test_people_need_classes_to_choose_from(moody):
    with pytest.raises(DataError, match="name each with --class"):
        send(moody.tool, "a", classes=("cat",), guess=None)
    assert not any(method == "POST" for method, _ in moody.calls)


def test_another_question_is_not_taken_for_the_label(moody, kind):
    send(moody.tool, "a")
    with pytest.raises(DataError, match="has no .* with the name 'label'; add it, or rename one"):
        send(moody.tool, "b", task="regression", classes=(), guess="1.5")
