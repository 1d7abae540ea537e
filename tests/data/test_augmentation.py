"""Distortions: the stated amounts, the same for the same place in training, and none of what is not an image."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from deepcluster_pl.data.augmentation import Affine
from deepcluster_pl.errors import UserError

OFF = {"shift": 0.0, "rotation": 0.0, "shear": 0.0, "zoom": 0.0, "fill": "nearest", "seed": 0}


def affine(**changes):
    return Affine(**(OFF | changes))


def naive(image, turn, slant, scale, across, down, fill):
    """One image, one pixel after the other: where each new pixel lay in the old image, by bilinear interpolation."""
    height, width = image.shape
    new = np.zeros((height, width))
    for row in range(height):
        for column in range(width):
            x, y = column + 0.5 - width / 2, row + 0.5 - height / 2
            x, y = x + math.tan(slant) * y, y
            x, y = math.cos(turn) * x - math.sin(turn) * y, math.sin(turn) * x + math.cos(turn) * y
            x, y = scale * x + across * width + width / 2 - 0.5, scale * y + down * height + height / 2 - 0.5
            for r in (math.floor(y), math.floor(y) + 1):
                for c in (math.floor(x), math.floor(x) + 1):
                    weight = (1 - abs(y - r)) * (1 - abs(x - c))
                    inside = 0 <= r < height and 0 <= c < width
                    if fill == "nearest":
                        new[row, column] += weight * image[min(max(r, 0), height - 1), min(max(c, 0), width - 1)]
                    elif inside:
                        new[row, column] += weight * image[r, c]
    return new


@pytest.mark.parametrize("fill", ["nearest", "zeros"])
@pytest.mark.parametrize("shape", [(9, 9), (6, 11)])
def test_each_image_is_moved_as_the_naive_version_moves_it(fill, shape):
    amounts = torch.tensor([[0, 0, 0, 0, 0], [1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, -1, 0, 0], [0, 0, 0, 1, -1],
                            [-0.4, 0.7, 0.2, -0.5, 0.9]])  # fmt: skip
    x = torch.from_numpy(np.random.default_rng(0).random((len(amounts), *shape)))
    found = affine(shift=0.2, rotation=30.0, shear=20.0, zoom=0.25, fill=fill).transform(x, amounts)
    for image, moved, (turn, slant, zoom, across, down) in zip(x.numpy(), found.numpy(), amounts.tolist(), strict=True):
        angles, scale = (math.radians(30 * turn), math.radians(20 * slant)), 1 / (1 + 0.25 * zoom)
        expected = naive(image, *angles, scale, 0.2 * across, 0.2 * down, fill)
        assert moved == pytest.approx(expected, abs=1e-6)


def test_amounts_fill_their_range_and_stay_in_it():
    amounts = affine(shift=0.1).draw(4000, 0)
    assert amounts.shape == (4000, 5)
    assert amounts.abs().max() <= 1
    assert amounts.min(dim=0).values.max() < -0.99
    assert amounts.max(dim=0).values.min() > 0.99
    assert amounts.mean(dim=0).abs().max() < 0.05


def test_a_call_draws_the_amounts_of_its_place_and_moves_by_them():
    x, augment = torch.rand(5, 8, 8), affine(rotation=20.0, shift=0.1)
    assert torch.equal(augment(x, 3, 7, 0), augment.transform(x, augment.draw(5, 3, 7, 0)))


def test_where_all_limits_are_zero_images_stay_as_they_are():
    x = torch.rand(5, 8, 6)
    torch.testing.assert_close(affine()(x, 0), x, atol=1e-5, rtol=0)


def test_the_same_place_gives_the_same_and_another_place_or_seed_another():
    x = torch.rand(5, 8, 8)
    first = affine(rotation=20.0)(x, 3, 7, 0)
    torch.manual_seed(99)
    assert torch.equal(affine(rotation=20.0)(x, 3, 7, 0), first)
    others = [affine(rotation=20.0)(x, *place) for place in ((3, 8, 0), (4, 7, 0), (3, 7, 1))]
    for other in (*others, affine(rotation=20.0, seed=1)(x, 3, 7, 0)):
        assert not torch.allclose(other, first, atol=1e-3)


def test_every_layout_of_an_image_is_moved_alike():
    x = torch.rand(4, 6, 8)
    flat = affine(rotation=25.0, shift=0.1)(x, 1)
    for colors in (1, 3):
        last = affine(rotation=25.0, shift=0.1)(x[..., None].expand(-1, -1, -1, colors), 1)
        first = affine(rotation=25.0, shift=0.1)(x[:, None].expand(-1, colors, -1, -1), 1)
        assert torch.allclose(last[..., 0], flat, atol=1e-6)
        assert torch.allclose(first[:, -1], flat, atol=1e-6)


def test_under_bf16_autocast_pixels_stay_where_they_are():
    x = torch.rand(4, 28, 28)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        under = affine(shift=0.1, rotation=10.0)(x, 0)
    assert under.dtype == torch.float32
    assert torch.equal(under, affine(shift=0.1, rotation=10.0)(x, 0))


@pytest.mark.parametrize("shape", [(16,), (2, 5, 5), (5, 5, 4), (1, 2, 3, 4)])
def test_what_is_no_image_is_refused_with_its_shape(shape):
    with pytest.raises(UserError, match=f"found samples of {'x'.join(map(str, shape))}; type augment=none"):
        affine().check(shape)


def test_background_is_the_median_around_the_edge_of_each_color():
    x = torch.full((2, 6, 6, 3), 0.25)
    x[1, :, :, 2] = 0.75
    x[:, 2:4, 2:4] = 1.0
    x[0, 0, 0] = 9.0  # one bright corner is no background
    moved = Affine(0.5, 0.0, 0.0, 0.0, "background", 0).transform(x, torch.tensor([[0.0, 0, 0, 1, 1]]).expand(2, -1))
    assert torch.allclose(moved[:, -1, -1], torch.tensor([[0.25, 0.25, 0.25], [0.25, 0.25, 0.75]]))


def test_mirror_images_are_drawn_apart_from_the_other_amounts_and_are_exact():
    plain, both = affine(rotation=10.0), affine(rotation=10.0, flip=True)
    torch.testing.assert_close(both.draw(50, 1)[:, :5], plain.draw(50, 1))
    sides = both.draw(50, 1)[:, 5]
    assert set(sides.tolist()) == {-1.0, 1.0}
    x = torch.rand(2, 6, 9)
    amounts = torch.zeros(2, 6)
    amounts[:, 5] = torch.tensor([-1.0, 1.0])
    found = affine(flip=True).transform(x, amounts)
    torch.testing.assert_close(found, torch.stack([x[0].flip(1), x[1]]))
