"""The curves of both stages, from the files that the stages wrote."""

from __future__ import annotations

from matplotlib.figure import Figure

from deepcluster_pl.utils.csv_logger import Curves

_SCORES = ("acc", "nmi", "ari")
_SCORES_WITHOUT_LABELS = ("silhouette_code", "size_entropy", "confidence")


def panels(found: Curves) -> dict[str, list[str]]:
    """Titles, and the metrics drawn under each; only what there is.

    >>> panels({"fit/kl": {19: 0.5}, "clusters/changed": {140: 0.1}})
    {'Loss of the fit': ['fit/kl'], 'Share of samples that changed cluster': ['clusters/changed']}
    """
    with_labels = any(f"{stage}/{name}" in found for stage in ("probe", "clusters") for name in _SCORES)
    watched = _SCORES if with_labels else _SCORES_WITHOUT_LABELS
    wanted = {
        "Loss of pretraining": [name for name in found if name.startswith("pretrain/")],
        "k-means on the code during pretraining": [f"probe/{name}" for name in watched],
        "Loss of the fit": [name for name in found if name.startswith("fit/")],
        "Clusters at each refresh": [f"clusters/{name}" for name in watched],
        "Share of samples that changed cluster": ["clusters/changed"],
    }
    there = {title: [name for name in names if name in found] for title, names in wanted.items()}
    return {title: names for title, names in there.items() if names}


def curves(found: Curves) -> Figure:
    """One panel for each group of metrics, over optimizer steps."""
    groups = panels(found)
    figure = Figure(figsize=(6, 1.9 * max(len(groups), 1)), dpi=120, layout="constrained")
    axes = figure.subplots(max(len(groups), 1), 1, squeeze=False)[:, 0]
    for axis, (title, names) in zip(axes, groups.items(), strict=False):
        for name in names:
            points = sorted(found[name].items())
            marker = "." if len(points) < 30 else None
            axis.plot(*zip(*points, strict=True), label=name.partition("/")[2], lw=1.2, marker=marker)
        axis.set_title(title, fontsize=9)
        axis.tick_params(which="both", labelsize=7)
        axis.grid(alpha=0.3)
        if any(value > 0 for name in names for value in found[name].values()) and not title.startswith(("k-", "Clu")):
            axis.set_yscale("log")
        if len(names) > 1:
            axis.legend(fontsize=7)
    axes[-1].set_xlabel("optimizer steps", fontsize=8)
    return figure
