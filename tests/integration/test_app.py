"""Whole runs in this process: what cells share, what a later run finds, and what goes wrong in one cell alone."""

import json
import shutil

import pytest

from alharness import hookimpl
from alharness.errors import SpecError, TrackingError
from alharness.results.run import RunResults


@pytest.mark.slow
def test_two_runs_write_the_same_journals_apart_from_what_was_measured(write_spec, run_spec, journals, tmp_path):
    path = write_spec()
    for workdir in ("one", "two"):
        run_spec(path, tmp_path / workdir)
    one, two = journals(tmp_path / "one"), journals(tmp_path / "two")
    assert len(one) == 4
    assert all(len(lines) == 4 for lines in one.values())  # header and three cycles
    assert one == two


def test_cells_of_a_seed_share_split_initial_pool_and_first_fit(write_spec, run_spec, journals, tmp_path):
    run_spec(write_spec(samplers="[first, narrow, draw]"), tmp_path)
    found = journals(tmp_path)

    def of(seed):
        return [lines for name, lines in found.items() if f"-s{seed}-" in name]

    for seed in (0, 1):
        cells = of(seed)
        assert len({json.dumps([c[0]["context"]["split"], c[0]["context"]["initial_pool"]]) for c in cells}) == 1
        assert len({json.dumps(c[1]["metrics"]) for c in cells}) == 1
        assert len({json.dumps(c[1]["chosen"]) for c in cells}) == 3
    assert of(0)[0][0]["context"]["initial_pool"] != of(1)[0][0]["context"]["initial_pool"]
    assert len(list(tmp_path.glob("*/fits/*"))) == 2


@pytest.mark.parametrize("change", [{"samplers": "[draw, first, narrow]"}, {"seeds": "[1, 7, 0]"}])
def test_who_joins_computes_alone_and_changes_nobody(write_spec, run_spec, tmp_path, change):
    run_spec(write_spec(), tmp_path)
    before = {p: p.read_bytes() for p in tmp_path.glob("*/cells/*/journal.jsonl")}
    assert len(before) == 4
    _, record, _ = run_spec(write_spec(**change), tmp_path)
    assert all(cell.status == "ok" for cell in record.cells)
    assert len(record.cells) == 6
    assert {p: p.read_bytes() for p in before} == before
    assert len(list(tmp_path.glob("*/cells/*/journal.jsonl"))) == 6


def test_one_sampler_runs_under_two_labels(write_spec, run_spec, journals, tmp_path):
    samplers = "[first, {name: first, label: later, params: {start: 100}}]"
    _, record, _ = run_spec(write_spec(samplers=samplers, seeds="[3]"), tmp_path)
    chosen = {cell.cell.label: cell.cycles[0].chosen for cell in record.cells}
    assert len(chosen["first"]) == len(chosen["later"]) == 5
    assert not set(chosen["first"]) & set(chosen["later"])


def test_changed_parameters_are_a_new_cell(write_spec, run_spec, tmp_path):
    for start in (0, 5):
        run_spec(write_spec(samplers=f"[{{name: first, params: {{start: {start}}}}}]", seeds="[0]"), tmp_path)
    assert len(list(tmp_path.glob("*/cells/first-s0-*"))) == 2


class Never:
    @hookimpl
    def alharness_cycle_finished(self):
        pytest.fail("a finished cycle was computed again")


BROKEN = {
    "twice": "it chose position 0 5 times",
    "toofew": "it was asked for 5 samples and chose 4",
    "outside": "but the unlabeled view has only positions 0 to",
    "nanscores": "1 of 170 scores are NaN or infinite",
    "fractions": "one integer position per choice",
    "peeks": "it asked for labels of unlabeled samples",
    "undeclared": "Feature.PREDICTIONS to SamplerPlugin.requires",
}
BUGS = {
    "raises": "KeyError: 'nothing here'",
    "exits": "SystemExit: 0",
    "unmakable": "ZeroDivisionError: division by zero",
}


@pytest.fixture(scope="module")
def faulty(spec_text, run_spec, tmp_path_factory):
    """A run of all samplers with a fault, and one without: sampler -> its record, and the folders."""
    folder = tmp_path_factory.mktemp("faulty")
    path = folder / "trial.yaml"
    path.write_text(spec_text(samplers=f"[{', '.join([*BROKEN, *BUGS])}, first]", seeds="[0]"))
    _, record, _ = run_spec(path, folder)
    return {cell.cell.label: cell for cell in record.cells}, folder


@pytest.mark.parametrize("sampler", BROKEN)
def test_case_26_and_case_27_a_sampler_that_breaks_its_contract_fails_alone(faulty, sampler):
    cells, _ = faulty
    assert (cells[sampler].status, cells["first"].status) == ("failed", "ok")
    assert cells[sampler].error.startswith(f"{sampler} (toy-samplers==1.0), cycle 0: ")
    assert BROKEN[sampler] in cells[sampler].error
    assert cells[sampler].cycles == ()


