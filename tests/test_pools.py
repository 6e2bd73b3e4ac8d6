import numpy as np
import pytest
import torch

from alharness import (
    BatchPlugin,
    DataError,
    Executor,
    ExecutorPlugin,
    Params,
    PluginError,
    RunError,
    SamplerError,
    ScoringSampler,
    SpecError,
)
from alharness.pools import Arrays, held, select
from alharness.registry import Registered
from alharness.spec import Chosen

RNG = np.random.default_rng(0)
EMBEDDINGS = RNG.normal(size=(90, 5)).astype(np.float32)
PREDICTIONS = np.log(RNG.dirichlet(np.ones(4), 90)).astype(np.float32)
LABELED = RNG.normal(size=(6, 5)).astype(np.float32)


def stored(folder, parts, dtype=np.float32):
    np.save(folder / "labeled.npy", LABELED)
    found = []
    for i, rows in enumerate(np.array_split(np.arange(90), parts)):
        np.save(folder / f"h{i}.npy", EMBEDDINGS[rows].astype(dtype))
        np.save(folder / f"p{i}.npy", PREDICTIONS[rows])
        labeled = Arrays(embeddings=folder / "labeled.npy")
        found.append(Arrays(embeddings=folder / f"h{i}.npy", predictions=folder / f"p{i}.npy", labeled=labeled))
    return found


@pytest.mark.parametrize("sampler", ["badge", "coreset", "entropy", "margin"])
def test_the_choice_does_not_depend_on_how_the_pool_is_cut(sampler, tmp_path):
    for parts in (1, 4):
        (tmp_path / str(parts)).mkdir()
    one, four = (select(sampler, stored(tmp_path / str(parts), parts), size=20, seed=3) for parts in (1, 4))
    assert one.positions == four.positions
    assert four.ids == tuple(map(str, four.positions))


def test_random_chooses_distinct_samples_of_all_parts(tmp_path):
    chosen = select("random", stored(tmp_path, 4), size=60).positions
    assert len(set(chosen)) == 60
    assert {position // 23 for position in chosen} == {0, 1, 2, 3}


def test_coreset_says_which_radius_it_has_reached(tmp_path):
    chosen = select("coreset", stored(tmp_path, 3, np.float16), size=20)
    centers = torch.cat([torch.from_numpy(LABELED), torch.from_numpy(EMBEDDINGS[list(chosen.positions)])])
    radius = torch.cdist(torch.from_numpy(EMBEDDINGS), centers).amin(1).max().item()
    assert chosen.diagnostics["radius"] == pytest.approx(radius, rel=1e-2)


def test_parameters_of_a_named_sampler_are_used(tmp_path):
    parts = stored(tmp_path, 3)
    first = [select("badge", parts, size=1, seed=s, params={"first": "uniform"}).positions for s in range(4)]
    assert len(set(first)) > 1


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda parts: select("coreset", [], size=1), SpecError, "at least one part"),
        (lambda parts: select("coreset", ["embeddings.npy"], size=1), SpecError, "expected a list of Arrays"),
        (lambda parts: select("coreset", parts[0], size=1), SpecError, "expected a list of Arrays"),
        (lambda parts: select("coreset", parts, size="9"), SpecError, "size: expected a whole number, .* not '9'"),
        (lambda parts: select("coreset", parts, size=True), SpecError, "size: expected a whole number"),
        (lambda parts: select("random", parts, size=1, seed=-1), SpecError, "seed: expected a whole number, 0 or"),
        (lambda parts: select("random", parts, size=1, task="odd"), SpecError, "classification or regression"),
        (
            lambda parts: select("badge", parts, size=1, task="regression"),
            SamplerError,
            "does not serve regression",
        ),
        (lambda parts: select("coreset", parts, size=91), SamplerError, "cannot choose 91 of 90"),
        (lambda parts: select("dbal", parts, size=1), SamplerError, "these files hold no model"),
        (
            lambda parts: select("grace", parts, size=1),
            SamplerError,
            "the heads of a model; this pool has neither",
        ),
        (lambda parts: select("entropy", parts, size=1, params={"source": "smell"}), SamplerError, "smell"),
        (
            lambda parts: select("entropy", parts, size=1, executor_params={"gpus": 1}),
            SpecError,
            "no executor",
        ),
        (
            lambda parts: select("badge", parts, size=1, params={"frist": "uniform"}),
            SpecError,
            "did you mean 'first'",
        ),
        (lambda parts: select("corset", parts, size=1), PluginError, "did you mean 'coreset'"),
        (lambda parts: select("gcnal", parts, size=1), SamplerError, "gcnal cannot choose from a pool in parts"),
        (lambda parts: select("coreset", [*parts, Arrays()], size=1), SamplerError, "part 3 .* no samples"),
    ],
)
def test_what_cannot_be_chosen_is_told(call, error, message, tmp_path):
    with pytest.raises(error, match=message):
        call(stored(tmp_path, 2))


