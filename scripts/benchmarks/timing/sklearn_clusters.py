"""Cluster by scikit-learn, and print the score of the result.

A line is `score <NMI>`; who started the program notes the time. Labels are read for the score only.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import AgglomerativeClustering, KMeans, SpectralClustering
from sklearn.decomposition import PCA
from sklearn.metrics import normalized_mutual_info_score
from sklearn.mixture import GaussianMixture


def main() -> None:
    """Cluster the file that the first word names by the method that the second one names; the third is the seed."""
    file, method, seed = sys.argv[1:]
    with np.load(file) as data:
        x, labels = data["x"].reshape(len(data["x"]), -1).astype(np.float32) / 255, data["labels"]
    print("score", normalized_mutual_info_score(labels, clusters_of(x, method, int(seed))), flush=True)


def clusters_of(x: NDArray[np.float32], method: str, seed: int) -> Any:
    """Return the cluster (N,) of each row.

    Args:
        x: samples (N, F), from 0 to 1.
        method: KMeans, GaussianMixture (on 30 principal components), Ward, or Spectral; the last two need N² memory
            or much time on many rows.
        seed: of all random draws.
    """
    if method == "KMeans":
        return KMeans(10, n_init=10, random_state=seed).fit_predict(x)
    if method == "GaussianMixture":
        z = PCA(30, random_state=seed).fit_transform(x)
        return GaussianMixture(
            10, n_init=3, reg_covar=0.1 * float(z.var(axis=0).mean()), random_state=seed
        ).fit_predict(z)
    if method == "Ward":
        return AgglomerativeClustering(10).fit_predict(x)
    spectral = SpectralClustering(10, affinity="nearest_neighbors", assign_labels="cluster_qr", random_state=seed)
    return spectral.fit_predict(x)


if __name__ == "__main__":
    main()
