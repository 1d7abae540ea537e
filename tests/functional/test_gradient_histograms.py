"""Histograms of gradient directions: beside a loop over pixels, and what they do not see."""

from __future__ import annotations

import math

import pytest
import torch

from deepcluster_pl.functional.gradient_histograms import gradient_histograms


def naive(image, n_cells, n_directions):
    """Return the features of one gray image, pixel by pixel and cell by cell."""
    h, w = image.shape
    at = lambda r, c: float(image[min(max(r, 0), h - 1), min(max(c, 0), w - 1)])  # noqa: E731
    votes = torch.zeros(n_directions, h, w)
    for r in range(h):
        for c in range(w):
            gx, gy = at(r, c + 1) - at(r, c - 1), at(r + 1, c) - at(r - 1, c)
            place = (math.atan2(gy, gx) / (2 * math.pi) * n_directions) % n_directions
            low = math.floor(place)
            votes[low % n_directions, r, c] += math.hypot(gx, gy) * (1 - place + low)
            votes[(low + 1) % n_directions, r, c] += math.hypot(gx, gy) * (place - low)
    tall, wide = (max(2, round(side / n_cells)) for side in (h, w))
    cells = []
    for d in range(n_directions):
        for top in range(-(tall // 2), h + tall // 2 - tall + 1, tall // 2):
            for left in range(-(wide // 2), w + wide // 2 - wide + 1, wide // 2):
                box = votes[d, max(top, 0) : top + tall, max(left, 0) : left + wide]
                cells.append(math.sqrt(float(box.sum()) / (tall * wide)))
    return torch.tensor(cells)


@pytest.mark.parametrize("shape", [(8, 8), (9, 13)])
def test_features_agree_with_a_loop_over_pixels_and_cells(shape):
    images = torch.rand(3, *shape, generator=torch.Generator().manual_seed(0))
    found = gradient_histograms(images[:, None], 3, 8)
    expected = torch.stack([naive(image, 3, 8) for image in images])
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_brightness_does_not_count_and_the_strongest_color_decides():
    image = torch.rand(2, 1, 12, 12, generator=torch.Generator().manual_seed(1))
    plain = gradient_histograms(image, 4, 8)
    torch.testing.assert_close(gradient_histograms(image + 0.3, 4, 8), plain, atol=1e-3, rtol=1e-3)
    colors = torch.cat([0.2 * image, image, torch.zeros_like(image)], dim=1)
    torch.testing.assert_close(gradient_histograms(colors, 4, 8), plain)
