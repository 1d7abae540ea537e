"""The mathematics of clustering, as pure functions: tensors or arrays in, tensors or numbers out."""

from deepcluster_pl.functional.agreement import clustering_accuracy, contingency, purity
from deepcluster_pl.functional.assignment import (
    gaussian_log_density,
    log_soft_assignment,
    soft_assignment,
    squared_distances,
)
from deepcluster_pl.functional.consistency import consistency_loss, mean_entropy
from deepcluster_pl.functional.neighbors import inverse_distance_mean, nearest_neighbors, nearest_rows
from deepcluster_pl.functional.shape import cluster_sizes, is_collapsed, share_changed, size_entropy
from deepcluster_pl.functional.target import target_distribution

__all__ = [
    "cluster_sizes",
    "clustering_accuracy",
    "consistency_loss",
    "contingency",
    "gaussian_log_density",
    "inverse_distance_mean",
    "is_collapsed",
    "log_soft_assignment",
    "mean_entropy",
    "nearest_neighbors",
    "nearest_rows",
    "purity",
    "share_changed",
    "size_entropy",
    "soft_assignment",
    "squared_distances",
    "target_distribution",
]
