"""The start: a scikit-learn clusterer on the embeddings gives the first centers and labels."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from deepcluster_pl.errors import UserError
from deepcluster_pl.utils.determinism import deterministic_openmp
from deepcluster_pl.utils.tensor_files import load_tensors, save_tensors


@dataclass(frozen=True)
class Initialization:
    """What a method begins from.

    Attributes:
        labels: cluster (N,) of each sample it was found on.
        centers: (K, D).
        weights: share (K,) of each mixture component; None where the clusterer is not a mixture.
        precisions_cholesky: factors (K, D, D) of the precision matrices, or (K, D) for diagonal ones.
        agreement: of each restart (R,) with the others, where `ConsensusRestarts` chose among restarts; a record.
        criterion: of each restart (R,), the larger the better; a record.
        code_matrix: A (D, D) of the code z' = A (z - m) that all of the above is of, where z is the pretrained code;
            None where it is of the pretrained code itself.
        code_shift: m (D,) of it.
        codes: distinct embeddings (M, D) that the clusterer laid out anew; None where it clusters embeddings as they
            are.
        places: where they lie (M, E).
        place_means: means (K, E) of a mixture fitted to the places.
        place_weights: its shares (K,).
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
    places: Tensor | None = None
    place_means: Tensor | None = None
    place_weights: Tensor | None = None
    place_precisions_cholesky: Tensor | None = None

    def describe(self) -> str:
        """How the restarts agreed, and how far the code was stretched, in a line; empty where neither happened."""
        told = []
        if self.agreement is not None and self.criterion is not None:
            low, high = self.agreement.aminmax()
            by_criterion = self.agreement[self.criterion.argmax()]
            told.append(
                f"agreement of {len(self.agreement)} restarts with the others {low:.3f} to {high:.3f}, "
                f"of the best by its own criterion {by_criterion:.3f}"
            )
        if self.code_matrix is not None:
            low, high = torch.linalg.eigvalsh(self.code_matrix).aminmax()
            told.append(f"code whitened, its axes stretched by {low:.3g} to {high:.3g}")
        return "; ".join(told)

    def save(self, path: Path) -> None:
        """Write a safetensors file."""
        tensors = {field.name: getattr(self, field.name) for field in fields(self)}
        save_tensors({name: tensor for name, tensor in tensors.items() if tensor is not None}, path)

    @staticmethod
    def load(path: Path) -> Initialization:
        """Read what `save` wrote."""
        try:
            return Initialization(**load_tensors(path))
        except (UserError, TypeError) as error:
            text = error if isinstance(error, UserError) else f"{path} holds no start: {error}"
            raise UserError(f"{text}; delete it, and the start is made anew") from error


def check_clusterer(clusterer: Any) -> None:
    """Raise `UserError` for a missing package or parameters scikit-learn would refuse, before anything is trained."""
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
    """Raise `UserError` where embeddings (N, D) cannot be clustered."""
    limit = (np.finfo(np.float32).max / max(1, z.numel())) ** 0.5  # the sum of squares must not overflow
    if not bool((z.abs() < limit).all()):
        raise UserError(
            f"the embeddings hold NaN, infinite or huge values (above {limit:.0e}): type a smaller "
            f"pretrain.optimizer.lr if pretraining diverged, or data.scale=standard if the data is that large"
        )


def fit_initialization(clusterer: Any, z: Tensor) -> Initialization:
    """Cluster embeddings (N, D) with a scikit-learn clusterer or mixture.

    Centers are the clusterer's own (`cluster_centers_`, `means_`), or else the mean of each group it found. Of a
    clusterer that lays the embeddings out anew (`places_`), the layout and its mixture are kept as well.
    """
    is_mixture = hasattr(clusterer, "covariance_type")
    data = z.cpu().double().numpy() if is_mixture else z.cpu().numpy()
    check_embeddings(z)
    try:
        with deterministic_openmp():
            labels = torch.as_tensor(clusterer.fit_predict(data)).long()
    except ValueError as error:
        raise UserError(f"start: {error}") from error
    if is_mixture:
        return Initialization(labels, *_mixture(clusterer), **_of_restarts(clusterer))
    centers = getattr(clusterer, "cluster_centers_", None)
    if not bool((labels >= 0).any()):
        raise UserError(f"start: {type(clusterer).__name__} found no cluster")
    if centers is None:
        centers = np.stack([data[labels.numpy() == k].mean(axis=0) for k in np.unique(labels[labels >= 0])])
    centers = torch.as_tensor(np.asarray(centers, dtype=np.float32))
    if not hasattr(clusterer, "places_"):
        return Initialization(labels, centers, **_of_restarts(clusterer))
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
    """Means, weights and factors of the precisions."""
    return (
        torch.as_tensor(mixture.means_),
        torch.as_tensor(mixture.weights_),
        torch.as_tensor(_per_component(mixture)),
    )


def _of_restarts(clusterer: Any) -> dict[str, Tensor]:
    """What `ConsensusRestarts` chose by; nothing where there were no restarts to choose from."""
    names = ("agreement", "criterion")
    return {name: torch.as_tensor(getattr(clusterer, f"{name}_")) for name in names if hasattr(clusterer, f"{name}_")}


def _per_component(mixture: Any) -> Any:
    """`precisions_cholesky_` with one entry per component, whatever the covariance type."""
    factors, (k, d) = mixture.precisions_cholesky_, mixture.means_.shape
    if mixture.covariance_type == "tied":
        return np.broadcast_to(factors, (k, d, d)).copy()
    if mixture.covariance_type == "spherical":
        return np.broadcast_to(factors[:, None], (k, d)).copy()
    return factors
