"""Every spec of the repository, as it stands and cut down."""

from pathlib import Path

import pytest

from alharness import app, registry
from alharness import spec as specs
from alharness.cells import FULL_DATA
from alharness.plan import make_plan
from alharness.report.paper import COSTS

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
        "digits_quick",
        "digits_grace_ablation",
        "mfeat",
    }


@pytest.mark.parametrize("name", [*PAPER, "digits_quick", "digits_grace_ablation"])
def test_it_can_run_without_any_download_and_skips_nobody(name):
    plan = make_plan(specs.load(SPECS / f"{name}.yaml", registry.load()))
    assert plan.skips == ()
    assert plan.warnings == ()
    assert len({cell.seed for cell in plan.cells}) == 5


@pytest.mark.parametrize("name", PAPER)
def test_a_papers_spec_names_its_figures_and_where_they_stand(name):
    spec = specs.load(SPECS / f"{name}.yaml", registry.load())
    plan = make_plan(spec)
    assert "GRACE (ACM MM 2024), supplement" in spec.paper.source
    assert spec.paper.labels == plan.schedule.labeled[-1]
    assert {FULL_DATA, *(s.label for s in spec.samplers)} >= set(spec.paper.values)


@pytest.mark.slow
@pytest.mark.parametrize("name", PAPER)
def test_a_papers_spec_runs_to_its_end_on_a_small_stand_in(name, tmp_path):
    installed = registry.load()
    small = [*SMALL, *(["model.params.preset=small"] if name == "simsv2_lfmim" else [])]
    spec = specs.load(SPECS / f"{name}.yaml", installed, small)
    run, record = app.run(spec, installed, app.Options(workdir=tmp_path), lambda _: None)
    assert {cell.status for cell in record.cells} == {"ok"}
    assert run.synthetic
    assert run.experiment.startswith(f"{name}-standin-")
    metrics = record.cells[0].cycles[-1].metrics
    figures = {metric for values in spec.paper.values.values() for metric in values} - set(COSTS)
    assert figures <= set(metrics), "the paper's figures have names of their own"
