"""Scores of a partition: agreement with known labels, cluster sizes, separation of clusters."""

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
    """Return a mask (N,) of the samples that have a label: not -1, not NaN, not empty.

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
    """Score the agreement of clusters with the known labels.

    `nmi` divides by the arithmetic mean of the entropies (scikit-learn since 0.22), `nmi_geometric` by the geometric
    mean (as papers up to 2018 do).

    Args:
        labels: label (N,) of each sample, of any type; None where there are no labels.
        clusters: cluster (N,) of each sample.

    Returns:
        Scores by name: `acc`, `nmi`, `nmi_geometric` and `purity` from 0 to 1, `ari` at most 1. All are None where not
        a single sample has a label.
    """
    known = known_labels(labels) if labels is not None else np.zeros(0, dtype=bool)
    if labels is None or not known.any():
        return dict.fromkeys(LABEL_SCORES)
    truth = np.unique(labels[known].astype(str), return_inverse=True)[1]
    own = clusters[known]
    return {
        "acc": clustering_accuracy(truth, own),
        "nmi": float(normalized_mutual_info_score(truth, own)),
        "nmi_geometric": float(normalized_mutual_info_score(truth, own, average_method="geometric")),
        "ari": float(adjusted_rand_score(truth, own)),
        "purity": purity(truth, own),
    }


def size_scores(clusters: NDArray[Any], n_clusters: int) -> dict[str, Any]:
    """Score the sizes of clusters, which needs no labels.

    Args:
        clusters: cluster (N,) of each sample, from 0.
        n_clusters: K.

    Returns:
        `cluster_sizes` (K), their `size_entropy` from 0 to 1, the number `n_empty` of empty clusters, and `collapsed`:
        at least half of the clusters are empty.
    """
    sizes = cluster_sizes(torch.as_tensor(clusters), n_clusters)
    return {
        "cluster_sizes": sizes.tolist(),
        "size_entropy": size_entropy(sizes),
        "n_empty": int((sizes == 0).sum()),
        "collapsed": is_collapsed(sizes),
    }


def separation_scores(x: NDArray[Any], clusters: NDArray[Any]) -> dict[str, float | None]:
    """Score the separation of clusters, which needs no labels.

    The silhouette takes time for every pair of samples: pass a few thousand rows.

    Args:
        x: samples (N, F).
        clusters: cluster (N,) of each sample.

    Returns:
        `silhouette` from -1 to 1 (Rousseeuw 1987), larger is better, and `davies_bouldin` from 0 (Davies, Bouldin
        1979), smaller is better. Both are None with fewer than two clusters, or as many as samples.
    """
    if not 2 <= len(np.unique(clusters)) <= len(clusters) - 1:
        return {"silhouette": None, "davies_bouldin": None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # clusters of identical points divide 0 by 0
        return {
            "silhouette": float(silhouette_score(x, clusters)),
            "davies_bouldin": float(davies_bouldin_score(x, clusters)),
        }
