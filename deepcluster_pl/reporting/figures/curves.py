"""Draw the curves of both stages from the metrics that the stages logged."""

from __future__ import annotations

from typing import Literal, NamedTuple

from matplotlib.figure import Figure

from deepcluster_pl.reporting.printable import printable
from deepcluster_pl.utils.csv_logger import Curves

_SCORES = ("acc", "nmi", "ari")
_SCORES_WITHOUT_LABELS = ("silhouette_code", "size_entropy", "confidence")
_FEW_POINTS = 30


class Panel(NamedTuple):
    """Metrics that are drawn together.

    Attributes:
        title: above the panel.
        metrics: names of the logged metrics.
        kind: scores need a linear axis; losses span several powers of ten.
    """

    title: str
    metrics: list[str]
    kind: Literal["loss", "score", "changed"]


def panels(curves: Curves) -> list[Panel]:
    """Return the panels to draw, each with those of its metrics that were logged; empty ones are left out.

    >>> [panel.title for panel in panels({"fit/kl": {19: 0.5}, "clusters/changed": {140: 0.1}})]
    ['Loss of the fit', 'Share of samples that changed cluster']
    """
    with_labels = any(f"{stage}/{name}" in curves for stage in ("probe", "clusters") for name in _SCORES)
    watched = _SCORES if with_labels else _SCORES_WITHOUT_LABELS
    wanted = [
        Panel("Loss of pretraining", [name for name in curves if name.startswith("pretrain/")], "loss"),
        Panel("k-means on the embedding during pretraining", [f"probe/{name}" for name in watched], "score"),
        Panel("Loss of the fit", [name for name in curves if name.startswith("fit/")], "loss"),
        Panel("Clusters at each refresh", [f"clusters/{name}" for name in watched], "score"),
        Panel("Loss of each round of the student", _of_rounds(curves, "cross_entropy"), "loss"),
        Panel("Share that the student predicts as taught, by round", _of_rounds(curves, "as_taught"), "score"),
        Panel("Share of samples that changed cluster", ["clusters/changed"], "changed"),
    ]
    logged = [panel._replace(metrics=[name for name in panel.metrics if name in curves]) for panel in wanted]
    return [panel for panel in logged if panel.metrics]


def _of_rounds(curves: Curves, name: str) -> list[str]:
    """Return the metrics of this name that the rounds of a student logged."""
    return sorted(metric for metric in curves if metric.startswith(f"student/{name}_"))


def draw_curves(curves: Curves) -> Figure:
    """Draw one panel for each group of metrics, over optimizer steps; losses have a logarithmic axis."""
    shown = panels(curves)
    n_rows = max(len(shown), 1)
    figure = Figure(figsize=(6, 1.9 * n_rows), dpi=120, layout="constrained")
    axes = figure.subplots(n_rows, 1, squeeze=False)[:, 0]
    for axis, panel in zip(axes, shown, strict=False):
        for name in panel.metrics:
            points = sorted(curves[name].items())
            marker = "." if len(points) < _FEW_POINTS else None
            axis.plot(*zip(*points, strict=True), label=printable(name.partition("/")[2], 40), lw=1.2, marker=marker)
        axis.set_title(panel.title, fontsize=9)
        axis.tick_params(which="both", labelsize=7)
        axis.grid(alpha=0.3)
        # A logarithmic axis needs at least one value above zero
        if panel.kind != "score" and any(value > 0 for name in panel.metrics for value in curves[name].values()):
            axis.set_yscale("log")
        if len(panel.metrics) > 1:
            for text in axis.legend(fontsize=7).get_texts():
                text.set_parse_math(False)  # a $ is a $
    axes[-1].set_xlabel("optimizer steps", fontsize=8)
    return figure
