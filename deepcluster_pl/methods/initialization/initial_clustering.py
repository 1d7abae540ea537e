"""Initialization: a scikit-learn clusterer on the embeddings gives the first centers and labels."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from deepcluster_pl.errors import UserError
from deepcluster_pl.functional.accelerated import accelerated
from deepcluster_pl.functional.neighbors import NeighborOrder
from deepcluster_pl.utils.determinism import deterministic_openmp, one_blas_thread
from deepcluster_pl.utils.tensor_files import load_with_notes, save_tensors

_SHAPES = {
    "centers": "KD", "labels": "N", "weights": "K", "precisions_cholesky": "KDD", "agreement": "R", "criterion": "R",
    "code_matrix": "DD", "code_shift": "D", "codes": "MD", "probabilities": "MK", "places": "ME", "place_means": "KE",
    "place_weights": "K", "place_precisions_cholesky": "KEE",
}  # fmt: skip
"""Sizes of each tensor of an initialization."""
_FEW_ROWS = 20_000
"""Up to this many rows a clusterer multiplies small matrices only."""


@dataclass(frozen=True)
class Initialization:
    """First centers and labels of a method, and what else the clusterer found.

    Attributes:
        labels: cluster (N,) of each sample that was clustered; -1 is noise.
        centers: cluster centers (K, D).
        weights: weight (K,) of each mixture component; None where the clusterer is not a mixture.
        precisions_cholesky: factors (K, D, D) of the precision matrices, or (K, D) for diagonal ones.
        agreement: agreement (R,) of each restart with the others, where `ConsensusRestarts` chose; a record.
        criterion: criterion (R,) of each restart, the larger the better; a record.
        code_matrix: A (D, D), if the pretrained embeddings z were replaced by A (z - m), to which all of the above
            belongs; None where it belongs to the pretrained embeddings.
        code_shift: m (D,) of that replacement.
        codes: distinct embeddings (M, D) that the clusterer mapped or cut; None where it needs none of them.
        probabilities: probabilities (M, K) of those embeddings by a graph of neighbors.
        places: their places (M, E) on the map.
        place_means: means (K, E) of a mixture fitted to the places.
        place_weights: its weights (K,).
        place_precisions_cholesky: its factors (K, E, E) or (K, E).
    """

    labels: Tensor
    centers: Tensor
    weights: Tensor | None = None
    precisions_cholesky: Tensor | None = None
    agreement: Tensor | None = None
    criterion: Tensor | None = None
    code_matrix: Tensor | None = None
    code_shift: Tensor | None = None

    codes: Tensor | None = None
    probabilities: Tensor | None = None
    places: Tensor | None = None
    place_means: Tensor | None = None
    place_weights: Tensor | None = None
    place_precisions_cholesky: Tensor | None = None

    def describe(self) -> str:
        """Describe in a line the agreement of restarts and the stretch of whitening; empty where there was neither."""
        texts = []
        if self.agreement is not None and self.criterion is not None:
            low, high = self.agreement.aminmax()
            by_criterion = self.agreement[self.criterion.argmax()]
            texts.append(
                f"agreement of {len(self.agreement)} restarts with the others {low:.3f} to {high:.3f}, "
                f"of the best by its own criterion {by_criterion:.3f}"
            )
        if self.code_matrix is not None:
            low, high = torch.linalg.eigvalsh(self.code_matrix).aminmax()
            texts.append(f"embeddings whitened, their axes stretched by {low:.3g} to {high:.3g}")
        return "; ".join(texts)

    def save(self, path: Path, origin: Mapping[str, str] | None = None) -> None:
        """Write a safetensors file with every attribute that is not None.

        Args:
            path: the file.
            origin: hashes of the settings that the initialization belongs to, by name.
        """
        tensors = {field.name: getattr(self, field.name) for field in fields(self)}
        save_tensors({name: tensor for name, tensor in tensors.items() if tensor is not None}, path, origin)

    @staticmethod
    def load(path: Path, origin: Mapping[str, str] | None = None) -> Initialization:
        """Read an initialization that `save` wrote.

        Args:
            path: the file.
            origin: hashes of the settings that it has to belong to; None for any.

        Returns:
            The initialization.

        Raises:
            UserError: the file is damaged, holds something else, or belongs to other settings.
        """
        try:
            tensors, found = load_with_notes(path)
            if origin and found is None:
                raise UserError(f"{path} was written by an earlier version, perhaps with other settings")
            if differing := [name for name, expected in (origin or {}).items() if (found or {}).get(name) != expected]:
                raise UserError(f"{path} belongs to other settings ({', '.join(differing)})")
            start = Initialization(**tensors)
            _check_loaded(start)
            return start
        except (UserError, TypeError, ValueError) as error:
            text = error if isinstance(error, UserError) else f"{path} holds no initialization: {error}"
            raise UserError(f"{text}; delete it, and the initialization is computed again") from error


def _check_loaded(start: Initialization) -> None:
    """Raise `ValueError` for an initialization of a file that no clusterer has found."""
    sizes: dict[str, int] = {}
    for name, letters in _SHAPES.items():
        tensor = getattr(start, name)
        if tensor is None:
            continue
        # A letter stands for one size wherever it occurs; a square table may be stored as its diagonal
        letters = letters[: tensor.ndim] if name.endswith("cholesky") and tensor.ndim == 2 else letters
        if tensor.ndim != len(letters) or any(
            sizes.setdefault(letter, size) != size for letter, size in zip(letters, tensor.shape, strict=True)
        ):
            raise ValueError(f"{name} has shape {tuple(tensor.shape)}, expected ({', '.join(letters)})")
        if name != "labels" and not (tensor.is_floating_point() and tensor.isfinite().all()):
            raise ValueError(f"{name} holds something else than finite numbers")
    if start.labels.dtype != torch.int64:
        raise ValueError("labels are no whole numbers")
    if len(start.labels) and not -1 <= int(start.labels.min()) <= int(start.labels.max()) < len(start.centers):
        raise ValueError("labels name clusters without a center")


def check_clusterer(clusterer: Any) -> None:
    """Raise `UserError` for a missing package or parameters that scikit-learn would refuse.

    Call this before anything is trained: scikit-learn itself refuses parameters in `fit`, after the pretraining.
    """
    if hasattr(clusterer, "check"):
        clusterer.check()
    for part in (clusterer, getattr(clusterer, "mixture", None)):
        validate = getattr(part, "_validate_params", None)
        if validate is not None:
            try:
                validate()
            except ValueError as error:
                raise UserError(f"start: {error}") from error


def check_embeddings(z: Tensor) -> None:
    """Raise `UserError` if embeddings (N, D) cannot be clustered: NaN, infinite or huge values."""
    limit = (np.finfo(np.float32).max / max(1, z.numel())) ** 0.5  # the sum of squares must not overflow
    if not bool((z.abs() < limit).all()):
        raise UserError(
            f"the embeddings hold NaN, infinite or huge values (above {limit:.0e}): type a smaller "
            f"pretrain.optimizer.lr if pretraining diverged, or data.scale=standard if the data is that large"
        )


def fit_initialization(clusterer: Any, z: Tensor, order: NeighborOrder | None = None) -> Initialization:
    """Cluster embeddings with a scikit-learn clusterer or mixture.

    Centers are the clusterer's own (`cluster_centers_`, `means_`), or else the mean of each group it found. The map of
    a clusterer that maps embeddings (`places_`) is stored as well, with the mixture on it. The points of a graph are
    stored with their probabilities (`probabilities_`).

    Args:
        clusterer: has `fit_predict`; it is fitted in place, or its counterpart on the run's GPU is.
        z: embeddings (N, D).
        order: order of nearest neighbors for a clusterer of their graph; its rows are those of z.

    Returns:
        The initialization, on the CPU.

    Raises:
        UserError: the clusterer refuses the embeddings, or finds no cluster.
    """
    clusterer = accelerated(clusterer)
    # Mixtures invert covariances, which float32 is too coarse for
    is_mixture = hasattr(clusterer, "covariance_type")
    data = z.cpu().double().numpy() if is_mixture else z.cpu().numpy()
    check_embeddings(z)
    try:
        with deterministic_openmp(), one_blas_thread() if len(data) <= _FEW_ROWS else nullcontext():
            found = clusterer.fit_predict(data) if order is None else clusterer.fit_predict(data, order)
            labels = torch.as_tensor(found).long()
    except ValueError as error:
        raise UserError(f"start: {error}") from error
    if is_mixture:
        return Initialization(labels, *_mixture(clusterer), **_restarts(clusterer))
    # Centers: the clusterer's own, or the mean of each group; noise has none
    centers = getattr(clusterer, "cluster_centers_", None)
    if not bool((labels >= 0).any()):
        raise UserError(f"start: {type(clusterer).__name__} found no cluster")
    if centers is None:
        centers = np.stack([data[labels.numpy() == k].mean(axis=0) for k in np.unique(labels[labels >= 0])])
    centers = torch.as_tensor(np.asarray(centers, dtype=np.float32))
    if hasattr(clusterer, "probabilities_"):
        codes, probabilities = torch.as_tensor(clusterer.codes_), torch.as_tensor(clusterer.probabilities_)
        return Initialization(labels, centers, codes=codes, probabilities=probabilities)
    if not hasattr(clusterer, "places_"):
        return Initialization(labels, centers, **_restarts(clusterer))
    # The map, and the mixture on it
    means, weights, factors = _mixture(clusterer.mixture)
    return Initialization(
        labels,
        centers,
        codes=torch.as_tensor(clusterer.codes_),
        places=torch.as_tensor(clusterer.places_),
        place_means=means,
        place_weights=weights,
        place_precisions_cholesky=factors,
    )


def _mixture(mixture: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Return means (K, D), weights (K,) and factors of the precisions, (K, D, D) or (K, D)."""
    return (
        torch.as_tensor(mixture.means_),
        torch.as_tensor(mixture.weights_),
        torch.as_tensor(_per_component(mixture)),
    )


def _restarts(clusterer: Any) -> dict[str, Tensor]:
    """Return agreement and criterion of `ConsensusRestarts`; an empty dictionary for other clusterers."""
    names = ("agreement", "criterion")
    return {name: torch.as_tensor(getattr(clusterer, f"{name}_")) for name in names if hasattr(clusterer, f"{name}_")}


def _per_component(mixture: Any) -> Any:
    """Return `precisions_cholesky_` with one entry per component, whatever the covariance type."""
    factors, (k, d) = mixture.precisions_cholesky_, mixture.means_.shape
    if mixture.covariance_type == "tied":
        return np.broadcast_to(factors, (k, d, d)).copy()
    if mixture.covariance_type == "spherical":
        return np.broadcast_to(factors[:, None], (k, d)).copy()
    return factors
