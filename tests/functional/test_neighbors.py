"""Nearest neighbours, against a loop over all pairs."""

from __future__ import annotations

import pytest
import torch

from deepcluster_pl.functional import nearest_neighbors


def naive(z, n):
    found = []
    for i, a in enumerate(z.tolist()):
        distances = [
            (sum((u - v) ** 2 for u, v in zip(a, b, strict=True)), j) for j, b in enumerate(z.tolist()) if j != i
        ]
        found.append([j for _, j in sorted(distances)[:n]])
    return found


@pytest.mark.parametrize("rows_at_once", [1, 7, 1000])
def test_neighbours_are_those_of_a_loop_however_many_rows_are_held_at_once(rows_at_once):
    z = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    assert nearest_neighbors(z, 5, rows_at_once).tolist() == naive(z, 5)


def test_far_from_the_origin_they_are_the_same():
    z = torch.randint(0, 1000, (30, 2), generator=torch.Generator().manual_seed(1)).float()
    assert nearest_neighbors(z + 2**20, 3).tolist() == nearest_neighbors(z, 3).tolist()


def test_a_twin_is_a_neighbour_and_the_point_itself_is_not():
    z = torch.tensor([[0.0], [0.0], [5.0]])
    assert nearest_neighbors(z, 1)[:2].tolist() == [[1], [0]]


@pytest.mark.parametrize("n_neighbors", [0, 3, 9])
def test_there_must_be_enough_others(n_neighbors):
    with pytest.raises(ValueError, match="less than the 3 points"):
        nearest_neighbors(torch.zeros(3, 2), n_neighbors)
