"""Small charts as inline SVG, in the colors of the page, with nothing to load."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 320, 150, 44, 18
_MOST_POINTS = 200
_MAP, _EDGE = 600, 12


def line_chart(series: Mapping[str, Mapping[int, float]], log: bool, over: str = "step") -> str:
    """Lines over steps, or over other whole numbers, one for each name, thinned to 200 points.

    Args:
        series: value at each step, by name.
        log: logarithmic values; what is not above zero is left out.
        over: what the numbers are.
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

    def place(step: float, value: float) -> str:
        x = _LEFT + (step - x_low) / ((x_high - x_low) or 1) * (_WIDTH - _LEFT - 8)
        y = 8 + (high - value) / (high - low) * (_HEIGHT - _BOTTOM - 12)
        return f"{x:.1f},{y:.1f}"

    parts = []
    for number, (_, points) in enumerate(lines.items()):
        marks = "".join(
            f'<circle class="s{number % 4}" cx="{p.split(",")[0]}" cy="{p.split(",")[1]}" r="2.2"/>'
            for p in ([place(*point) for point in points] if len(points) < 20 else [])
        )
        parts.append(f'<polyline class="s{number % 4}" points="{" ".join(place(*point) for point in points)}"/>{marks}')
    ends = [(value, place(x_low, value).split(",")[1]) for value in (low + pad, high - pad)]
    for value, y in ends if high - low > 2.01 * pad else ends[:1]:
        shown = 10**value if log else value
        parts.append(f'<text x="{_LEFT - 5}" y="{float(y) + 3:.1f}" text-anchor="end">{shown:.3g}</text>')
    for step, anchor, x in ((x_low, "start", _LEFT), (x_high, "end", _WIDTH - 8)):
        parts.append(f'<text x="{x}" y="{_HEIGHT - 4}" text-anchor="{anchor}">{step:,}</text>')
    names = ", ".join(escape(name) for name in lines)
    head = f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{names} by {over}">'
    return f"{head}{''.join(parts)}</svg>"


def scatter(
    places: NDArray[np.float32], clusters: NDArray[np.int64], ids: Sequence[object], colors: Sequence[str]
) -> str:
    """A map: one point a sample, in its cluster's color; a title with its id shows under the pointer.

    Args:
        places: (N, 2).
        clusters: (N,).
        ids: N names.
        colors: one for each cluster.
    """
    low, high = places.min(axis=0), places.max(axis=0)
    scale = (_MAP - 2 * _EDGE) / max(float((high - low).max()), 1e-12)
    at = (places - (low + high) / 2) * scale + _MAP / 2
    title = "<title>{} · cluster {}</title>"
    points = "".join(
        f'<circle data-k="{k}" cx="{x:.0f}" cy="{_MAP - y:.0f}" r="3" fill="{colors[k]}">'
        f"{title.format(escape(str(name)[:80]), k)}</circle>"
        for (x, y), k, name in zip(at.tolist(), clusters.tolist(), ids, strict=True)
    )
    head = f'<svg id="map" viewBox="0 0 {_MAP} {_MAP}" role="img" aria-label="Map of the samples, by cluster">'
    return f"{head}{points}</svg>"


def _thinned(points: list[tuple[int, float]], log: bool) -> list[tuple[int, float]]:
    kept = [(step, math.log10(v) if log else v) for step, v in points if math.isfinite(v) and (v > 0 or not log)]
    every = -(-len(kept) // _MOST_POINTS) or 1
    return kept[::every] + (kept[-1:] if len(kept) > 1 and (len(kept) - 1) % every else [])