def test_files_that_cannot_be_used_are_named(tmp_path):
    np.save(tmp_path / "words.npy", np.array(["a", "b"]))
    np.save(tmp_path / "flat.npy", np.ones(3, np.float32))
    np.save(tmp_path / "three.npy", np.ones((3, 2), np.float32))
    np.save(tmp_path / "two.npy", np.ones((2, 2), np.float32))
    (tmp_path / "text.npy").write_text("no array")
    (tmp_path / "ids").write_text("a\n")
    for name, message in {
        "gone": "No such file",
        "text": "no array that numpy.save has written",
        "words": "must be float16, float32 or float64",
        "flat": r"a row per sample, \(n, d\), and it has shape \(3,\)",
    }.items():
        with pytest.raises(DataError, match=message):
            Arrays(embeddings=tmp_path / f"{name}.npy").open()
    with pytest.raises(DataError, match="different numbers of rows"):
        Arrays(embeddings=tmp_path / "three.npy", predictions=tmp_path / "two.npy").open()
    with pytest.raises(DataError, match="1 ids for 3 samples"):
        Arrays(embeddings=tmp_path / "three.npy", ids=tmp_path / "ids").open()


def parts_of(*others):
    labeled = Arrays(embeddings=torch.ones(2, 5))
    return [Arrays(embeddings=torch.ones(4, 5), labeled=labeled), *others]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (Arrays(embeddings=torch.ones(4, 5)), "part 2 of the pool has 0 labeled samples, and part 1 has 2; every"),
        (
            Arrays(embeddings=torch.ones(4, 3), labeled=Arrays(embeddings=torch.ones(2, 3))),
            "part 2 .* has embeddings of 'fused' with 3 columns, and part 1 has embeddings of 'fused' with 5",
        ),
        (
            Arrays(embeddings=torch.ones(4, 3), labeled=Arrays(embeddings=torch.ones(2, 5))),
            "have 3 columns, and those of the labeled samples 5",
        ),
        (Arrays(embeddings=torch.ones(4, 5, dtype=torch.int64)), "must be float16, float32 or float64 numbers"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(other, message):
    with pytest.raises(DataError, match=message):
        select("coreset", parts_of(other), size=1)


def test_an_error_in_a_part_says_which_samples_it_has():
    bad = Arrays(embeddings=torch.full((4, 5), torch.nan), labeled=Arrays(embeddings=torch.ones(2, 5)))
    with pytest.raises(SamplerError, match="4 of 4 rows") as caught:
        select("coreset", parts_of(bad), size=1)
    assert "coreset at positions 4 to 7" in str(caught.value)


def test_a_machine_with_other_versions_is_refused_by_name(tmp_path, monkeypatch):
    there = {"Python": "2.7", "torch": "1.0"}
    monkeypatch.setattr("alharness.runs.parcel.needed_with", lambda distributions: there)
    with pytest.raises(RunError, match=r"\S+ has Python 3\S+ instead of 2.7, torch 2\S+ instead of 1.0; the same"):
        select("coreset", stored(tmp_path, 2), size=1, executor="processes")


class Cells(Executor):
    """Has workers for cells alone."""

    width = 1

    def __init__(self, params, context):
        pass

    def start(self):
        raise AssertionError

    def wait(self, workers, seconds):
        raise AssertionError


class Broken(Cells):
    def hold(self, makes):
        return [][len(makes)]


@pytest.mark.parametrize(
    ("plugin", "error", "message"),
    [
        (
            ExecutorPlugin(name="cells", params=Params, make=Cells),
            RunError,
            "Cells .* cannot hold a pool in parts",
        ),
        (
            ExecutorPlugin(name="cells", params=Params, make=Broken),
            PluginError,
            "the executor 'cells' .*IndexError",
        ),
        (
            BatchPlugin(name="cells", params=Params, make=Cells),
            SpecError,
            "'cells' .* makes jobs, which cannot hold",
        ),
    ],
)
def test_executors_that_hold_no_parts_are_refused(plugin, error, message):
    chosen = Chosen(
        registered=Registered(plugin=plugin, distribution="mine", version="1", entry_point=""),
        params=Params(),
        plain={},
        label="cells",
    )
    with pytest.raises(error, match=message), held(chosen, [Arrays(embeddings=torch.ones(2, 2)).open]):
        pass


def test_a_sampler_reads_inputs_and_names_of_classes_from_files():
    class Nearest(ScoringSampler):
        def score(self, query):
            assert query.classes == ("no", "yes")
            assert query.unlabeled.present("text").all()
            return -query.unlabeled.inputs("text").abs().sum(dim=1)

    parts = [Arrays(inputs={"text": torch.tensor(rows)}) for rows in ([[3.0], [1.0]], [[2.0], [0.0]])]
    assert select(Nearest(), parts, size=2, classes=("no", "yes")).positions == (3, 1)
