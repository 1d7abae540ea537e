"""Elastic distances beside a second version in loops, and what they forgive."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from deepcluster_pl.functional.elastic_distances import direction_maps, elastic_distances


def naive(first, second):
    """The same in loops: at each cell the least, over nine shifts, of the mean squared distance around the cell."""
    d, height, width = first.shape

    def at(values, row, column):
        inside = 0 <= row < height and 0 <= column < width
        return values[:, row, column] if inside else np.zeros(d)

    total = 0.0
    for row in range(height):
        for column in range(width):
            least = np.inf
            for down in (-1, 0, 1):
                for across in (-1, 0, 1):
                    around = 0.0
                    for i in (row - 1, row, row + 1):
                        for j in (column - 1, column, column + 1):
                            if 0 <= i < height and 0 <= j < width:
                                away = first[:, i, j] - at(second, i + down, j + across)
                                around += (away**2).sum()
                    least = min(least, around / 9)
            total += least
    return total


def test_distances_are_those_of_the_loops():
    first, second = torch.rand(3, 2, 5, 4), torch.rand(3, 2, 5, 4)
    expected = [naive(a, b) for a, b in zip(first.numpy(), second.numpy(), strict=True)]
    assert elastic_distances(first, second).tolist() == pytest.approx(expected, rel=1e-5)


def test_an_image_is_at_no_distance_from_itself_and_a_bent_stroke_is_near():
    images = torch.zeros(3, 1, 28, 28)
    images[0, :, 4:24, 13:15] = 1.0
    images[1, :, 4:14, 13:15] = images[1, :, 14:24, 15:17] = 1.0  # its lower half is moved by one cell
    images[2, :, 13:15, 4:24] = 1.0
    straight, bent, across = direction_maps(images)
    to = elastic_distances(straight.expand(3, -1, -1, -1), torch.stack([straight, bent, across]))
    assert to[0] == 0
    assert to[1] < 0.25 * to[2]


def test_maps_have_at_most_as_many_cells_as_pixels():
    assert direction_maps(torch.rand(2, 3, 28, 20)).shape == (2, 8, 14, 14)
    assert direction_maps(torch.rand(2, 1, 8, 30)).shape == (2, 8, 8, 14)
