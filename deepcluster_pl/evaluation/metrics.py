"""Every score of a partition: with labels where there are some, without them always."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import (
    adjusted_rand_score,
    davies_bouldin_score,
    normalized_mutual_info_score,
    silhouette_score,
)

from deepcluster_pl.functional import cluster_sizes, clustering_accuracy, is_collapsed, purity, size_entropy

LABEL_SCORES = ("acc", "nmi", "nmi_geometric", "ari", "purity")


def known_labels(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Which samples have a label: not -1, not NaN, not empty.

    >>> known_labels(np.array([3, -1])).tolist(), known_labels(np.array(["a", ""])).tolist()
    ([True, False], [True, False])
    """
    if labels.dtype.kind == "f":
        return np.asarray(~np.isnan(labels) & (labels != -1))
    if labels.dtype.kind in "iu":
        return np.asarray(labels != -1)
    text = np.array(["" if label is None else str(label).strip() for label in labels.tolist()])
    return ~np.isin(text, ["", "-1", "nan"])


def label_scores(labels: NDArray[Any] | None, clusters: NDArray[Any]) -> dict[str, float | None]:
    """Agreement with the known labels; None where not a single sample has one.

    `nmi` divides by the arithmetic mean of the entropies (scikit-learn since 0.22), `nmi_geometric` by the
    geometric mean (what papers up to 2018 report).
    """
    known = known_labels(labels) if labels is not None else np.zeros(0, dtype=bool)
    if labels is None or not known.any():
        return dict.fromkeys(LABEL_SCORES)
    truth = np.unique(labels[known].astype(str), return_inverse=True)[1]
    found = clusters[known]
    return {
        "acc": clustering_accuracy(truth, found),
        "nmi": float(normalized_mutual_info_score(truth, found)),
        "nmi_geometric": float(normalized_mutual_info_score(truth, found, average_method="geometric")),
        "ari": float(adjusted_rand_score(truth, found)),
        "purity": purity(truth, found),
    }


def size_scores(clusters: NDArray[Any], n_clusters: int) -> dict[str, Any]:
    """Cluster sizes, how even they are, how many clusters hold nothing, and whether the partition collapsed."""
    sizes = cluster_sizes(torch.as_tensor(clusters), n_clusters)
    return {
        "cluster_sizes": sizes.tolist(),
        "size_entropy": size_entropy(sizes),
        "n_empty": int((sizes == 0).sum()),
        "collapsed": is_collapsed(sizes),
    }


def separation_scores(x: NDArray[Any], clusters: NDArray[Any]) -> dict[str, float | None]:
    """Silhouette and Davies-Bouldin index of samples (N, F); None where fewer than two clusters are left.

    Both take every pair or every center: pass a sample of a few thousand rows.
    """
    if not 2 <= len(np.unique(clusters)) <= len(clusters) - 1:
        return {"silhouette": None, "davies_bouldin": None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # clusters of identical points divide 0 by 0
        return {
            "silhouette": float(silhouette_score(x, clusters)),
            "davies_bouldin": float(davies_bouldin_score(x, clusters)),
        }
