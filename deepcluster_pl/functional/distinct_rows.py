"""Distinct rows of an array, in the order in which they first appear."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def distinct_rows(x: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the distinct rows of x (N, D), and for each row of x the number (N,) of its distinct row.

    >>> rows, which = distinct_rows(np.array([[2.0], [1.0], [2.0], [-0.0], [0.0]]))
    >>> rows.ravel().tolist(), which.tolist()
    ([2.0, 1.0, -0.0], [0, 1, 0, 2, 2])
    """
    _, first, which = np.unique(x + 0.0, axis=0, return_index=True, return_inverse=True)  # + 0.0: -0.0 is 0.0
    order = first.argsort()
    return x[first[order]], order.argsort()[which.reshape(-1)]
