import csv
import shutil
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import alharness
from alharness import CycleRecord, DataError, HarnessError, RunError, SpecError, faults, registry
from alharness.engine.initial import choose
from alharness.engine.loop import run_cell
from alharness.engine.recipe import Fit
from alharness.labeling.labels import read_known
from alharness.labeling.project import Project
from alharness.report.answers import answers
from alharness.report.build import single
from alharness.results.run import RunResults
from alharness.runs.setup import Setup
from alharness.spec import load_all
from alharness.spec.plan import make_plan

from . import partly

HERE = Path(__file__).with_name("partly.py")
SIZE = 5


@pytest.fixture
def begin(tmp_path):
    """Begin a project, in which a batch has five samples."""

    def build(
        sampler="badge",
        name="cats",
        folder=None,
        warn=pytest.fail,
        params=None,
        initial="random",
        **more,
    ):
        document = {
            "name": "cats",
            "dataset": {"name": "partly", "params": params or {}},
            "active_learning": {"initial_pool": SIZE, "budget": SIZE, "cycles": 4},
            "samplers": [{"name": sampler}],
            "seeds": [3],
            "initial": initial,
            "tracking": "none",
        }
        folder = folder or tmp_path / name
        return Project.begin(folder, document, include=[HERE], warn=warn, **more)

    return build


