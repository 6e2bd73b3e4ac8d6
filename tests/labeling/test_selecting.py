import math
import types

import numpy as np
import pytest
import torch

from alharness import DataError, HarnessError, MultimodalModel, PluginError, Sampler, SpecError, select
from alharness.labeling.frames import to_inputs, to_labels

QUICK = {"epochs": 1}
ROWS = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
LABELS = ["a", "b"] * 5 + [None] * 20
MISSING = {
    "None": None,
    "nan": math.nan,
    "NumPy's nan": np.nan,
    "NA": lambda pd: pd.NA,
    "NaT": lambda pd: pd.NaT,
    "no text": "",
}


class First(Sampler):
    def select(self, query):
        return range(query.size)


def ids(chosen):
    return [int(name) for name in chosen.ids]


def made(value):
    """What a function makes with pandas, which takes long to import; anything else as it is."""
    if not isinstance(value, types.FunctionType):
        return value
    import pandas as pd

    return value(pd)


@pytest.mark.parametrize("missing", MISSING.values(), ids=MISSING)
def test_a_sample_has_no_label_if_it_is(missing):
    assert to_labels(["a", made(missing), "b"], 3).known.tolist() == [True, False, True]


@pytest.mark.parametrize(
    "given",
    [
        [0, 1, None],
        [0.0, 1.0, math.nan],
        np.array([0, 1, np.nan]),
        lambda pd: pd.Series([0, 1, None]),
        torch.tensor([0, 1, math.nan]),
    ],
)
def test_numbers_without_fractions_are_classes(given):
    labels = to_labels(made(given), 3)
    assert (labels.task, labels.classes, labels.values[:2].tolist()) == ("classification", (0, 1), [0, 1])


def test_numbers_with_fractions_are_targets():
    labels = to_labels([0.5, None, 2.0], 3)
    assert labels.task == "regression"
    assert labels.values[[0, 2]].tolist() == [0.5, 2.0]


def test_classes_may_be_named_that_have_no_label_yet():
    assert to_labels([None, "b"], 2, classes=["a", "b", "c"]).values[1] == 1


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"given": ["a"], "n": 2}, "1 labels for 2 samples; write None"),
        ({"given": ["cta"], "n": 1, "classes": ["cat"]}, "'cta' is none of the classes; did you mean 'cat'"),
        ({"given": ["a"], "n": 1, "classes": ["a", "a"]}, "named twice"),
        ({"given": ["a"], "n": 1, "task": "regression"}, "expected numbers"),
        ({"given": [1], "n": 1, "task": "ranking"}, "expected classification or regression"),
        ({"given": np.zeros((2, 2)), "n": 2}, "a label for each sample"),
        ({"given": "ab", "n": 2}, "a label for each sample"),
        ({"given": np.array(["a", "b", None]).astype(str), "n": 3}, "numpy has made text of None or NaN"),
    ],
)
def test_labels_that_are_none_are_refused(arguments, why):
    with pytest.raises(DataError, match=why):
        to_labels(**arguments)


@pytest.mark.parametrize(
    "given",
    [
        ROWS,
        ROWS.tolist(),
        lambda pd: pd.DataFrame(ROWS),
        torch.tensor(ROWS),
        types.SimpleNamespace(toarray=lambda: ROWS),
        lambda pd: pd.Series(list(ROWS)),
    ],
)
def test_rows_come_in_many_forms(given):
    np.testing.assert_array_equal(to_inputs(made(given)).arrays["features"], ROWS)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "no modality"),
        (np.zeros(3), r"shape \(3,\).*reshape\(-1, 1\)"),
        (np.zeros((3, 0)), r"shape \(3, 0\)"),
        (np.zeros((0, 3)), "no rows"),
        (np.ones((3, 2)) * 1j, "they are complex"),
        (
            lambda pd: pd.DataFrame({"e": list(ROWS)}),
            r"A column of vectors is a modality of its own: \{'e': X\['e'\]\}",
        ),
        ([["x"]], "cannot be read as numbers"),
        ([[0.0], [math.nan], [math.inf]], "NaN or infinite numbers in 2 rows, the first of them 1"),
        ({"a": ROWS, "b": ROWS[:2]}, r"different numbers of rows \(a: 30, b: 2\)"),
        (
            lambda pd: pd.DataFrame({"age": [1], "town": ["Ulm"]}),
            r"'town' holds no numbers.*drop\(columns=\['town'\]\)",
        ),
    ],
)
def test_rows_that_are_none_are_refused(given, why):
    with pytest.raises(DataError, match=why):
        to_inputs(made(given))


