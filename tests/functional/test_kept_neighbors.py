"""Distortions that keep the neighbors of samples: beside a loop, and of digits: turned a little, never mirrored."""

from __future__ import annotations

import pytest
import torch
from sklearn.datasets import load_digits

from deepcluster_pl.data.augmentation import Affine
from deepcluster_pl.data.tolerated_distortions import tolerated
from deepcluster_pl.functional.kept_neighbors import kept_share


def test_the_share_agrees_with_a_loop_over_samples():
    generator = torch.Generator().manual_seed(0)
    z, clusters = torch.randn(40, 3, generator=generator), torch.randint(3, (40,), generator=generator)
    moved = z + 0.5 * torch.randn(40, 3, generator=generator)
    kept = 0
    for i in range(40):
        others = [j for j in range(40) if j != i]
        nearest = min(others, key=lambda j: float((z[j] - moved[i]).square().sum()))
        kept += int(clusters[nearest] == clusters[i])
    assert kept_share(z, moved, clusters) == pytest.approx(kept / 40)


def test_digits_are_turned_a_little_and_not_mirrored_and_symmetric_shapes_may_be():
    digits = load_digits()
    like = Affine(0.0, 0.0, 0.0, 0.0, "background", 0)
    images, clusters = torch.from_numpy(digits.images[:600] / 16).float(), torch.from_numpy(digits.target[:600])
    found = tolerated(images, clusters, like)
    assert not found.flip
    assert found.rotation >= 5
    assert 0 < found.shift <= 0.08
    assert "no mirror images" in found.describe()
    symmetric = torch.maximum(images, images.flip(2))
    assert tolerated(symmetric, clusters, like).flip
