"""Scale and direction of a picture's structure: its power spectrum, and the energy of filters by place."""

from __future__ import annotations

from functools import cache

import numpy as np
import scipy
from numpy.typing import NDArray

from deepcluster_pl.data.images.descriptors.planes import RGB, SIDE, luminance, stretch_to_square

# SciPy imports its parts when they are asked for, so a command that reads no picture does not wait for them
_SCALES, _DIRECTIONS, _GRID = 4, 6, 4
_RINGS, _WEDGES = 12, 4


def spectrum(rgb: RGB) -> NDArray[np.float32]:
    """Compute the logarithms of a picture's mean power by frequency and direction.

    Returns:
        Numbers (48,): 12 rings, half an octave each, of 4 directions each.
    """
    bright = luminance(stretch_to_square(rgb))
    # A Hann window hides the jump from one edge to the opposite one, which a transform would see as structure.
    window = np.hanning(SIDE).astype(np.float32)
    power = np.abs(scipy.fft.fft2((bright - bright.mean()) * window[:, None] * window)) ** 2
    bins = _spectrum_bins()
    sums = np.bincount(bins.ravel(), power.ravel(), minlength=_RINGS * _WEDGES + 1)
    counts = np.bincount(bins.ravel(), minlength=_RINGS * _WEDGES + 1)
    return np.log1p(sums[:-1] / np.maximum(counts[:-1], 1)).astype(np.float32)


def gist(rgb: RGB) -> NDArray[np.float32]:
    """Compute the mean amplitude of 24 log-Gabor filters in each cell of a 4 x 4 grid, as square roots.

    It follows the spatial envelope of Oliva and Torralba (2001), with filters of 4 scales, an octave apart, and 6
    directions.

    Returns:
        Numbers (384,): by scale, direction and cell.
    """
    # Logarithm of the brightness, less its surroundings and divided by their contrast: light hardly matters.
    bright = np.log1p(luminance(stretch_to_square(rgb)))
    bright -= bright.mean()
    sigma = SIDE / 16
    contrast = np.sqrt(scipy.ndimage.gaussian_filter(bright * bright, sigma) + 0.04)
    normalized = (bright - scipy.ndimage.gaussian_filter(bright, sigma)) / contrast
    # All filters at once: multiply in the frequency domain, transform back.
    spectra = scipy.fft.fft2(normalized.astype(np.float32))[None] * _log_gabor_filters()
    amplitude = np.abs(scipy.fft.ifft2(spectra, overwrite_x=True))
    step = SIDE // _GRID
    means: NDArray[np.float32] = amplitude.reshape(-1, _GRID, step, _GRID, step).mean(axis=(2, 4))
    return np.sqrt(means).ravel().astype(np.float32)


def _polar() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return radius, in cycles a pixel, and angle of each frequency (SIDE, SIDE) of a transform."""
    frequencies = np.fft.fftfreq(SIDE)
    x, y = frequencies[None], frequencies[:, None]
    return np.hypot(y, x), np.arctan2(y, x)


@cache
def _spectrum_bins() -> NDArray[np.int64]:
    """Return the bin of each frequency by ring and wedge; the last takes the mean, and what exceeds half the side."""
    radius, angle = _polar()
    cycles = radius * SIDE
    ring = np.floor(2 * np.log2(np.maximum(cycles, 1)) + 1e-9).astype(np.int64)
    wedge = np.rint(angle % np.pi / np.pi * _WEDGES).astype(np.int64) % _WEDGES
    inside = (cycles >= 1) & (ring < _RINGS)
    return np.where(inside, ring * _WEDGES + wedge, _RINGS * _WEDGES)


@cache
def _log_gabor_filters() -> NDArray[np.float32]:
    """Return log-Gabor filters (24, SIDE, SIDE) in the frequency domain, each on one side of the origin."""
    radius, angle = _polar()
    filters = []
    for scale in range(_SCALES):
        distance = np.log(np.maximum(radius, 1e-6) / (0.35 / 2**scale)) / np.log(1.65)
        for direction in range(_DIRECTIONS):
            deviation = (angle - np.pi * direction / _DIRECTIONS + np.pi) % (2 * np.pi) - np.pi
            filters.append(np.exp(-(distance**2) / 2 - (deviation * _DIRECTIONS / np.pi) ** 2 / 2) * (radius > 0))
    return np.stack(filters).astype(np.float32)
