"""In the kernel of a notebook: progress in one output, an interruption, and a call that continues."""

import time

import pytest

from alharness.runs.finding import list_runs

SPEC = """
import alharness

class First(alharness.Sampler):
    def select(self, query):
        return range(query.size)

spec = {{
    "name": "notebook",
    "dataset": "digits",
    "training": {{"epochs": 2}},
    "active_learning": {{"initial_pool": 20, "budget": 10, "cycles": {cycles}}},
    "seeds": 1,
    "samplers": ["random"],
}}
"""
CHILDREN = """
import psutil
lines = [" ".join(child.cmdline()) for child in psutil.Process().children(recursive=True)]
print([line for line in lines if "from multiprocessing." not in line])
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
    outputs = kernel(SPEC.format(cycles=3) + "alharness.run(spec, samplers=First, tracking=False)")

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
    code = (
        SPEC.format(cycles=60) + "results = alharness.run(spec, tracking=False)\nprint(*results.cells['cycles'])"
    )
    kernel.kernel.execute(code)
    until = time.monotonic() + 100
    while sum(run.cycles for run in list_runs(tmp_path / "runs")) < 3 and time.monotonic() < until:
        time.sleep(0.05)
    kernel.manager.interrupt_kernel()
    messages = []
    while not messages or messages[-1]["content"].get("execution_state") != "idle":
        messages.append(kernel.kernel.get_iopub_msg(timeout=60))

    (error,) = of_type(messages, "error")
    assert error["ename"] == "KeyboardInterrupt"
    assert error["evalue"].startswith("the run was interrupted; nothing that was finished is lost")
    assert of_type(kernel(CHILDREN), "stream")[0]["text"] == "[]\n"
    assert 3 <= list_runs(tmp_path / "runs")[0].cycles < 61

    outputs = kernel(code)
    assert of_type(outputs, "error") == []
    assert of_type(outputs, "stream")[-1]["text"] == "61\n"
