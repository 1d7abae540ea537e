"""Source of scikit-learn's bundled data: small and real, with labels, on every machine without a network."""

from __future__ import annotations

from typing import Literal

import numpy as np
from sklearn import datasets
from typing_extensions import Unpack

from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.data.options import CommonOptions
from deepcluster_pl.data.samples import Table


class SklearnDataset(ClusteringData):
    """Handwritten digits as images (1797, 8, 8) from 0 to 1, or a table of measurements.

    Args:
        dataset: digits (10 classes), wine (178 x 13 chemical measurements, 3 cultivars), breast_cancer (569 x 30
            measurements of cell nuclei, 2 diagnoses) or iris (150 x 4, 3 species).
        common: see `CommonOptions`.
    """

    def __init__(
        self, dataset: Literal["digits", "wine", "breast_cancer", "iris"], **common: Unpack[CommonOptions]
    ) -> None:
        super().__init__(common)
        self.dataset = dataset

    def load(self) -> Table:
        """Read a dataset that ships with scikit-learn."""
        bunch = getattr(datasets, f"load_{self.dataset}")()
        x = bunch.images / 16 if self.dataset == "digits" else bunch.data
        names = None if self.dataset == "digits" else [str(name) for name in bunch.feature_names]
        return Table(x.astype(np.float32), range(len(x)), bunch.target, names)
