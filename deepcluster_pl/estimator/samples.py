"""Turn arrays, sparse matrices and DataFrames into the samples that a recipe takes."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.decomposition import TruncatedSVD

from deepcluster_pl.data.tables.dataframes import frame_of, is_dataframe, needs_preparation
from deepcluster_pl.data.tables.frame import Frame
from deepcluster_pl.errors import UserError

ACCEPTED: dict[str, Any] = {"dtype": ["float64", "float32", "uint8"], "allow_nd": True, "accept_sparse": "csr"}
"""Arguments of scikit-learn's `validate_data`: types and shapes that it accepts."""
MOST_DENSE = 2**28
"""Most numbers of a dense array that a sparse matrix is turned into; they take 1 GiB in float32."""
N_COMPONENTS = 100
_FEWEST_SPARSE_COLUMNS = 16
"""scikit-learn's checks try three columns, and expect of all that takes them the probabilities of four classes."""


def frame_to_prepare(X: Any) -> Frame | None:
    """Return the columns of a DataFrame that has to be prepared; None for everything else."""
    return frame_of(X) if is_dataframe(X) and needs_preparation(X) else None


def leading_components(x: Any) -> NDArray[np.float32] | None:
    """Return the leading components (F, C) of a sparse matrix (N, F) that is too large to be dense, with a warning.

    Returns:
        The components by TruncatedSVD, or None for an array, and for a matrix that is small enough.
    """
    if not sparse.issparse(x) or x.shape[0] * x.shape[1] <= MOST_DENSE:
        return None
    svd = TruncatedSVD(min(N_COMPONENTS, x.shape[1] - 1), random_state=0).fit(x)
    components = np.ascontiguousarray(svd.components_.T, dtype=np.float32)
    text = f"X of {x.shape[0]} x {x.shape[1]} would take more than 1 GiB as a dense array"
    warnings.warn(f"{text}; its {components.shape[1]} leading components are clustered", stacklevel=4)
    return components


def to_dense(x: Any, components: NDArray[np.float32] | None) -> NDArray[Any]:
    """Return samples as a dense array.

    Args:
        x: an array (N, ...), or a sparse matrix (N, F).
        components: of `leading_components`, (F, C), on which the samples are projected; None leaves them as they are.

    Raises:
        UserError: a sparse matrix has too few columns.
    """
    if sparse.issparse(x) and x.shape[1] < _FEWEST_SPARSE_COLUMNS:
        least = _FEWEST_SPARSE_COLUMNS
        raise UserError(f"found a sparse X of {x.shape[1]} columns, expected {least} or more; write X.toarray()")
    if components is not None:
        return np.asarray(x @ components)
    return np.asarray(x.toarray() if sparse.issparse(x) else x)


def is_scaled(x: NDArray[Any]) -> bool:
    """Return whether samples (N, ...) are images of bytes or of values from -1 to 1, which need no scaling."""
    return x.ndim > 2 and (x.dtype == np.uint8 or bool(np.abs(x).max() <= 1))
