"""`alharness ui` with MLflow's own server, and its dashboard in a browser."""

import os
import re
import signal
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.slow

QUIET = {
    # MLflow's assistant would cover the page.
    "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": "true",
    "mlflow.assistant.panelOpen_v1": "false",
}
WHOLE = """
element => {
    const box = element.getBoundingClientRect();
    let inside = element.scrollWidth <= element.clientWidth;
    for (let around = element.parentElement; around; around = around.parentElement) {
        const frame = around.getBoundingClientRect();
        const clips = getComputedStyle(around).overflowY !== "visible";
        inside &&= !clips || (box.right <= frame.right + 1 && box.bottom <= frame.bottom + 1);
    }
    return inside;
}
"""
"""Whether an element can be read in full: neither its own box nor one around it cuts it."""
PATIENCE = 60
"""Seconds for anything at all: a busy machine is slow."""


@contextmanager
def shown(command, *arguments):
    """`alharness ui` while it runs: its process and the first link that it prints."""
    process = command("ui", *arguments)
    clock = threading.Timer(PATIENCE, process.terminate)  # it takes its server along
    clock.start()
    try:
        for line in process.stdout:
            if link := re.search(r"http://127\.0\.0\.1:\d+/\S+", line):
                clock.cancel()
                yield process, link[0]
                break
        else:
            pytest.fail(f"no link: {process.stderr.read()}")
    finally:
        clock.cancel()
        family = family_of(process)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            for member in family:
                member.kill()
            process.communicate()


def family_of(process):
    """It and all that it started."""
    try:
        leader = psutil.Process(process.pid)
        return [leader, *leader.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def test_case_46_it_listens_on_this_machine_only_and_leaves_no_process(command, tmp_path, fresh_store):
    from mlflow import MlflowClient

    (tmp_path / "mlflow.db").write_bytes(fresh_store)
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    client.create_experiment("mine", tags={"alharness.experiment": "mine-1"})
    before = {path.name for path in tmp_path.iterdir()}
    with shown(command) as (process, link):
        family = family_of(process)
        addresses = {
            found.laddr.ip
            for member in family
            for found in member.net_connections()
            if found.status == psutil.CONN_LISTEN
        }
        assert addresses == {"127.0.0.1"}
        assert len(family) > 2
        assert link.endswith("/#/experiments/1/runs?workflowType=machine_learning&compareRunsMode=CHART")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert out.endswith("The server has ended.\n")
    assert not [member for member in family if member.is_running()]
    assert {path.name for path in tmp_path.iterdir()} == before


@pytest.fixture
def page(browser):
    """A page as wide as a desktop."""
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.set_default_timeout(PATIENCE * 1000)
    pairs = "".join(f"localStorage.setItem({key!r}, {value!r});" for key, value in QUIET.items())
    page.add_init_script(pairs)
    return page


def test_the_dashboard_has_a_group_for_each_sampler_of_its_finished_cells(
    command, write_spec, page, tmp_path, fresh_store
):
    from mlflow import MlflowClient

    (tmp_path / "mlflow.db").write_bytes(fresh_store)
    path = write_spec(samplers="[first, draw, raises]", cycles=3)
    path.write_text(path.read_text() + "reference: {full_data: true}\n")
    run = command("run", path)
    out, _ = run.communicate(timeout=PATIENCE)
    assert run.returncode == 1, out  # one sampler fails
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    experiment = client.get_experiment_by_name("trial")
    unfinished(client, experiment, "killed", "KILLED")
    unfinished(client, experiment, "running", "RUNNING")
    with shown(command) as (_, link):
        page.goto(link)
        for title in (
            "Quality (higher is better)",
            "Area (higher is better)",
            "Cost (lower is better)",
        ):
            page.get_by_text(title).first.wait_for()
        page.get_by_text("4 matching runs").first.wait_for()
        groups = page.get_by_text(re.compile("^Group: "))
        groups.first.wait_for()
        curves = page.locator(".js-plotly-plot .scatterlayer .trace")
        curves.first.wait_for()
        for text in ("test/f1", "Quality (higher is better)", "draw (test/f1)", "first (test/f1)"):
            assert page.get_by_text(text, exact=True).first.evaluate(WHOLE), f"{text} is cut"
        folder = Path(os.environ.get("ALHARNESS_SCREENSHOTS", tmp_path))
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=folder / "dashboard.png")
        names = sorted(group.inner_text() for group in groups.all())
        assert names == ["Group: draw", "Group: first"]
        assert "does not exist" not in page.inner_text("body")
    assert (folder / "dashboard.png").stat().st_size > 10_000


def unfinished(client, experiment, name, status):
    """A cell like those of the experiment that has not come to its end."""
    tags = {"alharness.kind": "cell", "alharness.experiment": experiment.tags["alharness.experiment"]}
    run = client.create_run(experiment.experiment_id, tags=tags, run_name=name).info.run_id
    client.log_param(run, "sampler", name)
    client.log_metric(run, "test/f1", 0.5, step=10)
    if status != "RUNNING":
        client.set_terminated(run, status)
