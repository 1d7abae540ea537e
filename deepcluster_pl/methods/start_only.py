"""Methods that end where others begin: k-means or a Gaussian mixture, on the input or on a trained code."""

from __future__ import annotations

import torch
from torch import Tensor

from deepcluster_pl.functional import gaussian_log_density, soft_assignment
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.ranges import Count
from deepcluster_pl.start import Start


class StartOnly(ClusteringModule):
    """The start's partition, extended to new samples: `kmeans`, `ae_kmeans`, `gmm`, `ae_gmm`.

    A mixture gives its posterior. Centres alone give the Student-t kernel's shares, whose largest is the nearest
    centre's.

    Args:
        net: identity for the raw input, an autoencoder for its code; the run supplies it.
        name: names the run's folder and its tables.
        n_clusters: K.
    """

    learns = False

    def __init__(self, net: Autoencoder, name: str, n_clusters: Count) -> None:
        super().__init__(net, name, n_clusters)
        self.register_buffer("centers", torch.zeros(n_clusters, net.latent_dim))
        self.register_buffer("weights", None)
        self.register_buffer("precisions_cholesky", None)
        self.weights: Tensor | None
        self.precisions_cholesky: Tensor | None

    def begin(self, start: Start) -> None:
        """Keep the centres and, of a mixture, the weights and precisions."""
        self.centers = start.centers.to(self.device)
        self.weights = None if start.weights is None else start.weights.to(self.device)
        factors = start.precisions_cholesky
        self.precisions_cholesky = None if factors is None else factors.to(self.device)

    def assign(self, z: Tensor) -> Tensor:
        """Posterior of the mixture, computed in its own precision (float64), or shares by distance."""
        if self.weights is None or self.precisions_cholesky is None:
            return soft_assignment(z, self.centers)
        log_density = gaussian_log_density(z.to(self.centers.dtype), self.centers, self.precisions_cholesky)
        return torch.softmax(self.weights.log() + log_density, dim=1).float()
