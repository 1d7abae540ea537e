"""Describe a fitted estimator in a few lines of HTML, for notebooks."""

from __future__ import annotations

from html import escape

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.reporting.palette import palette

_MOST_ROWS = 20


def fitted_html(method: str, labels: NDArray[np.int64] | None, n_clusters: int, remarks: list[str]) -> str:
    """Return a line about the result, and a bar for the size of each cluster.

    Args:
        method: the recipe.
        labels: cluster (N,) of each fitted sample, -1 for one in no group; None where they are not known.
        n_clusters: K.
        remarks: further lines.

    Returns:
        HTML without scripts; text is escaped.
    """
    if labels is None:
        return f"<p>{escape(method)}, fitted: {n_clusters} clusters</p>"
    sizes, outside = np.bincount(labels[labels >= 0], minlength=n_clusters), int((labels < 0).sum())
    lines = [f"<p>{escape(method)} put {len(labels) - outside:,} samples into {np.count_nonzero(sizes)} clusters.</p>"]
    lines += [f"<p>{outside:,} samples ({outside / len(labels):.1%}) are in no group.</p>"] if outside else []
    lines += [f"<p>{escape(text)}</p>" for text in remarks if text]
    lines.append("<table><thead><tr><th>cluster</th><th>samples</th><th></th></tr></thead><tbody>")
    for cluster, color in list(enumerate(palette(n_clusters)))[:_MOST_ROWS]:
        width = round(200 * sizes[cluster] / max(1, sizes.max()))
        bar = f'<div style="width:{width}px;height:0.8em;background:{color}"></div>'
        lines.append(f"<tr><td>{cluster}</td><td>{sizes[cluster]:,}</td><td>{bar}</td></tr>")
    lines.append("</tbody></table>")
    if n_clusters > _MOST_ROWS:
        lines.append(f"<p>… and {n_clusters - _MOST_ROWS} more clusters</p>")
    return "".join(lines)
