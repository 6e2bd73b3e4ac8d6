"""Random numbers of the members of a stack."""

import numpy as np
import pytest
import torch

from alharness.engine.stack.draws import Draw, Streams

CPU = torch.device("cpu")
MANY = 20_000
ALL = [
    Draw(kind="kept", shape=(3,), share=0.5),
    Draw(kind="uniform", shape=(7, 2)),
    Draw(kind="kept", shape=(5, 4), share=0.8, value=1.25),
    Draw(kind="normal", shape=(6,)),
    Draw(kind="permutation", shape=(9,)),
]


def drawn(seeds, draws, step=0):
    streams = Streams(seeds, CPU)
    return streams.draw(draws, streams.keys([step])[0])


def numbers(kind, seeds=(1,), step=0, **more):
    (found,) = drawn(seeds, [Draw(kind=kind, shape=(MANY,), **more)], step)
    return found.numpy()


def test_every_bit_is_as_often_1_as_0():
    bits = (numbers("uniform")[0] * 2**24).astype(np.int64)
    shares = [((bits >> bit) & 1).mean() for bit in range(24)]
    assert np.abs(np.array(shares) - 0.5).max() < 5 * 0.5 / MANY**0.5


@pytest.mark.parametrize("seed", [0, 1, 2**63 + 5])
def test_uniform_and_normal_numbers_have_their_distributions(seed):
    from scipy import stats

    uniform, normal = numbers("uniform", [seed])[0], numbers("normal", [seed])[0]
    assert uniform.min() >= 0
    assert uniform.max() < 1
    assert stats.kstest(uniform, "uniform").pvalue > 1e-3
    assert stats.kstest(normal, "norm").pvalue > 1e-3


def test_numbers_are_independent_of_those_before_of_other_steps_and_of_other_members():
    one, other = numbers("uniform", [1, 2])
    later = numbers("uniform", [1], step=1)[0]
    for a, b in ((one[:-1], one[1:]), (one, other), (one, later), (one[:-1], other[1:])):
        assert abs(np.corrcoef(a, b)[0, 1]) < 5 / MANY**0.5
    values = np.concatenate([one, other, later])
    # As often equal as numbers of 24 bits are by chance: no stream is a part of another.
    assert len(values) - len(np.unique(values)) < 3 * len(values) ** 2 / 2**25


@pytest.mark.parametrize("share", [0.0, 0.25, 0.9, 1.0])
def test_dropout_keeps_its_share(share):
    found = numbers("kept", share=share, value=2.0)[0]
    assert set(np.unique(found)) <= {0.0, 2.0}
    kept = (found > 0).mean()
    assert kept == pytest.approx(share, abs=5 * (share * (1 - share) / MANY) ** 0.5 + 1 / 65536)


def test_permutations_are_permutations_and_every_place_is_as_likely():
    from scipy import stats

    orders = np.concatenate(
        [drawn([7, 8], [Draw(kind="permutation", shape=(5,))], step)[0].numpy() for step in range(1000)]
    )
    assert (np.sort(orders, axis=1) == np.arange(5)).all()
    counts = np.array([np.bincount(orders[:, place], minlength=5) for place in range(5)])
    assert stats.chisquare(counts.ravel()).pvalue > 1e-3


def test_no_two_draws_of_a_step_share_numbers():
    first, second = drawn([3], [Draw(kind="kept", shape=(4001,), share=0.5)] * 2)
    assert abs(np.corrcoef(first[0], second[0])[0, 1]) < 5 / 4001**0.5
    one, other = drawn([3], [Draw(kind="uniform", shape=(4001,)), Draw(kind="normal", shape=(4001,))])
    assert abs(np.corrcoef(one[0], other[0])[0, 1]) < 5 / 4001**0.5


def test_a_members_numbers_do_not_depend_on_its_companions():
    alone = drawn([5], ALL, step=4)
    for seeds in ([5, 6], [1, 2, 5], [9, 5, 5, 3]):
        together = drawn(seeds, ALL, step=4)
        place = seeds.index(5)
        assert all(torch.equal(a[0], b[place]) for a, b in zip(alone, together, strict=True))
    assert not any(torch.equal(a[0], b[0]) for a, b in zip(alone, drawn([6], ALL, step=4), strict=True))


def test_those_that_are_kept_go_on_with_their_own_numbers():
    streams = Streams([4, 5, 6], CPU)
    streams.keep([2, 0])
    assert len(streams) == 2
    found = streams.draw(ALL, streams.keys([8])[0])
    assert all(torch.equal(a, b) for a, b in zip(found, drawn([6, 4], ALL, step=8), strict=True))


def test_orders_of_samples_are_drawn_in_the_same_way():
    streams = Streams([4, 5], CPU)
    orders = streams.orders(11, streams.keys([3])[0])
    assert torch.equal(orders, drawn([4, 5], [Draw(kind="permutation", shape=(11,))], step=3)[0])