def table(project):
    with (project.folder / "next_batch.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def fill(project, number=None, change=()):
    """Write true labels into the table."""
    rows, labels = table(project), partly.truth() | dict(change)
    for row in rows[:number]:
        row["label"] = labels[row["id"]]
    with (project.folder / "next_batch.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return [row["id"] for row in rows]


def label(project, batches, **more):
    """Label so many batches; the ids of each, and the progress after the last."""
    progress = project.query()
    asked = []
    for _ in range(batches):
        asked.append(fill(project))
        progress = project.query(**more)
    return asked, progress


def cell_of_a_benchmark(project):
    """The initial pool, and the records of the cell with the same settings, in data that have all labels."""
    document = {**project._settings["spec"], "dataset": "whole"}
    plugins = registry.load(extras=registry.Extras.collect(datasets={"whole": partly.whole()}))
    (spec,) = load_all(document, plugins)
    plan = make_plan(spec)
    first, start = spec.initial, None
    if first:
        start = partial(choose, first.plugin.make(first.params), features=first.plugin.features(first.params))
    model = spec.model
    setup = Setup(partly.whole(), model.plugin, model.params, spec.training, plan.schedule, initial=start)
    data, chosen = setup.seed_data(3), spec.samplers[0]
    sampler = chosen.plugin.make(chosen.params)
    features = chosen.plugin.features(chosen.params)
    steps, answer, records = run_cell(data, sampler, data.initial, features=features), None, []
    for item in iter(lambda: next(steps, None) if answer is None else steps.send(answer), None):
        answer = setup.trainer.fit(item.labeled, item.seed, item.valid) if isinstance(item, Fit) else None
        records += [item] if isinstance(item, CycleRecord) else []
    return [data.initial.ids[i] for i in data.initial.labeled], records


@pytest.mark.parametrize("sampler", ["badge", "margin", "random"])
def test_a_project_chooses_what_a_cell_of_a_benchmark_chooses(begin, sampler):
    project = begin(sampler)
    asked, progress = label(project, 5)
    initial, records = cell_of_a_benchmark(project)
    assert asked == [initial, *(list(record.chosen) for record in records[:4])]
    assert progress.metrics == records[4].metrics


def test_the_journal_is_that_of_a_cell(begin):
    project = begin()
    label(project, 3)
    results = alharness.load(project.folder)
    cycles = results.cycles
    assert cycles["labeled"].tolist() == [5, 10, 15]
    assert cycles["accuracy"].notna().all()
    assert results.cells["status"].tolist() == ["ok"]


def test_the_table_says_what_the_model_guesses(begin):
    project = begin("margin")
    label(project, 1)
    row = table(project)[0]
    assert list(row) == ["id", "rank", "score", "by", "guess", "probability", "label"]
    assert (row["rank"], row["by"], row["label"]) == ("1", "margin", "")
    assert row["guess"] in partly.CLASSES
    assert 1 / 3 <= float(row["probability"]) <= 1
    assert float(row["score"])


def test_what_is_to_be_known_of_the_model_is_said_at_the_beginning(begin):
    said = []
    begin("random", warn=said.append, assignments=["training.epochs=2"])
    assert said == ["linear: training.epochs has no effect, since it fits itself, without epochs"]


def test_without_labels_nothing_changes(begin):
    project = begin()
    label(project, 1)
    before = (project.folder / "next_batch.csv").read_bytes()
    progress = project.query()
    assert not progress.asked
    assert len(progress.missing) == SIZE
    assert (project.folder / "next_batch.csv").read_bytes() == before


def test_a_batch_waits_for_all_of_its_labels(begin):
    project = begin()
    label(project, 1)
    fill(project, 3)
    progress = project.query()
    assert (progress.asked, progress.new, len(progress.missing)) == (False, 3, 2)


def test_what_is_missing_returns_to_the_pool_if_asked(begin):
    project = begin()
    label(project, 1)
    ids = fill(project, 3)
    progress = project.query(go_on=True)
    assert (progress.asked, progress.labeled) == (True, 8)
    assert not {*progress.batch.ids} & {*ids[:3]}
    assert alharness.load(project.folder).cycles["labeled"].tolist() == [5, 8]


def test_notes_in_the_table_stay_until_the_batch_is_labeled(begin):
    project = begin("random")
    label(project, 1)
    path = project.folder / "next_batch.csv"
    noted = "\n".join(f"{line};note" for line in path.read_text().replace(",", ";").splitlines())
    path.write_text(noted)
    project.query()
    assert path.read_text() == noted


def test_a_lost_table_is_written_again(begin):
    project = begin()
    label(project, 1)
    before = (project.folder / "next_batch.csv").read_bytes()
    (project.folder / "next_batch.csv").unlink()
    project.query()
    assert (project.folder / "next_batch.csv").read_bytes() == before


def test_labels_may_come_without_having_been_asked_for(begin):
    project = begin()
    label(project, 1)
    asked = fill(project)
    other = next(name for name in partly.truth() if name not in asked and name not in project_labels(project))
    progress = project.query({"mine.csv": {other: partly.truth()[other]}})
    assert progress.labeled == 11
    assert project_labels(project)[other] == "own choice"


def project_labels(project):
    with (project.folder / "labels.csv").open(newline="") as file:
        return {row["id"]: row["by"] for row in csv.DictReader(file)}


def test_a_sampler_may_choose_the_first_batch(begin):
    project = begin(initial="typiclust")
    asked, _ = label(project, 1)
    assert asked[0] == cell_of_a_benchmark(project)[0]
    assert set(project_labels(project).values()) == {"typiclust"}


def test_data_may_have_labels_already(begin):
    progress = begin(params={"known": 12}).query()
    assert (progress.labeled, progress.asked, progress.batch.cycle) == (12, True, 0)


def test_without_a_test_the_curve_is_measured_by_cross_validation(begin):
    project = begin(params={"tested": False})
    _, progress = label(project, 2)
    assert progress.metrics["accuracy"] > 0
    assert "cross-validation" in progress.measured


def test_a_share_is_drawn_at_random(begin):
    project = begin(control=0.4)
    label(project, 1)
    assert [row["by"] for row in table(project)] == ["badge"] * 3 + ["random share"] * 2


def test_in_the_end_nothing_is_left(begin):
    project = begin(params={"known": 57})
    project.query(size=10)
    fill(project)
    progress = project.query()
    assert (progress.batch, progress.labeled, progress.pool) == (None, 60, 60)
    assert not (project.folder / "next_batch.csv").exists()
    assert project.query().batch is None


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"z9": "a"}, "not in the data: z9"),
        ({"s59": "q"}, "never seen"),
    ],
)
def test_bad_labels_change_nothing(begin, given, why):
    project = begin()
    label(project, 1)
    fill(project)
    before = {path: path.read_bytes() for path in project.folder.rglob("*") if path.is_file()}
    with pytest.raises(DataError, match=why):
        project.query({"x.csv": given})
    assert {path: path.read_bytes() for path in project.folder.rglob("*") if path.is_file()} == before


def test_a_changed_label_must_be_meant(begin):
    project = begin()
    (first, *_), _ = label(project, 1)
    wrong = {first[0]: "c" if partly.truth()[first[0]] != "c" else "a"}
    with pytest.raises(DataError, match="1 label differs from before.*--relabel"):
        project.query({"x.csv": wrong})
    assert project.query({"x.csv": wrong}, relabel=True).changed == 1


def test_a_new_class_must_be_accepted(begin):
    project = begin()
    label(project, 1)
    name = fill(project)[0]
    with pytest.raises(DataError, match="'bird'.*--class 'bird'"):
        project.query({"x.csv": {name: "bird"}}, relabel=True)
    fill(project, change={name: "bird"})
    progress = project.query(classes=["bird"])
    assert "bird" in progress.batch.classes


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("spec:", "spex:", "unknown key 'spex'; did you mean 'spec'"),
        ("control: 0.0", "control: much", "control: expected a number"),
        ("classes: []", "", "classes: expected a list"),
    ],
)
def test_settings_that_were_broken_say_where(begin, old, new, why):
    path = begin().folder / "project.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(SpecError, match=f"project.yaml: {why}"):
        Project(path.parent, pytest.fail)


