from functools import partial

import pytest
import torch

from alharness import Feature, RunError, Sampler, SamplerError, ScoringSampler
from alharness.engine.parts import HeldHere, PartWorker, Request, ids_of, select_in_parts
from alharness.pools import Arrays
from alharness.testing import Scenario

SCORES = torch.tensor([[3.0], [1.0], [2.0], [3.0], [0.0], [3.0], [2.0]])


class First(ScoringSampler):
    def score(self, query):
        query.log("best", query.unlabeled.predictions().max().item())
        return query.unlabeled.predictions()[:, 0]


class Scaled(First):
    by_row = False


class Asking(Sampler):
    """Asks its parts what a test gives it."""

    def __init__(self, ask, tell=lambda part, question: None):
        super().__init__()
        self.ask, self.tell = ask, tell

    def select(self, query):
        raise AssertionError

    def answer(self, part, question):
        return self.tell(part, question)

    def select_in_parts(self, query, parts):
        return self.ask(query, parts)


def held(*sizes, **more):
    return HeldHere([partial(PartWorker, Arrays(predictions=x, **more).open) for x in SCORES.split(sizes)])


def choose(sampler, size, workers):
    request = Request(sampler=sampler, size=size, features=frozenset({Feature.PREDICTIONS}), who="mine")
    return select_in_parts(request, workers)


@pytest.mark.parametrize("sizes", [(7,), (3, 4), (1, 5, 1), (1,) * 7])
@pytest.mark.parametrize("size", range(8))
def test_the_largest_scores_are_those_of_the_whole_with_ties_by_position(size, sizes):
    answer = choose(First(), size, held(*sizes))
    assert answer.positions == (0, 3, 5, 2, 6, 1, 4)[:size]
    assert answer.scores == tuple(SCORES[list(answer.positions), 0].tolist())


def test_what_parts_log_is_averaged_over_their_samples():
    assert choose(First(), 2, held(4, 3)).diagnostics == {"best": 3.0, "questions": 1}
    assert choose(First(), 2, held(1, 1, 5)).diagnostics["best"] == pytest.approx((3 + 1 + 5 * 3) / 7)


def test_ids_are_those_of_the_parts_or_positions_in_the_pool(tmp_path):
    assert ids_of((5, 0), held(3, 4)) == ("5", "0")
    (tmp_path / "a").write_text("x\ny\n")
    (tmp_path / "b").write_text("z\n")
    arrays = [Arrays(predictions=SCORES[i : i + n], ids=tmp_path / f) for i, n, f in ((0, 2, "a"), (2, 1, "b"))]
    assert ids_of((2, 1), HeldHere([partial(PartWorker, part.open) for part in arrays])) == ("z", "y")


@pytest.mark.parametrize(
    ("sampler", "message"),
    [
        (Scaled(), "scores depend on the whole pool"),
        (Asking(lambda query, parts: [0, 0]), "chose position 0 2 times"),
        (Asking(lambda query, parts: [0, 7]), "position 7, but the unlabeled view has only positions 0 to 6"),
        (Asking(lambda query, parts: query.unlabeled.predictions()), "whose rows are elsewhere; ask the parts"),
        (Asking(lambda query, parts: query.unlabeled.ids), "whose rows are elsewhere"),
        (Asking(lambda query, parts: query.decode({})), "whose rows are elsewhere"),
        (Asking(lambda query, parts: parts.ask(1), lambda part, question: 1 / 0), "division by zero"),
    ],
)
def test_what_a_sampler_does_wrong_is_told_with_its_name(sampler, message):
    with pytest.raises(SamplerError, match=message) as caught:
        choose(sampler, 2, held(3, 4))
    assert "mine" in f"{caught.value.culprit} {caught.value}"


def test_a_sampler_without_the_two_methods_is_refused():
    class Whole(Sampler):
        def select(self, query):
            return range(query.size)

    with pytest.raises(SamplerError, match="mine cannot choose from a pool in parts"):
        choose(Whole(), 2, held(3, 4))


def test_a_lost_part_is_not_the_sampler_s_fault():
    class Lost(HeldHere):
        def call(self, name, *arguments):
            if name == "answer":
                raise RunError("part 2 was lost")
            return super().call(name, *arguments)

    workers = Lost([partial(PartWorker, Arrays(predictions=SCORES).open)])
    with pytest.raises(RunError, match="part 2 was lost") as caught:
        choose(First(), 2, workers)
    assert not isinstance(caught.value, SamplerError)


def test_parts_know_their_place_and_keep_what_they_need_for_one_query():
    def tell(part, question):
        part.kept[question] = True
        return part.start, len(part.query.unlabeled), sorted(part.kept)

    def ask(query, parts):
        asked.append([parts.sizes, *(parts.ask(question) for question in "ab")])
        return [0]

    asked = []
    workers = held(3, 4)
    for _ in range(2):
        choose(Asking(ask, tell), 1, workers)
    assert asked == 2 * [[(3, 4), [(0, 3, ["a"]), (3, 4, ["a"])], [(0, 3, ["a", "b"]), (3, 4, ["a", "b"])]]]


def test_draws_of_parts_in_a_row_are_those_of_the_whole():
    def ask(query, parts):
        drawn = [x for part in parts.ask(query.rng) for x in part]
        assert drawn == query.rng.random(7).tolist()
        return [0]

    choose(Asking(ask, lambda part, rng: part.uniforms(rng).tolist()), 1, held(1, 4, 2))


def test_dropout_masks_of_parts_differ():
    seen = []

    def ask(query, parts):
        seen.extend(parts.ask(0))
        return list(range(query.size))

    scenario = Scenario(unlabeled=40, distinct=1)
    sampler = Asking(ask, lambda part, _: next(part.query.unlabeled.mc_draws(1)))
    scenario.ask_in_parts(sampler, {Feature.MC_DRAWS, Feature.PREDICTIONS}, parts=2)
    assert not torch.equal(*seen)