def test_only_samples_without_a_label_are_chosen():
    chosen = select(ROWS, LABELS, n=5)
    assert len(set(chosen.positions.tolist())) == len(chosen) == 5
    assert chosen.positions.min() >= 10
    assert set(chosen.guesses) <= {"a", "b"}
    assert ids(chosen) == chosen.positions.tolist() == chosen.table["position"].tolist()


def test_the_same_call_gives_the_same_samples():
    one, other, third = (select(ROWS, LABELS, n=5, seed=seed) for seed in (0, 0, 1))
    assert one.ids == other.ids != third.ids


def test_without_labels_they_are_drawn_at_random():
    one, other, third = (select(ROWS, n=5, seed=seed) for seed in (0, 0, 1))
    assert one.ids == other.ids != third.ids
    assert one.guesses == ()


def test_a_sampler_that_needs_no_model_chooses_the_first():
    one, other = (select(ROWS, sampler=name, n=5) for name in ("typiclust", "random"))
    assert one.ids != other.ids
    assert one.guesses == ()


def test_the_index_of_a_frame_names_samples():
    frame = made(lambda pd: pd.DataFrame(ROWS, index=[f"row-{i}" for i in range(30)]))
    chosen = select(frame, LABELS, sampler=First, n=2)
    assert chosen.ids == ("row-10", "row-11")


def test_modalities_reach_the_sampler():
    seen = []

    class Watcher(Sampler):
        def select(self, query):
            seen.append(query.modalities)
            return range(query.size)

    select({"text": ROWS, "tab": ROWS[:, :2]}, LABELS, sampler=Watcher(), n=1)


def test_regression_guesses_numbers():
    chosen = select(ROWS, [0.5, 1.5, 2.5, *[None] * 27], n=2)
    assert all(isinstance(guess, float) for guess in chosen.guesses)
    assert len(chosen.probabilities) == 0


def test_a_scoring_samplers_scores_are_in_the_table():
    assert list(select(ROWS, LABELS, sampler="margin", n=2).table) == [
        "id",
        "position",
        "rank",
        "score",
        "guess",
        "probability",
    ]


@pytest.mark.parametrize(
    ("arguments", "error", "why"),
    [
        ({"n": 0}, SpecError, "n: expected a whole number from 1 on"),
        ({"n": 21}, DataError, "21 samples are asked for, and 20 have no label; choose fewer"),
        ({"y": ["a", "b"] * 15}, DataError, "nothing is left to label"),
        ({"y": [0, 1] * 5 + [-1] * 20}, DataError, "-1 is a class: write None"),
        ({"y": ["a"] + [None] * 29}, DataError, r"all labels are 'a'.*classes=\[...\]"),
        ({"sampler": "bagde"}, PluginError, "no sampler named 'bagde'.*did you mean 'badge'"),
        ({"params": {"x": 1}}, SpecError, "unknown key 'x'; known keys: first, source"),
        ({"training": {"epoch": 1}}, SpecError, "training: unknown key 'epoch'; did you mean 'epochs'"),
        ({"sampler": 3}, PluginError, "expected a sampler"),
        ({"model": "late"}, PluginError, "no model named 'late'"),
        ({"ids": [1, 1, *range(2, 30)]}, DataError, "'1' belongs to more than one sample"),
        ({"ids": [1]}, DataError, "1 of them for 30 samples"),
        ({"seed": -1}, SpecError, "seed: expected"),
        (
            {"y": [0.5] * 9 + [None] * 21, "sampler": "badge"},
            HarnessError,
            "it serves classification, and 'data' is",
        ),
    ],
)
def test_a_wrong_call_says_what_to_do(arguments, error, why):
    with pytest.raises(error, match=why):
        select(**{"X": ROWS, "y": LABELS, "n": 2, **arguments})


