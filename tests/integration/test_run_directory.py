"""What a run leaves next to its journals, and that this is enough to read the run again."""

import numpy as np

from alharness import hookimpl
from alharness.results.run import RunResults


def test_what_is_read_is_what_the_run_returned(write_spec, run_spec, tmp_path):
    path = write_spec(samplers="[first, twice, needy, {name: first, label: later, params: {start: 9}}]")
    paper = "{source: A paper, values: {first: {f1: 0.5}, full-data: {f1: 0.9}}}"
    path.write_text(f"{path.read_text()}reference: {{full_data: true}}\npaper: {paper}\n")
    run, record, _ = run_spec(path, tmp_path)
    found = RunResults.read(run.folder)

    assert found.run == run
    assert found.records == record.cells
    assert (found.run.paper.source, found.run.paper.values["full-data"]) == ("A paper", {"f1": 0.9})
    assert {cell.status for cell in record.cells} == {"ok", "failed"}
    assert {cell.cell.seed: cell.context["seed"] for cell in found.records if cell.context} == {0: 0, 1: 1}
    assert found.others == ()


def test_the_pool_is_read_with_its_labels(write_spec, run_spec, tmp_path):
    run, record, _ = run_spec(write_spec(samplers="[first]", seeds="[0]"), tmp_path)
    pool = RunResults.read(run.folder).pool

    assert len(pool.ids) == len(pool.labels) == 300  # every seed draws its own split
    assert pool.classes == ("a", "b", "c")
    assert set(record.cells[0].cycles[0].chosen) <= set(pool.ids)
    assert np.isfinite(pool.places).all()
    assert (pool.places.std(axis=0) > 0).all()


def test_a_run_can_be_read_while_it_runs_and_after_it_was_killed(write_spec, run_spec, tmp_path):
    seen = []

    class Watch:
        @hookimpl
        def alharness_run_started(self, run):
            seen.append(RunResults.read(run.folder))

        @hookimpl
        def alharness_cycle_finished(self, run):
            seen.append(RunResults.read(run.folder))

    run, _, _ = run_spec(write_spec(seeds="[0]", cycles=1), tmp_path, observers=[Watch()])
    statuses = [[cell.status for cell in found.records] for found in seen]

    assert seen[0].run == run
    assert statuses == [["pending"] * 2] * 3 + [["ok", "pending"], ["ok", "ok"]]


def test_an_interrupted_run_says_so(write_spec, run_spec, tmp_path):
    class Stop:
        @hookimpl
        def alharness_cycle_finished(self):
            raise KeyboardInterrupt

    path = write_spec(seeds="[0]", cycles=1)
    run, record, _ = run_spec(path, tmp_path, observers=[Stop()])
    assert RunResults.read(run.folder).records == record.cells
    assert [cell.status for cell in record.cells] == ["interrupted"] * 2
    run, record, _ = run_spec(path, tmp_path)
    assert RunResults.read(run.folder).records == record.cells
    assert [cell.status for cell in record.cells] == ["ok", "ok"]


def test_cells_of_changed_parameters_are_others(write_spec, run_spec, tmp_path):
    for start in (0, 5):
        samplers = f"[{{name: first, params: {{start: {start}}}}}]"
        run, _, _ = run_spec(write_spec(samplers=samplers, seeds="[0]", cycles=1), tmp_path)
    found = RunResults.read(run.folder)

    assert found.run.cells[0].params == {"start": 5}
    assert len(found.others) == 1
    assert found.others[0].startswith("first-s0-")
