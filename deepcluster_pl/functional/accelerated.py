"""scikit-learn's k-means and Gaussian mixture, computed on the run's GPU where it has one."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture
from typing_extensions import Self

from deepcluster_pl.functional.assignment import gaussian_log_density
from deepcluster_pl.functional.kmeans_restarts import kmeans_restarts
from deepcluster_pl.functional.mixture_em import MixtureResult, fit_mixture
from deepcluster_pl.functional.work_device import work_device


def accelerated(clusterer: Any) -> Any:
    """Return the counterpart of a clusterer that computes on the run's GPU, or the clusterer itself.

    On the CPU scikit-learn's own code is faster.

    Args:
        clusterer: any clusterer, not fitted yet. There are counterparts of `KMeans` with drawn starts, and of
            `GaussianMixture` with full or diagonal covariances that start from k-means.

    Returns:
        A clusterer with the same parameters and, once fitted, the same attributes.
    """
    if work_device().type == "cpu":
        return clusterer
    return counterpart(clusterer)


def counterpart(clusterer: Any) -> Any:
    """Return the counterpart of a clusterer that computes by matrix products; the clusterer itself where none is."""
    if type(clusterer) is KMeans and isinstance(clusterer.init, str):
        return DeviceKMeans(**clusterer.get_params())
    if type(clusterer) is GaussianMixture and _is_plain(clusterer):
        return DeviceMixture(**clusterer.get_params())
    return clusterer


class DeviceKMeans(KMeans):  # type: ignore[misc]
    """`KMeans` whose restarts are computed together; see `kmeans_restarts`."""

    def fit(self, X: NDArray[np.floating], y: object = None, sample_weight: object = None) -> Self:
        """Cluster points (N, D); weights of samples are not supported."""
        self._validate_params()
        if sample_weight is not None:
            raise ValueError("sample_weight is not supported")
        if len(X) < self.n_clusters:
            raise ValueError(f"n_samples={len(X)} should be >= n_clusters={self.n_clusters}.")
        greedy = self.init == "k-means++"
        n_init = (1 if greedy else 10) if self.n_init == "auto" else int(self.n_init)
        points = torch.from_numpy(np.ascontiguousarray(X, dtype=np.float32)).to(work_device())
        found = kmeans_restarts(
            points, self.n_clusters, n_init, self.max_iter, self.tol, _seed(self.random_state), greedy
        )
        self.cluster_centers_ = found.centers.cpu().numpy().astype(X.dtype)
        self.labels_ = found.labels.cpu().numpy().astype(np.int32)
        self.inertia_, self.n_iter_ = found.inertia, found.n_iter
        self.n_features_in_ = X.shape[1]
        self._n_features_out, self._n_threads = self.n_clusters, 1
        return self

    def fit_predict(self, X: NDArray[np.floating], y: object = None, sample_weight: object = None) -> NDArray[np.int32]:
        """Cluster points (N, D); return the cluster (N,) of each."""
        labels: NDArray[np.int32] = self.fit(X, y, sample_weight).labels_
        return labels


class DeviceMixture(GaussianMixture):  # type: ignore[misc]
    """`GaussianMixture` that is fitted by `fit_mixture`, from partitions by k-means."""

    def fit_predict(self, X: NDArray[np.floating], y: object = None) -> NDArray[np.int64]:
        """Fit the mixture to points (N, D); return the component (N,) of each."""
        self._validate_params()
        if len(X) < self.n_components:
            raise ValueError(f"n_samples={len(X)} should be >= n_components={self.n_components}.")
        points = torch.from_numpy(np.ascontiguousarray(X, dtype=np.float64)).to(work_device())
        draw = np.random.default_rng(_seed(self.random_state))
        best: MixtureResult | None = None
        for _ in range(self.n_init):
            first = kmeans_restarts(points.float(), self.n_components, 1, 300, 1e-4, int(draw.integers(2**31)))
            found = fit_mixture(
                points, first.labels, self.n_components, self.covariance_type == "diag", self.reg_covar, self.max_iter,
                self.tol,
            )  # fmt: skip
            if best is None or found.log_likelihood > best.log_likelihood:
                best = found
        assert best is not None
        self.weights_, self.means_ = best.weights.cpu().numpy(), best.means.cpu().numpy()
        self.covariances_ = best.covariances.cpu().numpy()
        self.precisions_cholesky_ = best.precisions_cholesky.cpu().numpy()
        self.precisions_ = _squared(self.precisions_cholesky_)
        self.lower_bound_, self.n_iter_, self.converged_ = best.log_likelihood, best.n_iter, best.converged
        self.n_features_in_ = X.shape[1]
        density = gaussian_log_density(points, best.means, best.precisions_cholesky)
        return (best.weights.log() + density).argmax(dim=1).cpu().numpy()

    def fit(self, X: NDArray[np.floating], y: object = None) -> Self:
        """Fit the mixture to points (N, D)."""
        self.fit_predict(X, y)
        return self


def _is_plain(mixture: GaussianMixture) -> bool:
    """Return whether a mixture starts from k-means, with nothing given beforehand."""
    given = (mixture.weights_init, mixture.means_init, mixture.precisions_init)
    plain: bool = mixture.covariance_type in ("full", "diag") and mixture.init_params == "kmeans"
    return plain and not mixture.warm_start and all(value is None for value in given)


def _squared(factors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the precisions of their factors, (K, D, D) or (K, D)."""
    squared: NDArray[np.float64] = factors**2 if factors.ndim == 2 else factors @ factors.transpose(0, 2, 1)
    return squared


def _seed(random_state: Any) -> int:
    """Return a number from a random state, as scikit-learn takes it: a number, a generator, or None."""
    if isinstance(random_state, (int, np.integer)):
        return int(random_state)
    return int((np.random if random_state is None else random_state).randint(2**31))
