import pytest
import torch

from alharness.testing import TensorView, make_query
from alharness_grace.params import GraceParams
from alharness_grace.sampler import DefaultGrace, Pair, log


def logged(criteria, G):
    query = make_query(TensorView(n=1))
    log(query, 0.5, criteria, G)
    assert query.logged.pop("curriculum_alpha") == 0.5
    return query.logged


def test_shares_near_the_ends_of_the_scale():
    found = logged({"easiness": torch.tensor([0.0, 0.05, 0.06, 0.94, 0.96])}, {})
    assert found == pytest.approx({"easiness_near_0": 0.4, "easiness_near_1": 0.2})


def test_correlation_of_two_criteria():
    a = torch.tensor([0.0, 0.5, 1.0])
    assert logged({"a": a, "b": 1 - a}, {})["correlation_a_b"] == pytest.approx(-1)


def test_no_correlation_with_a_constant():
    found = logged({"a": torch.ones(3), "b": torch.tensor([0.0, 0.5, 1.0])}, {})
    assert "correlation_a_b" not in found


def test_share_of_negative_cosines():
    own = torch.tensor([[-0.1], [0.0], [0.2], [-1.0]])
    found = logged({}, {"audio": Pair(own, torch.ones(4, 1))})
    assert found == {"negative_cosine_audio": 0.5}


def test_a_query_logs_all_of_them(make_world, task):
    query = make_world(task, 2).query
    DefaultGrace(GraceParams()).score(query)
    criteria = ("informativeness", "representativeness", "easiness")
    assert set(query.logged) == {
        "curriculum_alpha",
        *(f"{name}_near_{end}" for name in criteria for end in (0, 1)),
        "correlation_informativeness_representativeness",
        "correlation_informativeness_easiness",
        "correlation_representativeness_easiness",
        "negative_cosine_audio",
        "negative_cosine_text",
    }
