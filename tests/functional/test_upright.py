"""Images are set upright: as one goes over each pixel, and whatever their place and slant were."""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from sklearn.datasets import load_digits

from deepcluster_pl.functional.upright import upright


def naive(image):
    """Set one image upright, pixel by pixel."""
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    background = np.sort(border)[(len(border) - 1) // 2]
    weight = np.abs(image - background)
    height, width = image.shape
    places = [(i, j, weight[i, j]) for i in range(height) for j in range(width)]
    total = sum(w for _, _, w in places)
    row, column = sum(i * w for i, _, w in places) / total, sum(j * w for _, j, w in places) / total
    slant = sum((i - row) * (j - column) * w for i, j, w in places) / sum((i - row) ** 2 * w for i, _, w in places)
    away = [(i - (height - 1) / 2, j - (width - 1) / 2) for i, j, _ in places]
    come_from = np.array([(row + di, column + dj + slant * di) for di, dj in away]).T
    found = ndimage.map_coordinates(image - background, come_from, order=1, mode="constant")
    return found.reshape(image.shape) + background


def test_it_is_what_one_computes_pixel_by_pixel():
    images = np.pad(load_digits().images[:20] / 16, ((0, 0), (2, 2), (3, 3))) * 0.8 + 0.1
    found = upright(torch.from_numpy(images)[:, None])[:, 0].numpy()
    np.testing.assert_allclose(found, [naive(image) for image in images], atol=1e-9)


def test_slant_and_place_are_gone_and_colors_keep_together():
    bar = torch.zeros(1, 3, 21, 21)
    for i in range(4, 17):
        bar[0, :, i, 2 + i // 2] = torch.tensor([1.0, 0.5, 0.25])
    found = upright(bar)
    columns = found[0, 0, 5:16].argmax(dim=1)
    assert columns.max() - columns.min() <= 1
    assert abs(float(columns.float().mean()) - 10) <= 1
    torch.testing.assert_close(found[:, 1], found[:, 0] / 2)


def test_no_share_and_an_empty_image_leave_images_as_they_are():
    images = torch.rand(3, 1, 9, 12, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(upright(images, 0.0), images)
    empty = torch.full((1, 1, 5, 5), 0.3)
    torch.testing.assert_close(upright(empty), empty)
