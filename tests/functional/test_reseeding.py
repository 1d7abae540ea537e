"""Empty clusters' centers against a loop over samples, and the cases in which nothing can move."""

from __future__ import annotations

import pytest
import torch

from deepcluster_pl.functional import reseeded_centers


def one_by_one(z, clusters, centers):
    """The farthest sample that is not alone, then the next, each to the next empty cluster."""
    members = [[i for i in range(len(z)) if clusters[i] == k] for k in range(len(centers))]
    new, moved, taken = [list(map(float, row)) for row in centers], [False] * len(centers), set()
    for k in range(len(centers)):
        if members[k]:
            continue
        best, far = None, 0.0
        for i in range(len(z)):
            apart = sum((float(a) - float(b)) ** 2 for a, b in zip(z[i], centers[clusters[i]], strict=True))
            if i not in taken and len(members[clusters[i]]) > 1 and apart > far:
                best, far = i, apart
        if best is not None:
            taken.add(best)
            new[k], moved[k] = list(map(float, z[best])), True
    return new, moved


@pytest.mark.parametrize("seed", range(8))
def test_it_is_what_a_loop_finds(seed):
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(30, 3, generator=generator)
    centers = torch.randn(7, 3, generator=generator)
    clusters = torch.randint(0, 4 + seed % 2, (30,), generator=generator)
    clusters[0] = 6  # alone
    found, moved = reseeded_centers(z, clusters, centers)
    expected, which = one_by_one(z, clusters.tolist(), centers)
    torch.testing.assert_close(found, torch.tensor(expected))
    assert moved.tolist() == which
    assert moved.any()


def test_without_empty_clusters_nothing_moves():
    z = torch.tensor([[0.0], [1.0]])
    centers, moved = reseeded_centers(z, torch.tensor([0, 1]), torch.tensor([[5.0], [6.0]]))
    assert centers.tolist() == [[5.0], [6.0]]
    assert not moved.any()


def test_copies_on_their_center_leave_nothing_to_move_to():
    z = torch.ones(4, 2)
    centers, moved = reseeded_centers(z, torch.zeros(4, dtype=torch.long), torch.tensor([[1.0, 1.0], [7.0, 7.0]]))
    assert centers.tolist() == [[1.0, 1.0], [7.0, 7.0]]
    assert not moved.any()
