"""Draw small charts as inline SVG, in the colors of the page; they load nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 320, 150, 44, 18
_MOST_POINTS, _FEW_POINTS, _N_STYLES = 200, 20, 4
_MAP, _EDGE = 600, 12


def draw_line_chart(series: Mapping[str, Mapping[int, float]], log: bool, over: str = "step") -> str:
    """Draw one line for each series, thinned to about 200 points.

    Args:
        series: value at each step, or at each of other whole numbers, by name.
        log: draw logarithms; values that are not above zero are left out.
        over: names the horizontal axis for screen readers.

    Returns:
        An SVG element; an empty string where no value is finite.
    """
    lines = {name: _thinned(sorted(points.items()), log) for name, points in series.items()}
    lines = {name: points for name, points in lines.items() if points}
    if not lines:
        return ""
    steps = [step for points in lines.values() for step, _ in points]
    values = [value for points in lines.values() for _, value in points]
    x_low, x_high, low, high = min(steps), max(steps), min(values), max(values)
    pad = (high - low) * 0.05 or abs(high) * 0.05 or 1.0
    low, high = low - pad, high + pad

    def place(step: float, value: float) -> tuple[str, str]:
        x = _LEFT + (step - x_low) / ((x_high - x_low) or 1) * (_WIDTH - _LEFT - 8)
        y = 8 + (high - value) / (high - low) * (_HEIGHT - _BOTTOM - 12)
        return f"{x:.1f}", f"{y:.1f}"

    parts = []
    for number, points in enumerate(lines.values()):
        places = [place(*point) for point in points]
        parts.append(_line(places, number % _N_STYLES, with_marks=len(points) < _FEW_POINTS))
    # Label the lowest and the highest value, or one where they are the same
    ends = [(value, float(place(x_low, value)[1])) for value in (low + pad, high - pad)]
    for value, y in ends if high - low > 2.01 * pad else ends[:1]:
        label = 10**value if log else value
        parts.append(f'<text x="{_LEFT - 5}" y="{y + 3:.1f}" text-anchor="end">{label:.3g}</text>')
    for step, anchor, x in ((x_low, "start", _LEFT), (x_high, "end", _WIDTH - 8)):
        parts.append(f'<text x="{x}" y="{_HEIGHT - 4}" text-anchor="{anchor}">{step:,}</text>')
    names = ", ".join(escape(name) for name in lines)
    head = f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{names} by {over}">'
    return f"{head}{''.join(parts)}</svg>"


def draw_scatter(
    places: NDArray[np.float32], clusters: NDArray[np.int64], ids: Sequence[object], colors: Sequence[str],
    cells: NDArray[np.int64] | None = None,
) -> str:  # fmt: skip
    """Draw a map: one point for each sample in its cluster's color, with its id and cluster as a tooltip.

    Args:
        places: (N, 2).
        clusters: (N,); -1 is no group.
        ids: N names.
        colors: one for each cluster, and one more for samples in no group.

        cells: finest cell (N,) of each sample; None leaves them out.

    Returns:
        An SVG element.
    """
    own = [""] * len(clusters) if cells is None else [f' data-c="{cell}"' for cell in cells.tolist()]
    low, high = places.min(axis=0), places.max(axis=0)
    scale = (_MAP - 2 * _EDGE) / max(float((high - low).max()), 1e-12)
    at = (places - (low + high) / 2) * scale + _MAP / 2
    points = "".join(
        f'<circle data-k="{k}"{cell} cx="{x:.0f}" cy="{_MAP - y:.0f}" r="3" fill="{colors[k]}">'
        f"<title>{escape(str(name)[:80])} · {f'cluster {k}' if k >= 0 else 'in no group'}</title></circle>"
        for (x, y), k, name, cell in zip(at.tolist(), clusters.tolist(), ids, own, strict=True)
    )
    head = f'<svg id="map" viewBox="0 0 {_MAP} {_MAP}" role="img" aria-label="Map of the samples, by cluster">'
    return f"{head}{points}</svg>"


def _line(places: Sequence[tuple[str, str]], style: int, with_marks: bool) -> str:
    """Return a line through points, each marked by a dot where there are few."""
    marks = "".join(f'<circle class="s{style}" cx="{x}" cy="{y}" r="2.2"/>' for x, y in places if with_marks)
    return f'<polyline class="s{style}" points="{" ".join(f"{x},{y}" for x, y in places)}"/>{marks}'


def _thinned(points: list[tuple[int, float]], log: bool) -> list[tuple[int, float]]:
    """Return every n-th finite point and the last one; values are logarithms to base 10 if asked."""
    finite = [(step, math.log10(v) if log else v) for step, v in points if math.isfinite(v) and (v > 0 or not log)]
    every = -(-len(finite) // _MOST_POINTS) or 1
    return finite[::every] + (finite[-1:] if len(finite) > 1 and (len(finite) - 1) % every else [])