@pytest.mark.parametrize("sampler", BUGS)
def test_a_bug_in_a_sampler_keeps_its_traceback(faulty, sampler):
    cells, folder = faulty
    assert f"{sampler} (toy-samplers==1.0): {BUGS[sampler]}" in cells[sampler].error
    (trace,) = folder.glob(f"*/cells/{sampler}-s0-*/traceback.txt")
    assert BUGS[sampler] in trace.read_text()
    assert cells["first"].status == "ok"


def test_a_cell_that_failed_is_tried_again_without_disturbing_others(write_spec, run_spec, tmp_path):
    seen = []

    class Watching:
        @hookimpl
        def alharness_cell_ended(self, record):
            seen.append((record.cell.name, record.status, len(record.cycles), bool(record.error)))

    path = write_spec(samplers="[twice, first]", seeds="[0]")
    run_spec(path, tmp_path, observers=[Watching()])
    assert seen == [("twice-s0", "failed", 0, True), ("first-s0", "ok", 3, False)]
    _, again, _ = run_spec(path, tmp_path, observers=[Watching(), Never()])
    assert [cell.status for cell in again.cells] == ["failed", "ok"]
    assert seen[2:] == [("twice-s0", "failed", 0, True)]


def test_a_sampler_that_cannot_serve_the_task_is_skipped_with_its_reason(write_spec, run_spec, tmp_path):
    run, record, _ = run_spec(write_spec(samplers="[needy, first]", seeds="[0]"), tmp_path)
    assert [cell.cell.label for cell in record.cells] == ["first"]
    assert "regression" in run.skips[0].reason


def test_only_runs_what_it_names(write_spec, run_spec, tmp_path):
    _, record, _ = run_spec(write_spec(), tmp_path, only=("narrow-s1",))
    assert [cell.status for cell in record.cells] == ["pending", "pending", "pending", "ok"]
    with pytest.raises(SpecError, match="^only narow: the spec has no such sampler or cell.*'narrow'"):
        run_spec(write_spec(), tmp_path, only=("narow",))


@pytest.mark.slow
def test_an_interrupted_run_goes_on_after_its_last_cycle(write_spec, run_spec, journals, tmp_path):
    class Stop:
        def __init__(self, after):
            self.left = after

        @hookimpl
        def alharness_cycle_finished(self):
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt

    path = write_spec()
    run_spec(path, tmp_path / "whole")
    for after in (2, 4):
        _, record, _ = run_spec(path, tmp_path / "parts", observers=[Stop(after)])
        assert record.interrupted
    _, record, _ = run_spec(path, tmp_path / "parts")
    assert [cell.status for cell in record.cells] == ["ok"] * 4
    assert journals(tmp_path / "whole") == journals(tmp_path / "parts")


def test_a_cell_may_read_what_its_own_params_declare(write_spec, run_spec, tmp_path):
    samplers = "[{name: looks, params: {look: true}}]"
    _, record, _ = run_spec(write_spec(samplers=samplers, seeds="[0]", cycles=1), tmp_path)
    assert record.cells[0].status == "ok"


@pytest.mark.slow
def test_references_train_once_per_seed_with_all_labels(write_spec, run_spec, journals, tmp_path):
    path = write_spec(samplers="[first]", seeds="[0, 1]", cycles=1)
    run_spec(path, tmp_path)
    before = journals(tmp_path)
    path.write_text(path.read_text() + "reference: {full_data: true}\n")
    run, record, _ = run_spec(path, tmp_path)
    references = [found for found in record.cells if found.cell.reference]
    assert [(found.cell.seed, len(found.cycles)) for found in references] == [(0, 1), (1, 1)]
    (cycle,) = references[0].cycles
    assert cycle.labeled == run.pool == 180
    assert cycle.chosen == ()
    assert cycle.metrics["f1"] > 0.3
    after = journals(tmp_path)
    assert {name: lines for name, lines in after.items() if not name.startswith("full-data")} == before
    _, record, _ = run_spec(path, tmp_path, only=("first-s0",))  # nothing to do: as it is on disk
    assert {found.status for found in record.cells} == {"ok"}
    assert journals(tmp_path) == after


def test_what_the_plan_warns_of_is_told_by_the_run(write_spec, run_spec, tmp_path):
    _, _, warnings = run_spec(write_spec(samplers="[first]", seeds="[0]", cycles=1), tmp_path)
    assert warnings == ["fewer than 3 seeds: a difference between samplers may be chance"]


def test_case_16_a_torn_journal_is_cut_told_and_continued(write_spec, run_spec, journals, tmp_path):
    path = write_spec(seeds="[0]")
    run_spec(path, tmp_path)
    whole = journals(tmp_path)
    (book,) = tmp_path.glob("*/cells/first-s0-*/journal.jsonl")
    book.write_bytes(book.read_bytes()[:-40])
    _, _, warnings = run_spec(path, tmp_path)
    assert "cut a last line" in warnings[-1]
    assert journals(tmp_path) == whole


