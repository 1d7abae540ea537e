"""Initialization of methods: first centers by a clusterer, by consensus, on a map; the number of clusters."""

from deepcluster_pl.methods.initialization.cluster_number import ClusterNumberEstimate
from deepcluster_pl.methods.initialization.consensus import ConsensusRestarts
from deepcluster_pl.methods.initialization.initial_clustering import (
    Initialization,
    check_clusterer,
    check_embeddings,
    fit_initialization,
)
from deepcluster_pl.methods.initialization.n_clusters import AUTO, Auto, SplitHalfStability
from deepcluster_pl.methods.initialization.umap_mixture import UmapMixture
from deepcluster_pl.methods.initialization.whitening import whitened

__all__ = [
    "AUTO",
    "Auto",
    "ClusterNumberEstimate",
    "ConsensusRestarts",
    "Initialization",
    "SplitHalfStability",
    "UmapMixture",
    "check_clusterer",
    "check_embeddings",
    "fit_initialization",
    "whitened",
]