def test_a_folder_without_a_project_says_how_to_begin(tmp_path):
    with pytest.raises(RunError, match="begin one with --data"):
        Project(tmp_path, pytest.fail)


def test_a_project_that_has_asked_for_nothing_may_begin_again(begin):
    begin("margin")
    project = begin("badge")
    assert project.query().asked
    assert "name: badge" in (project.folder / "project.yaml").read_text()


@pytest.mark.parametrize("name", ["labels.csv", "run.json"])
def test_a_project_has_a_folder_of_its_own(begin, tmp_path, name):
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats" / name).touch()
    with pytest.raises(SpecError, match=f"there is {name} of something else.*a folder of its own"):
        begin()
    assert [path.name for path in (tmp_path / "cats").iterdir()] == [name]


def test_a_project_begins_once(begin):
    begin().query()
    with pytest.raises(SpecError, match="there is a project already"):
        begin()


def test_a_project_with_wrong_settings_is_not_begun(begin, tmp_path):
    with pytest.raises(HarnessError, match="no sampler named 'bagde'"):
        begin("bagde")
    assert not (tmp_path / "cats").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault", ["append:1", *(f"{point}:{n}" for point in ("write", "rename") for n in range(1, 7))]
)
def test_nothing_is_lost_wherever_it_is_interrupted(begin, tmp_path, monkeypatch, fault):
    project = begin("random")
    project.query()
    fill(project)
    shutil.copytree(project.folder, tmp_path / "other" / "cats")
    other = Project(tmp_path / "other" / "cats", pytest.fail)
    project.query()
    monkeypatch.setenv(faults.VARIABLE, f"{fault}:raise")
    monkeypatch.setattr(faults, "_passed", Counter())
    with pytest.raises((RuntimeError, HarnessError)):
        other.query()
    monkeypatch.delenv(faults.VARIABLE)
    Project(other.folder, pytest.fail).query()
    for name in ("labels.csv", "next_batch.csv", "batches/0.json", "spec.yaml"):
        assert (other.folder / name).read_bytes() == (project.folder / name).read_bytes()
    one, two = (alharness.load(each.folder).cycles["accuracy"].tolist() for each in (project, other))
    assert one == two


def test_a_sampler_is_not_changed_halfway(begin):
    project = begin("random")
    label(project, 1)
    settings = project.folder / "project.yaml"
    settings.write_text(settings.read_text().replace("name: random\n  seeds", "name: margin\n  seeds"))
    with pytest.raises(SpecError, match=r"sampler was random and is margin.*--labels .*labels.csv"):
        Project(project.folder, pytest.fail).query()


def test_a_sample_with_a_label_must_stay_in_the_data(begin):
    project = begin("random")
    label(project, 1)
    table = project.folder / "labels.csv"
    table.write_text(table.read_text() + "gone,a,0,own choice\n")
    with pytest.raises(DataError, match="samples that have a label are no longer in the data: gone"):
        project.query()


def test_what_the_sampler_is_worth_is_known_from_ten_labels_on(begin):
    project = begin(control=0.8)
    _, progress = label(project, 3)
    assert (progress.worth, progress.drawn) == (None, 8)
    _, progress = label(project, 1)
    assert progress.drawn == 12
    assert progress.worth.samples == 12
    assert progress.worth.gain_low <= progress.worth.gain <= progress.worth.gain_high


def test_the_page_of_a_project_speaks_of_the_project(begin):
    project = begin("random")
    label(project, 2)
    found = answers(RunResults.read(project.folder))
    assert [each.question for each in found][:2] == ["How far is the project?", "How good is the model?"]
    assert found[0].short == "10 of 60 samples have a label."
    assert found[1].reasons == ["Measured on 20 test samples."]
    assert "`--control 0.1`" in found[2].reasons[0]


def test_the_page_of_a_project_shows_its_batches(begin):
    project = begin("random")
    label(project, 2)
    document = single(RunResults.read(project.folder))
    assert [section.anchor for section in document.sections] == ["curves", "batches", "cost", "setting"]
    assert document.subtitle == "partly, linear, random, 10 of 60 samples labeled"
    (batches,) = document.sections[1].tables
    shown = {column.text: [cell.text for cell in column.shown] for column in batches.columns}
    assert shown["batch"] == ["1", "2"]
    assert shown["labels so far"] == ["5", "10"]
    assert shown["chosen by"] == ["5 random start", "5 random"]
    assert [sum(int(shown[name][row]) for name in partly.CLASSES if name in shown) for row in (0, 1)] == [5, 5]