def test_a_class_of_estimators_is_no_model():
    from sklearn.tree import DecisionTreeClassifier

    with pytest.raises(PluginError, match=r"give an object, DecisionTreeClassifier\(...\)"):
        select(ROWS, LABELS, n=2, model=DecisionTreeClassifier)


def test_an_estimator_is_a_model():
    from sklearn.tree import DecisionTreeClassifier

    one, other = (
        select(ROWS, LABELS, sampler="margin", model=DecisionTreeClassifier(random_state=0, max_depth=depth), n=3)
        for depth in (1, 4)
    )
    assert set(one.probabilities) != set(other.probabilities)


def test_a_sampler_that_needs_what_linear_does_not_provide_gets_a_network():
    assert len(select(ROWS, LABELS, sampler="bald", n=2, training=QUICK)) == 2


def test_a_sampler_that_needs_another_model_than_the_named_one_says_which():
    with pytest.raises(SpecError, match="'linear' does not provide; models that do: .*late_fusion"):
        select(ROWS, LABELS, sampler="bald", model="linear", n=2)


def test_a_model_may_be_a_class_of_the_caller():
    class Mine(MultimodalModel):
        def __init__(self, shape, width: int = 3):
            super().__init__(shape)
            self.width = width
            self.encoder = torch.nn.Linear(4, width)
            self.heads = torch.nn.ModuleDict({s: torch.nn.Linear(width, 2) for s in ("features", "fused")})

        def encode(self, batch):
            return {"features": self.encoder(batch.inputs["features"])}

        def decode(self, z):
            return {source: head(z["features"]) for source, head in self.heads.items()}

        def last_layer(self, source):
            return self.heads[source]

        def loss(self, batch):
            return torch.nn.functional.cross_entropy(self(batch)["fused"], batch.labels["fused"])

    chosen = select(ROWS, LABELS, sampler="margin", model=Mine, n=2, training=QUICK)
    assert len(chosen) == 2


def network(outputs=2, inputs=4):
    layers = torch.nn.Linear(inputs, 8), torch.nn.ReLU(), torch.nn.Dropout(), torch.nn.Linear(8, outputs)
    return torch.nn.Sequential(*layers, torch.nn.Softmax(dim=1))


@pytest.mark.parametrize("sampler", ["badge", "margin", "bald", "coreset"])
def test_a_network_of_pytorch_is_a_model(sampler):
    torch.manual_seed(0)
    mine = network()
    before = [weight.clone() for weight in mine.parameters()]
    one, other = (select(ROWS, LABELS, sampler=sampler, model=mine, n=3, training=QUICK) for _ in range(2))
    assert one.ids == other.ids
    assert all(torch.equal(was, now) for was, now in zip(before, mine.parameters(), strict=True))


def test_a_network_gets_several_modalities_by_name():
    class Both(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.last = torch.nn.Linear(6, 2)

        def forward(self, inputs):
            return self.last(torch.cat([inputs["text"], inputs["tab"]], dim=1))

    chosen = select(
        {"text": ROWS, "tab": ROWS[:, :2]}, LABELS, sampler="margin", model=Both(), n=2, training=QUICK
    )
    assert len(chosen) == 2


@pytest.mark.parametrize(
    ("mine", "sampler", "why"),
    [
        (network(outputs=3), "margin", "a linear layer of 3 outputs, and 2 classes must come out of it"),
        (torch.nn.ReLU(), "margin", "has no linear layer"),
        (network(inputs=5), "margin", "mat1 and mat2"),
        (network(), "bmmal", "it needs .*, which the model 'own' does not provide"),
    ],
)
def test_a_network_that_does_not_fit_says_why(mine, sampler, why):
    with pytest.raises(HarnessError, match=why):
        select(ROWS, LABELS, sampler=sampler, model=mine, n=2, training=QUICK)
