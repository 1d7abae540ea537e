"""scikit-learn's bundled handwritten digits: 1,797 images of 8x8, on every machine, without a network."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits
from typing_extensions import Unpack

from deepcluster_pl.data.base import ClusteringData, CommonOptions
from deepcluster_pl.data.table import Table


class Digits(ClusteringData):
    """Samples (1797, 8, 8) in 0 … 1; ten classes."""

    def __init__(self, **common: Unpack[CommonOptions]) -> None:
        super().__init__(common)

    def load(self) -> Table:
        """Read the images that ship with scikit-learn."""
        digits = load_digits()
        return Table((digits.images / 16).astype(np.float32), range(len(digits.images)), digits.target)
