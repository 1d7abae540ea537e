"""Nearest neighbors, against a loop over all pairs."""

from __future__ import annotations

import pytest
import torch

from deepcluster_pl.functional import inverse_distance_mean, nearest_neighbors, nearest_rows


def naive(z, n):
    found = []
    for i, a in enumerate(z.tolist()):
        distances = [
            (sum((u - v) ** 2 for u, v in zip(a, b, strict=True)), j) for j, b in enumerate(z.tolist()) if j != i
        ]
        found.append([j for _, j in sorted(distances)[:n]])
    return found


@pytest.mark.parametrize("rows_at_once", [1, 7, 1000])
def test_neighbors_are_those_of_a_loop_however_many_rows_are_held_at_once(rows_at_once):
    z = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    assert nearest_neighbors(z, 5, rows_at_once).tolist() == naive(z, 5)


def test_neighbors_of_some_rows_are_those_that_they_have_among_all():
    z = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    assert nearest_neighbors(z, 5, 7, rows=slice(11, 31)).tolist() == naive(z, 5)[11:31]


def test_far_from_the_origin_they_are_the_same():
    z = torch.randint(0, 1000, (30, 2), generator=torch.Generator().manual_seed(1)).float()
    assert nearest_neighbors(z + 2**20, 3).tolist() == nearest_neighbors(z, 3).tolist()


def test_a_twin_is_a_neighbor_and_the_point_itself_is_not():
    z = torch.tensor([[0.0], [0.0], [5.0]])
    assert nearest_neighbors(z, 1)[:2].tolist() == [[1], [0]]


@pytest.mark.parametrize("n_neighbors", [0, 3, 9])
def test_there_must_be_enough_others(n_neighbors):
    with pytest.raises(ValueError, match="less than the 3 points"):
        nearest_neighbors(torch.zeros(3, 2), n_neighbors)


def naive_rows(z, among, n):
    found = []
    for a in z.tolist():
        distances = [(sum((u - v) ** 2 for u, v in zip(a, b, strict=True)), j) for j, b in enumerate(among.tolist())]
        found.append([j for _, j in sorted(distances)[:n]])
    return found


@pytest.mark.parametrize("rows_at_once", [1, 7, 1000])
def test_nearest_rows_of_another_set_are_those_of_a_loop(rows_at_once):
    generator = torch.Generator().manual_seed(2)
    z, among = torch.randn(20, 3, generator=generator), torch.randn(30, 3, generator=generator)
    assert nearest_rows(z, among, 5, rows_at_once).tolist() == naive_rows(z, among, 5)
    assert nearest_rows(among[:4], among, 30)[:, 0].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("n_neighbors", [0, 4])
def test_there_must_be_enough_rows(n_neighbors):
    with pytest.raises(ValueError, match="at most the 3 points"):
        nearest_rows(torch.zeros(9, 2), torch.zeros(3, 2), n_neighbors)


@pytest.mark.parametrize("rows_at_once", [3, 1000])
def test_the_inverse_distance_mean_is_that_of_a_loop(rows_at_once):
    generator = torch.Generator().manual_seed(3)
    z, known, values = (torch.randn(n, 2, generator=generator) for n in (10, 30, 30))
    expected = []
    for a, near in zip(z.tolist(), naive_rows(z, known, 4), strict=True):
        weights = [1 / sum((u - v) ** 2 for u, v in zip(a, known[j].tolist(), strict=True)) ** 0.5 for j in near]
        columns = zip(*(values[j].tolist() for j in near), strict=True)
        expected.append([sum(w * v for w, v in zip(weights, column, strict=True)) / sum(weights) for column in columns])
    found = inverse_distance_mean(z, known, values, 4, rows_at_once)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize("size", [1.0, 1e-30, 1e15])
def test_a_point_that_is_known_has_its_own_value_exactly_however_close_others_are(size):
    generator = torch.Generator().manual_seed(4)
    known, values = torch.randn(50, 3, generator=generator) * size, torch.randn(50, 2, generator=generator)
    assert torch.equal(inverse_distance_mean(known, known, values), values.double())


def test_fewer_known_points_than_asked_for_all_count():
    found = inverse_distance_mean(torch.tensor([[1.0]]), torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [3.0]]), 9)
    assert found.tolist() == [[2.0]]
