"""Cluster by ClustPy with its own defaults, in ClustPy's own environment, and print the score of the result.

A line is `score <NMI>`; who started the program notes the time. Labels are read for the score only.
"""

import sys

import clustpy.deep
import numpy as np
from sklearn.metrics import normalized_mutual_info_score


def main() -> None:
    """Cluster the file that the first word names by the method that the second one names; the third is the seed."""
    file, method, seed = sys.argv[1:]
    with np.load(file) as data:
        x, labels = data["x"].reshape(len(data["x"]), -1), data["labels"]
    clusterer = getattr(clustpy.deep, method)(n_clusters=10, random_state=int(seed))
    clusterer.fit(x.astype(np.float32) / 255)
    print("score", normalized_mutual_info_score(labels, clusterer.labels_), flush=True)


if __name__ == "__main__":
    main()
