import socket
from dataclasses import replace
from pathlib import Path

import pytest

from alharness.api.records import Cell, Plan, Schedule
from alharness.errors import PluginError, RunError
from alharness.runs.jobs import Setting, Submission, Submissions, Terms, pack


def make_setting(samplers=2, seeds=3, cycles=3, finished=(), name="x"):
    cells = tuple(
        Cell(label=f"m{number}", sampler="m", params={}, distribution="", seed=seed, key="k" * 8)
        for seed in range(seeds)
        for number in range(samplers)
    )
    plan = Plan(
        name=name,
        experiment=name,
        folder=Path(name),
        schedule=Schedule(initial_pool=10, sizes=(10,) * cycles),
        pool=1000,
        cells=cells,
        finished=dict(finished),
    )
    return Setting(spec=None, plan=plan, cells=cells)


def packed(settings, jobs=None, most=100):
    found = pack(settings, jobs, most)
    return [[(number, [cell.name for cell in cells]) for number, cells in job] for job in found]


def test_the_cells_of_a_seed_are_a_job():
    assert packed([make_setting()]) == [[(0, [f"m0-s{seed}", f"m1-s{seed}"])] for seed in range(3)]


def test_with_more_jobs_at_a_time_than_seeds_these_are_parted():
    assert packed([make_setting(samplers=3, seeds=2)], jobs=4) == [
        [(0, ["m0-s0", "m1-s0"])],
        [(0, ["m2-s0"])],
        [(0, ["m0-s1", "m1-s1"])],
        [(0, ["m2-s1"])],
    ]
    assert len(packed([make_setting(samplers=2, seeds=2)], jobs=1000)) == 4


@pytest.mark.parametrize("most", [1, 2, 7])
def test_seeds_of_several_settings_share_the_jobs_that_there_may_be(most):
    settings = [make_setting(seeds=5, name="x"), make_setting(seeds=4, cycles=30, name="y")]
    found = packed(settings, jobs=50, most=most)
    assert len(found) == most
    names = [(number, name) for job in found for number, cells in job for name in cells]
    assert sorted(names) == sorted((i, c.name) for i, setting in enumerate(settings) for c in setting.cells)
    assert all(len({number for number, _ in job}) == len(job) for job in found), "a setting is there twice"


def test_jobs_are_about_equally_long():
    long, short = make_setting(samplers=1, seeds=2, cycles=9), make_setting(samplers=1, seeds=8, cycles=3)
    found = packed([long, short], most=4)
    # a long seed has 550 labels to train on, a short one 100: two are alone, and the others share two jobs
    assert sorted(len(cells) for job in found for _, cells in job) == [1, 1, 4, 4]


def test_what_is_finished_is_no_work():
    setting = make_setting(samplers=1, seeds=4, finished={"m0-s0": 4, "m0-s1": 4, "m0-s2": 4})
    assert packed([setting], most=2) == [[(0, ["m0-s0", "m0-s1", "m0-s2"])], [(0, ["m0-s3"])]]


def test_nothing_to_do_is_no_job():
    setting = make_setting()
    assert packed([replace(setting, cells=())]) == []


def test_submissions_are_read_in_their_order_and_other_files_are_passed_over(tmp_path):
    noted = Submissions(tmp_path)
    assert noted.read() == []
    second = Submission(system="slurm", at=2, logs="/logs", cells={"9_0": ("a", "b"), "9_1": ("c",)})
    first = Submission(system="slurm", at=1, logs="/logs", cells={"10_0": ("a",)})
    for one in (second, first):
        noted.add(one)
    (noted.folder / "other.json").write_text("{")
    assert noted.read() == [first, second]


def test_a_job_is_refused_where_something_else_is_installed(tmp_path):
    from importlib.metadata import version

    numpy = version("numpy")
    Terms(folder=".", versions={"numpy": numpy}).require()
    with pytest.raises(PluginError, match=f"{socket.gethostname()} has numpy {numpy} instead of 1.0, no alhar"):
        Terms(folder=".", versions={"numpy": "1.0", "alharness-other": "3"}).require()


def test_terms_are_next_to_the_spec_and_what_is_no_terms_is_named(tmp_path):
    terms = Terms(folder="/specs", versions={"numpy": "2.0"})
    path = Submissions(tmp_path).keep("x-1a2b", "name: x\n", terms)
    assert path.read_text() == "name: x\n"
    assert Terms.read(path.with_suffix(".terms")) == terms
    with pytest.raises(RunError, match=r"x-1a2b\.yaml: cannot be read"):
        Terms.read(path)
