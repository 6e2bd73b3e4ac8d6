"""A real Ray: on this machine alone, and of three nodes in network namespaces."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import psutil
import pytest

from alharness.testing import ExecutorConformance
from alharness_ray.plugin import alharness_executors

pytestmark = pytest.mark.cluster

SPEC = """\
name: trial
dataset: digits
training: {epochs: 40, device: auto}
active_learning: {initial_pool: 20, budget: 20, cycles: 3}
seeds: 3
samplers: [random, margin]
"""
RAY = (sys.executable, "-m", "ray.scripts.scripts")
HERE = (sys.executable, "-m", "alharness", "run", "spec.yaml", "--no-tracking")
PATIENCE = 150


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ray")
    (folder / "spec.yaml").write_text(SPEC)
    return folder


@pytest.fixture(scope="module")
def environment():
    """Ray's reports are off, and its clusters have a token."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("RAY_")},
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
    }


@pytest.fixture(scope="module")
def call(folder, environment):
    """Call `alharness run` with the spec."""

    def run(*arguments, before=()):
        command = [*before, *HERE, *arguments]
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )

    return run


@pytest.fixture(scope="module")
def expected(call, folder):
    """The journals of processes of this machine."""
    ended = call("--workdir", "here")
    assert ended.returncode == 0, ended.stderr
    return journals(folder / "here")


def journals(workdir):
    """Folder of a cell -> the lines of its journal, without what was measured."""
    found = {}
    for path in sorted(workdir.glob("*/cells/*/journal.jsonl")):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        found[path.parent.name] = [{k: v for k, v in line.items() if k != "measured"} for line in lines]
    return found


def until(found, what):
    deadline = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < deadline, f"{what}: not within {PATIENCE} seconds"
        time.sleep(0.05)


def having(token):
    """The processes of this Ray."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("RAY_AUTH_TOKEN") == token:
                found.append(process)
    return found


def needed():
    return pytest.importorskip("ray", reason="Ray is not installed; make clusters installs it")


def test_a_ray_of_this_machine_computes_what_processes_do_and_leaves_nothing(call, folder, environment, expected):
    needed()
    ended = call("--executor", "ray", "--jobs", "2", "--workdir", "local")
    assert ended.returncode == 0, ended.stderr
    assert journals(folder / "local") == expected
    assert "(raylet)" not in ended.stdout + ended.stderr

    until(lambda: not having(environment["RAY_AUTH_TOKEN"]), "the end of Ray")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["address=127.0.0.1:1"], "127.0.0.1:1: no Ray cluster is reached: Connection refused"),
        (["address=nowhere.invalid:6379"], "nowhere.invalid:6379: no Ray cluster is reached: "),
        (["gpus=7"], "no node of the Ray cluster has what a worker needs, 1 CPU and 7 GPU"),
    ],
)
def test_what_cannot_be_is_refused_soon(call, options, said):
    needed()
    began = time.monotonic()
    ended = call("--executor", "ray", *(part for option in options for part in ("-x", option)), "--workdir", "no")
    assert ended.returncode == 1
    assert said in ended.stderr
    assert time.monotonic() - began < 60


@pytest.fixture(scope="module")
def network():
    """Three network namespaces on one bridge: name -> address."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        pytest.skip("network namespaces need root, and ip of iproute2")
    own = f"alh{os.getpid()}"
    nodes = {f"{own}{letter}": f"10.99.0.{number}" for number, letter in enumerate("abc", 1)}
    (head, *others), bridge = nodes, "bridge"

    def ip(*arguments):
        subprocess.run(["ip", *arguments], check=True, capture_output=True)

    with ExitStack() as stack:
        for name in nodes:
            ip("netns", "add", name)
            stack.callback(ip, "netns", "delete", name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", head, "link", "add", bridge, "type", "bridge")
        for name in others:
            ip("-n", head, "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
            ip("-n", head, "link", "set", name, "master", bridge, "up")
        for name, device in [(head, bridge), *((name, "eth0") for name in others)]:
            ip("-n", name, "address", "add", f"{nodes[name]}/24", "dev", device)
            ip("-n", name, "link", "set", device, "up")
        yield nodes


@contextmanager
def node(name, log, environment, *options):
    """A node of a cluster in a namespace, with one CPU; gives its process."""
    command = ["ip", "netns", "exec", name, *RAY, "start", "--block", "--num-cpus=1", *options]
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
    try:
        until(lambda: process.poll() is not None or "runtime started" in log.read_text(), "the start of a node")
        assert process.poll() is None, log.read_text()
        yield psutil.Process(process.pid)
    finally:
        with_children = [*psutil.Process(process.pid).children(recursive=True)] if process.poll() is None else []
        for child in with_children:
            if child.is_running():
                child.kill()
        process.kill()
        process.wait()


def raylet(process):
    return next(child for child in process.children() if child.name() == "raylet")


@pytest.fixture(scope="module")
def lossy(call, folder, environment, network):
    """A run on three nodes. One has another alharness, and another is killed half-way."""
    needed()
    foreign = folder / "foreign"
    (foreign / "alharness-9.9.dist-info").mkdir(parents=True)
    (foreign / "alharness-9.9.dist-info" / "METADATA").write_text("Name: alharness\nVersion: 9.9\n")
    (head, second, third), addresses = network, [*network.values()]
    join = f"--address={addresses[0]}:6379"
    with (
        TemporaryDirectory(prefix="ray", dir="/tmp") as sockets,
        ExitStack() as stack,
    ):  # their paths must be short
        place = [f"--temp-dir={sockets}", "--port=6379", "--include-dashboard=false", "--disable-usage-stats"]
        start = stack.enter_context
        start(node(head, folder / "1", environment, "--head", f"--node-ip-address={addresses[0]}", *place))
        lost = start(node(second, folder / "2", environment, join, f"--node-ip-address={addresses[1]}"))
        other = {**environment, "PYTHONPATH": str(foreign)}
        start(node(third, folder / "3", other, join, f"--node-ip-address={addresses[2]}"))
        inside = ["ip", "netns", "exec", head]
        run = subprocess.Popen(
            [*inside, *HERE, "--executor", "ray", "-x", join[2:], "--stack", "1", "--workdir", "lossy"],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            until(lambda: any(len(lines) > 2 for lines in journals(folder / "lossy").values()), "a second cycle")
            os.kill(raylet(lost).pid, signal.SIGKILL)
            output, _ = run.communicate(timeout=PATIENCE)
        finally:
            run.kill()
        yield SimpleNamespace(output=output, code=run.returncode, lost=addresses[1])


def test_a_run_whose_node_was_killed_is_that_of_one_process(lossy, folder, expected):
    assert lossy.code == 0, lossy.output
    assert journals(folder / "lossy") == expected


def test_a_lost_node_is_named(lossy):
    assert f"its node {lossy.lost} was lost; tried again after the last finished cycles" in lossy.output


def test_a_node_with_another_version_computes_nothing_and_is_named(lossy):
    assert "has alharness 9.9 instead of " in lossy.output


@pytest.fixture(scope="module")
def connected():
    """This process, in a Ray of its own: executors use it, and leave it."""
    ray = needed()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        ray.init(address="local", num_cpus=3, include_dashboard=False, log_to_driver=False, logging_level="error")
        yield
        ray.shutdown()


@pytest.mark.usefixtures("connected")
class TestContract(ExecutorConformance):
    (plugin,) = alharness_executors()
