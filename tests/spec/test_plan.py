import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from alharness import spec
from alharness.api.dataset import DatasetFacts, DatasetPlugin
from alharness.api.model import ModelPlugin
from alharness.api.params import Params, Source, SpecPath
from alharness.api.records import Skip
from alharness.api.sampler import SamplerPlugin
from alharness.api.tracker import TrackerPlugin
from alharness.api.vocabulary import Feature, Task
from alharness.errors import DataError, PluginError, SamplerError, SpecError
from alharness.registry import Registered, Registry
from alharness.spec.plan import make_plan
from alharness.tracking.plugin import alharness_trackers


class BlockParams(Params):
    path: SpecPath | None = None
    fail: str = ""
    size: int = 100
    synthetic: bool = False
    warning: str = ""
    valid: int = 10
    incomplete: tuple[str, ...] = ()
    truth: tuple[str, ...] = ()
    unlabeled: int = 0


class ToyParams(Params):
    k: int = 1
    sources: tuple[Source, ...] = ()


def inspect(params):
    if params.fail == "data":
        raise DataError("no such folder; get it from ...")
    if params.fail == "exit":
        raise SystemExit(0)
    if params.fail == "raise":
        raise KeyError("path")
    if params.fail == "type":
        return (100, 10, 10)
    return DatasetFacts(
        task=Task.REGRESSION,
        modalities=("audio", "text"),
        sizes=(params.size, params.valid, 30 if params.size else 0),
        synthetic=params.synthetic,
        incomplete=params.incomplete,
        truth=params.truth,
        unlabeled=params.unlabeled,
        warnings=(params.warning,) if params.warning else (),
    )


def requires(params):
    return {Feature.DECODE} if params.k > 1 else set()


def review(params, setting):
    if params.k == 2:
        raise SamplerError("it cannot do two")
    if params.k == 3:
        raise SpecError("k: three is a mistake here")
    if params.k == 4:
        return 1 / 0
    return [f"{setting.task} of {'+'.join(setting.modalities)}, {setting.unlabeled} for {setting.sizes}"]


def review_tracker(params, facts):
    if params.k == 2:
        raise SpecError("two is too many", key="k")
    if params.k == 3:
        return 1 / 0
    return [f"{facts.task} is not kept"]


WATCHFUL = TrackerPlugin(name="watchful", params=ToyParams, make=ToyParams, review=review_tracker)


def registered(plugin, version="1.0"):
    return Registered(plugin=plugin, distribution="toys", version=version, entry_point="toys")


def make_registry(version="1.0", **model):
    samplers = [
        SamplerPlugin(name="any", params=ToyParams, make=ToyParams),
        SamplerPlugin(name="random", params=ToyParams, make=ToyParams),
        SamplerPlugin(name="other", params=ToyParams, make=ToyParams, requires={Feature.PREDICTIONS}),
        SamplerPlugin(name="classes", params=ToyParams, make=ToyParams, tasks={Task.CLASSIFICATION}),
        SamplerPlugin(
            name="greedy",
            params=ToyParams,
            make=ToyParams,
            requires={Feature.MC_DRAWS, Feature.DECODE, Feature.PREDICTIONS},
        ),
        SamplerPlugin(name="flexible", params=ToyParams, make=ToyParams, requires=requires),
        SamplerPlugin(name="reviewed", params=ToyParams, make=ToyParams, review=review),
        SamplerPlugin(name="knowing", params=ToyParams, make=ToyParams, requires={Feature.TRUTH, Feature.INPUTS}),
    ]
    provides = {"provides": {Feature.PREDICTIONS}} | model
    return Registry(
        samplers={s.name: registered(s, version) for s in samplers},
        models={
            "late_fusion": registered(
                ModelPlugin(name="late_fusion", params=ToyParams, make=ToyParams, **provides)
            )
        },
        datasets={
            "blocks": registered(
                DatasetPlugin(name="blocks", params=BlockParams, inspect=inspect, make=BlockParams)
            )
        },
        trackers={t.name: registered(t) for t in (*alharness_trackers(), WATCHFUL)},
    )


TEXT = """
name: toy
dataset: {name: blocks, params: {path: data/blocks}}
active_learning: {initial_pool: 20, budget: 30, cycles: 2}
samplers: [any, other]
"""


