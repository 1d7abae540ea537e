"""Each block of numbers against a naive second version, and against pictures whose numbers are known."""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest
from helpers.pictures import page, scene
from matplotlib.colors import rgb_to_hsv

from deepcluster_pl.data.images.descriptors import BLOCKS, describe
from deepcluster_pl.data.images.descriptors.color import layout, palette
from deepcluster_pl.data.images.descriptors.drawing import drawing
from deepcluster_pl.data.images.descriptors.frequency import gist, spectrum
from deepcluster_pl.data.images.descriptors.gradients import gradients
from deepcluster_pl.data.images.descriptors.planes import hue_saturation_value, luminance, stretch_to_square
from deepcluster_pl.data.images.descriptors.text_marks import writing
from deepcluster_pl.data.images.descriptors.texture import texture


@pytest.fixture(params=["scene", "page", "noise"])
def rgb(request):
    if request.param == "noise":
        return np.random.default_rng(0).integers(256, size=(40, 60, 3), dtype=np.uint8)
    return np.asarray(scene(2) if request.param == "scene" else page(2))


def plain(color, height=32, width=48):
    return np.full((height, width, 3), color, dtype=np.uint8)


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("shape", [(16, 16), (16, 192), (192, 16), (33, 50)])
def test_a_block_has_its_length_and_is_finite_whatever_the_picture(name, shape):
    function, length = BLOCKS[name]
    noise = np.random.default_rng(0).integers(256, size=(*shape, 3), dtype=np.uint8)
    for picture in (plain(0, *shape), plain(255, *shape), noise):
        with np.errstate(divide="raise", invalid="raise", over="raise"):
            numbers = function(picture)
        assert (numbers.shape, numbers.dtype) == ((length,), np.float32)
        assert np.isfinite(numbers).all()


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_tells_a_photo_from_a_page_and_leaves_the_picture_as_it_was(name):
    function, _ = BLOCKS[name]
    first, second = np.asarray(scene(2)).copy(), np.asarray(page(2)).copy()
    before = first.copy()
    assert np.abs(function(first) - function(second)).max() > 0.1
    np.testing.assert_array_equal(first, before)
    np.testing.assert_array_equal(function(first), function(first.copy()))


def test_blocks_are_put_one_behind_the_other():
    picture = np.asarray(scene(0))
    np.testing.assert_array_equal(
        describe(picture, ["layout", "palette"]), np.concatenate([layout(picture), palette(picture)])
    )


def test_hue_saturation_and_value_agree_with_matplotlibs_for_colors_of_all_kinds():
    levels = np.arange(0, 256, 5, dtype=np.uint8)
    colors = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(len(levels), -1, 3)
    expected = rgb_to_hsv(colors.astype(np.float32) / 255)
    np.testing.assert_allclose(np.stack(hue_saturation_value(colors), axis=-1), expected, atol=1e-6)


def test_palette_agrees_with_counting_pixel_by_pixel(rgb):
    counts = [0] * 38
    planes = hue_saturation_value(rgb)
    for hue, saturation, value in zip(*(plane.ravel() for plane in planes), strict=True):
        if saturation < np.float32(0.12) or value < np.float32(0.12):
            counts[32 + min(int(value * 6), 5)] += 1
        else:
            counts[min(int(hue * 8), 7) * 4 + 2 * (saturation > np.float32(0.45)) + (value > np.float32(0.6))] += 1
    expected = [math.sqrt(count / (rgb.shape[0] * rgb.shape[1])) for count in counts]
    np.testing.assert_allclose(palette(rgb), expected, atol=1e-6)


def test_layout_agrees_with_cells_cut_by_hand(rgb):
    small = stretch_to_square(rgb).astype(float) / 255
    means, deviations = [], []
    for top in range(0, 128, 32):
        for left in range(0, 128, 32):
            cell = small[top : top + 32, left : left + 32].reshape(-1, 3)
            axes = np.array([[p.mean(), p[0] - p[1], p[2] - (p[0] + p[1]) / 2] for p in cell])
            means += list(axes.mean(axis=0))
            deviations += list(axes.std(axis=0))
    np.testing.assert_allclose(layout(rgb), means + deviations, atol=1e-5)


