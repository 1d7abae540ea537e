"""DEC's target distribution agrees with loops, sharpens, and keeps empty clusters empty."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from deepcluster_pl.functional import soft_assignment, target_distribution


def slow_target(q):
    n, k = q.shape
    totals = [sum(q[i, j] for i in range(n)) for j in range(k)]
    p = np.zeros((n, k))
    for i in range(n):
        for j in range(k):
            p[i, j] = q[i, j] ** 2 / totals[j]
        p[i] /= p[i].sum()
    return p


@pytest.fixture
def q():
    generator = torch.Generator().manual_seed(5)
    z = torch.randn(60, 3, generator=generator)
    return soft_assignment(z, torch.randn(4, 3, generator=generator))


def test_target_agrees_with_the_slow_double_loop(q):
    np.testing.assert_allclose(target_distribution(q.double()), slow_target(q.double().numpy()), rtol=1e-10)


def test_target_rows_sum_to_one(q):
    torch.testing.assert_close(target_distribution(q).sum(dim=1), torch.ones(len(q)))


def test_target_of_the_whole_is_not_what_each_batch_alone_would_give(q):
    order = q[:, 0].argsort()
    batches = torch.cat([target_distribution(batch) for batch in q[order].split(20)])
    assert (batches - target_distribution(q)[order]).abs().max() > 0.05


def test_order_of_samples_does_not_matter(q):
    order = torch.randperm(len(q), generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(target_distribution(q[order]), target_distribution(q)[order])


def test_target_sharpens_when_clusters_are_balanced():
    q = torch.tensor([[0.7, 0.3], [0.3, 0.7]])
    assert target_distribution(q).max() > 0.8


def test_large_clusters_are_held_back():
    q = torch.tensor([[0.5, 0.5], [0.9, 0.1], [0.9, 0.1]])
    assert target_distribution(q)[0, 1] > 0.5  # undecided, so the smaller cluster gets more of it


def test_undecided_stays_undecided():
    q = torch.full((6, 3), 1 / 3)
    torch.testing.assert_close(target_distribution(q), q)


def test_empty_cluster_gets_no_mass_and_no_nan():
    q = torch.tensor([[0.8, 0.2, 0.0], [0.4, 0.6, 0.0]])
    p = target_distribution(q)
    assert p[:, 2].tolist() == [0, 0]
    torch.testing.assert_close(p[:, :2], target_distribution(q[:, :2]))


def test_nearly_empty_cluster_gives_no_nan():
    q = torch.tensor([[1.0, 1e-38], [1.0, 0.0]])
    torch.testing.assert_close(target_distribution(q), torch.tensor([[1.0, 0.0], [1.0, 0.0]]))


def test_one_cluster_stays_certain():
    assert torch.equal(target_distribution(torch.ones(5, 1)), torch.ones(5, 1))
