from itertools import permutations

import pytest
import torch

from alharness import FUSED, SamplerError
from alharness.testing import TensorView
from alharness.testing import make_query as make_query_without_heads
from alharness_bmmal.sampler import balancing_weights, shapley_values


def predicted(query):
    return query.unlabeled.predictions().argmax(1)


def probability(query, classes, present):
    """P of the predicted class with only these modalities."""
    z = {m: query.unlabeled.representations(m) for m in query.modalities}
    parts = {m: x if m in present else 0 * x for m, x in z.items()}
    return query.decode(parts)[FUSED].exp()[torch.arange(len(classes)), classes]


def test_two_modalities_have_the_closed_form(make_z, make_query):
    query = make_query(make_z(2))
    classes = predicted(query)
    both, audio, text, none = (
        probability(query, classes, s) for s in (("audio", "text"), ("audio",), ("text",), ())
    )
    expected = torch.stack([(both - text + audio - none) / 2, (both - audio + text - none) / 2], 1)
    torch.testing.assert_close(shapley_values(query, classes), expected)


@pytest.mark.parametrize("modalities", [1, 2, 3, 4])
def test_equal_the_mean_over_all_orders_of_arrival(make_z, make_query, modalities):
    query = make_query(make_z(modalities))
    classes, names = predicted(query), query.modalities
    expected = torch.zeros(60, modalities, dtype=torch.float64)
    orders = list(permutations(range(modalities)))
    for order in orders:
        for position, m in enumerate(order):
            before = [names[i] for i in order[:position]]
            gain = probability(query, classes, [*before, names[m]]) - probability(query, classes, before)
            expected[:, m] += gain / len(orders)
    torch.testing.assert_close(shapley_values(query, classes), expected)


@pytest.mark.parametrize("modalities", [1, 2, 3, 4])
def test_add_up_to_what_all_modalities_add_to_none(make_z, make_query, modalities):
    query = make_query(make_z(modalities))
    classes = predicted(query)
    expected = probability(query, classes, query.modalities) - probability(query, classes, ())
    torch.testing.assert_close(shapley_values(query, classes).sum(1), expected)


def test_a_modality_that_is_not_used_contributes_nothing(make_z, make_query, make_decode):
    z = make_z(3)
    decode = make_decode({m: z[m] for m in ("audio", "vision")})
    query = make_query(z, decode=decode)
    assert shapley_values(query, predicted(query))[:, 1].abs().max() < 1e-15


@pytest.mark.parametrize("batch", [1, 7, 59, 60])
def test_do_not_depend_on_the_batch(make_z, make_query, batch):
    query = make_query(make_z(3))
    classes = predicted(query)
    torch.testing.assert_close(shapley_values(query, classes, batch=batch), shapley_values(query, classes))


def test_more_modalities_than_twelve_are_refused_before_any_decode():
    z = {f"m{i}": torch.ones(2, 1) for i in range(13)}
    query = make_query_without_heads(TensorView(representations=z), modalities=tuple(z))
    with pytest.raises(SamplerError, match="13 modalities need 8192 decodes"):
        shapley_values(query, torch.zeros(2, dtype=torch.int64))


def test_twelve_modalities_are_served(make_query):
    query = make_query({f"m{i}": torch.ones(2, 1, dtype=torch.float64) for i in range(12)})
    assert shapley_values(query, predicted(query)).shape == (2, 12)


def test_the_strongest_keeps_its_weight_and_the_other_loses_the_difference():
    # Shares 3/4 and 1/4, by size whatever the sign.
    weights = balancing_weights(torch.tensor([[-0.3, 0.1], [0.1, 0.3]], dtype=torch.float64))
    torch.testing.assert_close(weights, torch.tensor([[1, 0.5], [0.5, 1]], dtype=torch.float64))


def test_three_modalities_are_compared_to_the_strongest():
    weights = balancing_weights(torch.tensor([[0.5, 0.3, 0.2]], dtype=torch.float64))
    torch.testing.assert_close(weights, torch.tensor([[1, 0.8, 0.7]], dtype=torch.float64))


@pytest.mark.parametrize("values", [torch.zeros(2, 3), torch.full((2, 3), 0.2)], ids=["none", "equal"])
def test_equal_contributions_are_not_weighted(values):
    assert balancing_weights(values.double()).tolist() == [[1, 1, 1]] * 2


@pytest.mark.parametrize("batch", [7, 60])
def test_what_belongs_to_no_modality_stays_beside_every_coalition(make_z, make_query, make_decode, batch):
    z = make_z(3)
    # The last modality is handed over as context: its contribution is that of a constant, none.
    context = {"vision": z["vision"]}
    parts = {m: z[m] for m in ("audio", "text")}
    decode = make_decode(z)
    query = make_query(parts, decode=decode, context=context)
    classes = predicted(query)
    both, audio, text, none = (
        decode({m: x if m in present else 0 * x for m, x in parts.items()} | context)[FUSED].exp()[
            torch.arange(60), classes
        ]
        for present in (("audio", "text"), ("audio",), ("text",), ())
    )
    expected = torch.stack([(both - text + audio - none) / 2, (both - audio + text - none) / 2], 1)
    torch.testing.assert_close(shapley_values(query, classes, batch=batch), expected)
