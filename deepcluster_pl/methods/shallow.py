"""Clustering without a fit: the initialization is the result, by k-means, a mixture, UMAP's places or a graph."""

from __future__ import annotations

import torch
from torch import Tensor

from deepcluster_pl.functional import gaussian_log_density, inverse_distance_mean, soft_assignment
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.methods.initialization.initial_clustering import Initialization
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.utils.ranges import Count

_STORED = (
    "centers", "weights", "precisions_cholesky",
    "codes", "probabilities", "places", "place_means", "place_weights", "place_precisions_cholesky",
)  # fmt: skip
"""Tensors of an initialization that are buffers of the method; those that it does not have are None."""


class ShallowClustering(ClusteringModule):
    """Initial partition, extended to new samples: `kmeans`, `ae_kmeans`, `gmm`, `ae_gmm`, `pca_gmm`, `graph`, `n2d` ….

    A mixture gives its posterior. Centers alone give probabilities by the Student-t kernel, of which the nearest center
    has the largest. UMAP maps the embeddings to places. A fitted sample has its own place. Any other gets the mean of
    the places of its nearest fitted samples, each weighing 1 / distance. The mixture of the places assigns both. A
    graph gives fitted samples probabilities. Any other sample gets the mean of those of its nearest fitted samples.

    Args:
        net: identity for the raw input, an autoencoder for its embeddings; the run supplies it.
        name: names the run folder and its tables.
        n_clusters: K.
    """

    learns = False
    distributable = True

    def __init__(self, net: Autoencoder, name: str, n_clusters: Count) -> None:
        super().__init__(net, name, n_clusters)
        for name in _STORED:
            self.register_buffer(name, None)
        self.centers = torch.zeros(n_clusters, net.latent_dim)

    def initialize(self, start: Initialization) -> None:
        """Store everything of the initialization except the labels.

        Args:
            start: the initialization.

        Raises:
            ValueError: probabilities of a graph do not fit its embeddings, the net or K.
        """
        if start.codes is not None and start.probabilities is not None:
            found, d = (tuple(start.codes.shape), tuple(start.probabilities.shape)), self.net.latent_dim
            expected = ((len(start.codes), d), (len(start.codes), self.n_clusters))
            if found != expected:
                raise ValueError(f"embeddings and probabilities of a graph have shapes {found}, expected {expected}")
        for name in _STORED:
            tensor = getattr(start, name)
            setattr(self, name, None if tensor is None else tensor.to(self.device))

    def assign(self, z: Tensor) -> Tensor:
        """Return probabilities (N, K): the mixture's posterior, computed in float64, or those by distance."""
        stored = dict(self.named_buffers(recurse=False))  # without those that are None
        if "places" in stored:
            places = inverse_distance_mean(z, stored["codes"], stored["places"])
            mixture = (stored[f"place_{name}"] for name in ("means", "weights", "precisions_cholesky"))
            return _posterior(places, *mixture).to(z.dtype)
        if "probabilities" in stored:
            return inverse_distance_mean(z, stored["codes"], stored["probabilities"]).to(z.dtype)
        if "weights" in stored:
            return _posterior(z, stored["centers"], stored["weights"], stored["precisions_cholesky"]).to(z.dtype)
        return soft_assignment(z, self.centers)


def _posterior(z: Tensor, means: Tensor, weights: Tensor, precisions_cholesky: Tensor) -> Tensor:
    """Return the posterior (N, K) of a mixture of Gaussians, computed in the type of its means."""
    log_density = gaussian_log_density(z.to(means.dtype), means, precisions_cholesky)
    return torch.softmax(weights.log() + log_density, dim=1)