@pytest.fixture
def begin_in_arrays(tmp_path):
    """Begin a project in a folder of arrays, of 12 samples, with this table of labels."""

    def build(rows, classes=(), warn=pytest.fail, **params):
        data = tmp_path / "data"
        data.mkdir()
        np.save(data / "x.npy", np.random.default_rng(0).normal(size=(12, 3)))
        (data / "labels.csv").write_text("\n".join(rows))
        document = {
            "name": "pets",
            "dataset": {"name": "arrays", "params": {"path": "../data", **params}},
            "active_learning": {"initial_pool": 3, "budget": 3, "cycles": 2},
            "samplers": ["coreset"],
            "seeds": [0],
            "tracking": "none",
        }
        return Project.begin(tmp_path / "pets", document, classes=classes, warn=warn)

    return build


def test_the_data_know_the_classes_of_the_project(begin_in_arrays):
    splits = ["test,cat", "test,dog"] * 2 + ["valid,cat", "valid,dog"] + ["train,"] * 6
    rows = [f"p{row:02},{split}" for row, split in enumerate(splits)]
    project = begin_in_arrays(["id,split,label", *rows], classes=["dog", "cat"])
    progress = project.query({"x": {"p06": "cat", "p07": "dog"}})
    assert progress.batch.classes == ("dog", "cat")
    assert progress.measured == "measured on 4 test samples"
    assert progress.pool == 6


def test_labels_that_change_in_the_data_are_reported_and_not_taken(begin_in_arrays):
    said = []
    rows = ["id,label", "p00,cat", "p01,dog", *(f"p{row:02}," for row in range(2, 12))]
    project = begin_in_arrays(rows, warn=said.append)
    project.query()
    path = project.folder.parent / "data" / "labels.csv"
    path.write_text(path.read_text().replace("p00,cat", "p00,dog").replace("p02,", "p02,cat"))
    assert project.query().labeled == 3
    (warning,) = said
    assert warning.startswith(
        "labels of the data differ from those of the project, which count: 'p00' is 'dog' there"
    )
    assert "p00,cat" in (project.folder / "labels.csv").read_text()


def test_a_class_that_is_new_in_the_data_must_be_accepted_too(begin_in_arrays):
    project = begin_in_arrays(["id,label", "p00,cat", "p01,dog", *(f"p{row:02}," for row in range(2, 12))])
    project.query()
    path = project.folder.parent / "data" / "labels.csv"
    path.write_text(path.read_text().replace("p02,", "p02,dgo"))
    with pytest.raises(DataError, match="the data: the label 'dgo', as of 'p02', is a class that was never seen"):
        project.query()
    path.write_text(path.read_text().replace("p02,dgo", "p02,owl"))
    assert project.query(classes=["owl"]).labeled == 3
    assert Project(project.folder, pytest.fail).query().labeled == 3


def test_one_named_class_does_not_harm_a_project(begin_in_arrays):
    project = begin_in_arrays(["id,label", *(f"p{row:02}," for row in range(12))])
    project.query()
    labels = {"x.csv": dict.fromkeys(project_ids(project), "cat")}
    with pytest.raises(DataError, match="all labels are 'cat'.*name the others with --class"):
        project.query(labels)
    assert project.query(classes=["dog"]).batch.classes == ("cat", "dog")


def test_integers_are_one_class_however_they_are_written(begin_in_arrays):
    project = begin_in_arrays(["id,label", *(f"p{row:02}," for row in range(12))], classes=["07", "8"])
    project.query()
    project.query({"x.csv": dict(zip(project_ids(project), ["7", "07", "+8"], strict=True))})
    assert [label.label for label in read_known(project.folder / "labels.csv").values()] == ["7", "7", "8"]


def test_measurements_are_not_taken_for_classes(begin_in_arrays):
    project = begin_in_arrays(["id,label", *(f"p{row:02}," for row in range(12))])
    project.query()
    with pytest.raises(DataError, match="numbers, such as '0.5', but are taken for classes.*--task regression"):
        project.query({"x.csv": dict.fromkeys(project_ids(project), "0.5")})


def test_numbers_are_labels_too(begin_in_arrays):
    project = begin_in_arrays(["id,label", *(f"p{row:02}," for row in range(12))], task="regression")
    project.query()
    with pytest.raises(DataError, match="'2,5', expected a number with a decimal point"):
        project.query({"x.csv": {"p00": "2,5"}})
    progress = project.query({"x.csv": {name: f"{place}.5" for place, name in enumerate(project_ids(project))}})
    assert progress.asked
    assert progress.metrics["mae"] > 0
    assert all(float(row["guess"]) and not row["probability"] for row in table(project))


def project_ids(project):
    return [row["id"] for row in table(project)]
