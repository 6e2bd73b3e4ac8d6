"""Every spec of the repository, as it is and cut down."""

import re
from pathlib import Path

import pytest

from alharness import registry
from alharness import spec as specs
from alharness.api.records import FULL_DATA
from alharness.results.summary import COSTS
from alharness.runs import run as runs
from alharness.spec.plan import make_plan

SPECS = Path(__file__).parents[2] / "specs"
PAPER = (
    "simsv2_budget50",
    "simsv2_budget100",
    "simsv2_budget200",
    "simsv2_grace_ablation",
    "additive",
    "simsv2_lfmim",
    "cherma_5000",
)
CLAIMS = ("worlds_claim1_neglect", "worlds_claim2_samplers", "worlds_claim3_multimodal")
DIGITS = ("digits_quick", "digits_samplers", "digits_grace_ablation")
SMALL = (
    "dataset.params.path=nowhere",
    "dataset.params.stand_in.share=0.02",
    "active_learning={initial_pool: 8, budget: 4, cycles: 1}",
    "training.epochs=1",
    "training.device=cpu",
    "seeds=1",
)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("ALHARNESS_CACHE", str(tmp_path_factory.getbasetemp() / "stand-ins"))


def test_there_is_a_spec_for_every_table_and_figure_of_the_paper():
    assert {path.stem for path in SPECS.glob("*.yaml")} == {
        *PAPER,
        *DIGITS,
        *CLAIMS,
        "ames",
        "chicago",
        "first_grid",
        "mfeat",
        "worlds",
        "openclipart",
    }


SIMSV2 = {
    "dataset": {"name": "simsv2", "params": {"path": "../data/simsv2", "if_missing": "stand_in"}},
    "model": {"name": "av_mc", "params": {"cut": "encoder"}},
    "training": {"epochs": 60, "batch_size": 32, "patience": 8, "stop_on": "loss"},
    "samplers": ["random", "coreset", "dbal", "gcnal", "grace"],
    "reference": {"full_data": True},
}
"""What was written in each of three specs before they shared it, with paths from their folder."""


@pytest.mark.parametrize(("budget", "cycles"), [(50, 15), (100, 7), (200, 3)])
def test_specs_on_a_base_keep_the_run_directories_and_cells_that_they_had_by_themselves(
    budget, cycles, monkeypatch
):
    shared = make_plan(specs.load(SPECS / f"simsv2_budget{budget}.yaml", registry.load()))
    monkeypatch.chdir(SPECS)
    schedule = {"initial_pool": budget, "budget": budget, "cycles": cycles}
    by_hand = {"name": f"simsv2_budget{budget}", "active_learning": schedule, **SIMSV2}

    alone = make_plan(specs.load(by_hand, registry.load()))

    assert shared.experiment == alone.experiment
    assert shared.cells == alone.cells


def test_a_grid_is_shipped_that_is_no_larger_than_a_first_try():
    grid = specs.load_all(SPECS / "first_grid.yaml", registry.load())

    assert [setting.name for setting in grid] == [
        f"first_grid-{dataset}-budget{budget}" for dataset in ("digits", "simsv2") for budget in (10, 20)
    ]
    assert sum(len(setting.samplers) * len(setting.seeds) for setting in grid) == 60


@pytest.mark.parametrize("name", [*PAPER, *DIGITS, "openclipart"])
def test_it_can_run_without_any_download_and_skips_nobody(name):
    plan = make_plan(specs.load(SPECS / f"{name}.yaml", registry.load()))
    assert plan.skips == ()
    assert plan.warnings == ()
    assert len({cell.seed for cell in plan.cells}) == 5


def test_make_run_is_about_real_data():
    (default,) = re.findall(r"^SPEC \?= (.*)$", (SPECS.parent / "Makefile").read_text(), re.MULTILINE)
    assert not make_plan(specs.load(SPECS.parent / default, registry.load())).synthetic


@pytest.mark.parametrize("name", CLAIMS)
def test_all_settings_of_a_claim_have_all_samplers(name):
    for setting in specs.load_all(SPECS / f"{name}.yaml", registry.load()):
        plan = make_plan(setting)
        assert (plan.skips, plan.warnings) == ((), ())


@pytest.mark.parametrize("name", PAPER)
def test_a_papers_spec_names_its_figures_and_where_they_stand(name):
    spec = specs.load(SPECS / f"{name}.yaml", registry.load())
    plan = make_plan(spec)
    assert "GRACE (ACM MM 2024), supplement" in spec.paper.source
    assert spec.paper.labels == plan.schedule.labeled[-1]
    assert {FULL_DATA, *(s.label for s in spec.samplers)} >= set(spec.paper.values)


TABLE_4 = """
    GRACE-rp     .326 79.37 70.76 48.87 79.49 69.31
    GRACE-rp(m)  .329 79.05 70.73 48.55 79.17 68.32
    beta1gamma1  .322 80.46 71.56 49.03 80.57 69.85
    beta10gamma1 .325 80.08 70.56 48.42 80.30 70.12
    beta1gamma10 .329 79.66 70.31 48.48 79.78 69.66
    GRACE        .319 81.17 72.86 50.52 81.26 70.75
"""


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        (
            "simsv2_grace_ablation",
            ("grace-rp", "grace-rp-m", "grace-b1-g1", "grace-b10-g1", "grace-b1-g10", "grace"),
        ),
        ("additive", (None, None, "sum-b1-g1", "sum-b10-g1", "sum-b1-g10", "product")),
    ],
)
def test_a_spec_has_the_whole_of_table_4(name, labels):
    rows = [[float(number) for number in line.split()[1:]] for line in TABLE_4.split("\n") if line.strip()]
    expected = {
        label: pytest.approx(
            dict(
                zip(
                    ("mae", "acc2", "acc3", "acc5", "f1", "corr"),
                    (row[0], *(x / 100 for x in row[1:])),
                    strict=True,
                )
            )
        )
        for label, row in zip(labels, rows, strict=True)
        if label
    }
    assert specs.load(SPECS / f"{name}.yaml", registry.load()).paper.values == expected


def test_seconds_and_table_2_belong_to_the_main_setting():
    loaded = {name: specs.load(SPECS / f"{name}.yaml", registry.load()) for name in PAPER}
    timed = {name for name, spec in loaded.items() if any(set(COSTS) & set(v) for v in spec.paper.values.values())}
    assert timed == {"simsv2_budget100", "cherma_5000"}
    main, lfmim = loaded["simsv2_budget100"], loaded["simsv2_lfmim"]
    assert lfmim.active_learning == main.active_learning
    for name in ("simsv2_budget100", "simsv2_lfmim", "simsv2_grace_ablation", "additive", "cherma_5000"):
        assert "inferred" in loaded[name].paper.source


@pytest.mark.slow
@pytest.mark.parametrize("name", PAPER)
def test_a_papers_spec_runs_to_its_end_on_a_small_stand_in(name, tmp_path):
    installed = registry.load()
    narrow = ["model.params={preset: small, layers: 1, width: 16, heads: 2}"]
    small = [*SMALL, *(narrow if name == "simsv2_lfmim" else [])]
    spec = specs.load(SPECS / f"{name}.yaml", installed, small)
    run, record = runs.run(spec, installed, runs.Options(workdir=tmp_path), lambda _: None)
    assert {cell.status for cell in record.cells} == {"ok"}
    assert run.synthetic
    assert run.experiment.startswith(f"{name}-standin-")
    metrics = record.cells[0].cycles[-1].metrics
    figures = {metric for values in spec.paper.values.values() for metric in values} - set(COSTS)
    assert figures <= set(metrics), "the paper's figures have names of their own"