def test_drawing_agrees_with_counting_pixel_by_pixel(rgb):
    height, width, _ = rgb.shape
    whole = rgb.astype(int).tolist()
    bright = [[0.299 * r + 0.587 * g + 0.114 * b for r, g, b in row] for row in whole]
    counts: dict[tuple, int] = {}
    for row in whole:
        for pixel in row:
            key = tuple(channel // 16 for channel in pixel)
            counts[key] = counts.get(key, 0) + 1
    n = height * width
    shares = sorted((count / n for count in counts.values()), reverse=True)
    expected = [math.log(len(shares)), -sum(s * math.log(s) for s in shares)]
    expected += [sum(shares[:k]) for k in (1, 4, 16)]

    def change(a, b):
        return max(abs(p - q) for p, q in zip(a, b, strict=True))

    right = [[change(row[x], row[x + 1]) for x in range(width - 1)] for row in whole]
    down = [[change(whole[y][x], whole[y + 1][x]) for x in range(width)] for y in range(height - 1)]
    expected += [np.mean(np.array(steps) <= 2) for steps in (right, down)]
    steep = [[abs(row[x] - row[x + 1]) for x in range(width - 1)] for row in bright]
    steep_down = [[abs(bright[y][x] - bright[y + 1][x]) for x in range(width)] for y in range(height - 1)]
    expected += [np.mean(np.array(steps) > edge) for steps in (steep, steep_down) for edge in (8, 24, 64)]
    pixels = [pixel for row in whole for pixel in row]
    expected += [
        np.mean([min(p) > 245 for p in pixels]), np.mean([max(p) < 10 for p in pixels]),
        np.mean([min(p) > 200 for p in pixels]), np.mean([max(p) < 60 for p in pixels]),
    ]  # fmt: skip
    saturation = np.array([(max(p) - min(p)) / max(max(p), 1) for p in pixels])
    expected += [saturation.mean(), saturation.std(), (saturation > 0.7).mean()]
    expected += [np.mean([max(p) - min(p) < 12 for p in pixels])]
    expected += [np.mean([max(p) / 255 for p in pixels]), np.std([max(p) / 255 for p in pixels])]
    expected += [np.mean([max(row) <= 4 for row in right]), np.mean([max(c) <= 4 for c in zip(*down, strict=True)])]
    skin = [
        r > 95 and g > 40 and b > 20 and max(r, g, b) - min(r, g, b) > 15 and r - g > 15 and r > b for r, g, b in pixels
    ]
    expected += [np.mean(skin)]
    found = drawing(rgb)
    np.testing.assert_allclose(found[: len(expected)], expected, atol=2e-4)
    assert found[-1] == pytest.approx(math.log(width / height))


def test_skin_is_found_where_it_is():
    picture = plain((30, 90, 200), 60, 60)
    picture[:20, 40:] = (224, 172, 140)
    numbers = drawing(picture)
    assert numbers[-11] == pytest.approx(1 / 9, abs=0.01)
    np.testing.assert_allclose(numbers[-10:-1].reshape(3, 3), [[0, 0, 1], [0, 0, 0], [0, 0, 0]], atol=0.02)


def test_gradients_agree_with_a_loop_over_pixels(rgb):
    bright = np.sqrt(luminance(stretch_to_square(rgb))).tolist()

    def slope(before, after, both):
        return (after - before) / (2 if both else 1)

    sums = np.zeros((4, 4, 9))
    for y in range(128):
        for x in range(128):
            up, low, left, right = max(y - 1, 0), min(y + 1, 127), max(x - 1, 0), min(x + 1, 127)
            along_y = slope(bright[up][x], bright[low][x], low - up == 2)
            along_x = slope(bright[y][left], bright[y][right], right - left == 2)
            size, angle = math.hypot(along_x, along_y), math.atan2(along_y, along_x) % math.pi / math.pi * 9
            lower = math.floor(angle)
            sums[y // 32, x // 32, lower % 9] += size * (1 - (angle - lower))
            sums[y // 32, x // 32, (lower + 1) % 9] += size * (angle - lower)
    total = sums.sum(axis=2)
    shares = np.sqrt(sums / (total[..., None] + 1e-3 + 0.1 * total.mean()))
    np.testing.assert_allclose(gradients(rgb), [*shares.ravel(), *np.log1p(total / 1024).ravel()], atol=2e-3)


def test_gradients_of_upright_stripes_point_sideways():
    picture = np.zeros((128, 128, 3), dtype=np.uint8)
    picture[:, ::8] = picture[:, 1::8] = 255
    directions = gradients(picture)[:144].reshape(16, 9)
    assert (directions.argmax(axis=1) == 0).all()
    turned = gradients(np.swapaxes(picture, 0, 1).copy())[:144].reshape(16, 9)
    assert set(turned.argmax(axis=1)) <= {4, 5}


def test_texture_agrees_with_a_loop_over_pixels(rgb):
    bright = np.rint(luminance(rgb)).astype(float)
    height, width = bright.shape[0] // 2 * 2, bright.shape[1] // 2 * 2
    halved = np.array(
        [[np.rint(bright[y : y + 2, x : x + 2].mean()) for x in range(0, width, 2)] for y in range(0, height, 2)]
    )
    expected = []
    for plane, radius in ((bright, 1), (halved, 1), (halved, 2)):
        counts = [0] * 59
        for y in range(radius, plane.shape[0] - radius):
            for x in range(radius, plane.shape[1] - radius):
                around = [(-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1)]
                bits = [plane[y + radius * dy, x + radius * dx] - plane[y, x] > 2 for dy, dx in around]
                changes = sum(bits[i] != bits[i - 1] for i in range(8))
                if changes > 2:
                    counts[58] += 1
                elif changes == 0:
                    counts[57 if bits[0] else 56] += 1
                else:
                    begin = next(i for i in range(8) if bits[i] and not bits[i - 1])
                    counts[(sum(bits) - 1) * 8 + begin] += 1
        expected += [math.sqrt(count / sum(counts)) for count in counts]
    np.testing.assert_allclose(texture(rgb), expected, atol=1e-6)


def test_a_wave_has_its_power_at_its_frequency_and_direction():
    for cycles, ring in ((4, 4), (16, 8), (32, 10)):
        wave = np.sin(2 * np.pi * cycles * np.arange(128) / 128) * 100 + 128
        across = np.repeat(wave[None].astype(np.uint8), 128, axis=0)
        found = spectrum(np.stack([across] * 3, axis=2)).reshape(12, 4)
        assert np.unravel_index(found.argmax(), (12, 4)) == (ring, 0)
        upright = spectrum(np.stack([across.T] * 3, axis=2)).reshape(12, 4)
        assert np.unravel_index(upright.argmax(), (12, 4)) == (ring, 2)


def test_the_spectrum_agrees_with_fouriers_sum_at_single_frequencies():
    rgb = np.random.default_rng(3).integers(256, size=(128, 128, 3), dtype=np.uint8)
    bright = luminance(rgb).astype(float)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(128) / 127)
    plane = (bright - bright.mean()) * np.outer(window, window)
    grid = np.arange(128)
    powers = {}
    for fy, fx in ((0, 1), (0, -1)):  # ring 0, direction 0 holds these two alone
        wave = np.exp(-2j * cmath.pi * (fy * grid[:, None] + fx * grid[None]) / 128)
        powers[fy, fx] = abs((plane * wave).sum()) ** 2
    assert spectrum(rgb)[0] == pytest.approx(math.log1p(np.mean(list(powers.values()))), rel=1e-3)


def test_gist_is_loud_where_the_structure_is_and_at_its_scale():
    picture = plain(128, 128, 128)
    picture[:32, :32:8] = picture[:32, 1:32:8] = picture[:32, 2:32:8] = picture[:32, 3:32:8] = 200
    energy = gist(picture).reshape(4, 6, 4, 4)
    assert np.unravel_index(energy.sum(axis=(0, 1)).argmax(), (4, 4)) == (0, 0)
    assert energy[:, :, 0, 0].max(axis=0).argmax() == 0  # stripes that stand upright change along x
    coarse = plain(128, 128, 128)
    for left in range(0, 128, 32):
        coarse[:, left : left + 16] = 200
    by_scale = [gist(p).reshape(4, 6, 16)[:, 0].mean(axis=1).argmax() for p in (picture, coarse)]
    assert by_scale[1] > by_scale[0]


def test_gist_hardly_changes_with_the_light():
    picture = np.asarray(scene(4, 128, 128))
    darker = (picture * 0.7).astype(np.uint8)
    other = np.asarray(scene(5, 128, 128))
    assert np.abs(gist(picture) - gist(darker)).max() < 0.2 * np.abs(gist(picture) - gist(other)).max()


def test_writing_counts_marks_by_their_color_size_and_place():
    picture = plain(230, 100, 100)
    for left in range(5, 95, 10):
        picture[5:11, left : left + 4] = 10  # nine marks in the first quarter
    picture[60:66, 50:54] = 10  # one in the third
    picture[80:82, 20:24] = 10  # two rows: too flat
    picture[85:99, 2:60] = 10  # too wide
    dark = writing(picture)[:8]
    np.testing.assert_allclose(dark[:5], np.log1p([9, 0, 1, 0, 10]), atol=1e-6)
    assert dark[5] == pytest.approx(10 * 24 / 10_000)
    assert (dark[6], dark[7]) == (pytest.approx(0.06), pytest.approx(0))
    light = writing(255 - picture)[8:16]
    np.testing.assert_allclose(light, dark, atol=1e-6)


def test_writing_sees_lines():
    lines, even = writing(np.asarray(page(1)))[16:], writing(plain(200))[16:]
    assert lines[8] > 0.05  # deviation over the rows
    assert even[:10].tolist() == [0] * 10
    assert even[10] == 1
