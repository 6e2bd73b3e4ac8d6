import pytest
import torch

from alharness import FUSED, Feature, LabelLeak, SamplerError
from alharness.testing import Scenario, TensorView, make_query
from alharness.testing.observation import DerivedView, observe

X = torch.arange(12.0).reshape(4, 3)
READERS = {
    "embeddings": lambda view: view.embeddings(),
    "representations": lambda view: view.representations("audio"),
    "predictions": lambda view: view.predictions(),
    "draws": lambda view: next(view.mc_draws(1)),
    "targets": lambda view: view.targets(),
}
GIVEN = {
    "embeddings": X,
    "representations": {"audio": X},
    "predictions": X,
    "draws": X[None],
    "targets": X[:, 0],
}


@pytest.mark.parametrize("feature", GIVEN)
def test_a_view_gives_what_it_was_given_and_nothing_else(feature):
    view = TensorView(**{feature: GIVEN[feature]})
    for name, read in READERS.items():
        if name == feature:
            assert torch.equal(read(view), X[:, 0] if name == "targets" else X)
        else:
            with pytest.raises(SamplerError):
                read(view)


@pytest.mark.parametrize("feature", ["embeddings", "representations", "predictions", "draws"])
def test_a_view_is_as_long_as_its_tensors(feature):
    view = TensorView(**{feature: GIVEN[feature]})
    assert (len(view), len(set(view.ids))) == (4, 4)


def test_a_view_without_tensors_is_as_long_as_told():
    assert len(TensorView(n=7)) == len(TensorView(n=7).ids) == 7


def test_sources_are_told_apart():
    view = TensorView(predictions={"audio": X, FUSED: X + 1})
    assert torch.equal(view.predictions("audio"), X)
    assert torch.equal(view.predictions(), X + 1)
    with pytest.raises(SamplerError, match="read predictions of 'text', which it was not given"):
        view.predictions("text")


def test_as_many_draws_are_given_out_as_asked_for():
    view = TensorView(draws=torch.stack([X, X + 1, X + 2]))
    assert [draw[0, 0].item() for draw in view.mc_draws(2)] == [0, 1]
    with pytest.raises(SamplerError, match="4 draws, but there are only 3"):
        next(view.mc_draws(4))


def test_without_context_there_is_none():
    assert TensorView(n=1).context() == {}
    assert torch.equal(TensorView(context={"mood": X}).context()["mood"], X)


def test_labels_that_were_not_given_are_a_leak():
    with pytest.raises(LabelLeak):
        TensorView(n=1).targets()


def test_a_query_keeps_what_is_logged():
    query = make_query(TensorView(n=3))
    query.log("x", 2.0)
    assert query.logged == {"x": 2.0}


def test_a_query_without_heads_decodes_nothing():
    with pytest.raises(AssertionError, match="no heads"):
        make_query(TensorView(n=3)).decode({})


def test_a_query_draws_from_its_seed():
    assert make_query(TensorView(n=3), seed=4).seed() == make_query(TensorView(n=3), seed=4).seed()
    assert make_query(TensorView(n=3), seed=4).seed() != make_query(TensorView(n=3), seed=5).seed()


def test_a_permuted_view_moves_all_of_a_row_together():
    query = Scenario().query(frozenset(Feature))
    order = torch.randperm(40, generator=torch.Generator().manual_seed(0))
    view = DerivedView(query.unlabeled, order=order)
    assert (len(view), view.ids[0]) == (40, query.unlabeled.ids[order[0]])
    for read in ("embeddings", "predictions"):
        assert torch.equal(getattr(view, read)("audio"), getattr(query.unlabeled, read)("audio")[order])
    assert torch.equal(view.representations("text"), query.unlabeled.representations("text")[order])
    for ours, theirs in zip(view.mc_draws(2), query.unlabeled.mc_draws(2), strict=True):
        assert torch.equal(ours, theirs[order])
    given = DerivedView(TensorView(context={"mood": X}, n=4), order=torch.tensor([2, 0, 1, 3]))
    assert torch.equal(given.context()["mood"], X[[2, 0, 1, 3]])
    assert torch.equal(
        DerivedView(query.labeled, order=torch.tensor([3, 0])).targets(), query.labeled.targets()[[3, 0]]
    )


@pytest.mark.parametrize(
    ("feature", "read"),
    [
        (Feature.EMBEDDINGS, lambda query: query.labeled.embeddings()),
        (Feature.REPRESENTATIONS, lambda query: query.unlabeled.representations("audio")),
        (Feature.REPRESENTATIONS, lambda query: query.unlabeled.context()),
        (Feature.PREDICTIONS, lambda query: query.unlabeled.predictions()),
        (Feature.MC_DRAWS, lambda query: query.unlabeled.mc_draws(2)),
        (Feature.DECODE, lambda query: query.decode({m: torch.zeros(1, d) for m, d in WIDTHS.items()})),
    ],
)
def test_what_is_read_is_noted(feature, read):
    query, noted = observe(Scenario().query(frozenset(Feature)))
    assert not noted
    assert len(query.unlabeled.ids) == len(query.unlabeled) == 40
    assert len(query.labeled.targets()) == 8
    assert not noted
    read(query)
    assert noted == {feature}


WIDTHS = {"audio": 5, "text": 7, "vision": 4}