@pytest.fixture
def plan(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def plan(*assignments, registry=None):
        Path("x.yaml").write_text(TEXT)
        return make_plan(spec.load("x.yaml", registry or make_registry(), assignments))

    return plan


@pytest.fixture
def refusal(plan):
    def refusal(*assignments, kind=SpecError, registry=None):
        with pytest.raises(kind) as caught:
            plan(*assignments, registry=registry)
        return str(caught.value)

    return refusal


def test_samples_without_labels_alone_cannot_be_compared(refusal):
    said = refusal("dataset.params.unlabeled=40", "dataset.params.size=0", "dataset.params.valid=0")
    assert said.endswith(
        "dataset: none of the 40 samples of 'blocks' to train on has a label, so that samplers cannot be "
        "compared; "
        "`alharness query` chooses what to label first"
    )


def test_a_sampler_may_choose_the_initial_pool(plan):
    drawn, chosen, other = plan(), plan("initial=any"), plan("initial={name: any, params: {k: 2}}")
    assert len({drawn.experiment, chosen.experiment, other.experiment}) == 3
    assert drawn.cells == chosen.cells
    assert ("initial" in drawn.params, chosen.params["initial"]) == (False, "any")


def test_random_is_how_it_is_drawn_anyway(plan):
    assert plan("initial=random").experiment == plan("initial=null").experiment == plan().experiment


def test_a_sampler_that_needs_a_model_cannot_choose_the_initial_pool(refusal):
    assert "initial: 'flexible' needs decode, and nothing is trained before there are labels; choose" in refusal(
        "initial={name: flexible, params: {k: 2}}"
    )


def test_what_the_sampler_of_the_initial_pool_cannot_do_here_is_an_error(refusal):
    assert "initial: reviewed: " in refusal("initial={name: reviewed, params: {k: 3}}")
    assert "initial: 'knowing' is a control, whose choice would help all samplers; choose" in refusal(
        "initial=knowing"
    )
    assert "initial.params.sources.0: there is no source 'smell'" in refusal(
        "initial={name: any, params: {sources: [smell]}}"
    )
    assert "initial.name: no sampler named 'anny' is installed; did you mean 'any'?" in refusal(
        "initial=anny", kind=PluginError
    )


def test_cells_run_seed_by_seed(plan):
    cells = plan("seeds=[7, 3, 5]").cells

    assert [cell.name for cell in cells] == ["any-s7", "other-s7", "any-s3", "other-s3", "any-s5", "other-s5"]


def test_replicates_of_random_are_cells_of_their_own(plan):
    alone = plan("samplers=[random, any]", "seeds=2", "reference.full_data=true")
    found = plan("samplers=[random, any]", "seeds=2", "reference.full_data=true", "random.replicates=3")

    first = ["random-s0", "any-s0", "random-s0-r2", "random-s0-r3", "full-data-s0"]
    assert [cell.name for cell in found.cells][:5] == first
    assert found.experiment == alone.experiment
    assert set(alone.cells) < set(found.cells)  # what is finished stays finished
    more = [cell for cell in found.cells if cell.replicate > 1]
    assert [(cell.label, cell.seed, cell.replicate) for cell in more] == [
        ("random", 0, 2),
        ("random", 0, 3),
        ("random", 1, 2),
        ("random", 1, 3),
    ]
    assert len({(cell.stream, cell.seed) for cell in found.cells if cell.label == "random"}) == 6
    assert len({cell.key for cell in found.cells}) == len({cell.folder for cell in found.cells}) == 10
    assert found.labels == ("random", "any")


@pytest.mark.parametrize(("others", "replicates"), [(0, 1), (1, 1), (2, 1), (3, 2), (9, 3), (16, 4)])
def test_replicates_can_follow_the_number_of_samplers(plan, others, replicates):
    samplers = ["random", *(f"{{name: any, label: a{i}, params: {{k: {10 + i}}}}}" for i in range(others))]
    found = plan(f"samplers=[{', '.join(samplers)}]", "seeds=1", "random.replicates=auto")
    assert sum(cell.label == "random" for cell in found.cells) == replicates


UNTIL = "seeds={until: decided, at_least: 3, at_most: 6}"


def test_seeds_until_decided_are_planned_whole_in_the_directory_of_any_other_seeds(plan):
    found, fixed = plan("samplers=[random, any]", UNTIL), plan("samplers=[random, any]", "seeds=6")
    assert found.cells == fixed.cells
    assert (found.experiment, fixed.stopping) == (fixed.experiment, None)
    assert found.stopping.at_least == 3


def test_seeds_until_decided_need_random_and_something_to_compare_it_with(refusal):
    assert refusal(UNTIL).startswith(
        f"--set {UNTIL}: seeds.until: samplers are compared with 'random', which is not in the spec; add it"
    )
    assert "there is no sampler to compare with 'random'; add one" in refusal(UNTIL, "samplers=[random]")
    assert "there is no sampler to compare" in refusal(UNTIL, "samplers=[random, classes]")  # which is skipped


def test_replicates_need_random(refusal):
    text = refusal("random.replicates=2")
    assert "the sampler 'random' is not in the spec; add it" in text
    assert "random.replicates" in text


@pytest.mark.parametrize("count", ["0", "101", "many", "2.5"])
def test_a_number_of_replicates_that_cannot_be(refusal, count):
    assert "random.replicates" in refusal("samplers=[random, any]", f"random.replicates={count}")


def test_a_sampler_that_is_there_twice_draws_its_own_numbers_the_second_time(plan):
    twice = "{name: any, label: again}, {name: any, label: other, params: {k: 7}}"
    found = plan(f"samplers=[any, {twice}, random]", "seeds=1").cells
    assert [cell.stream for cell in found] == ["", "again", "", ""]
    assert len({cell.key for cell in found}) == 4


def test_a_cell_tells_what_it_is(plan):
    cell = plan("samplers=[{name: any, label: mine, params: {k: 4}}]").cells[0]

    assert (cell.label, cell.sampler, cell.distribution) == ("mine", "any", "toys==1.0")
    assert cell.params == {"k": 4, "sources": []}


def test_facts_come_from_the_data_set(plan):
    assert plan().facts.modalities == ("audio", "text")


def test_schedule(plan):
    assert plan().schedule.labeled == (20, 50, 80)


def test_references_come_last_in_a_seed(plan):
    found = plan("reference.full_data=true", "seeds=[7, 3, 5]")

    assert [cell.name for cell in found.cells][:4] == ["any-s7", "other-s7", "full-data-s7", "any-s3"]
    assert [cell.seed for cell in found.cells if cell.reference] == [7, 3, 5]
    assert found.experiment == plan().experiment


def test_figures_of_a_paper_at_a_count_that_is_never_met(plan):
    paper = "paper={source: Table 2, values: {any: {mae: 0.3}}}"

    assert plan(paper).warnings == plan(paper, "paper.labels=20").warnings == ()
    (warning,) = plan(paper, "paper.labels=60").warnings
    assert "its figures are at 60 labels, and no cycle has so many" in warning


def test_figures_of_samplers_that_are_not_run(plan):
    paper = "paper={source: Table 2, values: {any: {mae: 0.3}, othr: {mae: 0.3}, full-data: {mae: 0.2}}}"

    assert plan(paper).warnings == (
        "paper: its figures of 'othr' are not shown, since no sampler has that label; did you mean 'other'?",
    )


def test_nothing_to_warn_of(plan):
    assert plan().warnings == ()


def test_warnings_of_the_data_set_are_those_of_the_plan(plan):
    assert plan("dataset.params.warning=odd labels").warnings == ("odd labels",)


def test_case_32_the_last_query_may_be_smaller(plan):
    found = plan("active_learning.cycles=3")

    assert found.schedule.sizes == (30, 30, 20)
    assert found.warnings == ("the last query buys 20 labels instead of 30: the pool has no more",)


def test_case_32_an_exhausted_pool_ends_the_cycles(plan):
    found = plan("active_learning.cycles=100000", "active_learning.budget=40")

    assert found.schedule.sizes == (40, 40)
    assert found.warnings == ("all 100 samples of the pool are labeled after 2 of 100000 queries",)


def test_an_initial_pool_of_everything_leaves_nothing_to_choose(plan):
    found = plan("active_learning.initial_pool=100")

    assert (found.schedule.labeled, len(found.warnings)) == ((100,), 1)


def test_case_32_an_initial_pool_larger_than_the_pool(refusal):
    assert refusal("dataset.params.size=19") == (
        "x.yaml:4:33: active_learning.initial_pool: 20 labels to begin with, but the train split of "
        "'blocks' has 19 samples; choose fewer"
    )


def test_few_seeds(plan):
    assert plan("seeds=2").warnings == ("fewer than 3 seeds: a difference between samplers may be chance",)


def test_impossible_pairs_are_skipped(plan):
    found = plan("samplers=[any, classes, greedy]", "seeds=[0, 1, 2]")

    classes, greedy = found.skips
    assert classes == Skip(label="classes", reason="it serves classification, and 'blocks' is regression")
    assert greedy.reason.startswith("it needs decode, mc_draws, which the model 'late_fusion' does not provide; ")
    assert [cell.label for cell in found.cells] == ["any"] * 3


def test_features_may_depend_on_the_params(plan):
    found = plan("samplers=[flexible, {name: flexible, label: more, params: {k: 2}}]")

    (skip,) = found.skips
    assert skip.label == "more"
    assert skip.reason.startswith("it needs decode, which the model 'late_fusion' does not provide; ")


def test_a_sampler_reviews_what_it_is_going_to_meet(plan):
    found = plan("samplers.0=reviewed", "active_learning.cycles=3")

    assert found.warnings[-1] == "reviewed: regression of audio+text, (80, 50, 20) for (30, 30, 20)"


def test_a_sampler_that_cannot_serve_its_setting_is_skipped(plan):
    found = plan("samplers.0={name: reviewed, params: {k: 2}}")

    assert found.skips == (Skip(label="reviewed", reason="it cannot do two"),)
    assert {cell.label for cell in found.cells} == {"other"}


def test_a_parameter_that_is_a_mistake_here_has_its_place(refusal):
    assert refusal("samplers.1={name: reviewed, params: {k: 3}}").endswith(
        ": samplers.1: reviewed: k: three is a mistake here"
    )


def test_a_broken_review_is_named(refusal):
    message = refusal("samplers.0={name: reviewed, params: {k: 4}}", kind=PluginError)

    assert "the sampler 'reviewed' of toys==1.0 cannot be reviewed: ZeroDivisionError" in message


def test_strict_allows_no_skips(refusal):
    message = refusal("strict=true", "samplers.1=classes")

    assert message.startswith("--set samplers.1=classes: samplers.1: classes: it serves classification")
    assert "strict: true allows no skips" in message


def test_nothing_left_to_run(refusal):
    assert "no sampler is left to run" in refusal("samplers=[classes]")


def test_a_model_for_another_task(refusal):
    message = refusal(registry=make_registry(tasks={Task.CLASSIFICATION}))

    assert "model: 'late_fusion' cannot serve regression, the task of the data set 'blocks'" in message


def test_case_36_too_many_cells(refusal):
    assert refusal("seeds=5001") == (
        "--set seeds=5001: seeds: 10,002 cells (samplers x seeds); at most 10,000 can run: choose fewer, "
        "or raise limits.max_cells"
    )


def test_missing_data_is_told_by_the_data_set(refusal):
    assert refusal("dataset.params.fail=data", kind=DataError) == "no such folder; get it from ..."


@pytest.mark.parametrize(
    ("fail", "message"),
    [
        ("raise", "toys==1.0 cannot be inspected: KeyError: 'path'"),
        ("exit", "toys==1.0 cannot be inspected: SystemExit: 0"),
        ("type", "toys==1.0 returned tuple, not DatasetFacts"),
    ],
)
def test_a_broken_data_set_is_named(refusal, fail, message):
    assert message in refusal(f"dataset.params.fail={fail}", kind=PluginError)


def test_the_experiment_is_the_same_wherever_it_lies(plan, tmp_path):
    here = plan()
    shutil.copytree(tmp_path, tmp_path / "deeper" / "there")
    there = make_plan(spec.load(tmp_path / "deeper" / "there" / "x.yaml", make_registry()))

    assert (here.experiment, here.cells) == (there.experiment, there.cells)


@pytest.mark.parametrize(
    "assignment",
    [
        "samplers=[other]",
        "seeds=9",
        "tracking.uri=x",
        "tracking=[watchful, none]",
        "strict=true",
        "limits.cell_timeout=1h",
        "statistics=paired_t",
    ],
)
def test_what_the_run_directory_does_not_depend_on(plan, assignment):
    assert plan(assignment).experiment == plan().experiment


def test_no_cell_depends_on_statistics(plan):
    found = plan("statistics=paired_t")
    assert (plan().statistics, found.statistics) == ("blocks", "paired_t")
    assert found.cells == plan().cells


@pytest.mark.parametrize(
    "assignment",
    ["training.epochs=3", "active_learning.budget=4", "dataset.params.path=other", "model.params.k=2", "name=n"],
)
def test_what_the_run_directory_depends_on(plan, assignment):
    assert plan(assignment).experiment != plan().experiment


def test_the_run_directory_depends_on_the_versions(plan, monkeypatch):
    before = plan().experiment
    monkeypatch.setattr("alharness.spec.plan.version", lambda _: "99")

    assert plan().experiment != before


def test_the_run_directory_begins_with_the_name(plan):
    assert plan().experiment.startswith("toy-")


def test_synthetic_data_are_in_the_name(plan):
    made_up = plan("dataset.params.synthetic=true")

    assert made_up.name == "toy-standin"
    assert made_up.experiment.startswith("toy-standin-")
    assert plan("dataset.params.synthetic=true", "name=toy-standin").name == "toy-standin"
    assert plan().name == "toy"


@pytest.mark.parametrize("key", ["name", "tracking.experiment"])
def test_a_name_of_synthetic_data_is_refused_to_real_data(plan, refusal, key):
    message = refusal(f"{key}=toy-standin")

    assert f"{key}: 'toy-standin' ends in '-standin'" in message
    assert plan(f"{key}=toy-standin", "dataset.params.synthetic=true").name == "toy-standin"


def test_what_trackers_say_is_kept_apart_from_the_warnings_of_a_run(plan):
    found = plan("tracking=[watchful, none]")

    assert found.tracking == ("watchful: regression is not kept",)
    assert found.warnings == plan("tracking=none").warnings


@pytest.mark.parametrize(
    ("tracking", "place"),
    [
        ("{name: watchful, params: {k: 2}}", "tracking.params.k"),
        ("[{name: watchful, params: {k: 2}}]", "tracking.0.params.k"),
    ],
)
def test_a_tracker_that_cannot_be_used_is_refused_with_the_place_of_its_parameter(refusal, tracking, place):
    assert f": {place}: two is too many" in refusal(f"tracking={tracking}")


def test_a_trackers_review_that_fails_is_the_plugins_fault(refusal):
    message = refusal("tracking={name: watchful, params: {k: 3}}", kind=PluginError)

    assert message == "the tracker 'watchful' of toys==1.0 cannot be reviewed: ZeroDivisionError: division by zero"


def key(found):
    return found.cells[0].key


def test_a_cell_stays_the_same_under_another_label(plan):
    assert key(plan("samplers.0.label=z")) == key(plan())


@pytest.mark.parametrize(
    "assignment", ["samplers.0.params.k=2", "seeds=[4]", "samplers.0={name: other, label: any}"]
)
def test_what_a_cell_depends_on(plan, assignment):
    assert key(plan(assignment)) != key(plan())


def test_a_cell_depends_on_its_distribution(plan):
    assert key(plan(registry=make_registry("1.1"))) != key(plan())


def test_a_default_written_out_is_the_same_cell(plan):
    assert key(plan("samplers.0.params.k=1")) == key(plan())


def test_no_two_cells_are_the_same(plan):
    cells = plan("samplers=[any, other, {name: any, label: a2, params: {k: 2}}]").cells

    assert len({replace(cell, label="").key for cell in cells}) == len(cells)


def test_settings_that_a_model_which_fits_itself_does_not_need_are_a_warning(plan):
    of_epochs = ["training.epochs=60", "training.patience=3", "training.threads=2", "training.valid=none"]
    assert plan(*of_epochs).warnings == ()
    itself = make_registry(fits_itself=True)
    assert plan(registry=itself).warnings == ()
    assert plan(*of_epochs, registry=itself).warnings == (
        "late_fusion: training.epochs, training.patience have no effect, since it fits itself, without epochs",
    )


def test_what_a_model_says_of_the_data_set_is_a_warning(plan):
    registry = make_registry(review=lambda params, facts: [f"{facts.sizes[0]} samples are few"])
    assert any(warning.startswith("late_fusion: ") for warning in plan(registry=registry).warnings)


def test_a_model_that_cannot_serve_the_data_set_is_refused_with_its_place(refusal):
    def review(params, facts):
        raise SpecError("it needs a modality called smell")

    assert refusal(registry=make_registry(review=review)).endswith(
        "model: late_fusion: it needs a modality called smell"
    )


def test_a_models_review_that_fails_is_the_plugins_fault(refusal):
    said = refusal(registry=make_registry(review=lambda params, facts: 1 / 0), kind=PluginError)
    assert said.startswith("the model 'late_fusion' of toys==1.0 cannot be reviewed: ZeroDivisionError")


@pytest.mark.parametrize("valid", ["full", "budgeted:1"])
def test_validation_samples_that_the_data_set_does_not_have_are_refused(refusal, valid):
    said = refusal("dataset.params.valid=0", f"training.valid='{valid}'")
    assert "training.valid: the data set 'blocks' has no validation samples; set training.valid to none" in said


def test_more_validation_samples_than_there_are_are_refused(plan, refusal):
    assert plan("dataset.params.valid=5", "training.valid='budgeted:5'")
    assert "budgeted:6 asks for more than the 5 validation samples" in refusal(
        "dataset.params.valid=5", "training.valid='budgeted:6'"
    )


def test_without_validation_none_are_needed(plan):
    assert plan("dataset.params.valid=0", "training.valid=none")


def test_sources_that_the_data_set_has_are_planned(plan):
    (cell, *_) = plan("samplers=[{name: any, params: {sources: [text, fused]}}]").cells

    assert cell.params["sources"] == ["text", "fused"]


def test_a_source_that_the_data_set_does_not_have_is_named_with_its_keys_and_a_near_one(refusal):
    found = refusal("samplers=[any, {name: any, label: b, params: {sources: [text, autio]}}]")

    assert found.endswith(
        ": samplers.1.params.sources.1: there is no source 'autio'; did you mean 'audio'? it may be audio, text, "
        "fused"
    )


def test_all_sources_that_are_not_there_are_named_at_once(refusal):
    found = refusal(
        "samplers=[{name: any, params: {sources: [smell, touch]}}, {name: other, params: {sources: [taste]}}]"
    )
    names = ["samplers.0.params.sources.0", "samplers.0.params.sources.1", "samplers.1.params.sources.0"]
    assert all(
        f": {name}: there is no source" in line for name, line in zip(names, found.splitlines(), strict=True)
    )


def test_a_source_of_the_model_is_looked_at_too(refusal):
    found = refusal("model={name: late_fusion, params: {sources: [smell]}}")

    assert "model.params.sources.0: there is no source 'smell'; it may be audio, text, fused" in found


def test_the_place_of_a_source_in_the_file_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = TEXT.replace("[any, other]", "\n  - any\n  - name: other\n    params:\n      sources: [audio, smell]")
    Path("x.yaml").write_text(text)

    with pytest.raises(SpecError, match=r"^x.yaml:9:24: samplers.1.params.sources.1: there is no source 'smell'"):
        make_plan(spec.load("x.yaml", make_registry()))


def test_a_class_that_is_not_there_is_told_before_anything_is_trained(refusal):
    registry = make_registry()
    wrong = SamplerPlugin(name="any", params=ToyParams, make="alharness.errors:SamplerErrer")
    registry = replace(registry, samplers={**registry.samplers, "any": registered(wrong)})

    found = refusal(kind=PluginError, registry=registry)

    assert found == (
        "the sampler 'any' is made by 'alharness.errors:SamplerErrer', and the module alharness.errors has no "
        "class or function 'SamplerErrer'; did you mean 'SamplerError'?"
    )


def test_a_model_that_does_not_understand_missing_modalities_is_refused_with_those_that_do(plan, refusal):
    lacking = "dataset.params.incomplete=[audio, text]"
    text = refusal(lacking)
    assert "model: samples of 'blocks' may lack audio or text, and 'late_fusion' does not understand" in text
    assert "models that do: late_fusion" in text  # of the installed ones
    assert plan(lacking, registry=make_registry(incomplete=True)).facts.incomplete == ("audio", "text")


def test_a_control_runs_on_data_with_truth_alone(plan, refusal):
    (skip,) = plan("samplers=[any, knowing]").skips
    assert skip.label == "knowing"
    assert (
        "it is a control, which reads what is known of made-up data, and 'blocks' comes with no such"
        in skip.reason
    )
    assert "no sampler is left" in refusal("samplers=[knowing]")
    found = plan("samplers=[any, knowing]", "seeds=1", "dataset.params.truth=[value]")
    assert [(cell.label, cell.control) for cell in found.cells] == [("any", False), ("knowing", True)]
