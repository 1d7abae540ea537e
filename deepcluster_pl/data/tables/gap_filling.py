"""Fill gaps from the other columns of their row, by the means and covariances of the fitted rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_FEATURES, FEWEST_ROWS = 128, 50
"""Tables with more features or fewer rows get the median or the usual shares."""
_MOST_ROWS, _ROUNDS, _RIDGE = 20_000, 5, 0.1


class GapFiller:
    """Expected values of gaps, given the rest of their row, as if rows were normally distributed.

    Each row is filled alone, so new rows are filled as those of the run were.

    Args:
        mean: mean (F,) of each feature.
        spread: standard deviation (F,) of each feature; 1 for a constant.
        covariance: covariance (F, F) of the standardized features, with a ridge on its diagonal.
    """

    def __init__(self, mean: NDArray[np.float64], spread: NDArray[np.float64], covariance: NDArray[np.float64]) -> None:
        if mean.ndim != 1 or spread.shape != mean.shape or covariance.shape != (len(mean), len(mean)):
            raise ValueError("means and covariances for gaps do not fit together")
        if not (np.isfinite(covariance).all() and np.isfinite(mean).all() and (spread > 0).all()):
            raise ValueError("means and covariances for gaps are not finite")
        self.mean = mean
        self.spread = spread
        self.covariance = covariance

    @classmethod
    def fit(cls, x: NDArray[Any], is_gap: NDArray[np.bool_]) -> GapFiller:
        """Estimate means and covariances of rows with gaps.

        Args:
            x: features (N, F), gaps filled in some way.
            is_gap: which of them are gaps (N, F).

        Returns:
            The filler.
        """
        step = -(-len(x) // _MOST_ROWS)
        x, is_gap = x[::step].astype(np.float64), is_gap[::step]
        known = np.maximum((~is_gap).sum(axis=0), 1)
        mean = np.where(is_gap, 0, x).sum(axis=0) / known
        spread = np.sqrt((np.where(is_gap, 0, x - mean) ** 2).sum(axis=0) / known)
        spread = np.where(spread > 1e-9 * np.maximum(1, np.abs(mean)), spread, 1.0)
        z = np.where(is_gap, 0, (x - mean) / spread)
        filler = cls(np.zeros(len(mean)), np.ones(len(mean)), np.eye(len(mean)))
        # Expectation of the gaps, then their covariances again
        for _ in range(_ROUNDS):
            filler = cls(z.mean(axis=0), filler.spread, np.cov(z, rowvar=False, ddof=0) + _RIDGE * np.eye(len(mean)))
            z = filler.fill(z, is_gap)
        return cls(mean + spread * filler.mean, spread, filler.covariance)

    def fill(self, x: NDArray[Any], is_gap: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return features (N, F) whose gaps hold their expected values."""
        z = np.where(is_gap, 0, (x - self.mean) / self.spread)
        patterns, which = np.unique(is_gap, axis=0, return_inverse=True)
        which = which.reshape(-1)
        order = np.argsort(which, kind="stable")
        ends = np.cumsum(np.bincount(which, minlength=len(patterns)))
        # Rows with the same gaps share one system of equations
        for i, pattern in enumerate(patterns):
            if not pattern.any() or pattern.all():
                continue
            rows = order[ends[i - 1] if i else 0 : ends[i]]
            among, across = self.covariance[np.ix_(~pattern, ~pattern)], self.covariance[np.ix_(~pattern, pattern)]
            z[np.ix_(rows, pattern)] = z[np.ix_(rows, ~pattern)] @ np.linalg.solve(among, across)
        return np.asarray(np.where(is_gap, self.mean + self.spread * z, x))

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {
            "mean": self.mean.tolist(), "spread": self.spread.tolist(), "covariance": self.covariance.tolist()
        }  # fmt: skip

    @staticmethod
    def from_json(node: Mapping[str, Any]) -> GapFiller:
        """Return the filler that `to_json` described; raise `ValueError` where it is damaged."""
        mean, spread, covariance = (np.array(node[key], dtype=np.float64) for key in ("mean", "spread", "covariance"))
        return GapFiller(mean, spread, covariance)
