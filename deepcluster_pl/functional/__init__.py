"""The mathematics of clustering, as pure functions: tensors or arrays in, tensors or numbers out."""

from deepcluster_pl.functional.agreed_samples import balancing_weights, most_agreed, neighbor_agreement
from deepcluster_pl.functional.assignment import (
    gaussian_log_density,
    log_soft_assignment,
    soft_assignment,
    squared_distances,
)
from deepcluster_pl.functional.consensus_choice import consensus_agreement
from deepcluster_pl.functional.consistency import consistency_loss, mean_entropy, self_labeling_loss, size_divergence
from deepcluster_pl.functional.elbo import gaussian_loss, mixture_divergence
from deepcluster_pl.functional.joined_communities import groups_of_any_size
from deepcluster_pl.functional.kmeans_loss import annealed_inverse_temperature, kmeans_loss, soft_kmeans_loss
from deepcluster_pl.functional.label_agreement import clustering_accuracy, contingency, purity
from deepcluster_pl.functional.likelihood import partition_bic
from deepcluster_pl.functional.neighbor_information import neighbor_information
from deepcluster_pl.functional.neighbors import inverse_distance_mean, nearest_neighbors, nearest_rows
from deepcluster_pl.functional.partition import cluster_sizes, is_collapsed, share_changed, size_entropy
from deepcluster_pl.functional.rand_index import adjusted_rand_indices
from deepcluster_pl.functional.reseeding import reseeded_centers
from deepcluster_pl.functional.running_means import moved_centers
from deepcluster_pl.functional.softmax_heads import initial_heads
from deepcluster_pl.functional.target import target_distribution
from deepcluster_pl.functional.whitening import mapped_precisions, pooled_covariance, whitening_matrix

__all__ = [
    "adjusted_rand_indices",
    "annealed_inverse_temperature",
    "balancing_weights",
    "cluster_sizes",
    "clustering_accuracy",
    "consensus_agreement",
    "consistency_loss",
    "contingency",
    "gaussian_log_density",
    "gaussian_loss",
    "groups_of_any_size",
    "initial_heads",
    "inverse_distance_mean",
    "is_collapsed",
    "kmeans_loss",
    "log_soft_assignment",
    "mapped_precisions",
    "mean_entropy",
    "mixture_divergence",
    "most_agreed",
    "moved_centers",
    "nearest_neighbors",
    "nearest_rows",
    "neighbor_agreement",
    "neighbor_information",
    "partition_bic",
    "pooled_covariance",
    "purity",
    "reseeded_centers",
    "self_labeling_loss",
    "share_changed",
    "size_divergence",
    "size_entropy",
    "soft_assignment",
    "soft_kmeans_loss",
    "squared_distances",
    "target_distribution",
    "whitening_matrix",
]
