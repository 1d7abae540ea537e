"""Centers moved by a whole batch at once, against the paper's loop over its samples."""

from __future__ import annotations

import pytest
import torch

from deepcluster_pl.functional import moved_centers


def sequential(z, clusters, centers, counts):
    """Sample by sample, in Python numbers."""
    centers, counts = centers.tolist(), counts.tolist()
    for sample, k in zip(z.tolist(), clusters.tolist(), strict=True):
        counts[k] += 1
        centers[k] = [mu + (value - mu) / counts[k] for mu, value in zip(centers[k], sample, strict=True)]
    return centers, counts


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    z, centers = torch.randn(50, 3, generator=generator), torch.randn(4, 3, generator=generator)
    return z, torch.randint(3, (50,), generator=generator), centers, torch.tensor([1, 7, 100, 12])


def test_a_batch_at_once_agrees_with_the_loop_over_its_samples(batch):
    z, clusters, centers, counts = batch
    expected_centers, expected_counts = sequential(*batch)
    moved, counted = moved_centers(z.double(), clusters, centers.double(), counts)
    torch.testing.assert_close(moved, torch.tensor(expected_centers, dtype=torch.float64), rtol=1e-12, atol=1e-12)
    assert counted.tolist() == expected_counts
    torch.testing.assert_close(moved_centers(*batch)[0].double(), moved, rtol=1e-5, atol=1e-6)


def test_the_order_of_the_samples_does_not_matter_and_two_halves_are_one_whole(batch):
    z, clusters, centers, counts = batch
    whole = moved_centers(*batch)
    backwards = moved_centers(z.flip(0), clusters.flip(0), centers, counts)
    halves = moved_centers(z[20:], clusters[20:], *moved_centers(z[:20], clusters[:20], centers, counts))
    for other in (backwards, halves):
        torch.testing.assert_close(other[0], whole[0])
        assert torch.equal(other[1], whole[1])


def test_a_center_without_samples_stays_and_a_count_of_one_gives_the_mean(batch):
    z, clusters, centers, _ = batch
    moved, counted = moved_centers(*batch)
    assert (clusters == 3).sum() == 0
    assert torch.equal(moved[3], centers[3])
    assert counted[3] == 12
    seen = torch.cat([centers[:1], z[clusters == 0]])
    torch.testing.assert_close(moved[0], seen.mean(dim=0))


def test_small_moves_survive_far_from_the_origin():
    centers = torch.full((1, 1), 1000.0)
    moved, _ = moved_centers(centers + 2**-7, torch.tensor([0]), centers, torch.tensor([3]))
    assert (moved - centers).item() == pytest.approx(2**-9)


def test_half_precision_embeddings_move_centers_in_float32(batch):
    z, clusters, centers, counts = batch
    with torch.autocast("cpu", dtype=torch.bfloat16):
        moved, _ = moved_centers(z.bfloat16(), clusters, centers, counts)
    assert moved.dtype == torch.float32
    assert torch.equal(moved, moved_centers(z.bfloat16().float(), clusters, centers, counts)[0])
