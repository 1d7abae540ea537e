"""How coarse a picture's structure is, and which way it runs: the power spectrum, and filters' energy by place."""

from __future__ import annotations

from functools import cache

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from deepcluster_pl.data.images.descriptors.planes import RGB, SIDE, luminance, square

_SCALES, _TURNS, _GRID = 4, 6, 4
_RINGS, _WEDGES = 12, 4


def spectrum(rgb: RGB) -> NDArray[np.float32]:
    """Logarithms of the mean power in 12 rings, half an octave each, of 4 directions: (48,)."""
    bright = luminance(square(rgb))
    window = np.hanning(SIDE).astype(np.float32)
    power = np.abs(scipy.fft.fft2((bright - bright.mean()) * window[:, None] * window)) ** 2
    bins = _bins()
    sums = np.bincount(bins.ravel(), power.ravel(), minlength=_RINGS * _WEDGES + 1)
    counts = np.bincount(bins.ravel(), minlength=_RINGS * _WEDGES + 1)
    return np.log1p(sums[:-1] / np.maximum(counts[:-1], 1)).astype(np.float32)


def gist(rgb: RGB) -> NDArray[np.float32]:
    """Square roots of the mean amplitude of 24 log-Gabor filters in each of 4 x 4 cells: (384,).

    After the spatial envelope of Oliva and Torralba (2001): the logarithm of the brightness, less its surroundings and
    divided by their contrast, goes through filters of 4 scales, an octave apart, and 6 directions.
    """
    bright = np.log1p(luminance(square(rgb)))
    bright -= bright.mean()
    around = SIDE / 16
    contrast = np.sqrt(gaussian_filter(bright * bright, around) + 0.04)
    even = (bright - gaussian_filter(bright, around)) / contrast
    amplitude = np.abs(scipy.fft.ifft2(scipy.fft.fft2(even.astype(np.float32))[None] * _filters(), overwrite_x=True))
    step = SIDE // _GRID
    means: NDArray[np.float32] = amplitude.reshape(-1, _GRID, step, _GRID, step).mean(axis=(2, 4))
    return np.sqrt(means).ravel().astype(np.float32)


def _polar() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Radius, in cycles a pixel, and angle of each frequency (SIDE, SIDE) of a transform."""
    each = np.fft.fftfreq(SIDE)
    return np.hypot(each[:, None], each[None]), np.arctan2(each[:, None], each[None])


@cache
def _bins() -> NDArray[np.int64]:
    """Ring and direction of each frequency; the last bin takes the mean and what lies beyond half the side."""
    radius, angle = _polar()
    cycles = radius * SIDE
    ring = np.floor(2 * np.log2(np.maximum(cycles, 1)) + 1e-9).astype(np.int64)
    wedge = np.rint(angle % np.pi / np.pi * _WEDGES).astype(np.int64) % _WEDGES
    inside = (cycles >= 1) & (ring < _RINGS)
    return np.where(inside, ring * _WEDGES + wedge, _RINGS * _WEDGES)


@cache
def _filters() -> NDArray[np.float32]:
    """Log-Gabor filters (24, SIDE, SIDE) in the frequency domain, each on one side of the origin."""
    radius, angle = _polar()
    found = []
    for scale in range(_SCALES):
        distance = np.log(np.maximum(radius, 1e-6) / (0.35 / 2**scale)) / np.log(1.65)
        for turn in range(_TURNS):
            away = (angle - np.pi * turn / _TURNS + np.pi) % (2 * np.pi) - np.pi
            found.append(np.exp(-(distance**2) / 2 - (away * _TURNS / np.pi) ** 2 / 2) * (radius > 0))
    return np.stack(found).astype(np.float32)