def test_case_16_a_damaged_journal_fails_its_cell_and_restart_keeps_it(write_spec, run_spec, journals, tmp_path):
    path = write_spec(seeds="[0]")
    run_spec(path, tmp_path)
    whole = journals(tmp_path)
    (book,) = tmp_path.glob("*/cells/first-s0-*/journal.jsonl")
    book.write_bytes(book.read_bytes().replace(b'"cycle": 1', b'"cycle": 9'))
    _, record, _ = run_spec(path, tmp_path)
    assert [cell.status for cell in record.cells] == ["failed", "ok"]
    assert "--restart" in record.cells[0].error
    _, record, warnings = run_spec(path, tmp_path, restart=True)
    assert record.cells[0].status == "ok"
    assert journals(tmp_path) == whole
    assert (book.parent / "journal.jsonl.old-1").exists()
    assert "is kept as" in warnings[-1]


def test_a_moved_run_directory_goes_on(write_spec, run_spec, tmp_path):
    path = write_spec(seeds="[0]")
    run_spec(path, tmp_path / "old")
    shutil.move(tmp_path / "old", tmp_path / "new")
    _, record, _ = run_spec(path, tmp_path / "new", observers=[Never()])
    assert [cell.status for cell in record.cells] == ["ok", "ok"]


def test_an_observer_that_fails_is_named_and_the_run_goes_on(write_spec, run_spec, tmp_path):
    seen = []

    class Broken:
        @hookimpl
        def alharness_cycle_finished(self):
            raise ValueError("oops")

    class Watching:
        @hookimpl
        def alharness_run_started(self, run):
            seen.append(("started", len(run.cells)))

        @hookimpl
        def alharness_cycle_finished(self, cell, cycle):
            seen.append((cell.name, cycle.cycle))

        @hookimpl
        def alharness_run_finished(self, record):
            seen.append(("finished", len(record.cells)))

    _, record, warnings = run_spec(
        write_spec(samplers="[first]", seeds="[0]"), tmp_path, observers=[Broken(), Watching()]
    )
    assert record.cells[0].status == "ok"
    assert seen == [("started", 1), ("first-s0", 0), ("first-s0", 1), ("first-s0", 2), ("finished", 1)]
    assert sum("ValueError: oops" in warning for warning in warnings) == 3


def test_an_observer_that_exits_is_named_like_any_other(write_spec, run_spec, tmp_path):
    class Exits:
        @hookimpl
        def alharness_cycle_finished(self):
            raise SystemExit(0)

    _, record, warnings = run_spec(
        write_spec(samplers="[first]", seeds="[0]", cycles=1), tmp_path, observers=[Exits()]
    )
    assert record.cells[0].status == "ok"
    assert sum("SystemExit: 0" in warning for warning in warnings) == 2


@pytest.mark.parametrize("jobs", [1, 2])
def test_required_tracking_that_is_lost_ends_the_run_and_fails_no_cell(write_spec, run_spec, tmp_path, jobs):
    class Lost:
        @hookimpl
        def alharness_cycle_finished(self):
            raise TrackingError("the store is gone")

    path = write_spec(cycles=1)
    with pytest.raises(TrackingError, match="the store is gone"):
        run_spec(path, tmp_path, observers=[Lost()], jobs=jobs)
    (folder,) = tmp_path.glob("trial-*")
    assert {cell.status for cell in RunResults.read(folder).records} <= {"pending", "ok"}
    _, record, _ = run_spec(path, tmp_path)
    assert {cell.status for cell in record.cells} == {"ok"}


def test_replicates_of_random_share_all_but_their_draws(write_spec, run_spec, journals, tmp_path):
    text = write_spec(samplers="[random, {name: random, label: again}, first]", seeds="[0, 3]").read_text()
    path = write_spec()
    path.write_text(f"{text}random: {{replicates: 2}}\n")
    _, record, _ = run_spec(path, tmp_path)
    for seed in (0, 3):
        cells = {cell.cell.name: cell for cell in record.cells if cell.cell.seed == seed}
        assert set(cells) == {f"{name}-s{seed}" for name in ("random", "again", "first")} | {f"random-s{seed}-r2"}
        drawn = [cells[name] for name in cells if not name.startswith("first")]
        assert len({cell.cycles[0].chosen for cell in drawn}) == 3
        for field in ("split", "initial_pool"):
            assert len({json.dumps(cell.context[field]) for cell in cells.values()}) == 1
        assert len({json.dumps(cell.cycles[0].metrics) for cell in cells.values()}) == 1
    before = journals(tmp_path)
    path.write_text(f"{text}random: {{replicates: 1}}\n")
    _, record, _ = run_spec(path, tmp_path)
    assert len(record.cells) == 6
    assert journals(tmp_path) == before
