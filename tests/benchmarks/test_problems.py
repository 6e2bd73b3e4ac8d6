import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.problems import Pool
from benchmarks.suites import floors


def test_points_lie_around_four_centers_a_class_with_unit_noise():
    data = Pool(N=4000, D=32, C=3, L=10).data()
    assert data.pool.shape == (4000, 32)
    assert data.labeled.shape == (10, 32)
    # One for the noise and one for the centers, to the last block.
    torch.testing.assert_close(data.pool[-900:].square().mean(), torch.tensor(2.0), rtol=0.25, atol=0)
    # Points of the same center are √(2·32) = 8 apart, others farther: centers are as far from each other.
    near = torch.cdist(data.pool, data.pool[:1])[:, 0] < 9.9
    assert 4000 / 12 * 0.8 < near.sum() < 4000 / 12 * 1.2
    torch.testing.assert_close(data.pool[near].var(0).mean(), torch.tensor(1.0), rtol=0.1, atol=0)


def test_predictions_are_those_of_a_linear_head():
    data = Pool(N=200, D=8, C=3).data()
    p = data.log_probabilities.double()
    torch.testing.assert_close(p.exp().sum(1), torch.ones(200, dtype=torch.float64))
    logits = p - p.mean(1, keepdim=True)
    head = torch.linalg.lstsq(data.pool.double(), logits).solution
    torch.testing.assert_close(data.pool.double() @ head, logits, atol=1e-4, rtol=0)


def test_the_numbers_are_the_same_every_time_and_others_for_another_member():
    problem = Pool(N=1500, D=4)
    assert torch.equal(problem.data().pool, problem.data().pool)
    assert not torch.equal(problem.data().pool, problem.data(1).pool)


@pytest.mark.parametrize("N", [100, 640, 1500])
def test_the_floor_of_all_distances_multiplies_every_pair_once(N):
    blocks = [len(rows) for rows in torch.arange(N).split(floors.BLOCK)]
    pairs = sum(a * b for i, a in enumerate(blocks) for b in blocks[i:])
    assert flops(floors.all_distances(Pool(N=N, D=8, members=2))) == 2 * 2 * 8 * pairs


def test_the_floor_of_the_graph_network_multiplies_twice_a_step_by_the_weights():
    few, many = (flops(floors.graph_network(Pool(N=300, D=8, L=20, k=k))) for k in (1, 11))
    assert many - few == 10 * 2 * 2 * 320 * 8 * floors.UNITS


def flops(call):
    with FlopCounterMode(display=False) as counted:
        call()
    return counted.get_total_flops()
