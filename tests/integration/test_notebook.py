"""In the kernel of a notebook: progress in one output, an interruption, and a call that continues."""

import time

import pytest

from alharness.runs.finding import list_runs

SPEC = """
import alharness

class First(alharness.Sampler):
    def select(self, query):
        return range(query.size)

spec = {
    "name": "notebook",
    "dataset": "digits",
    "training": {"epochs": 2},
    "active_learning": {"initial_pool": 20, "budget": 10, "cycles": 3},
    "seeds": 1,
    "samplers": ["random"],
}
"""
WAITS = """
import time
from pathlib import Path

class Waits(alharness.Sampler):
    def select(self, query):
        while query.cycle == 2 and not Path("continue").exists():
            Path("waits").touch()
            time.sleep(0.02)
        return range(query.size)

results = alharness.run(spec | {"samplers": ["Waits"]}, samplers=Waits, tracking=False)
print(*results.cells["cycles"])
"""
WORKERS = """
import psutil
print([child for server in psutil.Process().children() for child in server.children()])
"""


@pytest.fixture
def kernel(tmp_path):
    """Runs code as a cell of a notebook does; gives the messages of its outputs."""
    client = pytest.importorskip("jupyter_client")
    manager, kernel = client.manager.start_new_kernel(cwd=str(tmp_path))

    def execute(code):
        outputs = []
        kernel.execute_interactive(code, timeout=120, output_hook=outputs.append)
        return outputs

    execute.manager, execute.kernel = manager, kernel
    yield execute
    kernel.stop_channels()
    manager.shutdown_kernel(now=True)


def of_type(outputs, kind):
    return [message["content"] for message in outputs if message["msg_type"] == kind]


def test_progress_is_one_output_and_results_are_a_table(kernel):
    outputs = kernel(SPEC + "alharness.run(spec, samplers=First, tracking=False)")

    assert of_type(outputs, "error") == []
    (first,) = of_type(outputs, "display_data")
    *_, last = of_type(outputs, "update_display_data")
    assert last["transient"] == first["transient"]
    assert "[2/2] First-s0" in last["data"]["text/html"]
    assert "8/8" in last["data"]["text/html"]
    (shown,) = of_type(outputs, "execute_result")
    assert "<td>First</td>" in shown["data"]["text/html"]
    assert [out["name"] for out in of_type(outputs, "stream")] == ["stderr"]  # the warning of few seeds


@pytest.mark.slow
def test_an_interruption_ends_the_run_and_the_same_cell_continues_it(kernel, tmp_path):
    kernel.kernel.execute(SPEC + WAITS)
    until = time.monotonic() + 100
    while not (tmp_path / "waits").exists() and time.monotonic() < until:
        time.sleep(0.05)
    kernel.manager.interrupt_kernel()
    messages = []
    while not messages or messages[-1]["content"].get("execution_state") != "idle":
        messages.append(kernel.kernel.get_iopub_msg(timeout=60))

    (error,) = of_type(messages, "error")
    assert error["ename"] == "KeyboardInterrupt"
    assert error["evalue"].startswith("the run was interrupted; nothing that was finished is lost")
    assert of_type(kernel(WORKERS), "stream")[0]["text"] == "[]\n"
    assert list_runs(tmp_path / "runs")[0].cycles == 2

    (tmp_path / "continue").touch()
    outputs = kernel(SPEC + WAITS)
    assert of_type(outputs, "error") == []
    assert of_type(outputs, "stream")[-1]["text"] == "4\n"
